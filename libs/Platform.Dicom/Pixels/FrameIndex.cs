using System.Buffers;

namespace Platform.Dicom.Pixels;

/// <summary>A stretch of the source that holds a frame or a part of it.</summary>
public readonly record struct FrameSegment(long Offset, long Length);

/// <summary>
/// Where each frame of a file is, so that one of thousands is read without the others. Immutable, safe for concurrent use, independent of
/// the file and its source.
/// </summary>
public sealed partial class FrameIndex
{
    private const int MaxFrameBytes = 1 << 30;

    // Native pixels: frames of _frameBits follow each other in [_offset, _offset + _length).
    private readonly long _offset, _length, _frameBits;

    // Encapsulated: fragments in order; frame i has those from _firstFragments[i] to _firstFragments[i + 1], or just fragment i where null.
    private readonly FrameSegment[]? _fragments;
    private readonly int[]? _firstFragments;

    private FrameIndex(int frameCount, long offset, long length, long frameBits, int unitBytes, bool isBigEndian, bool isDeflated)
    {
        FrameCount = frameCount;
        _offset = offset;
        _length = length;
        _frameBits = frameBits;
        UnitBytes = unitBytes;
        IsBigEndian = isBigEndian;
        IsDeflated = isDeflated;
    }

    private FrameIndex(FrameSegment[] fragments, int[]? firstFragments, bool isDeflated)
    {
        FrameCount = firstFragments is null ? fragments.Length : firstFragments.Length - 1;
        UnitBytes = 1;
        IsDeflated = isDeflated;
        _fragments = fragments;
        _firstFragments = firstFragments;
    }

    /// <summary>Frames that the file has; 1 for a video, whose frames are one stream.</summary>
    public int FrameCount { get; }

    /// <summary>Whether frames are compressed streams, else native pixels.</summary>
    public bool IsEncapsulated => _fragments is not null;

    /// <summary>Whether offsets are in the inflated stream of a deflated data set, and not in the source: see <see cref="DicomSource.FromFile"/>.</summary>
    public bool IsDeflated { get; }

    /// <summary>Whether native pixels are stored big endian, in units of <see cref="UnitBytes"/> counted from the first frame's first byte.</summary>
    public bool IsBigEndian { get; }

    /// <summary>Bytes of the unit that byte order applies to: 1, 2, 4 or 8.</summary>
    public int UnitBytes { get; }

    /// <summary>
    /// Bytes of the frame: the sum of its segments. For native frames that are not whole bytes (<see cref="GetBitOffset"/>) this may
    /// be one more than the frame takes by itself, which is <see cref="PixelDescription.FrameBytes"/>.
    /// </summary>
    public long GetLength(int frameIndex)
    {
        Check(frameIndex);
        if (_fragments is null) return NativeSegment(frameIndex).Length;
        var (first, end) = FragmentsOf(frameIndex);
        long length = 0;
        for (var i = first; i < end; i++) length += _fragments[i].Length;
        return length;
    }

    /// <summary>The frame's segments in order: one for native pixels, one per fragment for encapsulated ones.</summary>
    /// <param name="frameIndex">0..<see cref="FrameCount"/> - 1.</param>
    public IReadOnlyList<FrameSegment> GetSegments(int frameIndex)
    {
        Check(frameIndex);
        if (_fragments is null) return [NativeSegment(frameIndex)];
        var (first, end) = FragmentsOf(frameIndex);
        return new ArraySegment<FrameSegment>(_fragments, first, end - first);
    }

    /// <summary>
    /// The first bit of the frame in its first byte, from the low end: 0..7, and 0 but for pixels of few bits whose frames are not whole
    /// bytes (PS3.5 8.1.1). <see cref="ReadFrameAsync"/> moves them to a byte's beginning.
    /// </summary>
    public int GetBitOffset(int frameIndex)
    {
        Check(frameIndex);
        return (int)(frameIndex * (_frameBits & 7) & 7);
    }

    private FrameSegment NativeSegment(int frameIndex)
    {
        // Bits are counted in 128: 65535 x 65535 x 4 x 64 bits times two billion frames.
        var from = (Int128)_frameBits * frameIndex;
        var first = from >> 3;
        var end = (from + _frameBits + 7) >> 3;
        if (end > _length) throw new DicomParseException("The pixel data end before the frame does.", _offset, PixelDataTag);
        return new FrameSegment(_offset + (long)first, (long)(end - first));
    }

