using System.IO.Pipelines;
using System.Net;
using Platform.TieredCache;

namespace Platform.HttpCache;

/// <summary>
/// A body, or a range of one, from the tiers: read while it arrives where it still does. Owns its leases until it is disposed. Can be read
/// several times one after the other, but for values that stream through because no tier could hold them.
/// </summary>
public sealed class CachedContent : HttpContent
{
    private readonly Piece[] _pieces;
    private readonly CacheLease[] _leases;

    internal CachedContent(IEnumerable<Piece> pieces, CacheLease[] leases) => (_pieces, _leases) = ([.. pieces], leases);

    /// <summary>Bytes of one lease: <paramref name="Count"/> from <paramref name="Offset"/> of the value, null for all that follow.</summary>
    internal readonly record struct Piece(CacheLease Lease, long Offset, long? Count);

    /// <summary>Where the body, or the first piece of it, came from; null for an empty one.</summary>
    public CacheOutcome? Outcome => _pieces.Length == 0 ? null : _pieces[0].Lease.Outcome;

    /// <summary>Waits until all of it has arrived.</summary>
    /// <exception cref="Exception">The maker's, when the body broke off.</exception>
    public async ValueTask WaitUntilCompleteAsync(CancellationToken cancellationToken)
    {
        foreach (var piece in _pieces) await piece.Lease.WaitUntilCompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Copies the body, without a buffer between; flushes; does not complete <paramref name="to"/>.</summary>
    /// <exception cref="Exception">The maker's, when the body broke off: what was copied so far is not the body.</exception>
    public async ValueTask CopyToAsync(PipeWriter to, CancellationToken cancellationToken)
    {
        foreach (var piece in _pieces) await piece.Lease.CopyToAsync(to, piece.Offset, piece.Count, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var writer = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
        await CopyToAsync(writer, cancellationToken).ConfigureAwait(false);
        await writer.CompleteAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

    /// <inheritdoc/>
    protected override Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) => Task.FromResult<Stream>(new ReadStream(this));

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        foreach (var piece in _pieces)
        {
            if ((piece.Count ?? (piece.Lease.Header.Length - piece.Offset)) is not { } count) return false;
            length += count;
        }

        return true;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // Ending a lease is synchronous.
            foreach (var lease in _leases) lease.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }

        base.Dispose(disposing);
    }

    /// <summary>Turns the copying around: who reads drives it, one pipe's threshold ahead.</summary>
    private sealed class ReadStream : Stream
    {
        private readonly Pipe _pipe = new();
        private readonly CancellationTokenSource _gone = new();
        private readonly Stream _reader;

        public ReadStream(CachedContent content)
        {
            _reader = _pipe.Reader.AsStream();
            _ = FillAsync(content);
        }

        private async Task FillAsync(CachedContent content)
        {
            Exception? failure = null;
            try
            {
                await content.CopyToAsync(_pipe.Writer, _gone.Token).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                failure = exception as IOException ?? new IOException("The body broke off.", exception);
            }

            await _pipe.Writer.CompleteAsync(failure).ConfigureAwait(false);
        }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _reader.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => _reader.Read(buffer, offset, count);

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _gone.Cancel();
                _reader.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
