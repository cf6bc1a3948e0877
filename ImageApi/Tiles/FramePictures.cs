using ImageApi.Catalog;
using ImageApi.Rendered;
using Microsoft.Extensions.Options;
using Platform.Imaging;
using Platform.TieredCache;

namespace ImageApi.Tiles;

/// <summary>
/// Frames as pictures, the last ones kept: a frame larger than a tile is decoded once for all the tiles that are cut from it. A picture's memory goes back to the
/// pool when it has left and nobody reads it any more.
/// </summary>
internal sealed class FramePictures : IDisposable
{
    private const int Stripes = 64;
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(30);

    private readonly FramePixels _pixels;
    private readonly long _capacityBytes;
    private readonly TimeProvider _time;
    private readonly ITimer _sweep;
    private readonly Lock _gate = new();
    private readonly LinkedList<Kept> _recent = new();
    private readonly Dictionary<Key, LinkedListNode<Kept>> _known = [];

    // Two who want the same frame wait for one; that one who gives up leaves it to the next.
    private readonly SemaphoreSlim[] _decoding = [.. Enumerable.Range(0, Stripes).Select(static _ => new SemaphoreSlim(1))];
    private long _bytes;

    public FramePictures(FramePixels pixels, IOptions<TilesOptions> options, TimeProvider time)
    {
        (_pixels, _capacityBytes, _time) = (pixels, options.Value.DecodedBytes, time);
        _sweep = time.CreateTimer(static state => ((FramePictures)state!).DropIdle(), this, IdleTime, IdleTime);
    }

    /// <summary>Bytes of the pictures kept.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>A frame of a level. The caller disposes what it gets.</summary>
    /// <exception cref="Platform.Codecs.InvalidFrameException">The frame is broken.</exception>
    public async ValueTask<Loan> GetAsync(StoredLevel level, int frame, CancellationToken cancellationToken)
    {
        var (instance, frameIndex) = level.Locate(frame);
        var key = new Key(instance.Content, frameIndex);
        if (TryLend(key, out var loan)) return loan;
        var turn = _decoding[(uint)key.GetHashCode() % Stripes];
        await turn.WaitAsync(cancellationToken);
        try
        {
            return TryLend(key, out loan) ? loan : Keep(key, await DecodeAsync(instance, frameIndex, level, cancellationToken));
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose()
    {
        _sweep.Dispose();
        lock (_gate)
        {
            while (_recent.Last is { } last) Drop(last);
        }
        foreach (var turn in _decoding) turn.Dispose();
    }

    private async Task<Picture> DecodeAsync(InstanceEntry instance, int frameIndex, StoredLevel level, CancellationToken cancellationToken)
    {
        using var decoded = await _pixels.GetAsync(instance, frameIndex, level.Presentation, cancellationToken);
        return FrameRenderer.Render(decoded.Pixels, decoded.Frame, decoded.Presentation, level.Window, cancellationToken);
    }

    private bool TryLend(Key key, out Loan loan)
    {
        lock (_gate)
        {
            loan = default;
            if (!_known.TryGetValue(key, out var node)) return false;
            _recent.Remove(node);
            _recent.AddFirst(node);
            node.Value.UsedAt = _time.GetTimestamp();
            node.Value.Readers++;
            loan = new Loan(this, node.Value);
            return true;
        }
    }

    private Loan Keep(Key key, Picture picture)
    {
        var kept = new Kept(key, picture) { Readers = 1, UsedAt = _time.GetTimestamp() };
        lock (_gate)
        {
            _known[key] = _recent.AddFirst(kept);
            _bytes += kept.Bytes;
            while (_bytes > _capacityBytes && _recent.Count > 1) Drop(_recent.Last!);
        }
        return new Loan(this, kept);
    }

    private void DropIdle()
    {
        lock (_gate)
        {
            while (_recent.Last is { } last && _time.GetElapsedTime(last.Value.UsedAt) >= IdleTime) Drop(last);
        }
    }

    private void Drop(LinkedListNode<Kept> node)
    {
        _recent.Remove(node);
        _known.Remove(node.Value.Key);
        _bytes -= node.Value.Bytes;
        node.Value.HasLeft = true;
        if (node.Value.Readers == 0) node.Value.Picture.Dispose();
    }

    private void Return(Kept kept)
    {
        lock (_gate)
        {
            if (--kept.Readers == 0 && kept.HasLeft) kept.Picture.Dispose();
        }
    }

    /// <summary>A picture that is read; disposed once.</summary>
    public readonly struct Loan : IDisposable
    {
        private readonly FramePictures? _owner;
        private readonly Kept? _kept;

        internal Loan(FramePictures owner, Kept kept) => (_owner, _kept) = (owner, kept);

        public Picture Picture => _kept!.Picture;

        public void Dispose() => _owner?.Return(_kept!);
    }

    internal readonly record struct Key(Digest256 Content, int FrameIndex);

    internal sealed class Kept(Key key, Picture picture)
    {
        public Key Key => key;
        public Picture Picture => picture;
        public long Bytes { get; } = (long)picture.Width * picture.Height * picture.Channels;
        public int Readers { get; set; }
        public long UsedAt { get; set; }
        public bool HasLeft { get; set; }
    }
}
