using Platform.HttpCache.Storing;
using Platform.TieredCache;

namespace Platform.HttpCache;

/// <summary>
/// What is at hand of the bytes that a request wants: leased, so that they stay while the origin is asked. Owned by one answer under way, who hands
/// the leases on to its content or disposes them.
/// </summary>
internal sealed class Held(Wanted wanted) : IDisposable
{
    private readonly List<(BodySegment Segment, CacheLease Lease)> _leased = [];

    public Wanted Wanted => wanted;

    /// <summary>The bytes that are missing, as one range; null when none are, or when it is not known which are wanted.</summary>
    public (long First, long End)? Gap { get; set; }

    public bool IsAll { get; set; }

    /// <summary>The tier of the first piece.</summary>
    public CacheTier? Tier => _leased.Count == 0 ? null : _leased[0].Lease.Outcome.Tier;

    public bool IsEmpty => _leased.Count == 0;

    public void Add(BodySegment segment, CacheLease lease) => _leased.Add((segment, lease));

    /// <summary>The content: the wanted bytes in order. The leases are its own from now on.</summary>
    public CachedContent TakeContent()
    {
        var pieces = new List<CachedContent.Piece>();
        var position = wanted.Offset;
        var end = wanted.Count is { } count ? position + count : (long?)null;
        foreach (var (segment, lease) in _leased.OrderBy(static pair => pair.Segment.Offset))
        {
            if (segment.End <= position || position >= end) continue;
            if (segment.Offset > position) throw new InvalidOperationException("Bytes of a body are missing.");
            var take = end is { } last ? Math.Min(last, segment.End) - position : (long?)null;
            pieces.Add(new(lease, position - segment.Offset, take));
            position = take is { } taken ? position + taken : long.MaxValue;
        }

        var content = new CachedContent(pieces, [.. _leased.Select(static pair => pair.Lease)]);
        _leased.Clear();
        return content;
    }

    public void Dispose()
    {
        // Ending a lease is synchronous.
        foreach (var (_, lease) in _leased) lease.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _leased.Clear();
    }
}
