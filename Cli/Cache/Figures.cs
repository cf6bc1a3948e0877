using System.Globalization;

namespace Cli.Cache;

/// <summary>Numbers with their units, as people read and write them.</summary>
internal static class Figures
{
    private static readonly (string Name, long Bytes)[] ByteUnits =
        [("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1)];

    public static string Bytes(long bytes)
    {
        foreach (var (name, size) in ByteUnits.Skip(4))
            if (bytes >= size) return string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / size:0.#} {name}");
        return "0 B";
    }

    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Percent(double share) => share.ToString("0.0 %", CultureInfo.InvariantCulture);

    /// <summary>A setting's value for people: bytes with their unit, durations in words.</summary>
    public static string Value(string? value, string unit) => unit switch
    {
        _ when value is null => "-",
        "bytes" when long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) => Bytes(bytes),
        "items" when long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var items) => Count(items),
        "duration" when TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var duration) => Duration(duration),
        _ => value,
    };

    public static string Duration(TimeSpan duration) => duration switch
    {
        { TotalDays: >= 1 } when duration.Ticks % TimeSpan.TicksPerHour == 0 => duration.Hours == 0 ? $"{duration.Days} d" : $"{duration.Days} d {duration.Hours} h",
        { TotalHours: >= 1 } when duration.Ticks % TimeSpan.TicksPerMinute == 0 => duration.Minutes == 0 ? $"{(int)duration.TotalHours} h" : $"{(int)duration.TotalHours} h {duration.Minutes} min",
        { TotalMinutes: >= 1 } when duration.Ticks % TimeSpan.TicksPerSecond == 0 => duration.Seconds == 0 ? $"{(int)duration.TotalMinutes} min" : $"{(int)duration.TotalMinutes} min {duration.Seconds} s",
        _ => duration.TotalSeconds.ToString("0.### s", CultureInfo.InvariantCulture),
    };

    /// <summary>Turns <c>20GB</c>, <c>64 MiB</c>, <c>48h</c>, <c>2d</c>, <c>1.00:00:00</c> into what the configuration has; null where it is neither.</summary>
    public static string? Parse(string text, string unit)
    {
        text = text.Trim().Replace("_", "", StringComparison.Ordinal).Replace(",", "", StringComparison.Ordinal);
        return unit switch
        {
            "bytes" => ParseBytes(text)?.ToString(CultureInfo.InvariantCulture),
            "duration" => ParseDuration(text)?.ToString("c", CultureInfo.InvariantCulture),
            _ => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number.ToString(CultureInfo.InvariantCulture) : null,
        };
    }

    private static long? ParseBytes(string text)
    {
        var factor = 1L;
        foreach (var (name, bytes) in ByteUnits)
        {
            if (!text.EndsWith(name, StringComparison.OrdinalIgnoreCase)) continue;
            (text, factor) = (text[..^name.Length].TrimEnd(), bytes);
            break;
        }
        return decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number <= long.MaxValue / factor ? (long)(number * factor) : null;
    }

    private static TimeSpan? ParseDuration(string text)
    {
        if (text.Contains(':', StringComparison.Ordinal)) return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var exact) && exact >= TimeSpan.Zero ? exact : null;
        var (length, seconds) = text switch
        {
            _ when text.EndsWith("ms", StringComparison.Ordinal) => (2, 0.001m),
            _ when text.EndsWith("min", StringComparison.Ordinal) => (3, 60m),
            _ when text.EndsWith('d') => (1, 86400m),
            _ when text.EndsWith('h') => (1, 3600m),
            _ when text.EndsWith('m') => (1, 60m),
            _ when text.EndsWith('s') => (1, 1m),
            _ => (0, 0m),
        };
        return length > 0 && decimal.TryParse(text[..^length].TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number * seconds <= 86400m * 36500
            ? TimeSpan.FromTicks((long)(number * seconds * TimeSpan.TicksPerSecond))
            : null;
    }
}
