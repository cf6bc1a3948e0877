using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Platform.Models;

/// <summary>What the store keeps of a model, besides its blobs: one small file, replaced as a whole.</summary>
internal sealed record ModelEntry
{
    public required string Name { get; init; }
    public required string Version { get; init; }

    /// <summary>The manifest's JSON.</summary>
    public required string ManifestJson { get; init; }

    public required EntryFile[] Files { get; init; }

    /// <summary>"shipped", "download" or "import".</summary>
    public required string From { get; init; }

    public required DateTimeOffset AddedAt { get; init; }

    public bool IsPinned { get; init; }

    /// <summary>Shipped, or opened and run once by a runtime under limits.</summary>
    public bool IsProven { get; init; }

    /// <summary>The weights kept in other formats.</summary>
    public EntryForm[] Forms { get; init; } = [];

    /// <summary>SHA-256 of paths and digests: the same files are the same tree, whatever the model is called.</summary>
    [JsonIgnore]
    public string TreeDigest => BlobDigest.OfText(string.Concat(Files.OrderBy(static file => file.Path, StringComparer.Ordinal).Select(static file => $"{file.Path}\0{file.Sha256}\n")));

    [JsonIgnore]
    public IEnumerable<string> Blobs => Files.Select(static file => file.Sha256).Concat(Forms.SelectMany(static form => (string[])[form.Sha256, form.Graph]));

    [JsonIgnore]
    public ModelManifest Manifest => field ??= ManifestReader.Read(Encoding.UTF8.GetBytes(ManifestJson), Name, folder: null);

    /// <summary>Null where it is none, or its manifest is none.</summary>
    public static ModelEntry? TryRead(string path)
    {
        try
        {
            var entry = JsonSerializer.Deserialize(File.ReadAllBytes(path), ModelEntryJson.Default.ModelEntry);
            var isSound = entry is not null && ManifestReader.IsName(entry.Name) && entry.Files is { Length: > 0 } && entry.Files.All(static file => ManifestReader.IsPath(file.Path) && BlobDigest.IsDigest(file.Sha256))
                && (entry.Forms ?? []).All(static form => BlobDigest.IsDigest(form.Sha256) && BlobDigest.IsDigest(form.Graph))
                && entry.Manifest.Files.Length == entry.Files.Length;
            return isSound ? entry! with { Forms = entry.Forms ?? [] } : null;
        }
        catch (Exception failure) when (failure is JsonException or ModelException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ModelEntryJson.Default.ModelEntry);
}

/// <summary>A file of a model: its path and its blob.</summary>
internal sealed record EntryFile(string Path, string Sha256, long Bytes);

/// <summary>The weights of a model's graph in another format.</summary>
/// <param name="Format">Such as <c>safetensors</c>.</param>
/// <param name="Of">The ONNX file that they are the weights of.</param>
/// <param name="Sha256">The blob with the weights.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Graph">The blob of the ONNX file without them: both together are the ONNX file again, byte for byte.</param>
internal sealed record EntryForm(string Format, string Of, string Sha256, long Bytes, string Graph);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ModelEntry))]
internal sealed partial class ModelEntryJson : JsonSerializerContext;
