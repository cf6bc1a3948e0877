using System.Collections.Immutable;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Platform.Models;

/// <summary>
/// A model as one file: a zip, nothing compressed, with <c>model.json</c> (names, versions, digests), <c>manifest.json</c> and <c>files/&lt;path&gt;</c>. Anything else in it is an error.
/// </summary>
internal static class ModelPackage
{
    public const string Ending = ".platform-model";

    private const string IndexName = "model.json", ManifestName = "manifest.json", Files = "files/", What = "package";
    private const int BufferBytes = 256 << 10, MaxFiles = 64;

    public static async Task WriteAsync(StoredModel model, Stream stream, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        await AddAsync(IndexName, JsonSerializer.SerializeToUtf8Bytes(new PackageIndex(1, model.Name, model.Manifest.Version, BlobDigest.Of(model.Manifest.Json.Span), [.. model.Files.Select(static file => new PackageFile(file.Path, file.Sha256, file.Bytes))]), PackageJson.Default.PackageIndex)).ConfigureAwait(false);
        await AddAsync(ManifestName, model.Manifest.Json).ConfigureAwait(false);
        long done = 0;
        foreach (var file in model.Files)
        {
            await using var member = Open(Files + file.Path);
            await new FilePiece(Path.Combine(model.Folder, file.Path), 0, file.Bytes).CopyToAsync(member, cancellationToken).ConfigureAwait(false);
            progress?.Report(done += file.Bytes);
        }

        async Task AddAsync(string name, ReadOnlyMemory<byte> bytes)
        {
            await using var member = Open(name);
            await member.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }

        Stream Open(string name)
        {
            var entry = zip.CreateEntry(name, CompressionLevel.NoCompression);
            entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);   // the same model, the same package
            return entry.Open();
        }
    }

    /// <summary>Reads what a package says it has, and holds it against what is in it; the files themselves are verified by <see cref="ExtractAsync"/>.</summary>
    public static async Task<(ModelManifest Manifest, ImmutableArray<PackageFile> Files, IReadOnlyDictionary<string, ZipMember> Members)> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var members = ZipDirectory.Read(path, What);
        if (!members.TryGetValue(IndexName, out var indexMember) || !members.TryGetValue(ManifestName, out var manifestMember)) throw Wrong($"has no {IndexName} or {ManifestName}: it is no model of ours");
        PackageIndex index;
        try
        {
            index = JsonSerializer.Deserialize(await indexMember.ReadAsync(path, ManifestReader.MaxBytes, cancellationToken).ConfigureAwait(false), PackageJson.Default.PackageIndex) ?? throw new JsonException();
        }
        catch (JsonException failure)
        {
            throw ModelException.Invalid($"The {What}'s {IndexName} cannot be read.", failure);
        }
        if (index.Schema != 1) throw Wrong("is of a later version than this program reads");
        var manifestJson = await manifestMember.ReadAsync(path, ManifestReader.MaxBytes, cancellationToken).ConfigureAwait(false);
        if (BlobDigest.Of(manifestJson) != index.ManifestSha256) throw new ModelException(ModelFault.DigestMismatch, $"The {What}'s {ManifestName} does not match its digest.");
        var manifest = ManifestReader.Read(manifestJson, ManifestName, folder: null);
        if (index.Name != manifest.Name || index.Version != manifest.Version) throw Wrong("says two names or versions");
        if (index.Files is not { Length: > 0 and <= MaxFiles } || index.Files.Any(static file => !ManifestReader.IsPath(file?.Path) || !BlobDigest.IsDigest(file!.Sha256))) throw Wrong("lists no files, or files without usable name and digest");
        if (!index.Files.Select(static file => file.Path).Order(StringComparer.Ordinal).SequenceEqual(manifest.Files.Select(static file => file.Path).Order(StringComparer.Ordinal))) throw Wrong("has other files than its manifest names");
        foreach (var file in index.Files)
        {
            if (!members.TryGetValue(Files + file.Path, out var member)) throw Wrong($"lacks {file.Path}");
            if (member.Length != file.Bytes) throw Wrong($"has {file.Path} with another length than it says");
            if (manifest.Files.First(other => other.Path == file.Path) is { Sha256: { } sha256 } && sha256 != file.Sha256) throw new ModelException(ModelFault.DigestMismatch, $"The {What} has {file.Path} with another digest than its manifest.");
        }
        if (members.Keys.FirstOrDefault(name => name is not (IndexName or ManifestName) && !(name.StartsWith(Files, StringComparison.Ordinal) && index.Files.Any(file => file.Path == name[Files.Length..]))) is { } foreign)
            throw Wrong($"has {ZipDirectory.Shown(foreign)}, which belongs to nothing");
        return (manifest, [.. index.Files], members);
    }

    /// <summary>Writes one file of a package and verifies it on the way.</summary>
    public static async Task ExtractAsync(string path, ZipMember member, PackageFile file, string to, Action<int> onBytes, CancellationToken cancellationToken)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var from = member.Open(path);
        await using var target = StoreFolder.OpenNew(to);
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            long done = 0;
            int read;
            while ((read = await from.ReadAsync(buffer.AsMemory(0, (int)Math.Min(BufferBytes, file.Bytes - done + 1)), cancellationToken).ConfigureAwait(false)) > 0)
            {
                if ((done += read) > file.Bytes) throw Wrong($"has {file.Path} with another length than it says");
                sha.AppendData(buffer.AsSpan(0, read));
                await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                onBytes(read);
            }
            if (done != file.Bytes) throw Wrong($"has {file.Path} with another length than it says");
        }
        catch (InvalidDataException failure)
        {
            throw ModelException.Invalid($"The {What}'s {file.Path} cannot be inflated.", failure);
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
        if (Convert.ToHexStringLower(sha.GetHashAndReset()) != file.Sha256) throw new ModelException(ModelFault.DigestMismatch, $"The {What}'s {file.Path} does not match its digest.");
        RandomAccess.FlushToDisk(target.SafeFileHandle);
    }

    private static ModelException Wrong(string rule) => ModelException.Invalid($"The {What} {rule}.");
}

internal sealed record PackageIndex(int Schema, string Name, string Version, string ManifestSha256, PackageFile[] Files);

internal sealed record PackageFile(string Path, string Sha256, long Bytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(PackageIndex))]
internal sealed partial class PackageJson : JsonSerializerContext;
