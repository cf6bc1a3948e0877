using Microsoft.Extensions.Options;
using Platform.Models;

namespace InferenceApi.Sessions;

/// <summary>Models from folders: those that ship, beside the application, and <c>InferenceApi:Models:Path</c>. Files lie where the manifests say.</summary>
internal sealed class FolderModels(IOptions<ModelFolderOptions> options) : IModelFiles
{
    private readonly Lazy<ModelCatalogue> _catalogue = new(() => ModelCatalogue.Load(
        options.Value.Path is { Length: > 0 } path ? [ModelCatalogue.ShippedFolder, path] : [ModelCatalogue.ShippedFolder]));

    public IReadOnlyList<ModelManifest> Models => _catalogue.Value.Models;

    public ModelManifest? Find(string name) => _catalogue.Value.Find(name);

    public ValueTask<ModelFileLease> OpenAsync(ModelManifest model, CancellationToken cancellationToken)
    {
        if (model.Runs is null || model.Files.FirstOrDefault(file => file.Path == model.Runs)?.Source is not { } source || model.Folder is null)
            throw new ModelException(ModelFault.NotFound, $"The files of {model.Name} are not here.");
        var path = Path.Combine(model.Folder, source);
        if (!File.Exists(path)) throw new ModelException(ModelFault.NotFound, $"The files of {model.Name} are not here.");
        var bytes = model.Files.Sum(file => file.Source is { } one && new FileInfo(Path.Combine(model.Folder, one)) is { Exists: true } info ? info.Length : 0);
        return ValueTask.FromResult(new ModelFileLease(path, bytes));
    }
}

internal sealed class ModelFolderOptions
{
    public const string SectionName = "InferenceApi:Models";

    /// <summary>A folder with manifests and models of the user's own. Default none: those that ship.</summary>
    public string? Path { get; set; }
}
