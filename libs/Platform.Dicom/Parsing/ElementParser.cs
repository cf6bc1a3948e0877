using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Platform.Dicom.Parsing;

/// <summary>What the parser needs before it can go on.</summary>
internal enum ParserState
{
    /// <summary>The buffer must be filled at least to <see cref="ElementParser.WantedBytes"/>, or the end be told.</summary>
    NeedsBytes,

    /// <summary>The next <see cref="ElementParser.SkipBytes"/> of the source are not wanted: the buffer goes on after them.</summary>
    SkipsBytes,

    /// <summary>What follows <see cref="ElementParser.Position"/> is a deflated stream: the buffer goes on with what it inflates to.</summary>
    Inflates,

    Done,
}

/// <summary>
/// Makes a table of elements from bytes that arrive piece by piece. It does no input of its own: whoever drives it keeps a buffer that
/// begins with the source's first byte, and calls <see cref="Advance"/> with what is there. So files, streams and memory, blocking or
/// not, share this one parser. It keeps its own stack: nesting costs no thread stack.
/// </summary>
internal sealed class ElementParser(DicomReadOptions options, bool canSkip, long? sourceLength) : IDisposable
{
    private const uint ItemTag = 0xFFFEE000, ItemDelimitation = 0xFFFEE00D, SequenceDelimitation = 0xFFFEE0DD;
    private const uint UndefinedLength = 0xFFFFFFFF;
    private const uint TransferSyntaxUid = 0x00020010, PixelRepresentation = 0x00280103;
    private const long Unbounded = long.MaxValue;

    private enum Level : byte { Dataset, Sequence, Item, Fragments }

    /// <summary>An open data set, sequence, item or run of fragments.</summary>
    private struct Frame
    {
        public Level Level;
        public EntryFlags Coding;       // BigEndian and ImplicitVr, for what is inside
        public bool IsSigned;           // Pixel Representation is 1 here or above
        public bool IsCodingGuessed;    // the first element of a UN sequence decides between implicit and explicit VR
        public int Entry;
        public long End;                // in the buffer; Unbounded where a delimitation item ends it
        public long StartOffset;        // of the content in the source
    }

    private enum Stage : byte { Preamble, FileMeta, DatasetStart, Dataset, Done }

    private ElementEntry[]? _entries = ArrayPool<ElementEntry>.Shared.Rent(512);
    private int _count;
    private Frame[] _frames = new Frame[4];
    private int _depth;
    private int _position;
    private long _skipped;
    private Stage _stage;
    private DicomTransferSyntax? _declared;
    private bool _isInflated;

    public int WantedBytes { get; private set; }
    public long SkipBytes { get; private set; }
    public int Position => _position;
    public List<ElementTable.Gap>? Gaps { get; private set; }

    /// <summary>Entries before this index are file meta information.</summary>
    public int DatasetFirst { get; private set; }

    /// <summary>Where the data set begins in the buffer.</summary>
    public int DatasetPosition { get; private set; }

    public DicomTransferSyntax TransferSyntax { get; private set; } = DicomTransferSyntax.ImplicitVrLittleEndian;
    public bool HasPreamble { get; private set; }
    public DicomPixelData? PixelData { get; private set; }

    /// <summary>Goes on with what is in <paramref name="data"/>, all of the buffer so far.</summary>
    /// <param name="isFinal">Whether nothing follows.</param>
    public ParserState Advance(ReadOnlySpan<byte> data, bool isFinal)
    {
        while (true)
        {
            var state = _stage switch
            {
                Stage.Preamble => StartFile(data, isFinal),
                Stage.DatasetStart => StartDataset(data, isFinal),
                Stage.Done => ParserState.Done,
                _ => ParseElements(data, isFinal),
            };
            if (state is { } blocked) return blocked;
        }
    }

    /// <summary>The driver has left out <see cref="SkipBytes"/>.</summary>
    public void Skipped()
    {
        (Gaps ??= []).Add(new ElementTable.Gap(_position, SkipBytes));
        _skipped += SkipBytes;
        for (var i = 0; i <= _depth; i++)
        {
            if (_frames[i].End != Unbounded) _frames[i].End -= SkipBytes;
        }
        SkipBytes = 0;
    }

