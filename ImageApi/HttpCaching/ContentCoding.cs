using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace ImageApi.HttpCaching;

/// <summary>The content codings that ready documents are kept in.</summary>
internal enum ContentCoding : byte
{
    Identity,
    Gzip,
    Brotli,
}

/// <summary>Chooses among the ready codings by <c>Accept-Encoding</c> (RFC 9110 12.5.3).</summary>
internal static class ContentCodings
{
    /// <summary>The token of the <c>Content-Encoding</c> header; null for identity.</summary>
    public static string? Token(this ContentCoding coding) => coding switch
    {
        ContentCoding.Gzip => "gzip",
        ContentCoding.Brotli => "br",
        _ => null,
    };

    /// <summary>
    /// The coding with the highest weight; at equal weight the smallest one (br, then gzip). No header means identity, and
    /// identity is also the answer where everything was refused: a readable answer is better than a 406 over a coding.
    /// </summary>
    public static ContentCoding Choose(StringValues acceptEncoding)
    {
        if (acceptEncoding.Count == 0)
            return ContentCoding.Identity;
        double? brotli = null, gzip = null, identity = null, any = null;
        foreach (var line in acceptEncoding)
        {
            foreach (var range in line.AsSpan().Split(','))
            {
                var element = line.AsSpan(range.Start.Value, range.End.Value - range.Start.Value).Trim();
                var semicolon = element.IndexOf(';');
                var name = semicolon < 0 ? element : element[..semicolon].TrimEnd();
                var quality = semicolon < 0 ? 1 : ReadQuality(element[(semicolon + 1)..]);
                if (name.Equals("br", StringComparison.OrdinalIgnoreCase))
                    brotli = quality;
                else if (name.Equals("gzip", StringComparison.OrdinalIgnoreCase) || name.Equals("x-gzip", StringComparison.OrdinalIgnoreCase))
                    gzip = quality;
                else if (name.Equals("identity", StringComparison.OrdinalIgnoreCase))
                    identity = quality;
                else if (name is "*")
                    any = quality;
            }
        }
        var best = (Coding: ContentCoding.Identity, Quality: identity ?? 0.0001);
        if ((gzip ?? any ?? 0) is > 0 and var g && g >= best.Quality)
            best = (ContentCoding.Gzip, g);
        if ((brotli ?? any ?? 0) is > 0 and var b && b >= best.Quality)
            best = (ContentCoding.Brotli, b);
        return best.Coding;
    }

    private static double ReadQuality(ReadOnlySpan<char> parameter)
    {
        parameter = parameter.Trim();
        if (!parameter.StartsWith("q=", StringComparison.OrdinalIgnoreCase))
            return 1;
        return double.TryParse(parameter[2..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var quality)
            ? Math.Clamp(quality, 0, 1)
            : 0;
    }
}
