using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Platform.Dicom.Parsing;

namespace Platform.Dicom;

/// <summary>
/// One data element: a view, cheap to copy. Of a file it is valid until the <see cref="DicomFile"/> is disposed, and so is the memory it gives.
/// </summary>
public readonly struct DicomElement
{
    private readonly DicomDataset _dataset;
    private readonly StoredElement? _stored;
    private readonly int _index;

    internal DicomElement(DicomDataset dataset, int index)
    {
        _dataset = dataset;
        _index = index;
    }

    internal DicomElement(DicomDataset dataset, StoredElement stored)
    {
        _dataset = dataset;
        _stored = stored;
        _index = -1;
    }

    private ref readonly ElementEntry Entry => ref _dataset.Table![_index];

    public DicomTag Tag => _stored?.Tag ?? new DicomTag(Entry.Tag);

    /// <summary>The VR as read, or by the dictionary in implicit VR. UN of undefined length reads as the sequence it is (PS3.5 6.2.2).</summary>
    public DicomVr Vr => _stored?.Vr ?? Entry.Vr;

    /// <summary>Bytes of the value as stored: of the content where the length was undefined, 0 for a sequence made in memory.</summary>
    public long Length => _stored is { } stored ? stored.Value.Length : Entry.Length;

    /// <summary>Whether the source gave no length but a delimitation item (PS3.5 7.5.1).</summary>
    public bool IsUndefinedLength => _stored is null && Entry.Has(EntryFlags.UndefinedLength);

    public bool IsSequence => Vr == DicomVr.SQ;

    /// <summary>Whether this is pixel data in fragments (PS3.5 A.4); see <see cref="Fragments"/>.</summary>
    public bool IsEncapsulated => _stored is { } stored ? stored.Fragments is not null : Entry.Has(EntryFlags.UndefinedLength) && Entry.Vr != DicomVr.SQ;

    /// <summary>Whether the value stayed in the source, at <see cref="Offset"/>; see <see cref="DicomReadOptions.DeferBulkOverBytes"/>.</summary>
    public bool IsDeferred => _stored is null && Entry.Has(EntryFlags.Deferred);

    /// <summary>Whether the value has no bytes and no items.</summary>
    public bool IsEmpty => _stored is { } stored ? stored.Value.IsEmpty && stored.Items is not { Count: > 0 } && stored.Fragments is null : Entry.Length == 0;

    /// <summary>Where the value begins in the source (in the inflated stream for a deflated data set), in bytes; -1 for an element made in memory.</summary>
    public long Offset => _stored is null ? _dataset.Table!.OffsetOf(Entry.Position) : -1;

    /// <summary>Whether <see cref="Value"/> is big endian.</summary>
    public bool IsBigEndian => _stored is null && Entry.Has(EntryFlags.BigEndian);

    /// <summary>The character set that the text of this element is in.</summary>
    public DicomEncoding Encoding => _dataset.Encoding;

    /// <summary>
    /// The value's bytes as stored, padding included; empty for a sequence. Throws <see cref="InvalidOperationException"/> when
    /// <see cref="IsDeferred"/>.
    /// </summary>
    public ReadOnlyMemory<byte> Value
    {
        get
        {
            if (_stored is { } stored) return stored.Value;
            ref readonly var entry = ref Entry;
            if (entry.Has(EntryFlags.Deferred)) throw new InvalidOperationException("The value was left in the source: read it from there, at Offset.");
            if (entry.Vr == DicomVr.SQ || entry.Has(EntryFlags.UndefinedLength)) return default;
            return _dataset.Table!.Bytes.Slice(entry.Position, (int)entry.Length);
        }
    }

    /// <summary><see cref="Value"/> as a span.</summary>
    public ReadOnlySpan<byte> Span => Value.Span;

    /// <summary>The items of a sequence, in order; empty for anything else.</summary>
    public IReadOnlyList<DicomDataset> Items => _stored is { } stored ? stored.Items ?? [] : _dataset.ItemsOf(_index);

    /// <summary>
    /// The items of encapsulated pixel data, in order: the first is the basic offset table, the others are fragments. Empty for anything else.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Fragments => _stored is { } stored ? stored.Fragments ?? [] : _dataset.FragmentsOf(_index);

    /// <summary>Number of values: delimited by backslashes for text, by size for numbers; 1 for other non-empty values; of items for a sequence.</summary>
    public int ValueCount
    {
        get
        {
            var vr = ReadableVr;
            if (vr == DicomVr.SQ) return Items.Count;
            if (IsEmpty) return 0;
            if (vr.IsNumeric) return (int)(Length / vr.NumberBytes);
            if (!vr.IsText || vr.IsSingleValued) return 1;
            var count = 1;
            var rest = Span;
            while (TakeValue(ref rest, vr, out _)) count++;
            return count;
        }
    }

    /// <summary>The value at <paramref name="index"/> as text, numbers in invariant form, tags as "GGGGEEEE"; null where there is none or it is empty.</summary>
    public string? GetString(int index = 0)
    {
        var vr = ReadableVr;
        if (vr.IsText) return TryGetPart(index, vr, out var part) && Encoding.Decode(part, vr) is { Length: > 0 } text ? text : null;
        if (!vr.IsNumeric || !TryGetNumber(index, vr, out var number)) return null;
        return vr switch
        {
            DicomVr.AT => GetTag(index)?.ToJsonKey(),
            DicomVr.FL => BinaryFloat(number).ToString("R", CultureInfo.InvariantCulture),
            DicomVr.FD => BitConverter.UInt64BitsToDouble(number).ToString("R", CultureInfo.InvariantCulture),
            DicomVr.UL or DicomVr.US or DicomVr.UV => number.ToString(CultureInfo.InvariantCulture),
            _ => ((long)number).ToString(CultureInfo.InvariantCulture),
        };
    }

    /// <summary>All values as text; an empty value among others is an empty string. Empty for VRs without a text form.</summary>
    public string[] GetStrings()
    {
        var count = ReadableVr is { IsText: false, IsNumeric: false } ? 0 : ValueCount;
        if (count == 0) return [];
        var values = new string[count];
        var vr = ReadableVr;
        if (!vr.IsText)
        {
            for (var i = 0; i < count; i++) values[i] = GetString(i) ?? "";
            return values;
        }
        var rest = Span;
        for (var i = 0; i < count; i++)
        {
            TakeValue(ref rest, vr, out var part);
            values[i] = Encoding.Decode(part, vr);
        }
        return values;
    }

    /// <summary>The value at <paramref name="index"/> as a whole number; null where there is none or it is not a whole number in range.</summary>
    public long? GetInt64(int index = 0)
    {
        var vr = ReadableVr;
        if (vr.IsNumeric)
        {
            if (!TryGetNumber(index, vr, out var number)) return null;
            return vr switch
            {
                DicomVr.FL => Whole(BinaryFloat(number)),
                DicomVr.FD => Whole(BitConverter.UInt64BitsToDouble(number)),
                DicomVr.UV => number <= long.MaxValue ? (long)number : null,
                _ => (long)number,
            };
        }
        if (!vr.IsText || !TryGetPart(index, vr, out var part)) return null;
        part = TrimNumber(part);
        if (Utf8Parser.TryParse(part, out long value, out var used) && used == part.Length) return value;
        return TryParseDouble(part, out var real) ? Whole(real) : null;

        static long? Whole(double value) => value == Math.Truncate(value) && Math.Abs(value) < 9.2e18 ? (long)value : null;
    }

    /// <summary>As <see cref="GetInt64"/>; null also beyond 32 bits.</summary>
    public int? GetInt32(int index = 0) => GetInt64(index) is >= int.MinValue and <= int.MaxValue and var value ? (int)value : null;

    /// <summary>The value at <paramref name="index"/> as a number; null where there is none or it is no number. Never NaN for text.</summary>
    public double? GetDouble(int index = 0)
    {
        var vr = ReadableVr;
        if (vr.IsNumeric)
        {
            if (!TryGetNumber(index, vr, out var number)) return null;
            return vr switch
            {
                DicomVr.FL => BinaryFloat(number),
                DicomVr.FD => BitConverter.UInt64BitsToDouble(number),
                DicomVr.UV => number,
                _ => (long)number,
            };
        }
        return vr.IsText && TryGetPart(index, vr, out var part) && TryParseDouble(TrimNumber(part), out var value) ? value : null;
    }

    /// <summary>All values as numbers; empty where there are none or any of them is no number.</summary>
    public double[] GetDoubles()
    {
        var count = ReadableVr is { IsText: false, IsNumeric: false } ? 0 : ValueCount;
        if (count == 0) return [];
        var values = new double[count];
        var vr = ReadableVr;
        if (vr.IsNumeric)
        {
            for (var i = 0; i < count; i++) values[i] = GetDouble(i) ?? 0;
            return values;
        }
        var rest = Span;
        for (var i = 0; i < count; i++)
        {
            TakeValue(ref rest, vr, out var part);
            if (!TryParseDouble(TrimNumber(part), out values[i])) return [];
        }
        return values;
    }

    /// <summary>The tag at <paramref name="index"/> of an AT element, else null.</summary>
    public DicomTag? GetTag(int index = 0)
    {
        if (ReadableVr != DicomVr.AT || index < 0 || (index + 1) * 4L > Length) return null;
        var value = Span.Slice(index * 4, 4);
        return IsBigEndian
            ? new DicomTag(BinaryPrimitives.ReadUInt16BigEndian(value), BinaryPrimitives.ReadUInt16BigEndian(value[2..]))
            : new DicomTag(BinaryPrimitives.ReadUInt16LittleEndian(value), BinaryPrimitives.ReadUInt16LittleEndian(value[2..]));
    }

    /// <summary>
    /// Bytes of the unit that byte order applies to. As the VR says, but pixels of 32 and 64 bits, though of VR OW, are swapped whole as
    /// the writers of such files do it.
    /// </summary>
    public int UnitBytes => Vr == DicomVr.OW && Tag.Value == 0x7FE00010 && _dataset.GetInt32(DicomTags.BitsAllocated) is (32 or 64) and var bits ? bits / 8 : Vr.UnitBytes;

    /// <summary>Writes <see cref="Value"/> in little endian, the byte order of DICOMweb's bulk data and inline binary.</summary>
    public void WriteLittleEndian(IBufferWriter<byte> to)
    {
        var value = Span;
        var unit = IsBigEndian ? UnitBytes : 1;
        if (unit == 1)
        {
            to.Write(value);
            return;
        }
        while (!value.IsEmpty)
        {
            var target = to.GetSpan(unit);
            var take = Math.Min(value.Length, target.Length / unit * unit);
            if (take < unit) take = value.Length;           // a broken tail is copied as it is
            value[..take].CopyTo(target);
            ByteOrder.Swap(target[..take], unit);
            to.Advance(take);
            value = value[take..];
        }
    }

    public override string ToString() => $"{Tag} {Vr}";

    /// <summary>The entry it was read from; false for an element made in memory.</summary>
    internal bool TryGetEntry(out ElementEntry entry)
    {
        entry = _stored is null ? Entry : default;
        return _stored is null;
    }

    /// <summary>Whether an item below it was changed since it was read.</summary>
    internal bool HasChangedItems => _stored is null && _dataset.HasChangedItems(_index);

    /// <summary>Header, value and delimitation item as they stand in the source.</summary>
    internal ReadOnlySpan<byte> GetSourceBytes()
    {
        var table = _dataset.Table!;
        ref readonly var entry = ref table[_index];
        for (var i = _index; i < entry.End; i++)
        {
            if (table[i].Has(EntryFlags.Deferred)) throw new InvalidOperationException($"A value of {Tag} was left in the source: read the file with StopBeforePixels = false.");
        }
        var length = entry.HeaderBytes + (int)entry.Length + (entry.Has(EntryFlags.UndefinedLength) ? 8 : 0);
        return table.Bytes.Span.Slice(entry.Position - entry.HeaderBytes, length);
    }

    /// <summary>The VR to read the value with: the dictionary's for a standard element that was sent as UN (PS3.5 6.2.2).</summary>
    private DicomVr ReadableVr
    {
        get
        {
            var vr = Vr;
            return vr == DicomVr.UN && !IsDeferred && DicomDictionary.TryGetVr(Tag, out var known, out _) && known != DicomVr.SQ ? known : vr;
        }
    }

    private bool TryGetPart(int index, DicomVr vr, out ReadOnlySpan<byte> part)
    {
        var rest = Span;
        var isMore = !rest.IsEmpty;
        part = default;
        for (var i = 0; i <= index; i++)
        {
            if (!isMore) return false;
            isMore = TakeValue(ref rest, vr, out part);
        }
        return index >= 0;
    }

    /// <summary>Cuts the first value off <paramref name="rest"/>; true when a delimiter, and so another value, follows.</summary>
    private bool TakeValue(scoped ref ReadOnlySpan<byte> rest, DicomVr vr, out ReadOnlySpan<byte> value)
    {
        int end;
        if (vr.UsesCharacterSet)
        {
            end = Encoding.FirstValueLength(rest, vr);
        }
        else
        {
            end = vr.IsSingleValued ? -1 : rest.IndexOf((byte)'\\');
            if (end < 0) end = rest.Length;
        }
        value = rest[..end];
        if (end == rest.Length)
        {
            rest = default;
            return false;
        }
        rest = rest[(end + 1)..];
        return true;
    }

    /// <summary>The bits of a binary number, sign-extended for signed VRs.</summary>
    private bool TryGetNumber(int index, DicomVr vr, out ulong bits)
    {
        bits = 0;
        var size = vr.NumberBytes;
        if (index < 0 || (index + 1L) * size > Length) return false;
        var value = Span.Slice(index * size, size);
        var isBig = IsBigEndian;
        bits = size switch
        {
            2 => isBig ? BinaryPrimitives.ReadUInt16BigEndian(value) : BinaryPrimitives.ReadUInt16LittleEndian(value),
            4 => isBig ? BinaryPrimitives.ReadUInt32BigEndian(value) : BinaryPrimitives.ReadUInt32LittleEndian(value),
            _ => isBig ? BinaryPrimitives.ReadUInt64BigEndian(value) : BinaryPrimitives.ReadUInt64LittleEndian(value),
        };
        if (vr == DicomVr.SS) bits = (ulong)(short)bits;
        if (vr == DicomVr.SL) bits = (ulong)(int)bits;
        return true;
    }

    private static float BinaryFloat(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private static ReadOnlySpan<byte> TrimNumber(ReadOnlySpan<byte> text)
    {
        text = text.Trim(" \0"u8);
        return text.Length > 1 && text[0] == '+' ? text[1..] : text;
    }

    private static bool TryParseDouble(ReadOnlySpan<byte> text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
}

/// <summary>An element made or changed in memory. The value is little endian.</summary>
internal sealed class StoredElement
{
    public required DicomTag Tag { get; init; }
    public required DicomVr Vr { get; init; }
    public ReadOnlyMemory<byte> Value { get; init; }
    public IReadOnlyList<DicomDataset>? Items { get; init; }
    public IReadOnlyList<ReadOnlyMemory<byte>>? Fragments { get; init; }
}
