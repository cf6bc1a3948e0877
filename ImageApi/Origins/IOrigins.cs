namespace ImageApi.Origins;

/// <summary>The configured origins by name. The store is among them as <see cref="StoreName"/>.</summary>
internal interface IOrigins
{
    /// <summary>The name of the writable origin that STOW-RS stores into.</summary>
    const string StoreName = "store";

    /// <summary>Ordered: the store first, then by name. Where an instance lies in several origins the first one serves it.</summary>
    IReadOnlyList<IDicomOrigin> All { get; }

    bool TryGet(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IDicomOrigin? origin);
}
