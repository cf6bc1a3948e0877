using System.Globalization;
using System.Text;
using ImageApi.Problems;
using Platform.Imaging;
using Platform.TieredCache;

namespace ImageApi.Rendered;

/// <summary>
/// How a picture is asked for (PS3.18 8.3.5): window, viewport, quality, annotation. Canonical, so that equal wishes are one value of the cache.
/// </summary>
internal sealed record RenderedForm
{
    private const int MaxSide = 8192, ThumbnailSide = 128;

    // Another number whenever the bytes for the same wish change.
    private const int OutputVersion = 2;

    public required bool IsThumbnail { get; init; }

    public required PictureFormat Format { get; init; }

    /// <summary>Instead of the stored window.</summary>
    public VoiWindow? Window { get; init; }

    /// <summary>The box to fit into, in pixels; null for the frame's own size.</summary>
    public (int Width, int Height)? Viewport { get; init; }

    /// <summary>The part of the frame to show; null for all of it.</summary>
    public SourceRegion? Source { get; init; }

    /// <summary>1 to 100, in the sense of the format: of libjpeg for JPEG, of libwebp for WebP; PNG loses nothing.</summary>
    public required int Quality { get; init; }

    /// <summary>What is written into the picture.</summary>
    public Annotations Annotations { get; init; }

    /// <summary>The colour profile that the picture carries.</summary>
    public ProfileWish Profile { get; init; }

    public string ContentType => PictureWriter.MediaTypeOf(Format);

    /// <summary>Reads the query. Null with the problem when a parameter is none. What PS3.18 8.3.5 does not know is ignored.</summary>
    public static RenderedForm? TryRead(IQueryCollection query, bool isThumbnail, PictureFormat format, out Problem? problem)
    {
        problem = null;
        var form = new RenderedForm
        {
            IsThumbnail = isThumbnail,
            Format = format,
            Quality = QualityOf(format, isThumbnail),
            Viewport = isThumbnail ? (ThumbnailSide, ThumbnailSide) : null,
        };
        if (query.TryGetValue("window", out var window))
        {
            if (ReadWindow(window.ToString()) is not { } asked) return Fail("window", "center,width,function with a width above 0 and one of linear, linear-exact, sigmoid", out problem);
            form = form with { Window = asked };
        }

        if (query.TryGetValue("viewport", out var viewport))
        {
            if (ReadViewport(form, viewport.ToString()) is not { } fitted)
            {
                return Fail("viewport", isThumbnail ? $"width,height in pixels, at most {MaxSide}: a thumbnail is of all of the frame"
                    : $"width,height[,[x],[y],[width],[height]] in pixels, the first two at most {MaxSide}, nothing of a region 0 wide", out problem);
            }
            form = fitted;
        }

        if (query.TryGetValue("quality", out var quality))
        {
            if (!int.TryParse(quality, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 100) return Fail("quality", "1 to 100", out problem);
            form = form with { Quality = number };
        }

        if (query.TryGetValue("annotation", out var annotation))
        {
            // PS3.18 10.4.1.1.4: a thumbnail holds nothing that identifies a patient.
            if (isThumbnail || ReadAnnotations(annotation.ToString()) is not { } asked)
                return Fail("annotation", isThumbnail ? "left out: a thumbnail carries none" : "patient, technique or both with a comma between", out problem);
            form = form with { Annotations = asked };
        }

        if (query.TryGetValue("iccprofile", out var profile))
        {
            if (ReadProfile(profile.ToString()) is not { } wish) return Fail("iccprofile", "no, yes or srgb", out problem);
            form = form with { Profile = wish };
        }

        return form;
    }

    /// <summary>The value's recipe.</summary>
    public RecipeId ToRecipe()
    {
        var text = new StringBuilder(96);
        text.Append(CultureInfo.InvariantCulture, $"{Format};q{(Format == PictureFormat.Png ? 0 : Quality)};");
        if (Window is { } window) text.Append(CultureInfo.InvariantCulture, $"w{window.Center:R},{window.Width:R},{window.Function};");
        if (Viewport is { } viewport) text.Append(CultureInfo.InvariantCulture, $"v{viewport.Width},{viewport.Height};");
        if (Source is { } source) text.Append(CultureInfo.InvariantCulture, $"s{source.Left:R},{source.Top:R},{source.Width:R},{source.Height:R},{source.IsFlippedAcross},{source.IsFlippedDown};");
        if (Annotations != Annotations.None) text.Append(CultureInfo.InvariantCulture, $"a{(int)Annotations};");
        if (Profile != ProfileWish.None) text.Append(CultureInfo.InvariantCulture, $"i{(int)Profile};");
        return RecipeId.Of(IsThumbnail ? "thumbnail" : "rendered", OutputVersion, Encoding.ASCII.GetBytes(text.ToString()));
    }

    private static RenderedForm? Fail(string parameter, string expected, out Problem? problem)
    {
        problem = new Problem(ProblemTypes.InvalidParameter, "Invalid parameter", StatusCodes.Status400BadRequest, $"The parameter '{parameter}' has to be {expected}.");
        return null;
    }

    // What looks as good on a screen, smallest for thumbnails.
    private static int QualityOf(PictureFormat format, bool isThumbnail) => (format, isThumbnail) switch
    {
        (PictureFormat.Webp, false) => 85,
        (_, false) => 90,
        (_, true) => 75,
    };

    // PS3.18 8.3.5.1.4: all three have to be there.
    private static VoiWindow? ReadWindow(string text)
    {
        var parts = text.Split(',');
        if (parts.Length != 3 || Number(parts[0]) is not { } center || Number(parts[1]) is not { } width || width <= 0) return null;
        return parts[2].ToLowerInvariant() switch
        {
            "linear" => new VoiWindow(center, width),
            "linear-exact" => new VoiWindow(center, width, VoiFunction.LinearExact),
            "sigmoid" => new VoiWindow(center, width, VoiFunction.Sigmoid),
            _ => null,
        };
    }

    // PS3.18 8.3.5.1.3: of the region's four numbers each may be left out, which means its default; the absolute values count, a negative width or height mirrors.
    private static RenderedForm? ReadViewport(RenderedForm form, string text)
    {
        var parts = text.Split(',');
        if (parts.Length is < 2 or > 6 || (form.IsThumbnail && parts.Length > 2)) return null;
        if (Side(parts[0]) is not { } width || Side(parts[1]) is not { } height) return null;
        Span<double?> region = stackalloc double?[4];
        for (var i = 2; i < parts.Length; i++)
        {
            if (parts[i].Length == 0) continue;
            if (Number(parts[i]) is not { } number || (i >= 4 && number == 0)) return null;
            region[i - 2] = number;
        }

        form = form with { Viewport = (width, height) };
        if (region[0] is null && region[1] is null && region[2] is null && region[3] is null) return form;
        return form with
        {
            Source = new SourceRegion(Math.Abs(region[0] ?? 0), Math.Abs(region[1] ?? 0), region[2] is { } w ? Math.Abs(w) : null, region[3] is { } h ? Math.Abs(h) : null, region[2] < 0, region[3] < 0),
        };

        static int? Side(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var side) && side is >= 1 and <= MaxSide ? side : null;
    }

    private static Annotations? ReadAnnotations(string text)
    {
        var asked = Annotations.None;
        foreach (var keyword in text.Split(','))
        {
            switch (keyword.Trim())
            {
                case "patient": asked |= Annotations.Patient; break;
                case "technique": asked |= Annotations.Technique; break;
                default: return null;
            }
        }

        return asked;
    }

    private static ProfileWish? ReadProfile(string text) => text switch
    {
        "no" => ProfileWish.None,
        "yes" => ProfileWish.Stored,
        "srgb" => ProfileWish.Srgb,
        _ => null,
    };

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) && Math.Abs(number) < 1e9 ? number : null;
}

