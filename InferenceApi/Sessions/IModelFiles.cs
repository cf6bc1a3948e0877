using Platform.Models;

namespace InferenceApi.Sessions;

/// <summary>Where sessions get models from.</summary>
internal interface IModelFiles
{
    /// <summary>The models that there are, by name.</summary>
    IReadOnlyList<ModelManifest> Models { get; }

    /// <summary>The manifest of a model, whatever its name's case; null where there is none.</summary>
    ModelManifest? Find(string name);

    /// <summary>Whether <see cref="OpenAsync"/> needs nothing from the network. Looks, and waits for nothing.</summary>
    bool IsHere(ModelManifest model);

    /// <summary>The file that the runtime opens, fetched first where it is not here. It stays where it is until the lease is disposed.</summary>
    /// <exception cref="ModelException">It is not here, or not what it must be.</exception>
    ValueTask<ModelFileLease> OpenAsync(ModelManifest model, CancellationToken cancellationToken);
}

/// <summary>A model's file in use.</summary>
/// <param name="Path">What the runtime opens.</param>
/// <param name="IsOptimised">Whether the runtime has optimised it already.</param>
/// <param name="Bytes">All files of the model together.</param>
/// <param name="Digest">SHA-256 of the files, where the store knows it: results are keyed by it.</param>
/// <param name="Held">Lets the files go when disposed; null where nothing holds them.</param>
internal sealed record ModelFileLease(string Path, bool IsOptimised, long Bytes, string? Digest = null, IDisposable? Held = null) : IDisposable
{
    public void Dispose() => Held?.Dispose();
}
