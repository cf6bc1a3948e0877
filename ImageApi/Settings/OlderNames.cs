using System.Globalization;

namespace ImageApi.Settings;

/// <summary>
/// The environment names of the older tools, understood as defaults: an explicit setting of the Platform wins over each of them.
/// </summary>
internal static class OlderNames
{
    private const string DefaultOrigin = "ImageApi:Origins:default";
    private const string Disk = "TieredCache:Disk";

    /// <summary>Adds what the older names say below every other source of configuration.</summary>
    /// <exception cref="InvalidOperationException">A value cannot be read; the message names the variable.</exception>
    public static void AddOlderNames(this ConfigurationManager configuration)
    {
        var meant = Translate(configuration);
        if (meant.Count > 0)
            ((IConfigurationBuilder)configuration).Sources.Insert(0, new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource { InitialData = meant });
    }

    /// <summary>The settings that the older names stand for.</summary>
    public static Dictionary<string, string?> Translate(IConfiguration configuration)
    {
        var meant = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);

        // An origin of that name that someone configured is theirs: half of it must not come from here.
        if (configuration["IMAGE_SERVER"] is { Length: > 0 } server && !configuration.GetSection(DefaultOrigin).GetChildren().Any())
        {
            if (!Uri.TryCreate(server, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
                throw Unreadable("IMAGE_SERVER", "the http or https address of a file server, such as http://localhost:8080/images");
            meant[DefaultOrigin + ":Kind"] = "http";
            meant[DefaultOrigin + ":Url"] = server;
        }

        if (configuration["CACHE_DIR"] is { Length: > 0 } folder) meant[Disk + ":Path"] = folder;
        if (configuration["CACHE_MAX_SIZE_MB"] is { Length: > 0 } megabytes)
        {
            if (!long.TryParse(megabytes, NumberStyles.None, CultureInfo.InvariantCulture, out var size) || size is 0 or > long.MaxValue >> 20)
                throw Unreadable("CACHE_MAX_SIZE_MB", "a whole number of megabytes (1,048,576 bytes each), at least 1");
            meant[Disk + ":CapacityBytes"] = (size << 20).ToString(CultureInfo.InvariantCulture);
        }
        if (configuration["CACHE_DEFAULT_TTL_HOURS"] is { Length: > 0 } hours)
        {
            if (!double.TryParse(hours, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var ttl) || ttl is <= 0 or > 24 * 365 * 10)
                throw Unreadable("CACHE_DEFAULT_TTL_HOURS", "a number of hours above 0, such as 24 or 0.5");
            meant[Disk + ":Ttl"] = TimeSpan.FromHours(ttl).ToString("c", CultureInfo.InvariantCulture);
        }
        return meant;
    }

    private static InvalidOperationException Unreadable(string name, string form) => new($"The environment variable {name} has to be {form}.");
}
