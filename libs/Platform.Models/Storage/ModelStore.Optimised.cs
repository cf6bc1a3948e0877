using System.Text.Json;
using System.Text.Json.Serialization;

namespace Platform.Models;

public sealed partial class ModelStore
{
    /// <summary>
    /// The optimised form of a model for a runtime and device, whole and of the digest that it was kept with; null where there is none. It stays while <paramref name="model"/> is held.
    /// </summary>
    public async ValueTask<string?> TryGetOptimisedAsync(StoredModel model, string key, CancellationToken cancellationToken)
    {
        var folder = OptimisedFolder(model.Digest, key);
        if (TryReadAbout(folder) is not { } about) return null;
        var path = System.IO.Path.Combine(folder, about.File);
        var file = new FileInfo(path);
        if (!file.Exists || file.Length != about.Bytes) return null;
        lock (_lock)
        {
            if (_verified.TryGetValue(path, out var written) && written == file.LastWriteTimeUtc) return path;
        }
        if (await BlobDigest.OfFileAsync(path, cancellationToken).ConfigureAwait(false) != about.Sha256) return null;
        lock (_lock) _verified[path] = file.LastWriteTimeUtc;
        return path;
    }

    /// <summary>Has a model optimised and keeps the result when it is worth it.</summary>
    /// <returns>The kept file's path; null where the optimiser found it not worth keeping.</returns>
    internal async Task<string?> OptimiseAsync(StoredModel model, IModelOptimiser optimiser, CancellationToken cancellationToken)
    {
        await using var installing = await BeginInstallAsync(cancellationToken).ConfigureAwait(false);
        await ReserveAsync(model.Bytes, model.Name, cancellationToken).ConfigureAwait(false);
        var temporary = _folder.NewTemporaryPath();
        StoreFolder.CreateFolder(temporary);
        try
        {
            if (await optimiser.OptimiseAsync(model, System.IO.Path.Combine(temporary, "model"), cancellationToken).ConfigureAwait(false) is not { } made) return null;
            if (System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(made)) != temporary) throw new ModelException(ModelFault.Invalid, "The optimised file is not where it was to be.");
            using (var file = File.OpenHandle(made, FileMode.Open, FileAccess.ReadWrite)) RandomAccess.FlushToDisk(file);
            var about = new OptimisedAbout(optimiser.Key, System.IO.Path.GetFileName(made), await BlobDigest.OfFileAsync(made, cancellationToken).ConfigureAwait(false), new FileInfo(made).Length);
            await File.WriteAllBytesAsync(System.IO.Path.Combine(temporary, AboutName), JsonSerializer.SerializeToUtf8Bytes(about, OptimisedAboutJson.Default.OptimisedAbout), cancellationToken).ConfigureAwait(false);
            await using var held = await HoldAsync(cancellationToken).ConfigureAwait(false);
            var folder = OptimisedFolder(model.Digest, optimiser.Key);
            StoreFolder.TryDeleteFolder(folder);
            StoreFolder.CreateFolder(System.IO.Path.GetDirectoryName(folder)!);
            Directory.Move(temporary, folder);
            PosixFiles.FlushFolder(System.IO.Path.GetDirectoryName(folder)!);
            return System.IO.Path.Combine(folder, about.File);
        }
        finally
        {
            StoreFolder.TryDeleteFolder(temporary);
        }
    }

    private const string AboutName = "about.json";

    private string OptimisedFolder(string treeDigest, string key) => System.IO.Path.Combine(_folder.Optimised, treeDigest, BlobDigest.OfText(key)[..16]);

    private static OptimisedAbout? TryReadAbout(string folder)
    {
        try
        {
            var path = System.IO.Path.Combine(folder, AboutName);
            if (!File.Exists(path)) return null;
            var about = JsonSerializer.Deserialize(File.ReadAllBytes(path), OptimisedAboutJson.Default.OptimisedAbout);
            return about is not null && ManifestReader.IsPath(about.File) && BlobDigest.IsDigest(about.Sha256) ? about : null;
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>What an optimised file is.</summary>
internal sealed record OptimisedAbout(string Key, string File, string Sha256, long Bytes);

[JsonSerializable(typeof(OptimisedAbout))]
internal sealed partial class OptimisedAboutJson : JsonSerializerContext;
