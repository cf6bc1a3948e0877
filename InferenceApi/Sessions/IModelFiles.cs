using Platform.Models;

namespace InferenceApi.Sessions;

/// <summary>Where sessions get models from.</summary>
internal interface IModelFiles
{
    /// <summary>The models that there are, by name.</summary>
    IReadOnlyList<ModelManifest> Models { get; }

    /// <summary>The manifest of a model, whatever its name's case; null where there is none.</summary>
    ModelManifest? Find(string name);

    /// <summary>The file that the runtime opens. It stays where it is until the lease is disposed.</summary>
    /// <exception cref="ModelException">It is not here, or not what it must be.</exception>
    ValueTask<ModelFileLease> OpenAsync(ModelManifest model, CancellationToken cancellationToken);
}

/// <summary>A model's file in use.</summary>
/// <param name="Path">What the runtime opens.</param>
/// <param name="Bytes">All files of the model together.</param>
/// <param name="Held">Lets the files go when disposed; null where nothing holds them.</param>
internal sealed record ModelFileLease(string Path, long Bytes, IAsyncDisposable? Held = null) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Held?.DisposeAsync() ?? ValueTask.CompletedTask;
}
