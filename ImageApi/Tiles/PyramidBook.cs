using ImageApi.Catalog;
using ImageApi.Rendered;
using ImageApi.Retrieve;
using Microsoft.Extensions.Options;
using Platform.Codecs;
using Platform.Dicom;
using Platform.Imaging;
using Platform.TieredCache;

namespace ImageApi.Tiles;

/// <summary>
/// What was read of slides and large frames, kept for the next tile: the least recently used go when there are more than <see cref="MaxPyramids"/>, or
/// their places take more than 128 MB.
/// </summary>
internal sealed class PyramidBook(InstanceHeaders headers, FramePixels pixels, IOptions<RenderedOptions> bounds) : IDisposable
{
    private const int MaxPyramids = 64;
    private const long MaxPlaces = 8 << 20;

    private readonly Lock _gate = new();
    private readonly LinkedList<(Key Key, Pyramid? Pyramid)> _recent = new();
    private readonly Dictionary<Key, LinkedListNode<(Key Key, Pyramid? Pyramid)>> _known = [];

    // One at a time: a slide's headers may be large, and who opens it asks for many tiles at once.
    private readonly SemaphoreSlim _reading = new(1);

    /// <summary>The pyramid of a whole slide, or null when none of the instances is a part of one.</summary>
    /// <exception cref="InvalidFrameException">The instances contradict themselves or each other.</exception>
    /// <exception cref="UndecodableException">Their frames can only be had as stored.</exception>
    /// <param name="content">Of the instances together.</param>
    /// <param name="instances">A series, or one instance of it.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public ValueTask<Pyramid?> OfSlideAsync(Digest256 content, IReadOnlyList<InstanceEntry> instances, CancellationToken cancellationToken) =>
        GetAsync(new Key(content, -1), instances, cancellationToken);

    /// <summary>The pyramid of one frame.</summary>
    /// <exception cref="InvalidFrameException">The frame cannot be decoded.</exception>
    public async ValueTask<Pyramid> OfFrameAsync(InstanceEntry instance, int frameIndex, CancellationToken cancellationToken) =>
        (await GetAsync(new Key(instance.Content, frameIndex), [instance], cancellationToken))!;

    public void Dispose() => _reading.Dispose();

    private async ValueTask<Pyramid?> GetAsync(Key key, IReadOnlyList<InstanceEntry> instances, CancellationToken cancellationToken)
    {
        if (TryFind(key, out var pyramid)) return pyramid;
        await _reading.WaitAsync(cancellationToken);
        try
        {
            if (TryFind(key, out pyramid)) return pyramid;
            pyramid = key.FrameIndex < 0 ? await ReadSlideAsync(instances, cancellationToken) : await ReadFrameAsync(instances[0], key.FrameIndex, cancellationToken);
            foreach (var level in pyramid?.Stored ?? [])
            {
                if ((long)level.FrameWidth * level.FrameHeight * pyramid!.Channels > bounds.Value.MaxFrameBytes)
                    throw new InvalidFrameException($"A frame of {level.FrameWidth} x {level.FrameHeight} pixels is larger than this server takes.");
            }
            Keep(key, pyramid);
            return pyramid;
        }
        finally
        {
            _reading.Release();
        }
    }

    private async Task<Pyramid?> ReadSlideAsync(IReadOnlyList<InstanceEntry> instances, CancellationToken cancellationToken)
    {
        if (await SlideReader.ReadAsync(instances, headers, cancellationToken) is not { } pyramid) return null;
        if (!pyramid.Stored.All(static level => FramePixels.CanDecode(level.Parts[0].Instance))) throw new UndecodableException();
        return pyramid.Channels == 3 ? pyramid : await WithWindowsAsync(pyramid, cancellationToken);
    }

    /// <summary>Grey without a stored window: found once, of the coarsest level, because tiles with windows of their own would not match.</summary>
    private async Task<Pyramid> WithWindowsAsync(Pyramid pyramid, CancellationToken cancellationToken)
    {
        var coarsest = pyramid.Stored[^1];
        if (coarsest.Presentation.HasWindow) return pyramid;
        var window = new VoiWindow(128, 256);
        if (coarsest.Presentation.Frame.BitsStored > 8)
        {
            var found = new List<PlacedFrame>();
            if (!coarsest.Layout.TryFind(coarsest.Width / 2, coarsest.Height / 2, 1, 1, 64, found) || found.Count == 0) return pyramid;
            var (instance, frameIndex) = coarsest.Locate(found[0].Frame);
            using var decoded = await pixels.GetAsync(instance, frameIndex, coarsest.Presentation, cancellationToken);
            window = FrameRenderer.FindWindow(decoded.Pixels, decoded.Frame, coarsest.Presentation);
        }
        return pyramid with { Stored = [.. pyramid.Stored.Select(level => level with { Window = window })] };
    }

    private async Task<Pyramid> ReadFrameAsync(InstanceEntry instance, int frameIndex, CancellationToken cancellationToken)
    {
        if (!FramePixels.CanDecode(instance)) throw new UndecodableException();
        FramePresentation? presentation = null;
        (double, double)? spacing = null;
        await foreach (var (_, file) in headers.ReadAsync([instance], cancellationToken))
        {
            presentation = FramePresentation.Read(file.Dataset, frameIndex);
            spacing = PixelSpacings.Read(file.Dataset, presentation.Frame.Columns, presentation.Frame.Rows);
        }
        if (presentation is null) throw new InvalidFrameException("The instance has no header.");
        var (width, height) = (presentation.Frame.Columns, presentation.Frame.Rows);
        if (width < 1 || height < 1) throw new InvalidFrameException($"A frame of {width} x {height} pixels is none.");
        var grid = new TileGrid(width, height);
        var content = new DigestBuilder(stackalloc byte[256], "pyramid1"u8);
        content.Add(instance.Content);
        content.Add(frameIndex);
        return new Pyramid
        {
            Content = content.Finish(),
            Grid = grid,
            Spacing = spacing,
            Channels = SlideReader.ChannelsOf(presentation),
            Stored =
            [
                new StoredLevel
                {
                    Level = grid.MaxLevel,
                    Width = width,
                    Height = height,
                    FrameWidth = width,
                    FrameHeight = height,
                    Layout = new FullLayout(width, height, width, height),
                    Presentation = presentation,
                    Parts = [(-frameIndex, instance)],   // the level's only frame is this one of the instance
                },
            ],
        };
    }

    private bool TryFind(Key key, out Pyramid? pyramid)
    {
        lock (_gate)
        {
            pyramid = null;
            if (!_known.TryGetValue(key, out var node)) return false;
            _recent.Remove(node);
            _recent.AddFirst(node);
            pyramid = node.Value.Pyramid;
            return true;
        }
    }

    private void Keep(Key key, Pyramid? pyramid)
    {
        lock (_gate)
        {
            _known[key] = _recent.AddFirst((key, pyramid));
            while (_recent.Count > 1 && (_recent.Count > MaxPyramids || _recent.Sum(static each => each.Pyramid?.IndexedPlaces ?? 0) > MaxPlaces))
            {
                _known.Remove(_recent.Last!.Value.Key);
                _recent.RemoveLast();
            }
        }
    }

    /// <param name="Content">Of the series or the instance.</param>
    /// <param name="FrameIndex">-1 for a whole slide.</param>
    private readonly record struct Key(Digest256 Content, int FrameIndex);
}

/// <summary>The transfer syntax is one that is passed on and not decoded.</summary>
internal sealed class UndecodableException() : Exception("Frames of this transfer syntax are not decoded.");
