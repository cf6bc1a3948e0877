using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace PerfTests.Peers;

/// <summary>
/// A file server at the end of a slow line: <c>/{megabytes}/{name}</c> is a file of so many megabytes (10^6 bytes) whose
/// content follows from its name, with a strong ETag and ranges. All its answers share one line of a fixed rate.
/// </summary>
internal sealed class PacedOrigin : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Line _line;

    private PacedOrigin(WebApplication app, Line line) => (_app, _line) = (app, line);

    /// <summary>Bytes that went over the line.</summary>
    public long BytesSent => _line.BytesSent;

    public static async Task<PacedOrigin> StartAsync(int port, double megabitsPerSecond, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, port));
        var line = new Line(megabitsPerSecond * 1e6 / 8);
        var app = builder.Build();
        app.MapGet("/{megabytes:int:min(1):max(4000)}/{name}", (int megabytes, string name) => Results.Stream(
            new PacedFile(megabytes * 1_000_000L, Seed(name), line), "application/octet-stream",
            lastModified: new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
            entityTag: new EntityTagHeaderValue(string.Create(CultureInfo.InvariantCulture, $"\"{megabytes}-{Seed(name):x16}\"")), enableRangeProcessing: true));
        await app.StartAsync(cancellationToken);
        return new PacedOrigin(app, line);
    }

    /// <summary>Where it listens; with port 0 the system has chosen one.</summary>
    public string Url => _app.Urls.Single();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static ulong Seed(string name)
    {
        var seed = 14695981039346656037UL;
        foreach (var character in name) seed = (seed ^ character) * 1099511628211UL;
        return seed;
    }

    /// <summary>A line that carries so many bytes a second, whoever sends them.</summary>
    private sealed class Line(double bytesPerSecond)
    {
        private readonly Lock _lock = new();
        private double _freeAt;      // seconds of the clock
        private long _sent;

        public long BytesSent => Volatile.Read(ref _sent);

        public TimeSpan Take(int bytes)
        {
            lock (_lock)
            {
                _sent += bytes;
                var now = Measuring.Clock.Now / 1e9;
                _freeAt = Math.Max(_freeAt, now) + bytes / bytesPerSecond;
                return TimeSpan.FromSeconds(_freeAt - now);
            }
        }
    }

    /// <summary>Bytes that follow from seed and position, read at the pace of the line.</summary>
    private sealed class PacedFile(long length, ulong seed, Line line) : Stream
    {
        private const int PieceBytes = 16 << 10;

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get; set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = (int)Math.Min(Math.Min(buffer.Length, PieceBytes), length - Position);
            if (count <= 0) return 0;
            var wait = line.Take(count);
            if (wait > TimeSpan.FromMilliseconds(1)) await Task.Delay(wait, cancellationToken);
            Fill(buffer.Span[..count]);
            Position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read it asynchronously.");

        public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => Position + offset,
            _ => length + offset,
        };

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException("The file is read only.");

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("The file is read only.");

        private void Fill(Span<byte> bytes)
        {
            Span<byte> word = stackalloc byte[8];
            for (var i = 0; i < bytes.Length;)
            {
                var at = Position + i;
                var mixed = ((ulong)(at >> 3) + seed) * 0x9E3779B97F4A7C15;
                mixed = (mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9;
                BinaryPrimitives.WriteUInt64LittleEndian(word, mixed ^ (mixed >> 32));
                var part = word[(int)(at & 7)..];
                var count = Math.Min(part.Length, bytes.Length - i);
                part[..count].CopyTo(bytes[i..]);
                i += count;
            }
        }
    }
}
