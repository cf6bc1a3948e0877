using System.Buffers;
using System.IO.Pipelines;
using ImageApi.Catalog;
using ImageApi.Frames;
using ImageApi.Retrieve;
using Microsoft.Extensions.Options;
using Platform.Codecs;
using Platform.Codecs.Htj2k;
using Platform.Codecs.Jpeg2000;
using Platform.Dicom;
using Platform.Imaging;

namespace ImageApi.Rendered;

/// <summary>A decoded frame and how its data set wants it shown; its memory belongs to the pool, so it is disposed once.</summary>
internal sealed class DecodedFrame(FrameDescription frame, FramePresentation presentation, byte[] rented, int length, bool isReduced) : IDisposable
{
    private byte[]? _rented = rented;

    public FrameDescription Frame => frame;

    public FramePresentation Presentation => presentation;

    /// <summary>Whether it was decoded at less than its full resolution.</summary>
    public bool IsReduced => isReduced;

    public ReadOnlySpan<byte> Pixels => _rented is null ? throw new ObjectDisposedException(nameof(DecodedFrame)) : _rented.AsSpan(0, length);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _rented, null) is { } bytes) ArrayPool<byte>.Shared.Return(bytes);
    }
}

/// <summary>Frames as pixels: fetched through the cache, decoded, a few at a time.</summary>
internal sealed class FramePixels(FrameService frames, InstanceHeaders headers, IOptions<RenderedOptions> options) : IDisposable
{
    private const int MaxLevels = 5;

    private readonly SemaphoreSlim _slots = new(options.Value.Concurrency > 0 ? options.Value.Concurrency : Environment.ProcessorCount);

    /// <summary>Whether frames of this instance can be decoded here; others only go out as stored.</summary>
    public static bool CanDecode(InstanceEntry instance) => FrameDecoders.For(SyntaxOf(instance)) is not null;

    /// <summary>One frame. The caller disposes it.</summary>
    /// <param name="instance">As the catalog has it.</param>
    /// <param name="frameIndex">0-based, below the instance's frame count.</param>
    /// <param name="smallestSide">The pixels that are enough for the shorter side, where the format can be decoded at less than its full resolution; null for all.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="InvalidFrameException">The frame is broken or too large.</exception>
    public Task<DecodedFrame> GetAsync(InstanceEntry instance, int frameIndex, int? smallestSide, CancellationToken cancellationToken) =>
        GetAsync(instance, frameIndex, smallestSide, static _ => { }, cancellationToken);

    /// <summary>As above; <paramref name="read"/> sees the data set, which is gone afterwards.</summary>
    public async Task<DecodedFrame> GetAsync(InstanceEntry instance, int frameIndex, int? smallestSide, Action<DicomDataset> read, CancellationToken cancellationToken)
    {
        var decoder = FrameDecoders.For(SyntaxOf(instance)) ?? throw new InvalidFrameException("Frames of this transfer syntax are not decoded.");
        FramePresentation? presentation = null;
        await foreach (var metadata in headers.ReadAsync([instance], cancellationToken))
        {
            presentation = FramePresentation.Read(metadata.File.Dataset, frameIndex);
            read(metadata.File.Dataset);
        }
        if (presentation is null) throw new InvalidFrameException("The instance has no header.");

        await using var lease = await frames.GetAsync(instance, frameIndex, cancellationToken);
        await _slots.WaitAsync(cancellationToken);
        try
        {
            using var copy = new LeasedBytes();
            var bytes = await copy.ReadAsync(lease, options.Value.MaxFrameBytes, cancellationToken);
            var levels = smallestSide is { } side && decoder is (Jpeg2000FrameDecoder or Htj2kFrameDecoder) && presentation.Palette is null ? LevelsToLeaveOut(presentation.Frame, side) : 0;
            if (levels > 0 && TryDecode(decoder, bytes, presentation, levels, cancellationToken) is { } reduced) return reduced;
            return Decode(decoder, bytes, presentation, 0, cancellationToken);
        }
        finally
        {
            _slots.Release();
        }
    }

    public void Dispose() => _slots.Dispose();

