using System.Diagnostics.CodeAnalysis;

namespace ImageApi.Catalog;

/// <summary>Unique identifiers (PS3.5 9.1).</summary>
internal static class Uids
{
    private const int MaxLength = 64;

    /// <summary>
    /// 1 to 64 digits and dots, without empty components. Components with a leading zero, which the standard forbids and old devices
    /// write, are let through: they do no harm, and refusing them would lose images.
    /// </summary>
    public static bool IsValid([NotNullWhen(true)] string? uid)
    {
        if (uid is not { Length: > 0 and <= MaxLength }) return false;
        var last = '.';
        foreach (var c in uid)
        {
            if (!char.IsAsciiDigit(c) && (c != '.' || last == '.')) return false;
            last = c;
        }
        return last != '.';
    }
}
