using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using ImageApi.Catalog;
using ImageApi.Frames;
using ImageApi.HttpCaching;
using ImageApi.Origins;
using Microsoft.Extensions.Options;
using Platform.Codecs;
using Platform.Codecs.Jpeg;
using Platform.Imaging;
using Platform.TieredCache;

namespace ImageApi.Tiles;

/// <summary>
/// Tiles as values of the tiered cache. A tile of a stored level is cut from its frames, or is the frame as stored where that is the tile already. One of a level
/// between is made of the next finer stored level's frames where they are few, else of the four tiles below it, each a value of its own: so however far the level is
/// from the stored one, no tile is made twice, and what a request that ran out of patience made is there for the next.
/// </summary>
internal sealed class TileService(ITieredCache cache, FrameService frames, FramePictures pictures, IOrigins origins, IOptions<TilesOptions> options)
{
    /// <summary>Frames put together at once for a tile of a level between: a square of 4 x 4 tiles in frames of 128 pixels. Beyond, four tiles are made first.</summary>
    private const int MaxFramesDirectly = 64;

    /// <summary>Levels gone over in one step; more, and each pixel would be averaged of too many to be held.</summary>
    private const int MaxStepsDirectly = 2;

    /// <summary>Frames that one tile may be cut from: 4 x 4 pixels are the smallest.</summary>
    private const int MaxFramesOfTile = 4096;

    private const string MediaType = "image/jpeg";

    // Another number whenever the bytes of a tile change.
    private const int OutputVersion = 1;

    private static readonly JpegFrameEncoder Encoder = new();
    private static readonly JpegFrameDecoder Decoder = new();

    private static readonly EntryPolicy Made = EntryPolicy.For(EntryKind.Tile);

    // A frame that is the tile can be read of its file again as quickly as of the cache's.
    private static readonly EntryPolicy AsStored = Made.WithoutDisk();

    private readonly RecipeId[] _recipes = [.. Enumerable.Range(0, 32).Select(level => RecipeId.Of("tile", OutputVersion, Encoding.ASCII.GetBytes($"{level};q{options.Value.Quality}")))];

    /// <summary>The key of a tile of the grid.</summary>
    public CacheKey KeyOf(Pyramid pyramid, TileAddress tile) =>
        new(pyramid.Content, EntryKind.Tile, _recipes[tile.Level], tile.Y * pyramid.Grid.TilesAt(tile.Level).Columns + tile.X);

    /// <summary>The tile. The caller disposes the lease.</summary>
    /// <param name="pyramid">The pyramid.</param>
    /// <param name="tile">Within its grid.</param>
    /// <param name="cancellationToken">Ends the wait; the making goes on while others wait for the same tile.</param>
    /// <exception cref="InvalidFrameException">A frame of it cannot be decoded.</exception>
    public ValueTask<CacheLease> GetAsync(Pyramid pyramid, TileAddress tile, CancellationToken cancellationToken) =>
        cache.GetOrCreateAsync(KeyOf(pyramid, tile), (Service: this, Pyramid: pyramid, Tile: tile), MayBeAsStored(pyramid, tile) && IsLocal(pyramid) ? AsStored : Made,
            static (wish, to, token) => wish.Service.MakeAsync(wish.Pyramid, wish.Tile, to, token), cancellationToken);

    /// <summary>A level below the grid's first, as Deep Zoom has them down to one pixel: level 0 made smaller.</summary>
    /// <param name="pyramid">The pyramid.</param>
    /// <param name="deepZoomLevel">0 to <see cref="TileGrid.DeepZoomOffset"/> - 1.</param>
    /// <param name="to">Takes the JPEG.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public async Task WriteSmallAsync(Pyramid pyramid, int deepZoomLevel, IBufferWriter<byte> to, CancellationToken cancellationToken)
    {
        var (width, height) = pyramid.Grid.SizeOf(default);
        var steps = pyramid.Grid.DeepZoomOffset - deepZoomLevel;
        using var whole = new Picture(width, height, pyramid.Channels);
        await PasteAsync(pyramid, default, whole, 0, 0, cancellationToken);
        var (toWidth, toHeight) = (TileGrid.Halved(width, steps), TileGrid.Halved(height, steps));
        using var small = FrameRenderer.Fit(whole, new PixelRegion(0, 0, width, height), toWidth, toHeight, isFlippedAcross: false, isFlippedDown: false, cancellationToken);
        Encode(small, to, cancellationToken);
    }