    private (int First, int End) FragmentsOf(int frameIndex) =>
        _firstFragments is { } firsts ? (firsts[frameIndex], firsts[frameIndex + 1]) : (frameIndex, frameIndex + 1);

    private void Check(int frameIndex) => ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)frameIndex, (uint)FrameCount, nameof(frameIndex));

    private static DicomTag PixelDataTag => new(0x7FE0, 0x0010);

    /// <summary>
    /// Reads one frame: the compressed stream, or native pixels in little endian from a byte's beginning, unused high bits of the last byte 0.
    /// Throws <see cref="DicomParseException"/> when the source ends before the frame does.
    /// </summary>
    public async ValueTask ReadFrameAsync(DicomSource source, int frameIndex, IBufferWriter<byte> to, CancellationToken cancellationToken = default)
    {
        Check(frameIndex);
        if (_fragments is null && ((_frameBits & 7) != 0 || (IsBigEndian && UnitBytes > 1)))
        {
            await ReadRearrangedAsync(source, frameIndex, to, cancellationToken).ConfigureAwait(false);
            return;
        }
        foreach (var segment in GetSegments(frameIndex))
        {
            if (source.Length is { } known && segment.Offset + segment.Length > known) throw EndsEarly(segment);
            for (long done = 0; done < segment.Length;)
            {
                var room = to.GetMemory((int)Math.Min(segment.Length - done, 64 * 1024));
                var wanted = (int)Math.Min(room.Length, segment.Length - done);
                var read = await source.ReadAsync(segment.Offset + done, room[..wanted], cancellationToken).ConfigureAwait(false);
                if (read == 0) throw EndsEarly(segment);
                to.Advance(read);
                done += read;
            }
        }
    }

    private static DicomParseException EndsEarly(FrameSegment segment) => new("The source ends before the frame does.", segment.Offset, PixelDataTag);

    // Big endian pixels, and frames that begin inside a byte: read with what surrounds them, put right, cut out.
    private async ValueTask ReadRearrangedAsync(DicomSource source, int frameIndex, IBufferWriter<byte> to, CancellationToken cancellationToken)
    {
        var exact = NativeSegment(frameIndex);
        if (exact.Length > MaxFrameBytes) throw new DicomParseException("The frame is longer than the limit.", exact.Offset, PixelDataTag);
        if (source.Length is { } known && exact.Offset + exact.Length > known) throw EndsEarly(exact);
        var before = (int)((exact.Offset - _offset) % UnitBytes);
        var wanted = before + (int)exact.Length;
        wanted = (int)Math.Min(wanted + (UnitBytes - wanted % UnitBytes) % UnitBytes, _length - (exact.Offset - _offset) + before);
        var buffer = ArrayPool<byte>.Shared.Rent(wanted);
        try
        {
            var read = await source.ReadAsync(exact.Offset - before, buffer.AsMemory(0, wanted), cancellationToken).ConfigureAwait(false);
            if (read < before + exact.Length) throw EndsEarly(exact);
            if (IsBigEndian) ByteOrder.Swap(buffer.AsSpan(0, wanted), UnitBytes);
            var bytes = (int)((_frameBits + 7) >> 3);
            var target = to.GetSpan(bytes);
            CopyBits(buffer.AsSpan(before, (int)exact.Length), GetBitOffset(frameIndex), target[..bytes], _frameBits);
            to.Advance(bytes);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Copies bits, counted from the low end of each byte, to a byte's beginning; clears what is left of the last byte.</summary>
    private static void CopyBits(ReadOnlySpan<byte> from, int bitOffset, Span<byte> to, long bitCount)
    {
        if (bitOffset == 0)
        {
            from[..to.Length].CopyTo(to);
        }
        else
        {
            for (var i = 0; i < to.Length; i++)
            {
                var high = i + 1 < from.Length ? from[i + 1] << (8 - bitOffset) : 0;
                to[i] = (byte)((from[i] >> bitOffset) | high);
            }
        }
        if ((bitCount & 7) is var rest and not 0) to[^1] &= (byte)((1 << (int)rest) - 1);
    }
}
