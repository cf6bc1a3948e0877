using Platform.Models;

namespace InferenceApi.Sessions;

/// <summary>Models from the store: fetched, verified and held by the model manager, and in the runtime's own form where one is kept.</summary>
internal sealed class StoreModels(ModelManager manager) : IModelFiles
{
    public IReadOnlyList<ModelManifest> Models => manager.Manifests;

    public ModelManifest? Find(string name) => manager.TryFindManifest(name);

    public bool IsHere(ModelManifest model) => manager.IsHere(model.Name);

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
