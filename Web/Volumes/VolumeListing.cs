using System.Globalization;
using Web.Dicomweb;

namespace Web.Volumes;

/// <summary>What a volume page shows: the list, and the volume that its address names.</summary>
public sealed record VolumeListing
{
    public IReadOnlyList<VolumeSummary> Volumes { get; init; } = [];
    public int Total { get; init; }
    public IReadOnlyList<MissingOrigin> Missing { get; init; } = [];

    /// <summary>The one to show: what was asked for, or the first one where nothing was.</summary>
    public VolumeSummary? Chosen { get; init; }

    /// <summary>The address names a volume that is not there.</summary>
    public bool IsChosenAbsent { get; init; }
    public bool IsUnavailable { get; init; }
    public bool TimedOut { get; init; }

    internal static async Task<VolumeListing> ReadAsync(VolumesClient client, string? chosen, CancellationToken cancellationToken)
    {
        try
        {
            var page = await client.ListAsync(cancellationToken);
            var found = string.IsNullOrEmpty(chosen) ? page.Volumes.FirstOrDefault() : page.Volumes.FirstOrDefault(volume => volume.Key == chosen);
            return new VolumeListing { Volumes = page.Volumes, Total = page.Total, Missing = page.Missing, Chosen = found, IsChosenAbsent = found is null && !string.IsNullOrEmpty(chosen) };
        }
        catch (ImageApiUnavailableException exception)
        {
            return new VolumeListing { IsUnavailable = true, TimedOut = exception.TimedOut };
        }
    }

    public static string AddressOf(VolumeSummary volume, string page = "/volumes") => $"{page}?volume={Uri.EscapeDataString(volume.Key)}";

    /// <summary>As in "23.6 MB": decimal, three digits.</summary>
    public static string Size(long bytes) => bytes switch
    {
        < 1_000 => $"{bytes} B",
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.#} KB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.#} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.##} GB"),
    };

    /// <summary>What is known of a volume, in one line.</summary>
    public static string About(VolumeSummary volume) => string.Join(" · ", new[]
    {
        volume.Bytes is { } bytes ? Size(bytes) : null,
        volume.Geometry is { } geometry ? string.Join(" × ", geometry.Sizes) : null,
        volume.Type?.Name,
    }.OfType<string>());
}
