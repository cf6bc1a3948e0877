namespace Platform.TieredCache;

/// <summary>
/// What the policy remembers of an item, kept or not: some 150 bytes with the table. It stands in the order of each rule that would keep it, and in a
/// list of those that are kept although a rule would not.
/// </summary>
internal sealed class KnownItem(ulong hash, long bytes)
{
    public readonly ulong Hash = hash;
    public readonly long Bytes = bytes;

    /// <summary>The entry while it is kept, else null.</summary>
    public PolicyNode? Kept;

    public ItemLink Lru, S3, LruUnwanted, S3Unwanted;

    /// <summary>Where it stands in <see cref="S3FifoRule"/>.</summary>
    public S3Place Place;

    /// <summary>How often <see cref="S3FifoRule"/> saw it asked for since it last looked at it, up to 3.</summary>
    public byte Hits;

    /// <summary>The lists that it stands in, a bit each.</summary>
    public byte Listed;

    public bool IsForgettable => Kept is null && !IsIn<LruLink>() && !IsIn<S3Link>();

    public bool IsIn<TLink>() where TLink : struct, IItemLink => (Listed & TLink.Bit) != 0;
}

/// <summary>An item's place in one list.</summary>
internal struct ItemLink
{
    public KnownItem? Newer, Older;
}

/// <summary>Which of an item's links a list goes through.</summary>
internal interface IItemLink
{
    static abstract byte Bit { get; }

    static abstract ref ItemLink Of(KnownItem item);
}

internal readonly struct LruLink : IItemLink
{
    public static byte Bit => 1;

    public static ref ItemLink Of(KnownItem item) => ref item.Lru;
}

internal readonly struct S3Link : IItemLink
{
    public static byte Bit => 2;

    public static ref ItemLink Of(KnownItem item) => ref item.S3;
}

internal readonly struct LruUnwantedLink : IItemLink
{
    public static byte Bit => 4;

    public static ref ItemLink Of(KnownItem item) => ref item.LruUnwanted;
}

internal readonly struct S3UnwantedLink : IItemLink
{
    public static byte Bit => 8;

    public static ref ItemLink Of(KnownItem item) => ref item.S3Unwanted;
}

/// <summary>A list from oldest to newest, linked through the items themselves.</summary>
internal sealed class ItemList<TLink> where TLink : struct, IItemLink
{
    private KnownItem? _newest;

    public KnownItem? Oldest { get; private set; }

    public long Bytes { get; private set; }

    public int Count { get; private set; }

    public void Push(KnownItem item)
    {
        ref var link = ref TLink.Of(item);
        link = new ItemLink { Older = _newest };
        item.Listed |= TLink.Bit;
        if (_newest is not null) TLink.Of(_newest).Newer = item;
        else Oldest = item;
        _newest = item;
        Bytes += item.Bytes;
        Count++;
    }

    public void Remove(KnownItem item)
    {
        ref var link = ref TLink.Of(item);
        if (link.Newer is null) _newest = link.Older;
        else TLink.Of(link.Newer).Older = link.Older;
        if (link.Older is null) Oldest = link.Newer;
        else TLink.Of(link.Older).Newer = link.Newer;
        link = default;
        item.Listed &= (byte)~TLink.Bit;
        Bytes -= item.Bytes;
        Count--;
    }

    public void MoveToNewest(KnownItem item)
    {
        if (item == _newest) return;
        Remove(item);
        Push(item);
    }

    public KnownItem Pop()
    {
        var item = Oldest!;
        Remove(item);
        return item;
    }
}