/// <summary>What is written into a picture (PS3.18 8.3.5.1.1).</summary>
[Flags]
internal enum Annotations
{
    None = 0,

    /// <summary>Name, ID, birth date, sex.</summary>
    Patient = 1,

    /// <summary>What was done and which slice this is.</summary>
    Technique = 2,
}

/// <summary>Which colour profile goes with a picture (PS3.18 8.3.5.1.5).</summary>
internal enum ProfileWish
{
    /// <summary>None, and the colours as they are.</summary>
    None,

    /// <summary>The data set's, or sRGB's where it has none.</summary>
    Stored,

    /// <summary>sRGB's, and the colours turned into it.</summary>
    Srgb,
}

/// <summary>A part of a frame in pixels from its upper left corner, as it was asked for (PS3.18 8.3.5.1.3): no width or height means to the edge.</summary>
internal sealed record SourceRegion(double Left, double Top, double? Width, double? Height, bool IsFlippedAcross, bool IsFlippedDown)
{
    /// <summary>The whole pixels of it that a frame has; null where it lies outside.</summary>
    public PixelRegion? Within(int columns, int rows)
    {
        if (Left >= columns || Top >= rows) return null;
        var (left, right) = Edges(Left, Width, columns);
        var (top, bottom) = Edges(Top, Height, rows);
        return new PixelRegion(left, top, right - left, bottom - top);
    }

    // To the nearest pixel, at least one.
    private static (int From, int To) Edges(double from, double? length, int size)
    {
        var first = Math.Min((int)Math.Round(from), size - 1);
        var end = length is { } asked ? (int)Math.Round(Math.Min(from + asked, size)) : size;
        return (first, Math.Clamp(end, first + 1, size));
    }
}
