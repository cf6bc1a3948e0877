using ImageApi.Rendered;
using Platform.Imaging;
using Platform.TieredCache;

namespace ImageApi.Pictures;

/// <summary>The sizes that pictures are served in.</summary>
internal enum PictureSize
{
    Full,
    Thumbnail,
    Placeholder,
}

/// <summary>A representation of a picture.</summary>
internal readonly record struct PictureForm(PictureSize Size, PictureFormat Format)
{
    // Another number whenever the bytes for the same form change.
    private const int OutputVersion = 1;

    private const int ThumbnailSide = 384, PlaceholderSide = 24;

    private static readonly RecipeId[] Recipes = [.. Enum.GetValues<PictureSize>().SelectMany(static size => Enum.GetValues<PictureFormat>(),
        static (size, format) => RecipeId.Of("picture", OutputVersion, System.Text.Encoding.ASCII.GetBytes($"{size};{format}")))];

    // Small ones are other nodes' too; a large one is made here as fast as it is fetched.
    private static readonly EntryPolicy Small = EntryPolicy.For(EntryKind.Thumbnail) with { Remote = true };
    private static readonly EntryPolicy Large = EntryPolicy.For(EntryKind.Rendered);

    public string ContentType => PictureWriter.MediaTypeOf(Format);

    public EntryPolicy Policy => Size == PictureSize.Full ? Large : Small;

    /// <summary>1 to 100, as <see cref="PictureWriter.Write"/> has it. At 85 WebP looks like JPEG at 90 and more.</summary>
    public int Quality => (Size, Format) switch
    {
        (PictureSize.Full, PictureFormat.Webp) => 85,
        (PictureSize.Full, _) => 90,
        (PictureSize.Thumbnail, _) => 80,
        _ => 30,
    };

    /// <summary>Of WebP: a picture is made once and sent often.</summary>
    public int Effort => Size == PictureSize.Placeholder ? 6 : 4;

    public CacheKey KeyOf(PictureEntry entry) => new(entry.Content, Size == PictureSize.Full ? EntryKind.Rendered : EntryKind.Thumbnail, Recipes[(int)Size * Enum.GetValues<PictureFormat>().Length + (int)Format], 0);

    /// <summary>The size in pixels; never larger than the picture.</summary>
    public (int Width, int Height) SizeOf(int width, int height) => Size switch
    {
        PictureSize.Full => (width, height),
        PictureSize.Thumbnail => Resizer.Fit(width, height, ThumbnailSide, ThumbnailSide),
        _ => Resizer.Fit(width, height, PlaceholderSide, PlaceholderSide),
    };

    /// <summary>The value of <c>?size=</c>; null for one that is none.</summary>
    public static PictureSize? ReadSize(string? text) => text switch
    {
        null or "" or "full" => PictureSize.Full,
        "thumbnail" => PictureSize.Thumbnail,
        "placeholder" => PictureSize.Placeholder,
        _ => null,
    };
}