    /// <summary>The table of what was read; it owns the arrays from now on.</summary>
    public ElementTable TakeTable(ReadOnlyMemory<byte> bytes, byte[]? pooledBytes)
    {
        var entries = _entries!;
        _entries = null;
        return new ElementTable(bytes, pooledBytes, entries, _count, Gaps);
    }

    public void Dispose()
    {
        if (_entries is { } entries) ArrayPool<ElementEntry>.Shared.Return(entries);
        _entries = null;
    }

    private ParserState Need(int bytes)
    {
        WantedBytes = bytes;
        return ParserState.NeedsBytes;
    }

    // PS3.10 7.1: 128 bytes, "DICM", group 0002. Files without the preamble, or without both, are common enough to be read.
    private ParserState? StartFile(ReadOnlySpan<byte> data, bool isFinal)
    {
        const int PreambleBytes = 132;
        if (data.Length < PreambleBytes && !isFinal) return Need(PreambleBytes);
        if (data.Length >= PreambleBytes && data[128..132].SequenceEqual("DICM"u8))
        {
            HasPreamble = true;
            _position = PreambleBytes;
            BeginMeta();
            return null;
        }
        if (data.Length >= 8 && options.AssumedTransferSyntax is null && BinaryPrimitives.ReadUInt16LittleEndian(data) == 2)
        {
            BeginMeta();
            return null;
        }
        _declared = options.AssumedTransferSyntax;
        _stage = Stage.DatasetStart;
        return null;
    }

    private void BeginMeta()
    {
        _frames[0] = new Frame { Level = Level.Dataset, End = Unbounded, Entry = -1 };
        _stage = Stage.FileMeta;
    }

    private ParserState? StartDataset(ReadOnlySpan<byte> data, bool isFinal)
    {
        DatasetFirst = _count;
        DatasetPosition = _position;
        if (_declared is { IsDeflated: true } && !_isInflated)
        {
            _isInflated = true;
            sourceLength = null;
            canSkip = true;
            return ParserState.Inflates;
        }
        if (data.Length - _position < 12 && !isFinal) return Need(_position + 12);

        var isBare = !HasPreamble && _count == 0;
        var rest = data[_position..];
        EntryFlags coding;
        if (rest.Length < 8)
        {
            if (isBare) throw new DicomParseException("The source is too short to be DICOM.", 0);
            coding = CodingOf(_declared ?? DicomTransferSyntax.ImplicitVrLittleEndian);
        }
        else if (isBare && options.AssumedTransferSyntax is { } assumed)
        {
            coding = CodingOf(assumed);
        }
        else
        {
            coding = GuessCoding(rest, isBare);
        }
        TransferSyntax = Effective(_declared, coding);
        _frames[0] = new Frame { Level = Level.Dataset, Coding = coding, End = Unbounded, Entry = -1 };
        _stage = Stage.Dataset;
        return null;
    }

    private static EntryFlags CodingOf(DicomTransferSyntax syntax) =>
        (syntax.IsBigEndian ? EntryFlags.BigEndian : 0) | (syntax.IsExplicitVr ? 0 : EntryFlags.ImplicitVr);

    // The first element tells how the data set is coded, and is believed over file meta information that says otherwise, as other
    // readers do: a group of 0100 and above that would be below 0100 with its bytes swapped is in the other byte order, and an explicit
    // VR is two letters that the standard knows.
    private EntryFlags GuessCoding(ReadOnlySpan<byte> rest, bool isBare)
    {
        var isBig = _declared is { IsBigEndian: true };
        ushort group = Number2(rest, isBig);
        if (group > 0xFF && BinaryPrimitives.ReverseEndianness(group) is <= 0xFF and var swapped) (isBig, group) = (!isBig, swapped);
        var isExplicit = VrAt(rest).IsKnown
            || (_declared is { IsExplicitVr: true } && char.IsAsciiLetterUpper((char)rest[4]) && char.IsAsciiLetterUpper((char)rest[5]));
        if (isBare && !isExplicit)
        {
            var length = Number4(rest[4..], false);
            if (isBig || group is < 2 or > 0x50 || (group & 1) != 0 || length > (sourceLength ?? 0x10000))
                throw new DicomParseException("The source is not DICOM: it has no preamble and does not begin with a data element.", 0);
        }
        return (isBig ? EntryFlags.BigEndian : 0) | (isExplicit ? 0 : EntryFlags.ImplicitVr);
    }

