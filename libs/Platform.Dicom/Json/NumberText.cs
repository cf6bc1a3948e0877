using System.Globalization;

namespace Platform.Dicom.Json;

/// <summary>Numbers that DICOM writes as text (DS, IS) as JSON numbers.</summary>
internal static class NumberText
{
    // Whole numbers beyond this are not exact in readers whose only number is a double.
    internal const long MaxExact = (1L << 53) - 1;

    /// <summary>
    /// Writes the number with the digits it was stored with, so that nothing is rounded: "1.50" stays 1.50. What is no number or one
    /// that a double cannot hold goes out as a string, which PS3.18 F.2.2 permits for DS and IS.
    /// </summary>
    /// <param name="output">Where to.</param>
    /// <param name="text">ASCII without padding, not empty.</param>
    internal static void Write(ref JsonOutput output, ReadOnlySpan<byte> text)
    {
        if (IsJsonNumber(text, out var isPlain) && (isPlain || IsFinite(text)))
        {
            output.Raw(text);
            return;
        }

        Span<byte> repaired = stackalloc byte[66];
        if (text.Length <= 64 && TryRepair(text, repaired, out var length) && IsJsonNumber(repaired[..length], out _) && IsFinite(repaired[..length]))
            output.Raw(repaired[..length]);
        else
            output.String(text);
    }

    /// <summary>RFC 8259 6. Plain: so short and without an exponent that a double surely holds it.</summary>
    internal static bool IsJsonNumber(ReadOnlySpan<byte> text, out bool isPlain)
    {
        isPlain = text.Length <= 16;
        var at = 0;
        if (at < text.Length && text[at] == '-') at++;
        var digits = Digits(text, ref at);
        if (digits == 0 || (digits > 1 && text[at - digits] == '0')) return false;
        if (at < text.Length && text[at] == '.')
        {
            at++;
            if (Digits(text, ref at) == 0) return false;
        }

        if (at < text.Length && text[at] is (byte)'e' or (byte)'E')
        {
            isPlain = false;
            at++;
            if (at < text.Length && text[at] is (byte)'+' or (byte)'-') at++;
            if (Digits(text, ref at) == 0) return false;
        }

        return at == text.Length;
    }

    private static int Digits(ReadOnlySpan<byte> text, ref int at)
    {
        var start = at;
        while (at < text.Length && text[at] is >= (byte)'0' and <= (byte)'9') at++;
        return at - start;
    }

    // What DS allows and JSON does not: a plus sign, leading zeros, ".5" and "5.".
    private static bool TryRepair(ReadOnlySpan<byte> text, Span<byte> to, out int length)
    {
        length = 0;
        if (text[0] is (byte)'+' or (byte)'-')
        {
            if (text[0] == '-') to[length++] = (byte)'-';
            text = text[1..];
        }

        while (text.Length > 1 && text[0] == '0' && text[1] is >= (byte)'0' and <= (byte)'9') text = text[1..];
        if (text.IsEmpty || text.SequenceEqual("."u8)) return false;
        if (text[0] == '.') to[length++] = (byte)'0';
        if (text[^1] == '.') text = text[..^1];
        text.CopyTo(to[length..]);
        length += text.Length;
        return true;
    }

    private static bool IsFinite(ReadOnlySpan<byte> text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
        && (text.ContainsAny((byte)'.', (byte)'e', (byte)'E') || Math.Abs(value) <= MaxExact);
}
