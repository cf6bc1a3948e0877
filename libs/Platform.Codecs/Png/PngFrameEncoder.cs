using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Platform.Codecs.Png;

/// <summary>
/// Encodes grey or RGB of 8 or 16 bits as PNG (W3C PNG, third edition; ISO/IEC 15948). Signed samples have no place in PNG and are
/// refused.
/// </summary>
public sealed class PngFrameEncoder : IFrameEncoder
{
    private const int MaxChunkBytes = 64 << 10;

    /// <param name="level">How hard to look for matches: for pictures that are made while somebody waits the fastest will do.</param>
    public PngFrameEncoder(CompressionLevel level = CompressionLevel.Fastest) => Level = level;

    /// <summary>How hard to look for matches.</summary>
    public CompressionLevel Level { get; }

    public string Recipe => $"png/1-{(int)Level}";

    public void Encode(ReadOnlySpan<byte> pixels, in FrameDescription frame, IBufferWriter<byte> stream, IList<long>? resolutionEnds, CancellationToken cancellationToken)
    {
        frame.Validate();
        if (frame.BitsAllocated is not (8 or 16) || frame.IsSigned || frame.IsPlanar) throw new ArgumentException("PNG holds unsigned samples of 8 or 16 bits that stand together.", nameof(frame));
        if (pixels.Length != frame.ByteLength) throw new ArgumentException($"{pixels.Length} bytes of pixels, {frame.ByteLength} expected.", nameof(pixels));

        stream.Write(PngChunks.Signature);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, frame.Columns);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], frame.Rows);
        header[8] = (byte)frame.BitsAllocated;
        header[9] = frame.SamplesPerPixel == 3 ? (byte)2 : (byte)0;
        header[10..].Clear();
        PngChunks.Write(stream, PngChunks.Ihdr, header);

        var bytesPerPixel = frame.SamplesPerPixel * frame.BytesPerSample;
        var rowLength = frame.Columns * bytesPerPixel;
        using var rows = PooledBytes.Zeroed(checked(2 * rowLength));
        using var filtered = PooledBytes.Zeroed(checked(2 * (rowLength + 1)));
        var above = rows.Span[..rowLength];
        var row = rows.Span[rowLength..];
        using (var chunks = new ChunkStream(stream))
        using (var deflate = new ZLibStream(chunks, Level, leaveOpen: true))
        {
            for (var y = 0; y < frame.Rows; y++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                pixels.Slice(y * rowLength, rowLength).CopyTo(row);
                if (frame.BytesPerSample == 2) Swap(row);
                deflate.Write(Filter(row, above, bytesPerPixel, filtered.Span));
                var last = above;
                above = row;
                row = last;
            }
        }

        PngChunks.Write(stream, PngChunks.Iend, default);
    }

    /// <summary>The row with the filter that is likely to cost least, its number in front.</summary>
    private static ReadOnlySpan<byte> Filter(ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int bytesPerPixel, Span<byte> work)
    {
        var length = row.Length + 1;
        var best = work[..length];
        var other = work[length..];
        var lowest = int.MaxValue;
        for (var filter = 0; filter < PngFilters.Count; filter++)
        {
            PngFilters.Apply(filter, row, above, bytesPerPixel, other[1..]);
            var cost = PngFilters.Cost(other[1..]);
            if (cost >= lowest) continue;
            lowest = cost;
            other[0] = (byte)filter;
            var last = best;
            best = other;
            other = last;
        }

        return best;
    }

    private static void Swap(Span<byte> samples)
    {
        var words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(samples);
        BinaryPrimitives.ReverseEndianness(words, words);
    }

    /// <summary>Puts compressed bytes into IDAT chunks.</summary>
    private sealed class ChunkStream(IBufferWriter<byte> target) : Stream
    {
        private byte[] _buffer = ArrayPool<byte>.Shared.Rent(MaxChunkBytes);
        private int _length;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> bytes)
        {
            while (bytes.Length > 0)
            {
                var count = Math.Min(bytes.Length, MaxChunkBytes - _length);
                bytes[..count].CopyTo(_buffer.AsSpan(_length));
                _length += count;
                bytes = bytes[count..];
                if (_length == MaxChunkBytes) WriteChunk();
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (_length > 0) WriteChunk();
            // Once: a buffer that is given back twice would be lent to two.
            var buffer = _buffer;
            _buffer = [];
            if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
            base.Dispose(disposing);
        }

        private void WriteChunk()
        {
            PngChunks.Write(target, PngChunks.Idat, _buffer.AsSpan(0, _length));
            _length = 0;
        }
    }
}
