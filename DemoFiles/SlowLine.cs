using Microsoft.Extensions.Options;

namespace DemoFiles;

/// <summary>
/// A line of so many bits per second that all answers share: each piece takes its turn behind those before it. Safe for concurrent use.
/// </summary>
internal sealed class SlowLine(IOptions<DemoFilesOptions> options, TimeProvider time)
{
    private readonly double _bytesPerSecond = options.Value.BitsPerSecond / 8.0;
    private readonly Lock _lock = new();
    private long _freeAt;

    /// <summary>Waits for the answer's first byte to have come the whole way.</summary>
    public Task DelayAsync(CancellationToken cancellationToken) => Task.Delay(options.Value.Latency, time, cancellationToken);

    /// <summary>Waits until so many bytes have gone over the line.</summary>
    public Task SendAsync(int bytes, CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_lock)
        {
            var now = time.GetTimestamp();
            _freeAt = Math.Max(_freeAt, now) + (long)(bytes / _bytesPerSecond * time.TimestampFrequency);
            wait = time.GetElapsedTime(now, _freeAt);
        }
        // Timers are good for some milliseconds: what is owed is made up for by the next piece.
        return wait > TimeSpan.FromMilliseconds(2) ? Task.Delay(wait, time, cancellationToken) : Task.CompletedTask;
    }
}

/// <summary>Bytes in memory that are read as fast as a line gives them.</summary>
internal sealed class SlowStream(byte[] bytes, SlowLine line) : MemoryStream(bytes, writable: false)
{
    private const int PieceBytes = 16 << 10;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await base.ReadAsync(buffer[..Math.Min(buffer.Length, PieceBytes)], cancellationToken);
        await line.SendAsync(read, cancellationToken);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
}