    /// <summary>A region of a level of the grid, cut from the stored level that it is. The caller disposes it.</summary>
    /// <param name="pyramid">The pyramid.</param>
    /// <param name="source">One of its stored levels.</param>
    /// <param name="region">In pixels of the grid's level.</param>
    /// <param name="placed">The frames that touch the region.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    internal async Task<Picture> CutAsync(Pyramid pyramid, StoredLevel source, PixelRegion region, List<PlacedFrame> placed, CancellationToken cancellationToken)
    {
        var picture = new Picture(region.Width, region.Height, pyramid.Channels);
        try
        {
            var isCovered = placed.Count > 0 && source.Layout is FullLayout;
            if (!isCovered) Fill(picture, pyramid.Absent);
            foreach (var place in placed)
            {
                cancellationToken.ThrowIfCancellationRequested();
                using var frame = await pictures.GetAsync(source, place.Frame, cancellationToken);
                Paste(frame.Picture, place.Left - region.Left, place.Top - region.Top, Math.Min(frame.Picture.Width, source.Width - place.Left), Math.Min(frame.Picture.Height, source.Height - place.Top), picture);
            }
            RepeatBorder(picture, source.Width - region.Left, source.Height - region.Top);
            return picture;
        }
        catch
        {
            picture.Dispose();
            throw;
        }
    }

    private async Task MakeAsync(Pyramid pyramid, TileAddress tile, EntryWriter to, CancellationToken cancellationToken)
    {
        var source = pyramid.SourceOf(tile.Level);
        var header = new EntryHeader(MediaType) { Tags = CacheTags.Of(source.Parts.Select(static part => part.Instance)) };
        var steps = source.Level - tile.Level;
        var placed = new List<PlacedFrame>();
        var region = RegionOf(pyramid.Grid, tile, steps);
        if (steps == 0)
        {
            if (!source.Layout.TryFind(region.Left, region.Top, region.Width, region.Height, MaxFramesOfTile, placed))
                throw new InvalidFrameException($"A tile would be put together of more than {MaxFramesOfTile} frames of {source.FrameWidth} x {source.FrameHeight} pixels.");
            if (await TryCopyAsync(pyramid, source, tile, placed, header, to, cancellationToken)) return;
            using var cut = await CutAsync(pyramid, source, region, placed, cancellationToken);
            to.Start(header);
            Encode(cut, to, cancellationToken);
            return;
        }

        if (steps <= MaxStepsDirectly && source.Layout.TryFind(region.Left, region.Top, region.Width, region.Height, MaxFramesDirectly, placed))
        {
            using var cut = await CutAsync(pyramid, source, region, placed, cancellationToken);
            Finish(cut, steps);
            return;
        }

        var below = RegionOf(pyramid.Grid, tile, 1);
        using var four = new Picture(below.Width, below.Height, pyramid.Channels);
        for (var y = 0; y < below.Height; y += TileGrid.TileSize)
        {
            for (var x = 0; x < below.Width; x += TileGrid.TileSize)
            {
                var child = new TileAddress(tile.Level + 1, 2 * tile.X + x / TileGrid.TileSize, 2 * tile.Y + y / TileGrid.TileSize);
                await PasteAsync(pyramid, child, four, x, y, cancellationToken);
            }
        }
        Finish(four, 1);

        void Finish(Picture picture, int halvings)
        {
            using var half = Halve(picture, cancellationToken);
            using var quarter = halvings == 2 ? Halve(half, cancellationToken) : null;
            to.Start(header);
            Encode(quarter ?? half, to, cancellationToken);
        }
    }

