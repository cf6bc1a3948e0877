using System.Globalization;
using Web.Administration;

namespace Web.Cache;

/// <summary>The settings as fields of a form: sizes and durations are shown and read in words, an empty field is what is configured.</summary>
public static class SettingsForm
{
    private static readonly Dictionary<string, string> Labels = new(StringComparer.Ordinal)
    {
        ["Memory:CapacityBytes"] = "Memory, size",
        ["Disk:CapacityBytes"] = "Disk, size",
        ["Disk:CapacityItems"] = "Disk, values",
        ["Disk:Ttl"] = "Disk, time to live",
        ["Disk:MinFreeBytes"] = "Disk, left free",
        ["Redis:Ttl"] = "Redis, time to live",
        ["Ttl"] = "Time to live",
        ["MaxMemoryBytes"] = "Largest in memory",
        ["MaxRemoteBytes"] = "Largest in Redis",
        ["MaxDiskBytes"] = "Largest on disk",
        ["StaleWhileRevalidate"] = "Stale while asked again",
        ["StaleIfError"] = "Stale when the origin fails",
        ["NegativeTtl"] = "\"There is none\" is believed for",
    };

    /// <summary>What people call a setting; its name where there is no other word for it.</summary>
    public static string LabelOf(CacheSetting setting) => Labels.GetValueOrDefault(setting.Name.StartsWith("Kinds:", StringComparison.Ordinal) ? setting.Name.Split(':')[^1] : setting.Name, setting.Name);

    /// <summary>The field's text for a value; empty where it is not set at run time.</summary>
    public static string TextOf(CacheSetting setting) => setting.IsSet ? Show(setting.Value, setting.Unit) : "";

    /// <summary>A value in words.</summary>
    public static string Show(string? value, string unit) => unit switch
    {
        _ when value is null => "",
        "bytes" when long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) => Figures.ExactBytes(bytes),
        "items" when long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var items) => Figures.Count(items),
        "duration" when TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var span) => Figures.Duration(span),
        _ => value,
    };

    /// <summary>The values of the fields that hold something, in the form that ImageApi takes; and what is wrong with others, by name.</summary>
    public static (Dictionary<string, string> Values, Dictionary<string, string> Wrong) Read(CacheSettings settings, Func<string, string?> field)
    {
        var (values, wrong) = (new Dictionary<string, string>(), new Dictionary<string, string>());
        foreach (var setting in settings.Settings)
        {
            var text = field(setting.Name)?.Trim() ?? "";
            if (text.Length == 0) continue;
            var value = setting.Unit switch
            {
                "bytes" => Figures.ReadBytes(text)?.ToString(CultureInfo.InvariantCulture),
                "duration" => Figures.ReadDuration(text)?.ToString("c", CultureInfo.InvariantCulture),
                _ => long.TryParse(text, NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var number) && number >= 0 ? number.ToString(CultureInfo.InvariantCulture) : null,
            };
            if (value is not null) values[setting.Name] = value;
            else wrong[setting.Name] = setting.Unit switch
            {
                "bytes" => "A size, such as 64 MiB or 20 GB.",
                "duration" => "A duration, such as 90 s, 15 min, 48 h or 7 d.",
                _ => "A whole number.",
            };
        }

        return (values, wrong);
    }
}
