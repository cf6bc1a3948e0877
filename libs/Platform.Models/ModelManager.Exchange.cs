using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Platform.Models;

public sealed partial class ModelManager
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>A new file in the store's folder for what comes or goes; it is removed when it is closed.</summary>
    public FileStream CreateTemporaryFile()
    {
        _store.Folder.Create();
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Read | FileShare.Delete, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(_store.Folder.NewTemporaryPath(), options);
    }

    /// <summary>Whether bytes to come have room.</summary>
    /// <exception cref="ModelException"><see cref="ModelFault.NoRoom"/>.</exception>
    public Task CheckRoomAsync(long bytes, CancellationToken cancellationToken) => _store.ReserveAsync(bytes, null, cancellationToken);

    /// <summary>Writes a model as one file, with manifest and digests; another store imports it.</summary>
    public async Task ExportPackageAsync(string name, Stream to, CancellationToken cancellationToken)
    {
        using var model = await _store.TryGetAsync(name, cancellationToken).ConfigureAwait(false) ?? throw NotHere(name);
        await ModelPackage.WriteAsync(model, to, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The name that a package of a model should have.</summary>
    public static string PackageNameOf(string name, string version) => $"{name}-{version}{ModelPackage.Ending}";

    /// <summary>Writes the weights of a model's graph.</summary>
    public async Task ExportWeightsAsync(string name, WeightFormat format, Stream to, CancellationToken cancellationToken)
    {
        using var model = await _store.TryGetAsync(name, cancellationToken).ConfigureAwait(false) ?? throw NotHere(name);
        await WeightFiles.WriteAsync(WeightFiles.ReadOnnx(OnnxOf(model)), format, to, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Converts a file of weights into another format.</summary>
    public static async Task ConvertWeightsAsync(string from, WeightFormat fromFormat, Stream to, WeightFormat toFormat, CancellationToken cancellationToken) =>
        await WeightFiles.WriteAsync(await WeightFiles.ReadAsync(from, fromFormat, cancellationToken).ConfigureAwait(false), toFormat, to, cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Keeps a model's weights in another format too: a second copy, from which <see cref="VerifyAsync"/> makes a damaged model whole again, byte for byte.
    /// </summary>
    /// <returns>The bytes that it takes.</returns>
    public async Task<long> KeepFormatAsync(string name, WeightFormat format, CancellationToken cancellationToken)
    {
        await using var installing = await _store.BeginInstallAsync(cancellationToken).ConfigureAwait(false);
        using var model = await _store.TryGetAsync(name, cancellationToken).ConfigureAwait(false) ?? throw NotHere(name);
        var onnx = OnnxOf(model);
        await _store.ReserveAsync(new FileInfo(onnx).Length, name, cancellationToken).ConfigureAwait(false);
        var (graph, weights, whole) = (_store.Folder.NewTemporaryPath(), _store.Folder.NewTemporaryPath(), _store.Folder.NewTemporaryPath());
        try
        {
            await WeightForms.SplitAsync(onnx, graph, weights, format, cancellationToken).ConfigureAwait(false);
            // What is kept must be worth keeping.
            await WeightForms.JoinAsync(graph, weights, format.ToName(), whole, cancellationToken).ConfigureAwait(false);
            var file = model.Files.First(file => file.Path == model.Manifest.Runs);
            if (await BlobDigest.OfFileAsync(whole, cancellationToken).ConfigureAwait(false) != file.Sha256) throw ModelException.Invalid($"{name} cannot be put together from {format.ToName()} as it was; it is not kept so.");
            var (graphDigest, weightsDigest) = (await BlobDigest.OfFileAsync(graph, cancellationToken).ConfigureAwait(false), await BlobDigest.OfFileAsync(weights, cancellationToken).ConfigureAwait(false));
            var bytes = new FileInfo(weights).Length;
            _store.CommitBlob(graph, graphDigest);
            _store.CommitBlob(weights, weightsDigest);
            await _store.AddFormAsync(name, new EntryForm(format.ToName(), file.Path, weightsDigest, bytes, graphDigest), cancellationToken).ConfigureAwait(false);
            return bytes;
        }
        finally
        {
            foreach (var path in (string[])[graph, weights, whole]) StoreFolder.TryDelete(path);
        }
    }

    /// <summary>
    /// Takes a file in: a package, an <c>.onnx</c> or <c>.ort</c>, or weights for the graph of a model that is here. It is verified, and with a runtime proven, before it is seen; of one that is
    /// refused nothing remains.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="fileName">What it is called, where <paramref name="path"/> does not tell: its ending says what it is.</param>
    /// <param name="name">The model's name; needed for all but packages. A name of the catalogue brings its description of inputs and outputs.</param>
    /// <param name="graphOf">For weights: the model whose graph they are for; null for that called <paramref name="name"/>.</param>
    /// <param name="replace">Whether a model of that name may be replaced.</param>
    /// <param name="progress">Told what was read.</param>
    /// <param name="cancellationToken">Stops it; nothing remains.</param>
    /// <returns>The name that it has now.</returns>
    public async Task<string> ImportAsync(string path, string? fileName, string? name, string? graphOf, bool replace, IProgress<ModelProgress>? progress, CancellationToken cancellationToken)
    {
        fileName ??= Path.GetFileName(path);
        if (name is not null && !ManifestReader.IsName(name)) throw ModelException.Invalid("A model's name has letters, digits, '.', '-' and '_', 64 at most.");
        try
        {
            await using var installing = await _store.BeginInstallAsync(cancellationToken).ConfigureAwait(false);
            var ending = Path.GetExtension(fileName).ToLowerInvariant();
            if (ending is ModelPackage.Ending or ".zip") return await ImportPackageAsync(path, name, replace, progress, cancellationToken).ConfigureAwait(false);
            if (name is null) throw ModelException.Invalid("Say what the model is to be called.");
            if (ending is ".onnx" or ".ort") return await ImportFileAsync(path, ending, name, replace, cancellationToken).ConfigureAwait(false);
            if (WeightFormats.TryParsePath(fileName, out var format)) return await ImportWeightsAsync(path, format, name, graphOf ?? name, replace, cancellationToken).ConfigureAwait(false);
            throw ModelException.Invalid($"{ZipDirectory.Shown(fileName)}: a package ({ModelPackage.Ending}), .onnx, .ort, .safetensors, .h5, .pt or .pkl can be imported.");
        }
        catch (IOException failure) when (StoreFolder.IsDiskFull(failure))
        {
            throw new ModelException(ModelFault.NoRoom, $"The disk of {_store.Path} is full.", failure);
        }
    }

    private async Task<string> ImportPackageAsync(string path, string? name, bool replace, IProgress<ModelProgress>? progress, CancellationToken cancellationToken)
    {
        var (manifest, files, members) = await ModelPackage.ReadAsync(path, cancellationToken).ConfigureAwait(false);
        if (name is not null && !string.Equals(name, manifest.Name, StringComparison.OrdinalIgnoreCase)) throw ModelException.Invalid($"The package holds {manifest.Name}, not {name}.");
        RefuseTaken(manifest.Name, replace);
        await _store.ReserveAsync(files.Sum(static file => file.Bytes), manifest.Name, cancellationToken).ConfigureAwait(false);
        long done = 0;
        var total = files.Sum(static file => file.Bytes);
        await StageAsync(manifest, async folder =>
        {
            foreach (var file in files)
            {
                await ModelPackage.ExtractAsync(path, members["files/" + file.Path], file, PrepareFile(folder, file.Path),
                    read => progress?.Report(new ModelProgress(manifest.Name, ModelStage.Checking, file.Path, done += read, total, 0)), cancellationToken).ConfigureAwait(false);
            }
            return manifest;
        }, cancellationToken).ConfigureAwait(false);
        return manifest.Name;
    }

    private async Task<string> ImportFileAsync(string path, string ending, string name, bool replace, CancellationToken cancellationToken)
    {
        RefuseTaken(name, replace);
        await _store.ReserveAsync(new FileInfo(path).Length, name, cancellationToken).ConfigureAwait(false);
        var listed = Catalogue.Find(name);
        if (ending == ".ort" && listed is null) throw ModelException.Invalid("An .ort file does not say its inputs and outputs: import a package, or put a manifest into the store's catalogue first.");
        await StageAsync(null, async folder =>
        {
            var file = "model" + ending;
            var target = PrepareFile(folder, file);
            await using (var from = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete))
            await using (var to = StoreFolder.OpenNew(target))
            {
                await from.CopyToAsync(to, cancellationToken).ConfigureAwait(false);
                RandomAccess.FlushToDisk(to.SafeFileHandle);
            }
            if (ending == ".onnx" && OnnxWeights.Scan(target).Initialisers.Any(static initialiser => initialiser.IsExternal)) throw ModelException.Invalid("The model keeps weights in other files: import a package with all of them.");
            return listed is not null ? WithFile(listed, file) : Described(name, target, file);
        }, cancellationToken).ConfigureAwait(false);
        return listed?.Name ?? name;
    }

    private async Task<string> ImportWeightsAsync(string path, WeightFormat format, string name, string graphOf, bool replace, CancellationToken cancellationToken)
    {
        using var model = await _store.TryGetAsync(graphOf, cancellationToken).ConfigureAwait(false) ?? throw NotHere(graphOf);
        RefuseTaken(name, replace);
        var onnx = OnnxOf(model);
        await _store.ReserveAsync(new FileInfo(onnx).Length, name, cancellationToken).ConfigureAwait(false);
        var weights = await WeightFiles.ReadAsync(path, format, cancellationToken).ConfigureAwait(false);
        await StageAsync(null, async folder =>
        {
            await using (var to = StoreFolder.OpenNew(PrepareFile(folder, "model.onnx")))
            {
                await WeightFiles.ReplaceOnnxAsync(onnx, weights, to, cancellationToken).ConfigureAwait(false);
                RandomAccess.FlushToDisk(to.SafeFileHandle);
            }
            return Renamed(WithFile(model.Manifest, "model.onnx"), name);
        }, cancellationToken).ConfigureAwait(false);
        return name;
    }

    /// <summary>Has files made in a folder under tmp, proves them, and only then gives them to the store.</summary>
    private async Task StageAsync(ModelManifest? known, Func<string, Task<ModelManifest>> make, CancellationToken cancellationToken)
    {
        var folder = _store.Folder.NewTemporaryPath();
        StoreFolder.CreateFolder(folder);
        try
        {
            var manifest = await make(folder).ConfigureAwait(false);
            if (known is not null && known != manifest) throw new InvalidOperationException("The manifest changed on its way.");
            if (_optimiser is not null && manifest.Runs is { } runs) await _optimiser.ProveAsync(manifest, Path.Combine(folder, runs), cancellationToken).ConfigureAwait(false);
            var files = new List<EntryFile>(manifest.Files.Length);
            foreach (var file in manifest.Files)
            {
                var staged = Path.Combine(folder, file.Path);
                files.Add(new EntryFile(file.Path, await BlobDigest.OfFileAsync(staged, cancellationToken).ConfigureAwait(false), new FileInfo(staged).Length));
            }
            foreach (var file in files) _store.CommitBlob(Path.Combine(folder, file.Path), file.Sha256);
            await _store.CommitModelAsync(new ModelEntry
            {
                Name = manifest.Name,
                Version = manifest.Version,
                ManifestJson = Encoding.UTF8.GetString(manifest.Json.Span),
                Files = [.. files],
                From = From.Import,
                AddedAt = _time.GetUtcNow(),
                IsProven = _optimiser is not null,
            }, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            StoreFolder.TryDeleteFolder(folder);
        }
    }

    private void RefuseTaken(string name, bool replace)
    {
        if (!replace && _store.TryReadEntry(name) is not null) throw new ModelException(ModelFault.Exists, $"There is a model called {name} already; say that it is to be replaced, or give another name.");
    }

    private static string PrepareFile(string folder, string path)
    {
        var full = Path.Combine(folder, path);
        StoreFolder.CreateFolder(Path.GetDirectoryName(full)!);
        return full;
    }

    private static string OnnxOf(StoredModel model) => model.Path is { } path && path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)
        ? path
        : throw ModelException.Invalid($"{model.Name} has no ONNX graph whose weights could be read or replaced.");

    /// <summary>A manifest with another file than it named, which runs.</summary>
    private static ModelManifest WithFile(ModelManifest manifest, string file) => Changed(manifest, json =>
    {
        json["files"] = new JsonArray(new JsonObject { ["path"] = file });
        json["runs"] = file;
        json.Remove("runsAfter");
    });

    private static ModelManifest Renamed(ModelManifest manifest, string name) => Changed(manifest, json => json["name"] = name);

    private static ModelManifest Changed(ModelManifest manifest, Action<JsonObject> change)
    {
        var json = JsonNode.Parse(manifest.Json.Span)!.AsObject();
        change(json);
        return ManifestReader.Read(Encoding.UTF8.GetBytes(json.ToJsonString(Indented)), manifest.Name, folder: null);
    }

    /// <summary>What can be said of a model of which only the graph is known.</summary>
    private static ModelManifest Described(string name, string onnx, string file)
    {
        var (inputs, outputs) = OnnxSignature.Read(onnx);
        if (inputs.Count == 0 || outputs.Count == 0) throw ModelException.Invalid("The ONNX file has no tensors as inputs or outputs.");
        var json = new JsonObject
        {
            ["schema"] = 1,
            ["name"] = name,
            ["version"] = "1",
            ["task"] = "other",
            ["licence"] = "unknown: imported by a user",
            ["files"] = new JsonArray(new JsonObject { ["path"] = file }),
            ["runs"] = file,
            ["inputs"] = inputs,
            ["outputs"] = outputs,
        };
        return ManifestReader.Read(Encoding.UTF8.GetBytes(json.ToJsonString(Indented)), name, folder: null);
    }
}