    private static DicomTransferSyntax Effective(DicomTransferSyntax? declared, EntryFlags coding)
    {
        if (declared is { IsEncapsulated: true } or { IsDeflated: true }) return declared;
        var actual = coding.HasFlag(EntryFlags.BigEndian) ? DicomTransferSyntax.ExplicitVrBigEndian
            : coding.HasFlag(EntryFlags.ImplicitVr) ? DicomTransferSyntax.ImplicitVrLittleEndian
            : DicomTransferSyntax.ExplicitVrLittleEndian;
        return declared is not null && CodingOf(declared) == coding ? declared : actual;
    }

    private ParserState? ParseElements(ReadOnlySpan<byte> data, bool isFinal)
    {
        while (true)
        {
            ref var frame = ref _frames[_depth];
            if (_position >= frame.End)
            {
                if (_position > frame.End) throw Broken("An element reaches beyond the end of what it is part of.", frame.Entry);
                Close(ref frame);
                continue;
            }

            var left = data.Length - _position;
            if (left < 12)
            {
                if (!isFinal) return Need(_position + 12);
                if (left < 8)
                {
                    if (_depth > 0 || !IsPadding(data[_position..])) throw Broken("The source ends within an element's header.");
                    return Finish();
                }
            }

            var header = data[_position..];
            var isBig = (frame.Coding & EntryFlags.BigEndian) != 0;
            var tag = isBig ? Number4(header, true) : BitOperations.RotateLeft(Number4(header, false), 16);

            if (frame.Level is Level.Dataset or Level.Item && tag < 0xFFFE0000)
            {
                if (_stage == Stage.FileMeta && tag >> 16 != 2)
                {
                    _stage = Stage.DatasetStart;
                    return null;
                }
                if (tag == 0 && _depth == 0 && _count > 0)
                {
                    // Zeros after the last element pad the file; how many matters only to one who reads it whole.
                    if (options.StopBeforePixels && IsPadding(header[..8])) return Finish();
                    if (!isFinal) return Need(data.Length + 1);
                    if (IsPadding(header)) return Finish();
                }
                if (ParseElement(ref frame, tag, header, data, isFinal) is { } blocked) return blocked;
                if (_stage == Stage.Done) return null;
                continue;
            }
            if (ParseDelimiter(ref frame, tag, header, data, isFinal) is { } waits) return waits;
        }
    }

