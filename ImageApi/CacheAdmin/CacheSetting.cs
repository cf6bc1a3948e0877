using System.Globalization;
using System.Text.Json.Serialization;
using Platform.TieredCache;

namespace ImageApi.CacheAdmin;

/// <summary>How a setting's value reads: a whole number of bytes, a whole number, or <c>d.hh:mm:ss</c>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SettingUnit>))]
internal enum SettingUnit
{
    [JsonStringEnumMemberName("bytes")] Bytes,
    [JsonStringEnumMemberName("items")] Items,
    [JsonStringEnumMemberName("duration")] Duration,
}

/// <summary>One setting that can change while the service runs. Its name is that of the configuration below <c>TieredCache</c>.</summary>
/// <param name="Name">Such as <c>Disk:CapacityBytes</c>.</param>
/// <param name="Unit">What its value is.</param>
/// <param name="Minimum">The least it may be: bytes, items, or seconds.</param>
/// <param name="Maximum">The most.</param>
/// <param name="About">What it does, as a sentence without its end.</param>
/// <param name="Read">Its value in the options; null where nothing is said.</param>
internal sealed record CacheSetting(string Name, SettingUnit Unit, decimal Minimum, decimal Maximum, string About, Func<TieredCacheOptions, IFormattable?> Read)
{
    private const decimal MaxSeconds = 10m * 365 * 86400;
    private const decimal MaxBytes = 1L << 50;

    /// <summary>The kinds whose values are the origin's own and can grow stale.</summary>
    private static readonly EntryKind[] Relayed = [EntryKind.File, EntryKind.Frame, EntryKind.Metadata];

    /// <summary>Every setting, in the order in which they are shown.</summary>
    public static IReadOnlyList<CacheSetting> All { get; } =
    [
        new("Memory:CapacityBytes", SettingUnit.Bytes, 2 << 20, 1L << 40, "What the memory tier may take; more than at the start needs a restart", static options => options.Memory.CapacityBytes),
        new("Disk:CapacityBytes", SettingUnit.Bytes, 1 << 20, MaxBytes, "What the values on disk may take; at the limit the least recently used leave", static options => options.Disk.CapacityBytes),
        new("Disk:CapacityItems", SettingUnit.Items, 1, 10_000_000, "Values that there may be on disk", static options => options.Disk.CapacityItems),
        new("Disk:Ttl", SettingUnit.Duration, 1, MaxSeconds, "How long the disk keeps a value whose kind says nothing", static options => options.Disk.Ttl),
        new("Disk:MinFreeBytes", SettingUnit.Bytes, 0, MaxBytes, "What stays free on the disk: below that values leave and none is written", static options => options.Disk.MinFreeBytes),
        new("Redis:Ttl", SettingUnit.Duration, 1, MaxSeconds, "How long Redis keeps a value whose kind says nothing", static options => options.Redis.Ttl),
        .. Enum.GetValues<EntryKind>().SelectMany(OfKind),
    ];

    /// <summary>The value in the form of the configuration, or null and what is wrong with it.</summary>
    public string? Normalize(string text, out string? wrong)
    {
        decimal number = 0;
        string? value = null;
        if (Unit == SettingUnit.Duration)
        {
            if (TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var duration)) (number, value) = ((decimal)duration.TotalSeconds, duration.ToString("c", CultureInfo.InvariantCulture));
        }
        else if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var whole))
        {
            (number, value) = (whole, whole.ToString(CultureInfo.InvariantCulture));
        }
        wrong = value is null
            ? Unit == SettingUnit.Duration ? "It has to be a duration such as 1.12:00:00 (days.hours:minutes:seconds)." : "It has to be a whole number."
            : number < Minimum ? $"The least is {Show(Minimum)}."
            : number > Maximum ? $"The most is {Show(Maximum)}."
            : null;
        return wrong is null ? value : null;
    }

    /// <summary>The value in these options, in the form of the configuration.</summary>
    public string? ValueIn(TieredCacheOptions options) => Read(options)?.ToString(Unit == SettingUnit.Duration ? "c" : null, CultureInfo.InvariantCulture);

    private string Show(decimal number) => Unit == SettingUnit.Duration
        ? TimeSpan.FromSeconds((double)number).ToString("c", CultureInfo.InvariantCulture)
        : number.ToString("0", CultureInfo.InvariantCulture);

    private static IEnumerable<CacheSetting> OfKind(EntryKind kind)
    {
        var prefix = $"Kinds:{kind}:";
        yield return new(prefix + "Ttl", SettingUnit.Duration, 1, MaxSeconds, "How long the tiers below memory keep such a value", options => Of(options, kind).Ttl);
        yield return new(prefix + "MaxMemoryBytes", SettingUnit.Bytes, 0, MaxBytes, "The largest such value in memory", options => Of(options, kind).MaxMemoryBytes);
        yield return new(prefix + "MaxRemoteBytes", SettingUnit.Bytes, 0, MaxBytes, "The largest such value in Redis", options => Of(options, kind).MaxRemoteBytes);
        yield return new(prefix + "MaxDiskBytes", SettingUnit.Bytes, 0, MaxBytes, "The largest such value on disk", options => Of(options, kind).MaxDiskBytes);
        if (!Relayed.Contains(kind)) yield break;
        yield return new(prefix + "StaleWhileRevalidate", SettingUnit.Duration, 0, MaxSeconds, "How long a stale one is given while the origin is asked again", options => Of(options, kind).StaleWhileRevalidate);
        yield return new(prefix + "StaleIfError", SettingUnit.Duration, 0, MaxSeconds, "How long a stale one is given when the origin fails", options => Of(options, kind).StaleIfError);
        yield return new(prefix + "NegativeTtl", SettingUnit.Duration, 0, MaxSeconds, "How long an origin's \"there is none\" is believed", options => Of(options, kind).NegativeTtl);
    }

    private static KindPolicy Of(TieredCacheOptions options, EntryKind kind) => options.Kinds.GetValueOrDefault(kind) ?? new KindPolicy();
}
