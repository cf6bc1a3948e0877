using System.Buffers;
using Platform.TieredCache;

namespace ImageApi.Frames;

/// <summary>The stored bytes of one frame for as long as something is made of them; disposed once.</summary>
internal sealed class StoredFrame : IAsyncDisposable
{
    private readonly CacheLease _lease;
    private IDisposable? _memory;

    private StoredFrame(CacheLease lease, IDisposable memory, ReadOnlySequence<byte> bytes) => (_lease, _memory, Bytes) = (lease, memory, bytes);

    public ReadOnlySequence<byte> Bytes { get; }

    /// <summary>The bytes of a cached value. Takes the lease over.</summary>
    /// <exception cref="EntryTooLargeException">There are more than <paramref name="maxBytes"/>.</exception>
    public static async ValueTask<StoredFrame> OfAsync(CacheLease lease, long maxBytes, CancellationToken cancellationToken)
    {
        var bytes = new LeasedBytes();
        try
        {
            return new StoredFrame(lease, bytes, await bytes.ReadAsync(lease, maxBytes, cancellationToken));
        }
        catch
        {
            bytes.Dispose();
            await lease.DisposeAsync();
            throw;
        }
    }

    /// <summary>What <paramref name="read"/> writes, kept by nobody.</summary>
    /// <exception cref="EntryTooLargeException">There are more than <paramref name="maxBytes"/>.</exception>
    public static async ValueTask<StoredFrame> ReadAsync<TState>(TState state, Func<TState, EntryWriter, CancellationToken, Task> read, long maxBytes, CancellationToken cancellationToken)
    {
        var buffer = new Buffer(maxBytes);
        try
        {
            await read(state, buffer, cancellationToken);
            return new StoredFrame(default, buffer, new ReadOnlySequence<byte>(buffer.Written));
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Interlocked.Exchange(ref _memory, null)?.Dispose();
        await _lease.DisposeAsync();
    }

    /// <summary>Lets an origin write into pooled memory.</summary>
    private sealed class Buffer(long maxBytes) : EntryWriter, IDisposable
    {
        private PooledWriter? _writer;

        public ReadOnlyMemory<byte> Written => _writer?.Written ?? default;

        public override long WrittenBytes => _writer?.Length ?? 0;

        private PooledWriter Writer => _writer ?? throw new InvalidOperationException("A value is started before it is written.");

        public override void Start(EntryHeader header)
        {
            if (header.Length > maxBytes) throw new EntryTooLargeException(maxBytes);
            _writer = new PooledWriter(maxBytes, header.Length ?? 0);
        }

        public override void Advance(int count) => Writer.Advance(count);

        public override Memory<byte> GetMemory(int sizeHint = 0) => Writer.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => Writer.GetSpan(sizeHint);

        public override ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public override void KeepNothing()
        {
        }

        public void Dispose() => _writer?.Dispose();
    }
}
