using InferenceApi.Sessions;
using Platform.Models;

namespace InferenceApi.Tests.Support;

/// <summary>Models where they lie, without the store: those that ship and those of a test's folder.</summary>
internal sealed class FolderModels(string folder) : IModelFiles
{
    private readonly ModelCatalogue _catalogue = ModelCatalogue.Load([ModelCatalogue.ShippedFolder, Path.Combine(folder, "catalogue")]);

    public IReadOnlyList<ModelManifest> Models => _catalogue.Models;

    public ModelManifest? Find(string name) => _catalogue.Find(name);

    public bool IsHere(ModelManifest model) => PathOf(model) is { } path && File.Exists(path);

    public ValueTask<ModelFileLease> OpenAsync(ModelManifest model, CancellationToken cancellationToken)
    {
        if (!IsHere(model)) throw new ModelException(ModelFault.NotFound, $"The files of {model.Name} are not here.");
        var bytes = model.Files.Sum(file => file.Source is { } source && new FileInfo(Path.Combine(model.Folder!, source)) is { Exists: true } info ? info.Length : 0);
        return ValueTask.FromResult(new ModelFileLease(PathOf(model)!, IsOptimised: false, bytes));
    }

    private static string? PathOf(ModelManifest model) =>
        model.Folder is { } folder && model.Files.FirstOrDefault(file => file.Path == model.Runs)?.Source is { } source ? Path.Combine(folder, source) : null;
}
