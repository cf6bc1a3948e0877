using ImageApi.Catalog;
using ImageApi.HttpCaching;
using Platform.Codecs;
using Platform.Imaging;
using Platform.TieredCache;

namespace ImageApi.Rendered;

/// <summary>Pictures for the eye as values of the tiered cache: made once per frame and wish.</summary>
internal sealed class RenderedService(ITieredCache cache, FramePixels pixels, SeriesWindow windows)
{
    // Of WebP. Somebody waits for these: twice the time would save a few percent.
    private const int Effort = 2;

    // Thumbnails are small and asked for by everybody who opens a list: another node's are as good.
    private static readonly EntryPolicy Thumbnail = EntryPolicy.For(EntryKind.Thumbnail) with { Remote = true };
    private static readonly EntryPolicy Rendered = EntryPolicy.For(EntryKind.Rendered);

    // A patient's name in pixels stays in this process.
    private static readonly EntryPolicy Annotated = Rendered.WithoutDisk();

    /// <summary>The key: of the pixels, and of the header, which holds the window and what is annotated.</summary>
    public static CacheKey KeyOf(InstanceEntry instance, int frameIndex, RenderedForm form) =>
        new(ContentOf(instance), form.IsThumbnail ? EntryKind.Thumbnail : EntryKind.Rendered, form.ToRecipe(), frameIndex);

    /// <summary>The picture. The caller disposes the lease.</summary>
    /// <exception cref="InvalidFrameException">The frame cannot be decoded.</exception>
    public ValueTask<CacheLease> GetAsync(InstanceEntry instance, int frameIndex, RenderedForm form, CancellationToken cancellationToken)
    {
        var policy = form.Annotations != Annotations.None ? Annotated : form.IsThumbnail ? Thumbnail : Rendered;
        return cache.GetOrCreateAsync(KeyOf(instance, frameIndex, form), (Service: this, Instance: instance, FrameIndex: frameIndex, Form: form), policy,
            static (wish, to, token) => wish.Service.MakeAsync(wish.Instance, wish.FrameIndex, wish.Form, to, token), cancellationToken);
    }

    private static Digest256 ContentOf(InstanceEntry instance)
    {
        if (instance.HeaderContent == instance.Content) return instance.Content;
        var builder = new DigestBuilder(stackalloc byte[128], "rendered1"u8);
        builder.Add(instance.Content);
        builder.Add(instance.HeaderContent);
        return builder.Finish();
    }

    private async Task MakeAsync(InstanceEntry instance, int frameIndex, RenderedForm form, EntryWriter to, CancellationToken cancellationToken)
    {
        // A thumbnail needs no more than twice its own size of the frame.
        int? enough = form.IsThumbnail && SizeOf(form, instance.Columns, instance.Rows) is var (across, down) ? 2 * Math.Min(across, down) : null;
        AnnotationText? text = null;
        byte[]? profile = null;
        using var decoded = await pixels.GetAsync(instance, frameIndex, enough,
            dataset =>
            {
                if (form.Annotations != Annotations.None) text = AnnotationText.Read(dataset, form.Annotations, frameIndex, instance.FrameCount);
                if (form.Profile != ProfileWish.None) profile = RenderedColours.ReadProfile(dataset);
            }, cancellationToken);
        var window = form.Window ?? (NeedsWindow(decoded) ? await windows.FindAsync(instance, frameIndex, decoded, cancellationToken) : null);
        using var whole = FrameRenderer.Render(decoded.Pixels, decoded.Frame, decoded.Presentation, window, cancellationToken);
        var all = new PixelRegion(0, 0, whole.Width, whole.Height);
        var region = form.Source?.Within(whole.Width, whole.Height) ?? all;
        var (width, height) = form.IsThumbnail ? SizeOf(form, decoded.Presentation.Frame.Columns, decoded.Presentation.Frame.Rows) : SizeOf(form, region.Width, region.Height);
        var (isFlippedAcross, isFlippedDown) = (form.Source is { IsFlippedAcross: true }, form.Source is { IsFlippedDown: true });
        var isWhole = region == all && (width, height) == (whole.Width, whole.Height) && !isFlippedAcross && !isFlippedDown;
        using var fitted = isWhole ? null : FrameRenderer.Fit(whole, region, width, height, isFlippedAcross, isFlippedDown, cancellationToken);
        var picture = fitted ?? whole;
        using var coloured = form.Profile == ProfileWish.None ? null : RenderedColours.Prepare(picture, profile, form.Profile);
        text?.Write(coloured ?? picture);   // last: PS3.18 8.3.5.1.1
        to.Start(new EntryHeader(form.ContentType) { Tags = CacheTags.Of(instance) });
        if (coloured is null) PictureWriter.Write(picture, form.Format, form.Quality, Effort, to, cancellationToken);
        else RenderedColours.Write(coloured, picture.Channels == 3, profile, form, Effort, to, cancellationToken);
    }

    private static bool NeedsWindow(DecodedFrame decoded) => decoded.Frame.SamplesPerPixel == 1 && decoded.Presentation is { HasWindow: false, Palette: null };

    /// <summary>The shape is kept. Thumbnails are never larger than the frame; a rendered picture fills its viewport (PS3.18 8.3.5.1.3).</summary>
    private static (int Width, int Height) SizeOf(RenderedForm form, int width, int height)
    {
        if (form.Viewport is not { } viewport) return (width, height);
        if (form.IsThumbnail) return Resizer.Fit(width, height, viewport.Width, viewport.Height);
        var scale = Math.Min((double)viewport.Width / width, (double)viewport.Height / height);
        return (Math.Max(1, (int)Math.Round(width * scale)), Math.Max(1, (int)Math.Round(height * scale)));
    }
}
