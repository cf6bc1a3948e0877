using ImageApi.Catalog;
using ImageApi.HttpCaching;
using Platform.Codecs;
using Platform.Codecs.Jpeg;
using Platform.Codecs.Png;
using Platform.Imaging;
using Platform.TieredCache;

namespace ImageApi.Rendered;

/// <summary>Pictures for the eye as values of the tiered cache: made once per frame and wish.</summary>
internal sealed class RenderedService(ITieredCache cache, FramePixels pixels)
{
    private static readonly JpegFrameEncoder Jpeg = new();
    private static readonly PngFrameEncoder Png = new();

    public static CacheKey KeyOf(InstanceEntry instance, int frameIndex, RenderedForm form) =>
        new(instance.Content, form.IsThumbnail ? EntryKind.Thumbnail : EntryKind.Rendered, form.ToRecipe(), frameIndex);

    /// <summary>The picture. The caller disposes the lease.</summary>
    /// <exception cref="InvalidFrameException">The frame cannot be decoded.</exception>
    public ValueTask<CacheLease> GetAsync(InstanceEntry instance, int frameIndex, RenderedForm form, CancellationToken cancellationToken)
    {
        var key = KeyOf(instance, frameIndex, form);
        return cache.GetOrCreateAsync(key, (Service: this, Instance: instance, FrameIndex: frameIndex, Form: form), EntryPolicy.For(key.Kind),
            static (wish, to, token) => wish.Service.MakeAsync(wish.Instance, wish.FrameIndex, wish.Form, to, token), cancellationToken);
    }

    private async Task MakeAsync(InstanceEntry instance, int frameIndex, RenderedForm form, EntryWriter to, CancellationToken cancellationToken)
    {
        using var decoded = await pixels.GetAsync(instance, frameIndex, cancellationToken);
        using var whole = FrameRenderer.Render(decoded.Pixels, decoded.Frame, decoded.Presentation, form.Window, cancellationToken);
        var (region, isFlippedAcross, isFlippedDown) = RegionOf(form, whole);
        var (width, height) = SizeOf(form, region);
        var isWhole = (region.Width, region.Height, width, height) == (whole.Width, whole.Height, whole.Width, whole.Height) && !isFlippedAcross && !isFlippedDown;
        using var fitted = isWhole ? null : FrameRenderer.Fit(whole, region, width, height, isFlippedAcross, isFlippedDown, cancellationToken);
        var picture = fitted ?? whole;
        to.Start(new EntryHeader(form.ContentType) { Tags = CacheTags.Of(instance) });
        if (form.Format == PictureFormat.Png)
        {
            var frame = new FrameDescription(picture.Height, picture.Width, picture.Channels, 8, 8, false, false, picture.Channels == 3 ? Photometric.Rgb : Photometric.Monochrome2);
            Png.Encode(picture.Pixels, frame, to, null, cancellationToken);
        }
        else
        {
            Jpeg.Encode(picture.Pixels, picture.Width, picture.Height, picture.Channels, form.Quality, to, cancellationToken);
        }
    }

    /// <summary>The part asked for, cut to the frame; all of it where the part lies outside.</summary>
    private static (PixelRegion Region, bool IsFlippedAcross, bool IsFlippedDown) RegionOf(RenderedForm form, Picture whole)
    {
        var all = new PixelRegion(0, 0, whole.Width, whole.Height);
        if (form.Source is not { } source) return (all, false, false);
        var (left, top) = (source.X, source.Y);
        var width = source.Width == 0 ? whole.Width - left : Math.Abs(source.Width);
        var height = source.Height == 0 ? whole.Height - top : Math.Abs(source.Height);
        if (left >= whole.Width || top >= whole.Height || width <= 0 || height <= 0) return (all, source.Width < 0, source.Height < 0);
        return (new PixelRegion(left, top, Math.Min(width, whole.Width - left), Math.Min(height, whole.Height - top)), source.Width < 0, source.Height < 0);
    }

    /// <summary>The shape is kept. Thumbnails are never larger than the frame; a rendered picture fills its viewport (PS3.18 8.3.5.1.5).</summary>
    private static (int Width, int Height) SizeOf(RenderedForm form, PixelRegion region)
    {
        if (form.Viewport is not { } viewport) return (region.Width, region.Height);
        if (form.IsThumbnail) return Resizer.Fit(region.Width, region.Height, viewport.Width, viewport.Height);
        var scale = Math.Min((double)viewport.Width / region.Width, (double)viewport.Height / region.Height);
        return (Math.Max(1, (int)Math.Round(region.Width * scale)), Math.Max(1, (int)Math.Round(region.Height * scale)));
    }
}
