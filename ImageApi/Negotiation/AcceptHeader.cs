using System.Globalization;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace ImageApi.Negotiation;

/// <summary>
/// Reads <c>Accept</c> headers as clients really send them: parameters quoted or not (an unquoted value may hold a slash,
/// as in <c>multipart/related;type=application/octet-stream</c>), in any order, in several header lines.
/// What cannot be read is skipped, so a malformed element matches nothing; the number of elements is bounded.
/// </summary>
internal static class AcceptHeader
{
    private const int MaxRanges = 64;
    private const int MaxParameters = 16;

    /// <summary>The media ranges in the order sent. No header at all means <c>*/*</c> (RFC 9110 12.5.1).</summary>
    public static IReadOnlyList<MediaRange> Parse(StringValues header)
    {
        var ranges = new List<MediaRange>(2);
        var sentAny = false;
        foreach (var line in header)
        {
            if (string.IsNullOrWhiteSpace(line))
                continue;
            sentAny = true;
            var position = 0;
            while (position < line.Length && ranges.Count < MaxRanges)
                if (ReadRange(line, ref position) is { } range)
                    ranges.Add(range);
        }
        return sentAny ? ranges : [MediaRange.Any];
    }

    private static MediaRange? ReadRange(string line, ref int position)
    {
        SkipSpace(line, ref position);
        var start = position;
        while (position < line.Length && line[position] is not (';' or ','))
            position++;
        var type = line.AsSpan(start, position - start).Trim().ToString().ToLowerInvariant();
        List<KeyValuePair<string, string>>? parameters = null;
        var quality = 1.0;
        var valid = IsMediaType(type);
        while (position < line.Length && line[position] == ';')
        {
            position++;
            valid &= ReadParameter(line, ref position, out var name, out var value);
            if (name is "q")
                valid &= TryReadQuality(value, out quality);
            else if (name.Length > 0 && (parameters ??= []).Count < MaxParameters)
                parameters.Add(new(name, value));
        }
        if (position < line.Length)
            position++;
        return valid ? new MediaRange(type, parameters ?? (IReadOnlyList<KeyValuePair<string, string>>)[], quality) : null;
    }

    private static bool ReadParameter(string line, ref int position, out string name, out string value)
    {
        name = value = "";
        SkipSpace(line, ref position);
        var start = position;
        while (position < line.Length && line[position] is not ('=' or ';' or ','))
            position++;
        name = line.AsSpan(start, position - start).Trim().ToString().ToLowerInvariant();
        if (position >= line.Length || line[position] != '=')
            return name.Length == 0; // "type/subtype;" is forgiven, a name without a value is not
        position++;
        SkipSpace(line, ref position);
        if (position < line.Length && line[position] == '"')
            return ReadQuoted(line, ref position, out value);
        start = position;
        while (position < line.Length && line[position] is not (';' or ','))
            position++;
        value = line.AsSpan(start, position - start).Trim().ToString();
        return name.Length > 0;
    }

    private static bool ReadQuoted(string line, ref int position, out string value)
    {
        var text = new StringBuilder();
        for (position++; position < line.Length && line[position] != '"'; position++)
        {
            if (line[position] == '\\' && position + 1 < line.Length)
                position++;
            text.Append(line[position]);
        }
        value = text.ToString();
        if (position >= line.Length)
            return false; // never closed
        position++;
        while (position < line.Length && line[position] is not (';' or ','))
            position++;
        return true;
    }

    private static bool TryReadQuality(string value, out double quality) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out quality) && quality is >= 0 and <= 1;

    private static bool IsMediaType(string type)
    {
        if (type == "*")
            return false;
        var slash = type.IndexOf('/');
        if (slash <= 0 || slash == type.Length - 1 || type.IndexOf('/', slash + 1) >= 0)
            return false;
        return !type.StartsWith("*/", StringComparison.Ordinal) || type == "*/*";
    }

    private static void SkipSpace(string line, ref int position)
    {
        while (position < line.Length && line[position] is (' ' or '\t'))
            position++;
    }
}
