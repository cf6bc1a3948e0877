using System.Net;

namespace ImageApi.Origins.Outbound;

/// <summary>
/// How slow a body may be: no silence longer than <paramref name="Silence"/>, and once <paramref name="Grace"/> was spent waiting for it, no less than 1 KiB
/// for each second of waiting. Time that the reader takes does not count.
/// </summary>
internal sealed record OriginBodyLimits(TimeSpan Silence, TimeSpan Grace, TimeProvider Time)
{
    public const int MinBytesPerSecond = 1024;
}

/// <summary>An answer's body: counted and bounded in time; it gives its turn back when it ends or is disposed.</summary>
internal sealed class OriginBody : HttpContent
{
    private readonly HttpContent _inner;
    private readonly OriginBodyLimits _limits;
    private readonly Action<int> _read;
    private Action? _end;
    private BodyStream? _stream;

    public OriginBody(HttpContent inner, OriginBodyLimits limits, Action<int> read, Action end)
    {
        (_inner, _limits, _read, _end) = (inner, limits, read, end);
        // As received: the typed headers would drop what they cannot parse.
        foreach (var (name, values) in inner.Headers.NonValidated)
        {
            foreach (var value in values) Headers.TryAddWithoutValidation(name, value);
        }
    }

    protected override async Task<Stream> CreateContentReadStreamAsync() => _stream ??= new BodyStream(this, await _inner.ReadAsStreamAsync());

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) => _stream ??= new BodyStream(this, await _inner.ReadAsStreamAsync(cancellationToken));

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var body = await CreateContentReadStreamAsync(cancellationToken);
        await body.CopyToAsync(stream, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stream?.Dispose();
            _inner.Dispose();
            End();
        }
        base.Dispose(disposing);
    }

    private void End() => Interlocked.Exchange(ref _end, null)?.Invoke();

    private sealed class BodyStream : Stream
    {
        private readonly OriginBody _body;
        private readonly Stream _inner;
        private readonly CancellationTokenSource _silence;
        private TimeSpan _waited;
        private long _bytes;

        public BodyStream(OriginBody body, Stream inner)
        {
            (_body, _inner) = (body, inner);
            _silence = new CancellationTokenSource(Timeout.InfiniteTimeSpan, body._limits.Time);
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var limits = _body._limits;
            _silence.CancelAfter(limits.Silence);
            var start = limits.Time.GetTimestamp();
            await using var stop = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _silence);
            int read;
            try
            {
                read = await _inner.ReadAsync(buffer, _silence.Token);
            }
            catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
            {
                throw new IOException("The origin fell silent.", new TimeoutException("The origin fell silent.", exception));
            }
            _silence.CancelAfter(Timeout.InfiniteTimeSpan);
            _waited += limits.Time.GetElapsedTime(start);
            _bytes += read;
            _body._read(read);
            if (read == 0 && buffer.Length > 0) _body.End();
            else if (_waited > limits.Grace && _bytes < _waited.TotalSeconds * OriginBodyLimits.MinBytesPerSecond) throw new IOException("The origin crawls.", new TimeoutException("The origin crawls."));
            return read;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Bodies of origins are read asynchronously.");
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _inner.Dispose();
                _silence.Dispose();
                _body.End();
            }
            base.Dispose(disposing);
        }
    }
}
