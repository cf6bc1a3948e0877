using ImageApi.HttpCaching;
using ImageApi.Origins;
using Platform.TieredCache;

namespace ImageApi.Volumes;

/// <summary>The file or the two files that a volume lies in, at their current versions.</summary>
/// <param name="Origin">Where they are.</param>
/// <param name="Item">The file, or the header of a pair.</param>
/// <param name="Version">Its version.</param>
/// <param name="Image">The image of a pair, where there is one.</param>
/// <param name="ImageVersion">Its version.</param>
internal sealed record VolumeFiles(IFileOrigin Origin, OriginItem Item, OriginVersion Version, OriginItem? Image, OriginVersion? ImageVersion)
{
    /// <summary>The content id: of both files, where there are two.</summary>
    public Digest256 Content { get; } = Image is { } image
        ? OriginVersion.ContentOf(Origin.Name, Item.Path, Digest256.HashData(System.Text.Encoding.UTF8.GetBytes($"{Version}\n{image}\n{ImageVersion}")).ToString())
        : OriginVersion.ContentOf(Origin.Name, Item.Path, Version.Value);

    /// <summary>Of the file that was opened last; known while a description is made.</summary>
    public long Bytes { get; init; }

    public string Url => $"/api/volumes/{Origin.Name}/{Escape(Item)}?{VersionedUrl.Parameter}={Content.ToShortString()}";

    public static string FileUrl(IOrigin origin, OriginItem item) => $"/files/{origin.Name}/{Escape(item)}";

    /// <summary>Finds the files of a volume; null when the (first) one is absent.</summary>
    /// <exception cref="OriginException">The origin could not be asked.</exception>
    public static async Task<VolumeFiles?> FindAsync(IFileOrigin origin, OriginItem item, CancellationToken cancellationToken)
    {
        if (await origin.GetVersionAsync(item, cancellationToken) is not { } version) return null;
        foreach (var image in VolumeNames.ImagesOf(item.Path))
        {
            if (await origin.GetVersionAsync(image, cancellationToken) is { } imageVersion) return new VolumeFiles(origin, item, version, image, imageVersion);
        }
        return new VolumeFiles(origin, item, version, Image: null, ImageVersion: null);
    }

    public static string Escape(OriginItem item) => string.Join('/', item.Path.Split('/').Select(Uri.EscapeDataString));
}