    private ParserState? ParseElement(ref Frame frame, uint tag, ReadOnlySpan<byte> header, ReadOnlySpan<byte> data, bool isFinal)
    {
        var flags = frame.Coding;
        if (frame.IsCodingGuessed)
        {
            frame.IsCodingGuessed = false;
            flags = frame.Coding = CodingOfUnknown(header, frame);
        }
        var isBig = (flags & EntryFlags.BigEndian) != 0;
        DicomVr vr;
        uint length;
        var headerBytes = 8;
        if ((flags & EntryFlags.ImplicitVr) == 0)
        {
            vr = VrAt(header);
            if (!vr.IsKnown)
            {
                ReadUnknownVr(ref flags, header, frame.End, out length, out headerBytes);
                vr = DicomVr.UN;
            }
            else if (vr.IsLong)
            {
                if (header.Length < 12) throw Broken("The source ends within an element's header.", tag: tag);
                headerBytes = 12;
                length = Number4(header[8..], isBig);
            }
            else
            {
                length = Number2(header[6..], isBig);
            }
        }
        else
        {
            length = Number4(header[4..], isBig);
            if (!DicomDictionary.TryGetVr(new DicomTag(tag), out vr, out var isSignedWithPixels)) vr = DicomVr.UN;
            else if (isSignedWithPixels && frame.IsSigned) vr = DicomVr.SS;
        }

        if (_depth == 0 && tag is 0x7FE00010 or 0x7FE00008 or 0x7FE00009 && _stage == Stage.Dataset)
        {
            PixelData = new DicomPixelData(new DicomTag(tag), vr, _position + headerBytes + _skipped, length == UndefinedLength ? null : length);
            if (options.StopBeforePixels)
            {
                _stage = Stage.Done;
                return null;
            }
        }
        if (vr == DicomVr.SQ || length == UndefinedLength) return OpenContainer(ref frame, tag, vr, flags, headerBytes, length);

        var valueAt = _position + headerBytes;
        var end = (long)valueAt + length;
        if (end > frame.End) throw Broken("A value reaches beyond the end of the item it is in.", tag: tag);
        if (end > data.Length)
        {
            if (isFinal || end + _skipped > sourceLength) throw Broken("The source ends before a value does.", tag: tag);
            if (canSkip && options.StopBeforePixels && length > options.DeferBulkOverBytes && vr.IsBulk)
            {
                Add(new ElementEntry { Tag = tag, Vr = vr, Flags = flags | EntryFlags.Deferred, HeaderBytes = (byte)headerBytes, Position = valueAt, Length = length });
                _position = valueAt;
                SkipBytes = length;
                return ParserState.SkipsBytes;
            }
            if (length > options.MaxValueBytes || end > options.MaxBufferBytes) throw Broken("A value is longer than the limit.", tag: tag);
            return Need((int)end);
        }
        if (length > options.MaxValueBytes) throw Broken("A value is longer than the limit.", tag: tag);
        Add(new ElementEntry { Tag = tag, Vr = vr, Flags = flags, HeaderBytes = (byte)headerBytes, Position = valueAt, Length = length });
        _position = (int)end;

        if (tag == TransferSyntaxUid && _stage == Stage.FileMeta) _declared = DeclaredSyntax(data.Slice(valueAt, (int)length));
        else if (tag == PixelRepresentation && length == 2) frame.IsSigned = (data[valueAt] | data[valueAt + 1]) == 1;
        return null;
    }

    // Two letters that the standard does not know are a VR of the future, with a 32-bit length (PS3.5 7.1.2), unless the bytes that must
    // be 0 are not; "??" was written with a 16-bit length; anything else is an element that slipped in with an implicit VR, unless that
    // would make its length absurd.
    private void ReadUnknownVr(ref EntryFlags flags, ReadOnlySpan<byte> header, long end, out uint length, out int headerBytes)
    {
        var isBig = (flags & EntryFlags.BigEndian) != 0;
        var isLetters = header[4] is >= (byte)'A' and <= (byte)'Z' && header[5] is >= (byte)'A' and <= (byte)'Z';
        var shortLength = Number2(header[6..], isBig);
        headerBytes = 8;
        if (isLetters && shortLength == 0 && header.Length >= 12)
        {
            headerBytes = 12;
            length = Number4(header[8..], isBig);
            return;
        }
        length = shortLength;
        if (isLetters || header[4..6].SequenceEqual("??"u8)) return;
        var longLength = Number4(header[4..], isBig);
        if (longLength != UndefinedLength && _position + 8L + longLength > Math.Min(end, Limit)) return;
        length = longLength;
        flags |= EntryFlags.ImplicitVr;
    }

    /// <summary>Where the source ends in the buffer; where that is not known, what a single value hardly reaches.</summary>
    private long Limit => sourceLength is { } known ? known - _skipped : _position + (1L << 28);

