using Microsoft.Extensions.Options;
using Platform.Models;

namespace InferenceApi.Sessions;

/// <summary>Models from folders: those that ship, beside the application, and those of <c>InferenceApi:Models:Path</c>. Files lie where the manifests say.</summary>
internal sealed class FolderModels(IOptions<ModelFolderOptions> options) : IModelFiles
{
    private readonly Lazy<ModelCatalogue> _catalogue = new(() => ModelCatalogue.Load(
        options.Value.Path is { Length: > 0 } path ? [ModelCatalogue.ShippedFolder, Path.Combine(path, "catalogue")] : [ModelCatalogue.ShippedFolder]));

    public IReadOnlyList<ModelManifest> Models => _catalogue.Value.Models;

    public ModelManifest? Find(string name) => _catalogue.Value.Find(name);

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

internal sealed class ModelFolderOptions
{
    public const string SectionName = "InferenceApi:Models";

    /// <summary>The folder of the models; manifests of the user's own are in its <c>catalogue/</c>. Default none: those that ship.</summary>
    public string? Path { get; set; }
}
