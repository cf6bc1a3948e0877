using System.Collections.Immutable;

namespace Platform.Models;

/// <summary>
/// The manifests of some folders. A name in a later folder hides the same name in an earlier one. A manifest that cannot be read is left out and listed in <see cref="Problems"/>: one slip must
/// not take the others away. Immutable.
/// </summary>
public sealed class ModelCatalogue
{
    private const int MaxManifests = 4096;

    private readonly Dictionary<string, ModelManifest> _byName = new(StringComparer.OrdinalIgnoreCase);

    private ModelCatalogue(IReadOnlyList<ModelManifest> models, ImmutableArray<string> problems)
    {
        foreach (var model in models) _byName[model.Name] = model;
        Models = [.. _byName.Values.OrderBy(static model => model.Name, StringComparer.OrdinalIgnoreCase)];
        Problems = problems;
    }

    /// <summary>By name.</summary>
    public ImmutableArray<ModelManifest> Models { get; }

    /// <summary>What could not be read, a sentence each.</summary>
    public ImmutableArray<string> Problems { get; }

    /// <summary>The folder of manifests beside the running program.</summary>
    public static string ShippedFolder => Path.Combine(AppContext.BaseDirectory, "models");

    /// <summary>Finds a manifest without regard to case; null where there is none.</summary>
    public ModelManifest? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Reads the <c>*.json</c> of folders, not of what is below them. A folder that is not there is empty.</summary>
    public static ModelCatalogue Load(params IEnumerable<string> folders)
    {
        var models = new List<ModelManifest>();
        var problems = ImmutableArray.CreateBuilder<string>();
        foreach (var folder in folders)
        {
            if (!Directory.Exists(folder)) continue;
            foreach (var path in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal).Take(MaxManifests))
            {
                var file = Path.GetFileName(path);
                try
                {
                    var manifest = ManifestReader.Read(ReadBounded(path), file, folder);
                    if (!string.Equals(manifest.Name + ".json", file, StringComparison.OrdinalIgnoreCase)) throw ModelException.Invalid($"{file}: the model is called {manifest.Name}: the file must be too.");
                    models.Add(manifest);
                }
                catch (Exception failure) when (failure is ModelException or IOException or UnauthorizedAccessException)
                {
                    problems.Add(failure is ModelException ? failure.Message : $"{file}: cannot be read: {failure.Message}");
                }
            }
        }
        return new ModelCatalogue(models, problems.ToImmutable());
    }

    private static byte[] ReadBounded(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.Length > ManifestReader.MaxBytes) throw ModelException.Invalid($"{Path.GetFileName(path)}: longer than a manifest may be ({ManifestReader.MaxBytes} bytes).");
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