    /// <summary>A tile's region of the level that is so many steps finer.</summary>
    private static PixelRegion RegionOf(TileGrid grid, TileAddress tile, int steps)
    {
        var (left, top, side) = ((tile.X * TileGrid.TileSize) << steps, (tile.Y * TileGrid.TileSize) << steps, TileGrid.TileSize << steps);
        return new PixelRegion(left, top, Math.Min(side, grid.WidthAt(tile.Level + steps) - left), Math.Min(side, grid.HeightAt(tile.Level + steps) - top));
    }

    /// <summary>Whether a tile's bytes may be a frame's: only frames of a tile's size, where they lie as tiles do.</summary>
    private static bool MayBeAsStored(Pyramid pyramid, TileAddress tile)
    {
        var source = pyramid.SourceOf(tile.Level);
        return source.Level == tile.Level && (source.FrameWidth, source.FrameHeight) == (TileGrid.TileSize, TileGrid.TileSize) && pyramid.Channels == 3
            && pyramid.Grid.SizeOf(tile) == (TileGrid.TileSize, TileGrid.TileSize) && source.Parts[0].Instance.TransferSyntaxUid == StoredTile.TransferSyntaxUid;
    }

    private bool IsLocal(Pyramid pyramid) => origins.TryGet<IOrigin>(pyramid.Stored[0].Parts[0].Instance.OriginName, out var origin) && origin.Traits.HasFlag(OriginTraits.Local);

    private async Task<bool> TryCopyAsync(Pyramid pyramid, StoredLevel source, TileAddress tile, List<PlacedFrame> placed, EntryHeader header, EntryWriter to, CancellationToken cancellationToken)
    {
        var (left, top) = (tile.X * TileGrid.TileSize, tile.Y * TileGrid.TileSize);
        if (placed is not [var only] || (only.Left, only.Top) != (left, top) || !MayBeAsStored(pyramid, tile)) return false;
        if (left + TileGrid.TileSize > source.Width || top + TileGrid.TileSize > source.Height) return false;
        var (instance, frameIndex) = source.Locate(only.Frame);
        await using var lease = await frames.GetAsync(instance, frameIndex, cancellationToken);
        var bytes = await ReadAsync(lease, cancellationToken);
        if (!StoredTile.IsTile(bytes, isRgbInDataset: source.Presentation.Frame.Photometric == Photometric.Rgb)) return false;
        to.Start(header with { Length = bytes.Length });
        foreach (var segment in bytes) to.Write(segment.Span);
        return true;
    }

    /// <summary>Puts a tile into a picture; without making it where no frame covers it.</summary>
    private async Task PasteAsync(Pyramid pyramid, TileAddress tile, Picture to, int left, int top, CancellationToken cancellationToken)
    {
        var source = pyramid.SourceOf(tile.Level);
        var (width, height) = pyramid.Grid.SizeOf(tile);
        if (!source.Layout.IsCovered(tile.X, tile.Y, source.Level - tile.Level))
        {
            using var nothing = new Picture(width, height, to.Channels);
            Fill(nothing, pyramid.Absent);
            Paste(nothing, left, top, width, height, to);
            return;
        }

        await using var lease = await GetAsync(pyramid, tile, cancellationToken);
        var pixels = new ArrayBufferWriter<byte>(width * height * to.Channels);
        var expected = new Platform.Codecs.FrameDescription(height, width, to.Channels, 8, 8, IsSigned: false, IsPlanar: false, to.Channels == 3 ? Photometric.YbrFull : Photometric.Monochrome2);
        Decoder.Decode(await ReadAsync(lease, cancellationToken), expected, pixels, new DecodeOptions(), cancellationToken);
        using var picture = new Picture(width, height, to.Channels);
        pixels.WrittenSpan.CopyTo(picture.Pixels);
        Paste(picture, left, top, width, height, to);
    }

