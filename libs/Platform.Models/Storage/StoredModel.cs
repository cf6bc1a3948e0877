using System.Collections.Immutable;

namespace Platform.Models;

/// <summary>
/// A model in the store, held: its files stay where they are until this is disposed, also against other processes. Disposing twice is harmless.
/// </summary>
public sealed class StoredModel : IDisposable
{
    private readonly FileStream _lease;

    internal StoredModel(ModelManifest manifest, string folder, string digest, ImmutableArray<StoredFile> files, FileStream lease)
    {
        (Manifest, Folder, Digest, Files, _lease) = (manifest, folder, digest, files, lease);
    }

    public ModelManifest Manifest { get; }

    public string Name => Manifest.Name;

    /// <summary>SHA-256 over the names and digests of the files, 64 lower-case digits: what results are keyed by.</summary>
    public string Digest { get; }

    /// <summary>The folder with the files under the names that the manifest gives them. Not to be written to.</summary>
    public string Folder { get; }

    /// <summary>The full path of what the runtime opens; null where nothing runs as it is.</summary>
    public string? Path => Manifest.Runs is { } runs ? System.IO.Path.Combine(Folder, runs) : null;

    public ImmutableArray<StoredFile> Files { get; }

    /// <summary>Bytes of all files.</summary>
    public long Bytes => Files.Sum(static file => file.Bytes);

    public void Dispose() => _lease.Dispose();
}

/// <summary>A file of a stored model.</summary>
/// <param name="Path">Its name among the model's files.</param>
/// <param name="Sha256">64 lower-case digits.</param>
/// <param name="Bytes">Its length.</param>
public sealed record StoredFile(string Path, string Sha256, long Bytes);

/// <summary>A line of the store's listing.</summary>
/// <param name="Name">As the manifest writes it.</param>
/// <param name="Version">Of the model.</param>
/// <param name="Digest">As <see cref="StoredModel.Digest"/>.</param>
/// <param name="Files">What it consists of.</param>
/// <param name="Formats">What it is kept as: <c>onnx</c>, <c>safetensors</c>, ..., with the bytes of each.</param>
/// <param name="From"><c>shipped</c>, <c>download</c> or <c>import</c>.</param>
/// <param name="AddedAt">When it came into the store.</param>
/// <param name="LastUsedAt">When it was last asked for.</param>
/// <param name="IsPinned">Never evicted.</param>
/// <param name="InUse">Held by this or another process.</param>
public sealed record StoredModelInfo(string Name, string Version, string Digest, ImmutableArray<StoredFile> Files, ImmutableArray<StoredFormat> Formats, string From,
    DateTimeOffset AddedAt, DateTimeOffset LastUsedAt, bool IsPinned, bool InUse)
{
    /// <summary>All formats together; blobs that models share are counted with each.</summary>
    public long Bytes => Formats.Sum(static format => format.Bytes);
}

/// <summary>Bytes that a model takes in one format; the format is the file's ending without its dot.</summary>
public sealed record StoredFormat(string Format, long Bytes);
