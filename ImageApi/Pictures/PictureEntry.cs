using System.Text.Json.Serialization;
using Platform.TieredCache;

namespace ImageApi.Pictures;

/// <summary>What is known of a stored picture; kept in the first bytes of its file (<see cref="PictureFolder"/>).</summary>
internal sealed record PictureEntry
{
    /// <summary>32 hexadecimal digits of chance: it says nothing of the picture, and the same file uploaded twice is two pictures.</summary>
    public required string Id { get; init; }

    /// <summary>SHA-256 of the file as uploaded, in hexadecimal.</summary>
    public required string Digest { get; init; }

    /// <summary>Of the file as uploaded: <c>image/jpeg</c>, <c>image/png</c>, <c>image/gif</c>.</summary>
    public required string MediaType { get; init; }

    /// <summary>Of the file as uploaded.</summary>
    public required long Bytes { get; init; }

    /// <summary>Columns as shown.</summary>
    public required int Width { get; init; }

    /// <summary>Rows as shown.</summary>
    public required int Height { get; init; }

    /// <summary>What the file was called where it came from, without its folder; null when that was not told.</summary>
    public string? Name { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ChangedAt { get; init; }

    /// <summary>A data URL of a few hundred bytes that shows the picture blurred.</summary>
    public required string Placeholder { get; init; }

    /// <summary>SHA-256("c1", "pictures", id, digest): another value with every replacement by another file.</summary>
    [JsonIgnore]
    public Digest256 Content => ContentId.Of("pictures", Id, System.Text.Encoding.ASCII.GetBytes(Digest));

    /// <summary>What URLs name as <c>v</c>.</summary>
    [JsonIgnore]
    public string Version => Content.ToShortString();

    [JsonIgnore]
    public CacheTag Tag => TagOf(Id);

    public static CacheTag TagOf(string id) => CacheTag.Of("picture", id);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PictureEntry))]
[JsonSerializable(typeof(PictureDocument))]
[JsonSerializable(typeof(PicturePage))]
internal sealed partial class PicturesJson : JsonSerializerContext;

/// <summary>A picture as the API tells of it.</summary>
/// <param name="Id">Its name below <c>/images</c>.</param>
/// <param name="Name">What the file was called; null when that was not told.</param>
/// <param name="Width">Columns of its full size.</param>
/// <param name="Height">Rows of its full size.</param>
/// <param name="Bytes">Length of the file as uploaded.</param>
/// <param name="Version">16 hexadecimal digits that change with every replacement.</param>
/// <param name="CreatedAt">When it was uploaded first.</param>
/// <param name="ChangedAt">When it was replaced last.</param>
/// <param name="Placeholder">A data URL of a few hundred bytes, to show until more has arrived.</param>
/// <param name="Url">Its full size, by version.</param>
/// <param name="Thumbnail">Its thumbnail, by version.</param>
internal sealed record PictureDocument(
    string Id, string? Name, int Width, int Height, long Bytes, string Version, DateTimeOffset CreatedAt, DateTimeOffset ChangedAt, string Placeholder, string Url, string Thumbnail)
{
    public static PictureDocument Of(PictureEntry entry) => new(entry.Id, entry.Name, entry.Width, entry.Height, entry.Bytes, entry.Version, entry.CreatedAt, entry.ChangedAt,
        entry.Placeholder, $"/images/{entry.Id}?v={entry.Version}", $"/images/{entry.Id}?size=thumbnail&v={entry.Version}");
}

/// <summary>A page of the listing, the youngest pictures first.</summary>
/// <param name="Total">Pictures there are.</param>
/// <param name="Offset">How many come before these.</param>
/// <param name="Images">These.</param>
/// <param name="Next">Where the next page is; null on the last one.</param>
internal sealed record PicturePage(int Total, int Offset, IReadOnlyList<PictureDocument> Images, string? Next);
