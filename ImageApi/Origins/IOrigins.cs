using System.Diagnostics.CodeAnalysis;

namespace ImageApi.Origins;

/// <summary>The configured origins by name. The store is among them as <see cref="StoreName"/>.</summary>
internal interface IOrigins
{
    /// <summary>The name of the writable origin that STOW-RS stores into.</summary>
    const string StoreName = "store";

    /// <summary>Ordered: the store, folders by name, then all others by name. Where an instance lies in several origins the first one serves it.</summary>
    IReadOnlyList<IOrigin> All { get; }

    /// <summary>Those that hold studies, in the order of <see cref="All"/>.</summary>
    IReadOnlyList<IDicomOrigin> Dicom { get; }

    /// <summary>Those that hold plain files, in the order of <see cref="All"/>.</summary>
    IReadOnlyList<IFileOrigin> Files { get; }

    /// <summary>The origin of a name, if it is one of this kind. Names are compared exactly.</summary>
    bool TryGet<TOrigin>(string name, [NotNullWhen(true)] out TOrigin? origin) where TOrigin : class, IOrigin;
}

/// <summary>A kind of origin: makes the origins that the configuration names. One per value of <see cref="OriginOptions.Kind"/>.</summary>
internal interface IOriginKind
{
    /// <summary>One of <see cref="OriginKinds"/>.</summary>
    string Kind { get; }

    /// <summary>Makes an origin from options that were validated. Opens no connection: an origin may be away when the service starts.</summary>
    IOrigin Create(string name, OriginOptions options);
}
