namespace Platform.HttpCache.Fields;

/// <summary>A number of seconds (RFC 9111 1.2.2): digits only; what is larger than 2^31 counts as 2^31, 68 years.</summary>
internal static class DeltaSeconds
{
    public const long Infinite = 1L << 31;

    public static bool TryParse(ReadOnlySpan<char> text, out long seconds)
    {
        seconds = 0;
        if (text.IsEmpty) return false;
        foreach (var letter in text)
        {
            if (!char.IsAsciiDigit(letter)) return false;
            seconds = Math.Min(Infinite, (seconds * 10) + letter - '0');
        }

        return true;
    }
}
