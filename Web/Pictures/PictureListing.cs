using System.Globalization;
using Web.Dicomweb;

namespace Web.Pictures;

/// <summary>What the page of pictures shows.</summary>
public sealed record PictureListing
{
    public const int PageSize = 60;

    public IReadOnlyList<PictureSummary> Pictures { get; init; } = [];
    public int Total { get; init; }

    /// <summary>0-based.</summary>
    public int Page { get; init; }

    /// <summary>Public address of ImageApi, without a slash at the end.</summary>
    public required string ImageApi { get; init; }
    public bool IsUnavailable { get; init; }
    public bool TimedOut { get; init; }

    public bool HasNewer => Page > 0;
    public bool HasOlder => (Page + 1) * PageSize < Total;

    internal static async Task<PictureListing> ReadAsync(PicturesClient client, int page, string imageApi, CancellationToken cancellationToken)
    {
        page = Math.Clamp(page, 0, 100_000);
        try
        {
            var found = await client.ListAsync(page * PageSize, PageSize, cancellationToken);
            return new PictureListing { Pictures = found.Images, Total = found.Total, Page = page, ImageApi = imageApi };
        }
        catch (ImageApiUnavailableException exception)
        {
            return new PictureListing { IsUnavailable = true, TimedOut = exception.TimedOut, ImageApi = imageApi };
        }
    }

    /// <summary>What a picture is called; pictures without a name are called by their size.</summary>
    public static string NameOf(PictureSummary picture) => picture.Name ?? $"Picture of {Pixels(picture)}";

    public static string Pixels(PictureSummary picture) => string.Create(CultureInfo.InvariantCulture, $"{picture.Width} × {picture.Height}");

    /// <summary>As in "23.6 KB": decimal.</summary>
    public static string Size(long bytes) => bytes switch
    {
        < 1_000 => $"{bytes} B",
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.#} KB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.#} MB"),
    };
}
