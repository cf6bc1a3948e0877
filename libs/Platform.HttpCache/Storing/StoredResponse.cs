using System.Collections.Immutable;
using Platform.HttpCache.Fields;
using Platform.TieredCache;

namespace Platform.HttpCache.Storing;

/// <summary>A piece of a body: <paramref name="Length"/> bytes from <paramref name="Offset"/>, kept as a value of the tiered cache under a random id.</summary>
internal readonly record struct BodySegment(long Offset, long Length, Digest256 Body)
{
    public long End => Offset + Length;

    public CacheKey Key => KeyOf(Body);

    public static CacheKey KeyOf(Digest256 body) => new(body, EntryKind.File, RecipeId.AsStored, 0);
}

/// <summary>An answer as it was received, with what is needed to judge and to reuse it. Immutable: a validation replaces it.</summary>
internal sealed record StoredResponse
{
    public required int Status { get; init; }

    /// <summary>End-to-end lines only. A <c>Content-Length</c> is not among them: it follows from <see cref="Length"/>.</summary>
    public required HeaderLines Headers { get; init; }

    /// <summary>Which requests it answers.</summary>
    public ImmutableArray<VaryField> Vary { get; init; } = [];

    /// <summary>When the request was sent and when its answer began to arrive, by our clock.</summary>
    public required DateTimeOffset RequestTime { get; init; }

    public required DateTimeOffset ResponseTime { get; init; }

    /// <summary>The whole body's length, where it is known.</summary>
    public long? Length { get; init; }

    /// <summary>What is kept of the body: in order of offset, not overlapping, all of one strong validator when there are several.</summary>
    public ImmutableArray<BodySegment> Segments { get; init; } = [];

    public string? EntityTag => Headers.First("ETag");

    public string? LastModified => Headers.First("Last-Modified");

    public bool HasValidator => EntityTag is not null || LastModified is not null;

    public string? StrongEntityTag => Fields.EntityTag.IsStrong(EntityTag) ? EntityTag : null;

    /// <summary>Whether all of the body is kept.</summary>
    public bool IsComplete => Length is { } length && (length == 0 || TryCover(0, length, out _));

    /// <summary>The segments that hold these bytes, in order; false when some are missing.</summary>
    public bool TryCover(long offset, long count, out ImmutableArray<BodySegment> segments)
    {
        segments = [.. Segments.Where(segment => segment.End > offset && segment.Offset < offset + count)];
        foreach (var segment in segments)
        {
            if (segment.Offset > offset) return false;
            count -= segment.End - offset;
            offset = segment.End;
        }

        return count <= 0;
    }

    /// <summary>The smallest single range that holds all bytes which are missing of these; null when none are.</summary>
    public (long First, long End)? MissingOf(long offset, long count)
    {
        var end = offset + count;
        foreach (var segment in Segments)
            if (segment.Offset <= offset && segment.End > offset) offset = segment.End;
        foreach (var segment in Segments.Reverse())
            if (segment.Offset < end && segment.End >= end) end = segment.Offset;
        return offset < end ? (offset, end) : null;
    }

    /// <summary>With a further piece, which wins over what it covers; of what overlaps in part the shorter is given up. Keeps at most <paramref name="max"/> pieces.</summary>
    public StoredResponse WithSegment(BodySegment added, int max)
    {
        if (Segments.Any(segment => segment.Offset <= added.Offset && segment.End >= added.End)) return this;
        var kept = Segments.Where(segment => segment.End <= added.Offset || segment.Offset >= added.End || !IsWithin(segment, added)).ToList();
        var overlapping = kept.Where(segment => segment.End > added.Offset && segment.Offset < added.End).ToList();
        if (overlapping.Count > 0)
        {
            if (overlapping.Sum(static segment => segment.Length) > added.Length) return this;
            kept.RemoveAll(overlapping.Contains);
        }

        kept.Add(added);
        while (kept.Count > max) kept.Remove(kept.MinBy(static segment => segment.Length));
        return this with { Segments = [.. kept.OrderBy(static segment => segment.Offset)] };
    }

    private static bool IsWithin(BodySegment inner, BodySegment outer) => inner.Offset >= outer.Offset && inner.End <= outer.End;
}