    /// <summary>All bytes of a value: in place, or copied where they are not in memory as a whole.</summary>
    private static async ValueTask<ReadOnlySequence<byte>> ReadAsync(CacheLease lease, CancellationToken cancellationToken)
    {
        await lease.WaitUntilCompleteAsync(cancellationToken);
        if (lease.TryGetBytes(out var bytes)) return bytes;
        using var copy = new MemoryStream();
        var pipe = PipeWriter.Create(copy, new StreamPipeWriterOptions(leaveOpen: true));
        await lease.CopyToAsync(pipe, 0, null, cancellationToken);
        await pipe.CompleteAsync();
        return new ReadOnlySequence<byte>(copy.GetBuffer(), 0, (int)copy.Length);
    }

    private void Encode(Picture picture, IBufferWriter<byte> to, CancellationToken cancellationToken) =>
        Encoder.Encode(picture.Pixels, picture.Width, picture.Height, picture.Channels, options.Value.Quality, to, cancellationToken);

    private static Picture Halve(Picture picture, CancellationToken cancellationToken)
    {
        var half = new Picture((picture.Width + 1) / 2, (picture.Height + 1) / 2, picture.Channels);
        Resizer.Halve(picture.Pixels, picture.Width, picture.Height, picture.Channels, half.Pixels, cancellationToken);
        return half;
    }

    private static void Fill(Picture picture, (byte R, byte G, byte B) colour)
    {
        var pixels = picture.Pixels;
        if (picture.Channels == 1)
        {
            pixels.Fill((byte)((colour.R * 77 + colour.G * 150 + colour.B * 29 + 128) >> 8));
            return;
        }
        for (var i = 0; i < pixels.Length; i += 3) (pixels[i], pixels[i + 1], pixels[i + 2]) = (colour.R, colour.G, colour.B);
    }

    /// <summary>Copies the first so many columns and rows of a picture to a place in another one, as far as they lie in it.</summary>
    private static void Paste(Picture from, int left, int top, int width, int height, Picture to)
    {
        var (firstX, lastX) = (Math.Max(0, -left), Math.Min(width, to.Width - left));
        var (firstY, lastY) = (Math.Max(0, -top), Math.Min(height, to.Height - top));
        if (firstX >= lastX) return;
        for (var y = firstY; y < lastY; y++)
        {
            var source = from.Pixels.Slice((y * from.Width + firstX) * from.Channels, (lastX - firstX) * from.Channels);
            var target = to.Pixels.Slice(((top + y) * to.Width + left + firstX) * to.Channels, (lastX - firstX) * to.Channels);
            if (from.Channels == to.Channels) source.CopyTo(target);
            else for (var x = 0; x < source.Length; x++) target.Slice(3 * x, 3).Fill(source[x]);   // a grey level of a slide in colour
        }
    }

    /// <summary>A stored level may be a pixel narrower or lower than the grid's: its last column and row stand for what is missing.</summary>
    private static void RepeatBorder(Picture picture, int width, int height)
    {
        var (channels, rowLength) = (picture.Channels, picture.Width * picture.Channels);
        if (width > 0 && width < picture.Width)
        {
            for (var y = 0; y < picture.Height; y++)
            {
                var row = picture.Pixels.Slice(y * rowLength, rowLength);
                for (var x = width; x < picture.Width; x++) row.Slice((width - 1) * channels, channels).CopyTo(row[(x * channels)..]);
            }
        }
        if (height <= 0) return;
        for (var y = height; y < picture.Height; y++) picture.Pixels.Slice((height - 1) * rowLength, rowLength).CopyTo(picture.Pixels[(y * rowLength)..]);
    }
}