    // UN of undefined length is a sequence in implicit VR little endian (PS3.5 6.2.2, CP-246); writers exist that keep explicit VR inside.
    private EntryFlags CodingOfUnknown(ReadOnlySpan<byte> header, in Frame frame)
    {
        var isVr = VrAt(header).IsKnown;
        if (!isVr) return EntryFlags.ImplicitVr;
        var implicitEnd = _position + 8L + Number4(header[4..], false);
        return implicitEnd > Math.Min(frame.End, Limit) ? EntryFlags.None : EntryFlags.ImplicitVr;
    }

    private ParserState? OpenContainer(ref Frame frame, uint tag, DicomVr vr, EntryFlags flags, int headerBytes, uint length)
    {
        var start = _position + headerBytes;
        var isUndefined = length == UndefinedLength;
        var end = isUndefined ? Unbounded : (long)start + length;
        if (!isUndefined)
        {
            if (end > frame.End) throw Broken("A sequence reaches beyond the end of the item it is in.", tag: tag);
            if (end + _skipped > sourceLength) throw Broken("The source ends before a sequence does.", tag: tag);
        }
        var level = Level.Sequence;
        var coding = flags & (EntryFlags.BigEndian | EntryFlags.ImplicitVr);
        var isGuessed = false;
        if (isUndefined && tag == 0x7FE00010)
        {
            level = Level.Fragments;
            vr = vr == DicomVr.OW ? vr : DicomVr.OB;
        }
        else if (vr == DicomVr.UN)
        {
            isGuessed = (flags & EntryFlags.ImplicitVr) == 0;
            coding = EntryFlags.ImplicitVr;
            vr = DicomVr.SQ;
        }
        else if (vr != DicomVr.SQ)
        {
            if ((flags & EntryFlags.ImplicitVr) == 0) throw Broken($"A value of VR {vr} has no length.", tag: tag);
            vr = DicomVr.SQ;    // an implicit VR that the dictionary knows otherwise, but only sequences have no length
        }
        Add(new ElementEntry
        {
            Tag = tag,
            Vr = vr,
            Flags = flags | (isUndefined ? EntryFlags.UndefinedLength : 0),
            HeaderBytes = (byte)headerBytes,
            Position = start,
            Length = length,
        });
        _position = start;
        Open(new Frame
        {
            Level = level,
            Coding = coding,
            IsSigned = frame.IsSigned,
            IsCodingGuessed = isGuessed,
            Entry = _count - 1,
            End = end,
            StartOffset = start + _skipped,
        });
        return null;
    }

    // Items and delimitation items (PS3.5 7.5): a tag and a 32-bit length, no VR.
    private ParserState? ParseDelimiter(ref Frame frame, uint tag, ReadOnlySpan<byte> header, ReadOnlySpan<byte> data, bool isFinal)
    {
        var length = Number4(header[4..], (frame.Coding & EntryFlags.BigEndian) != 0);
        switch (frame.Level, tag)
        {
            case (Level.Sequence, ItemTag):
                {
                    var start = _position + 8;
                    var isUndefined = length == UndefinedLength;
                    if (!isUndefined && start + (long)length > frame.End) throw Broken("An item reaches beyond the end of its sequence.", tag: tag);
                    if (!isUndefined && start + (long)length + _skipped > sourceLength) throw Broken("The source ends before an item does.", tag: tag);
                    Add(new ElementEntry
                    {
                        Tag = tag,
                        Flags = (frame.Coding & EntryFlags.BigEndian) | EntryFlags.Item | (isUndefined ? EntryFlags.UndefinedLength : 0),
                        HeaderBytes = 8,
                        Position = start,
                        Length = length,
                    });
                    _position = start;
                    Open(new Frame
                    {
                        Level = Level.Item,
                        Coding = frame.Coding,
                        IsSigned = frame.IsSigned,
                        IsCodingGuessed = frame.IsCodingGuessed,
                        Entry = _count - 1,
                        End = isUndefined ? Unbounded : start + (long)length,
                        StartOffset = start + _skipped,
                    });
                    return null;
                }
            case (Level.Fragments, ItemTag):
                {
                    var start = _position + 8;
                    var end = start + (long)length;
                    if (length == UndefinedLength) throw Broken("A fragment has no length.", tag: tag);
                    if (end > data.Length)
                    {
                        if (isFinal || end + _skipped > sourceLength) throw Broken("The source ends before a fragment does.", tag: tag);
                        if (length > options.MaxValueBytes || end > options.MaxBufferBytes) throw Broken("A fragment is longer than the limit.", tag: tag);
                        return Need((int)end);
                    }
                    Add(new ElementEntry { Tag = tag, Flags = (frame.Coding & EntryFlags.BigEndian) | EntryFlags.Fragment, HeaderBytes = 8, Position = start, Length = length });
                    _position = (int)end;
                    return null;
                }
            case (Level.Sequence or Level.Fragments, SequenceDelimitation):
            case (Level.Item, ItemDelimitation):
                // One at the very end of a container of defined length is superfluous and occurs.
                if (frame.End != Unbounded && frame.End != _position + 8) throw Broken("A delimitation item stands inside a container of defined length.", tag: tag);
                if (frame.End == Unbounded) Close(ref frame);
                _position += 8;
                return null;
            default:
                throw Broken(frame.Level switch
                {
                    Level.Sequence => "A sequence holds something that is no item.",
                    Level.Fragments => "Encapsulated pixel data hold something that is no fragment.",
                    _ => "An item or a delimitation item stands where an element should.",
                }, tag: tag);
        }
    }