    private DecodedFrame Decode(IFrameDecoder decoder, ReadOnlySequence<byte> bytes, FramePresentation presentation, int levels, CancellationToken cancellationToken)
    {
        using var pixels = new PooledWriter();
        var frame = decoder.Decode(bytes, presentation.Frame, pixels, new DecodeOptions { MaxFrameBytes = options.Value.MaxFrameBytes, ReduceLevels = levels }, cancellationToken);
        var (rented, length) = pixels.Take();
        return new DecodedFrame(frame, presentation, rented, length, isReduced: levels > 0);
    }

    // A stream may have fewer levels than its size would allow.
    private DecodedFrame? TryDecode(IFrameDecoder decoder, ReadOnlySequence<byte> bytes, FramePresentation presentation, int levels, CancellationToken cancellationToken)
    {
        try
        {
            return Decode(decoder, bytes, presentation, levels, cancellationToken);
        }
        catch (InvalidFrameException)
        {
            return null;
        }
    }

    private static int LevelsToLeaveOut(in FrameDescription frame, int side)
    {
        var levels = 0;
        while (levels < MaxLevels && Math.Min(frame.Rows, frame.Columns) >> (levels + 1) >= side) levels++;
        return levels;
    }

    // Native pixels come out of FrameService as little endian, whatever they were.
    private static string SyntaxOf(InstanceEntry instance) =>
        DicomTransferSyntax.FromUid(instance.TransferSyntaxUid) is { IsEncapsulated: true } syntax ? syntax.Uid : FrameDecoders.NativeUid;

    /// <summary>The bytes of a leased value in place, or, where they are not in memory as a whole, a copy.</summary>
    private sealed class LeasedBytes : IDisposable
    {
        private byte[]? _copy;

        public async ValueTask<ReadOnlySequence<byte>> ReadAsync(Platform.TieredCache.CacheLease lease, long maxBytes, CancellationToken cancellationToken)
        {
            if (lease.Header.Length is { } known && known <= EntryBytesInMemory) await lease.WaitUntilCompleteAsync(cancellationToken);
            if (lease.TryGetBytes(out var bytes)) return bytes;
            var writer = new PooledWriter();
            try
            {
                var pipe = PipeWriter.Create(new WriterStream(writer, maxBytes));
                await lease.CopyToAsync(pipe, 0, null, cancellationToken);
                await pipe.CompleteAsync();
                (_copy, var length) = writer.Take();
                return new ReadOnlySequence<byte>(_copy, 0, length);
            }
            finally
            {
                writer.Dispose();
            }
        }

        // What the memory tier keeps at most; a longer value streams through, and waiting for all of it would wait for its reader: us.
        private const long EntryBytesInMemory = 16 << 20;

        public void Dispose()
        {
            if (_copy is not null) ArrayPool<byte>.Shared.Return(_copy);
            _copy = null;
        }
    }

    /// <summary>A growing buffer from the shared pool; what is not taken goes back.</summary>
    private sealed class PooledWriter : IBufferWriter<byte>, IDisposable
    {
        private byte[] _buffer = [];
        private int _length;

        public void Advance(int count) => _length += count;

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            Reserve(sizeHint);
            return _buffer.AsMemory(_length);
        }

        public Span<byte> GetSpan(int sizeHint = 0)
        {
            Reserve(sizeHint);
            return _buffer.AsSpan(_length);
        }

        public (byte[] Rented, int Length) Take()
        {
            var taken = (_buffer, _length);
            (_buffer, _length) = ([], 0);
            return taken;
        }

        public void Dispose()
        {
            if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }

        private void Reserve(int sizeHint)
        {
            var needed = Math.Max(1, sizeHint);
            if (_buffer.Length - _length >= needed) return;
            var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max((long)_length + needed, 2L * _length)));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
    }

    /// <summary>Lets a lease copy into a buffer, up to a bound.</summary>
    private sealed class WriterStream(PooledWriter writer, long maxBytes) : Stream
    {
        private long _written;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _written;

        public override long Position { get => _written; set => throw new NotSupportedException(); }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return ValueTask.CompletedTask;
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _written += buffer.Length;
            if (_written > maxBytes) throw new InvalidFrameException($"The encoded frame has more than {maxBytes} bytes.");
            writer.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
