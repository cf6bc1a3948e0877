using Platform.TieredCache;

namespace ImageApi.Frames;

/// <summary>
/// Pixel digests that became known here, by frame, so that a frame as stored can be given with its digest without a look at the disk. Bounded: two generations,
/// the older one is dropped when the newer is full.
/// </summary>
internal sealed class DigestMemory
{
    private const int GenerationItems = 8192;

    private readonly Lock _lock = new();
    private Dictionary<(Digest256 Content, int FrameIndex), Digest256> _newer = [], _older = [];

    public bool TryGet(Digest256 content, int frameIndex, out Digest256 pixelDigest)
    {
        lock (_lock) return _newer.TryGetValue((content, frameIndex), out pixelDigest) || _older.TryGetValue((content, frameIndex), out pixelDigest);
    }

    public void Add(Digest256 content, int frameIndex, Digest256 pixelDigest)
    {
        lock (_lock)
        {
            if (_newer.Count >= GenerationItems) (_older, _newer) = (_newer, []);
            _newer[(content, frameIndex)] = pixelDigest;
        }
    }
}