    private ParserState? Finish()
    {
        if (_stage == Stage.FileMeta)
        {
            _stage = Stage.DatasetStart;
            return null;
        }
        _stage = Stage.Done;
        return null;
    }

    private static bool IsPadding(ReadOnlySpan<byte> rest) => !rest.ContainsAnyExcept((byte)0);

    private void Open(Frame frame)
    {
        if (_depth >= 2 * options.MaxDepth) throw Broken("Sequences are nested deeper than the limit.");
        if (++_depth == _frames.Length) Array.Resize(ref _frames, _frames.Length * 2);
        _frames[_depth] = frame;
    }

    private void Close(ref Frame frame)
    {
        ref var entry = ref _entries![frame.Entry];
        entry.End = _count;
        if (entry.Has(EntryFlags.UndefinedLength))
        {
            var length = _position + _skipped - frame.StartOffset;
            if (length >= UndefinedLength) throw Broken("A sequence is longer than 4 GiB.", frame.Entry);
            entry.Length = (uint)length;
        }
        _depth--;
    }

    private void Add(ElementEntry entry)
    {
        if (_count == _entries!.Length) Grow();
        if (_count >= options.MaxElements) throw Broken("There are more elements than the limit.", tag: entry.Tag);
        entry.End = _count + 1;
        _entries[_count++] = entry;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow()
    {
        var larger = ArrayPool<ElementEntry>.Shared.Rent(_entries!.Length * 2);
        _entries.AsSpan(0, _count).CopyTo(larger);
        ArrayPool<ElementEntry>.Shared.Return(_entries);
        _entries = larger;
    }

    private static DicomTransferSyntax? DeclaredSyntax(ReadOnlySpan<byte> value)
    {
        value = value.Trim(" \0"u8);
        if (value.IsEmpty || value.Length > 64 || value.ContainsAnyExcept("0123456789."u8)) return null;
        Span<char> uid = stackalloc char[value.Length];
        System.Text.Encoding.ASCII.GetChars(value, uid);
        return DicomTransferSyntax.FromUid(uid);
    }

    private static uint Number4(ReadOnlySpan<byte> bytes, bool isBig) => isBig ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static ushort Number2(ReadOnlySpan<byte> bytes, bool isBig) => isBig ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static DicomVr VrAt(ReadOnlySpan<byte> header) => (DicomVr)BinaryPrimitives.ReadUInt16LittleEndian(header[4..]);

    private DicomParseException Broken(string message, int entry = -1, uint tag = 0)
    {
        if (entry >= 0) tag = _entries![entry].Tag;
        return new DicomParseException(message, _position + _skipped, tag == 0 ? null : new DicomTag(tag));
    }
}
