namespace Platform.Models;

/// <summary>
/// What only a runtime can do with a model. Implemented by the service over ONNX Runtime, in a child process under memory and time limits; without one the manager keeps models as they came.
/// </summary>
public interface IModelOptimiser
{
    /// <summary>What an optimised file is good for: runtime, its version, device, such as <c>onnxruntime 1.30.0 cpu avx2</c>. At most 200 characters.</summary>
    string Key { get; }

    /// <summary>
    /// Opens a model that came from outside and runs it once. <paramref name="path"/> is not in the store yet.
    /// </summary>
    /// <exception cref="ModelException"><see cref="ModelFault.Invalid"/>: it cannot be opened, does not fit its manifest, or asks for more than it may have; nothing of it is kept.</exception>
    Task ProveAsync(ModelManifest manifest, string path, CancellationToken cancellationToken);

    /// <summary>
    /// Writes the runtime's own form of a model to <paramref name="to"/>, a path without an ending in an empty folder, and gives the file's path when it loads faster than the model itself; null when it does not.
    /// </summary>
    Task<string?> OptimiseAsync(StoredModel model, string to, CancellationToken cancellationToken);
}
