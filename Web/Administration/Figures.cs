using System.Globalization;

namespace Web.Administration;

/// <summary>Numbers with their units, as the pages show and read them.</summary>
public static class Figures
{
    private static readonly (string Name, decimal Bytes)[] ByteUnits =
        [("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("TB", 1e12m), ("GB", 1e9m), ("MB", 1e6m), ("KB", 1e3m), ("B", 1)];

    public static string Bytes(long bytes)
    {
        foreach (var (name, size) in ByteUnits.Skip(4))
        {
            if (bytes >= size) return string.Create(CultureInfo.InvariantCulture, $"{bytes / size:0.#} {name}");
        }

        return "0 B";
    }

    /// <summary>The number with the largest unit that loses nothing, so that it can be read back: <c>64 MiB</c>, <c>20 GB</c>, <c>1234567 B</c>.</summary>
    public static string ExactBytes(long bytes)
    {
        foreach (var (name, size) in ByteUnits)
        {
            if (bytes >= size && bytes % size == 0) return string.Create(CultureInfo.InvariantCulture, $"{bytes / size:0} {name}");
        }

        return "0 B";
    }

    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>"1 value", "3,410 values".</summary>
    public static string Count(long number, string one, string many) => $"{Count(number)} {(number == 1 ? one : many)}";

    /// <summary>One decimal, and never 100 % of what is not all.</summary>
    public static string Percent(double share) => (share < 1 ? Math.Floor(share * 1000) / 1000 : 1).ToString("0.0 %", CultureInfo.InvariantCulture);

    /// <summary>About how long: <c>3 h</c>, <c>12 min</c>.</summary>
    public static string About(TimeSpan span) => span switch
    {
        { TotalDays: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:0} d"),
        { TotalHours: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:0} h"),
        { TotalMinutes: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0} min"),
        { TotalSeconds: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0} s"),
        _ => "now",
    };

    /// <summary>A time for pages: days ago, hours ago.</summary>
    public static string Ago(DateTimeOffset then, DateTimeOffset now) => now - then is var span && span < TimeSpan.FromSeconds(1) ? "now" : $"{About(span)} ago";

    /// <summary>Exactly, in words that can be read back: <c>2 d</c>, <c>36 h</c>, <c>90 s</c>.</summary>
    public static string Duration(TimeSpan span)
    {
        foreach (var (name, ticks) in new[] { ("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("min", TimeSpan.TicksPerMinute), ("s", TimeSpan.TicksPerSecond) })
        {
            if (span.Ticks >= ticks && span.Ticks % ticks == 0) return string.Create(CultureInfo.InvariantCulture, $"{span.Ticks / ticks} {name}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.###} s");
    }

    /// <summary>Reads <c>20 GB</c>, <c>64MiB</c>, <c>1000000</c>; null where it is no size.</summary>
    public static long? ReadBytes(string text)
    {
        text = Plain(text);
        var factor = 1m;
        foreach (var (name, size) in ByteUnits)
        {
            if (!text.EndsWith(name, StringComparison.OrdinalIgnoreCase)) continue;
            (text, factor) = (text[..^name.Length], size);
            break;
        }

        return decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number <= long.MaxValue / factor ? (long)(number * factor) : null;
    }

    /// <summary>Reads <c>2 d</c>, <c>48h</c>, <c>15 min</c>, <c>1.12:00:00</c>; null where it is no duration.</summary>
    public static TimeSpan? ReadDuration(string text)
    {
        text = Plain(text);
        if (text.Contains(':', StringComparison.Ordinal)) return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var exact) && exact >= TimeSpan.Zero ? exact : null;
        foreach (var (name, seconds) in new[] { ("min", 60m), ("d", 86400m), ("h", 3600m), ("m", 60m), ("s", 1m) })
        {
            if (!text.EndsWith(name, StringComparison.OrdinalIgnoreCase)) continue;
            return decimal.TryParse(text[..^name.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number * seconds <= 36500 * 86400m
                ? TimeSpan.FromTicks((long)(number * seconds * TimeSpan.TicksPerSecond))
                : null;
        }

        return null;
    }

    private static string Plain(string text) => text.Replace(" ", "", StringComparison.Ordinal).Replace(",", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
}
