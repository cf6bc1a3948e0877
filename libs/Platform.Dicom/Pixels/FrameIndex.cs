using System.Buffers;

namespace Platform.Dicom.Pixels;

/// <summary>A stretch of the source that holds a frame or a part of it.</summary>
public readonly record struct FrameSegment(long Offset, long Length);

/// <summary>
/// Where each frame of a file is. Immutable, safe for concurrent use, independent of the file and its source.
/// </summary>
public sealed class FrameIndex
{
    public int FrameCount => throw new NotSupportedException();

    /// <summary>Whether frames are compressed streams, else native pixels.</summary>
    public bool IsEncapsulated => throw new NotSupportedException();

    /// <summary>Whether offsets are in the inflated stream of a deflated data set, and not in the source.</summary>
    public bool IsDeflated => throw new NotSupportedException();

    /// <summary>Whether native pixels are big endian, in units of <see cref="UnitBytes"/>.</summary>
    public bool IsBigEndian => throw new NotSupportedException();

    /// <summary>Bytes of the unit that byte order applies to, 1, 2, 4 or 8.</summary>
    public int UnitBytes => throw new NotSupportedException();

    /// <summary>Bytes of the frame: the sum of its segments.</summary>
    public long GetLength(int frameIndex) => throw new NotSupportedException();

    /// <summary>The frame's segments in order: one for native pixels, one per fragment for encapsulated ones.</summary>
    public FrameSegment[] GetSegments(int frameIndex) => throw new NotSupportedException();

    /// <summary>The first bit of the frame in its first byte, from the low end: 0..7, 0 but for 1-bit pixels whose frames are not whole bytes (PS3.5 8.1.1).</summary>
    public int GetBitOffset(int frameIndex) => throw new NotSupportedException();

    /// <summary>Finds the frames of a file; null where it has no pixel data. Reads item headers and offset tables only.</summary>
    public static ValueTask<FrameIndex?> ReadAsync(DicomSource source, DicomFile file, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>
    /// Reads one frame: the compressed stream, or native pixels in little endian that begin on a byte. Throws <see cref="DicomParseException"/>
    /// when the source ends before the frame does.
    /// </summary>
    public ValueTask ReadFrameAsync(DicomSource source, int frameIndex, IBufferWriter<byte> to, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>A compact form to keep; see <see cref="FromBytes"/>.</summary>
    public byte[] ToBytes() => throw new NotSupportedException();

    /// <summary>The index that <see cref="ToBytes"/> wrote; <see cref="DicomParseException"/> for anything else.</summary>
    public static FrameIndex FromBytes(ReadOnlySpan<byte> bytes) => throw new NotSupportedException();
}
