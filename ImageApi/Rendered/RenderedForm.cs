using System.Globalization;
using System.Text;
using ImageApi.Problems;
using Platform.Imaging;
using Platform.TieredCache;

namespace ImageApi.Rendered;

/// <summary>The formats of pictures for the eye.</summary>
internal enum PictureFormat
{
    Jpeg,
    Png,
}

/// <summary>
/// How a picture is asked for (PS3.18 8.3.5): window, viewport, quality. Canonical, so that equal wishes are one value of the cache.
/// </summary>
internal sealed record RenderedForm
{
    private const int MaxSide = 8192, RenderedQuality = 90, ThumbnailQuality = 75, ThumbnailSide = 128;

    // Another number whenever the bytes for the same wish change.
    private const int OutputVersion = 1;

    public required bool IsThumbnail { get; init; }

    public required PictureFormat Format { get; init; }

    /// <summary>Instead of the stored window.</summary>
    public VoiWindow? Window { get; init; }

    /// <summary>The box to fit into, in pixels; null for the frame's own size.</summary>
    public (int Width, int Height)? Viewport { get; init; }

    /// <summary>The part of the frame to show; a negative width or height mirrors it (PS3.18 8.3.5.1.5). Null for all of it.</summary>
    public (int X, int Y, int Width, int Height)? Source { get; init; }

    /// <summary>1 to 100, of JPEG.</summary>
    public required int Quality { get; init; }

    public string ContentType => Format == PictureFormat.Png ? "image/png" : "image/jpeg";

    /// <summary>Reads the query. Null with the problem when a parameter is none.</summary>
    public static RenderedForm? TryRead(IQueryCollection query, bool isThumbnail, PictureFormat format, out Problem? problem)
    {
        problem = null;
        var form = new RenderedForm
        {
            IsThumbnail = isThumbnail,
            Format = format,
            Quality = isThumbnail ? ThumbnailQuality : RenderedQuality,
            Viewport = isThumbnail ? (ThumbnailSide, ThumbnailSide) : null,
        };
        if (query.TryGetValue("window", out var window))
        {
            if (ReadWindow(window.ToString()) is not { } asked) return Fail("window", "center,width[,linear|linear-exact|sigmoid] with a width above 0", out problem);
            form = form with { Window = asked };
        }

        if (query.TryGetValue("viewport", out var viewport))
        {
            if (ReadViewport(form, viewport.ToString()) is not { } fitted) return Fail("viewport", $"width,height[,x,y,width,height] in pixels, at most {MaxSide}", out problem);
            form = fitted;
        }

        if (query.TryGetValue("quality", out var quality))
        {
            if (!int.TryParse(quality, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 100) return Fail("quality", "1 to 100", out problem);
            form = form with { Quality = number };
        }

        return form;
    }

    /// <summary>The value's recipe.</summary>
    public RecipeId ToRecipe()
    {
        var text = new StringBuilder(96);
        text.Append(CultureInfo.InvariantCulture, $"{Format};q{(Format == PictureFormat.Jpeg ? Quality : 0)};");
        if (Window is { } window) text.Append(CultureInfo.InvariantCulture, $"w{window.Center:R},{window.Width:R},{window.Function};");
        if (Viewport is { } viewport) text.Append(CultureInfo.InvariantCulture, $"v{viewport.Width},{viewport.Height};");
        if (Source is { } source) text.Append(CultureInfo.InvariantCulture, $"s{source.X},{source.Y},{source.Width},{source.Height};");
        return RecipeId.Of(IsThumbnail ? "thumbnail" : "rendered", OutputVersion, Encoding.ASCII.GetBytes(text.ToString()));
    }

    private static RenderedForm? Fail(string parameter, string expected, out Problem? problem)
    {
        problem = new Problem(ProblemTypes.InvalidParameter, "Invalid parameter", StatusCodes.Status400BadRequest, $"The parameter '{parameter}' has to be {expected}.");
        return null;
    }

    private static VoiWindow? ReadWindow(string text)
    {
        var parts = text.Split(',');
        if (parts.Length is not (2 or 3) || !Number(parts[0], out var center) || !Number(parts[1], out var width) || width <= 0) return null;
        VoiFunction? function = parts.Length == 2 ? VoiFunction.Linear : parts[2].ToLowerInvariant() switch
        {
            "linear" => VoiFunction.Linear,
            "linear-exact" => VoiFunction.LinearExact,
            "sigmoid" => VoiFunction.Sigmoid,
            _ => null,
        };
        return function is null ? null : new VoiWindow(center, width, function.Value);

        static bool Number(string text, out double number) =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number) && Math.Abs(number) < 1e9;
    }

    private static RenderedForm? ReadViewport(RenderedForm form, string text)
    {
        var parts = text.Split(',');
        if (parts.Length is not (2 or 6)) return null;
        Span<int> numbers = stackalloc int[6];
        for (var i = 0; i < parts.Length; i++)
        {
            // PS3.18 8.3.5.1.5: of the source's four numbers each may be left out, which means its default.
            if (i >= 2 && parts[i].Length == 0) continue;
            if (!int.TryParse(parts[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out numbers[i])) return null;
        }

        if (numbers[0] is < 1 or > MaxSide || numbers[1] is < 1 or > MaxSide || numbers[2] < 0 || numbers[3] < 0) return null;
        form = form with { Viewport = (numbers[0], numbers[1]) };
        return parts.Length == 2 || !numbers[2..].ContainsAnyExcept(0) ? form : form with { Source = (numbers[2], numbers[3], numbers[4], numbers[5]) };
    }
}
