namespace Platform.Dicom.Pixels;

public sealed partial class FrameIndex
{
    // The kept form: a version, flags, then variable-length integers. Fragments of one file mostly follow each other with 8 bytes between, so a
    // fragment costs 2 to 4 bytes.
    private const byte FormatVersion = 1;

    [Flags]
    private enum Kept : byte { None = 0, Encapsulated = 1, Deflated = 2, BigEndian = 4, Grouped = 8 }

    /// <summary>A compact form to keep; see <see cref="FromBytes"/>.</summary>
    public byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        var kept = (IsEncapsulated ? Kept.Encapsulated : 0) | (IsDeflated ? Kept.Deflated : 0) | (IsBigEndian ? Kept.BigEndian : 0) | (_firstFragments is null ? 0 : Kept.Grouped);
        bytes.WriteByte(FormatVersion);
        bytes.WriteByte((byte)kept);
        if (_fragments is null)
        {
            bytes.WriteByte((byte)UnitBytes);
            Write(FrameCount);
            Write(_offset);
            Write(_length);
            Write(_frameBits);
            return bytes.ToArray();
        }
        Write(_fragments.Length);
        long end = 0;
        foreach (var fragment in _fragments)
        {
            var gap = fragment.Offset - end;
            Write(fragment.Length << 1 | (gap == 8 ? 0L : 1L));
            if (gap != 8) Write(gap);
            end = fragment.Offset + fragment.Length;
        }
        if (_firstFragments is not null)
        {
            Write(FrameCount);
            for (var i = 0; i < FrameCount; i++) Write(_firstFragments[i + 1] - _firstFragments[i]);
        }
        return bytes.ToArray();

        void Write(long value)
        {
            var rest = (ulong)value;
            for (; rest >= 0x80; rest >>= 7) bytes.WriteByte((byte)(rest | 0x80));
            bytes.WriteByte((byte)rest);
        }
    }

    /// <summary>The index that <see cref="ToBytes"/> wrote; <see cref="DicomParseException"/> for anything else.</summary>
    public static FrameIndex FromBytes(ReadOnlySpan<byte> bytes)
    {
        var at = 2;
        if (bytes.Length < 3 || bytes[0] != FormatVersion) throw Unreadable(0);
        var kept = (Kept)bytes[1];
        var isDeflated = (kept & Kept.Deflated) != 0;
        if ((kept & Kept.Encapsulated) == 0)
        {
            int unit = bytes[at++];
            var frameCount = Read(bytes, ref at, int.MaxValue);
            var offset = Read(bytes, ref at, long.MaxValue);
            var length = Read(bytes, ref at, long.MaxValue - offset);
            var frameBits = Read(bytes, ref at, long.MaxValue);
            if (frameCount == 0 || frameBits == 0 || unit is not (1 or 2 or 4 or 8)) throw Unreadable(at);
            return new FrameIndex((int)frameCount, offset, length, frameBits, unit, (kept & Kept.BigEndian) != 0, isDeflated);
        }
        var fragments = new FrameSegment[Read(bytes, ref at, Math.Min(MaxFragments, bytes.Length))];
        long end = 0;
        foreach (ref var fragment in fragments.AsSpan())
        {
            var length = Read(bytes, ref at, long.MaxValue / 4);
            var gap = (length & 1) == 0 ? 8 : Read(bytes, ref at, long.MaxValue / 4);
            fragment = new FrameSegment(end + gap, length >> 1);
            end = fragment.Offset + fragment.Length;
            if (end < 0 || end > long.MaxValue / 2) throw Unreadable(at);
        }
        if ((kept & Kept.Grouped) == 0) return new FrameIndex(fragments, null, isDeflated);
        var firsts = new int[Read(bytes, ref at, bytes.Length) + 1];
        for (var i = 1; i < firsts.Length; i++) firsts[i] = firsts[i - 1] + (int)Read(bytes, ref at, fragments.Length - firsts[i - 1]);
        if (firsts.Length == 1) throw Unreadable(at);
        return new FrameIndex(fragments, firsts, isDeflated);
    }

    private static long Read(ReadOnlySpan<byte> bytes, ref int at, long limit)
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (at >= bytes.Length) throw Unreadable(at);
            var part = bytes[at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return value <= (ulong)limit ? (long)value : throw Unreadable(at);
        }
        throw Unreadable(at);
    }

    private static DicomParseException Unreadable(int at) => new("Not a frame index of this version.", at);
}
