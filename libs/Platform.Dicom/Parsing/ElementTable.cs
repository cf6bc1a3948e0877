using System.Buffers;
using System.Runtime.InteropServices;

namespace Platform.Dicom.Parsing;

/// <summary>What a table entry is, beyond tag, VR and length.</summary>
[Flags]
internal enum EntryFlags : byte
{
    None = 0,
    BigEndian = 1,          // header and value
    ImplicitVr = 2,         // the header has no VR
    UndefinedLength = 4,    // ended by a delimitation item; Length is what stands before it
    Deferred = 8,           // the value stayed in the source
    Item = 16,              // an item of a sequence; its elements follow
    Fragment = 32,          // an item of encapsulated pixel data; its bytes are the value
}

/// <summary>One element, item or fragment as it was read. 20 bytes; a table of them is in file order, children after their parent.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct ElementEntry
{
    public uint Tag;
    public DicomVr Vr;
    public EntryFlags Flags;
    public byte HeaderBytes;    // tag, VR and length; they stand right before Position
    public int Position;        // of the value in the buffer
    public uint Length;         // of the value in bytes, without a delimitation item
    public int End;             // index of the entry after this one's children

    public readonly bool Has(EntryFlags flag) => (Flags & flag) != 0;
}

/// <summary>
/// What was read of one source: its bytes and the flat table of its elements. Owner of both pooled arrays until disposed; every data set
/// and element read from the source looks through it, so none of them can see an array that was given back.
/// </summary>
internal sealed class ElementTable : IDisposable
{
    private byte[]? _pooledBytes;
    private ReadOnlyMemory<byte> _bytes;
    private ElementEntry[]? _entries;
    private readonly List<Gap>? _gaps;

    /// <summary>A stretch of the source that is not in the buffer: where it would begin there, and how long it is.</summary>
    internal readonly record struct Gap(int Position, long Length);

    internal ElementTable(ReadOnlyMemory<byte> bytes, byte[]? pooledBytes, ElementEntry[] entries, int count, List<Gap>? gaps)
    {
        _bytes = bytes;
        _pooledBytes = pooledBytes;
        _entries = entries;
        Count = count;
        _gaps = gaps;
    }

    internal int Count { get; }

    internal ReadOnlySpan<ElementEntry> Entries
    {
        get
        {
            ObjectDisposedException.ThrowIf(_entries is null, typeof(DicomFile));
            return _entries.AsSpan(0, Count);
        }
    }

    internal ref readonly ElementEntry this[int index] => ref Entries[index];

    internal ReadOnlyMemory<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_entries is null, typeof(DicomFile));
            return _bytes;
        }
    }

    /// <summary>Whether stretches of the source were left out.</summary>
    internal bool HasGaps => _gaps is not null;

    /// <summary>Where a byte of the buffer stands in the source.</summary>
    internal long OffsetOf(int position)
    {
        long offset = position;
        if (_gaps is not null)
        {
            foreach (var gap in _gaps)
            {
                if (gap.Position >= position) break;
                offset += gap.Length;
            }
        }
        return offset;
    }

    public void Dispose()
    {
        var entries = Interlocked.Exchange(ref _entries, null);
        if (entries is null) return;
        ArrayPool<ElementEntry>.Shared.Return(entries);
        var bytes = _pooledBytes;
        _pooledBytes = null;
        _bytes = default;
        if (bytes is null) return;
#if DEBUG
        bytes.AsSpan().Fill(0xDD);  // whoever kept memory beyond the file's life shall see it at once
#endif
        ArrayPool<byte>.Shared.Return(bytes);
    }
}
