using Platform.Models;

namespace InferenceApi.Sessions;

/// <summary>Models from the store: fetched, verified and held by the model manager, and in the runtime's own form where one is kept.</summary>
internal sealed class StoreModels(ModelManager manager) : IModelFiles
{
    public IReadOnlyList<ModelManifest> Models => [.. manager.List().Select(static model => model.Manifest)];

    public ModelManifest? Find(string name)
    {
        try
        {
            return manager.Find(name).Manifest;
        }
        catch (ModelException exception) when (exception.Fault == ModelFault.NotFound)
        {
            return null;
        }
    }

    public bool IsHere(ModelManifest model) => manager.Find(model.Name).State is ModelState.Stored or ModelState.Outdated
        || model.Folder is { } folder && model.Files.All(file => file.Source is { } source && File.Exists(Path.Combine(folder, source)));

    public async ValueTask<ModelFileLease> OpenAsync(ModelManifest model, CancellationToken cancellationToken)
    {
        var stored = await manager.GetAsync(model.Name, null, cancellationToken);
        try
        {
            var (path, isOptimised) = await manager.GetPathAsync(stored, cancellationToken);
            return new ModelFileLease(path, isOptimised, stored.Bytes, stored.Digest, stored);
        }
        catch
        {
            stored.Dispose();
            throw;
        }
    }
}
