using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Platform.TieredCache.Tests;

/// <summary>Keys, values that say what they are, and makers of them.</summary>
internal static class TestValues
{
    public static CacheKey Key(int number, EntryKind kind = EntryKind.Frame, int index = 0)
        => new(ContentId.Of("test", $"item-{number}", []), kind, RecipeId.AsStored, index);

    /// <summary>Bytes that are different for every key, at every position.</summary>
    public static byte[] Bytes(CacheKey key, int length)
    {
        var bytes = new byte[length];
        Fill(key, 0, bytes);
        return bytes;
    }

    public static void Fill(CacheKey key, long offset, Span<byte> bytes)
    {
        var seed = SeedOf(key);
        Span<byte> word = stackalloc byte[8];
        while (bytes.Length > 0)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(word, WordAt(seed, offset >> 3));
            var part = word[(int)(offset & 7)..];
            if (part.Length > bytes.Length) part = part[..bytes.Length];
            part.CopyTo(bytes);
            bytes = bytes[part.Length..];
            offset += part.Length;
        }
    }

    public static bool Matches(CacheKey key, ReadOnlySequence<byte> bytes)
    {
        var expected = ArrayPool<byte>.Shared.Rent(64 << 10);
        long at = 0;
        try
        {
            foreach (var piece in bytes)
            {
                for (var from = 0; from < piece.Length; from += 64 << 10)
                {
                    var part = piece.Span[from..Math.Min(piece.Length, from + (64 << 10))];
                    Fill(key, at, expected.AsSpan(0, part.Length));
                    if (!part.SequenceEqual(expected.AsSpan(0, part.Length))) return false;
                    at += part.Length;
                }
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(expected);
        }
    }

    public static Func<int, EntryWriter, CancellationToken, Task> Maker(CacheKey key, bool declareLength = true, params CacheTag[] tags)
        => (length, writer, _) =>
        {
            writer.Start(new EntryHeader("application/octet-stream") { Length = declareLength ? length : null, Tags = [.. tags] });
            writer.Write(Bytes(key, length));
            return Task.CompletedTask;
        };

    public static Task NeverCalled(int state, EntryWriter writer, CancellationToken cancellationToken)
        => throw new InvalidOperationException("The maker was not to be called.");

    public static TieredCache NewCache(long capacityBytes = 8 << 20, long overflowBytes = 4 << 20, RedisTier? redis = null, TimeProvider? time = null) => new(
        new TieredCacheOptions { Memory = { CapacityBytes = capacityBytes, OverflowBytes = overflowBytes, PoisonReleasedMemory = true } }, redis, time);

    public static async Task<byte[]> ReadAllAsync(CacheLease lease, long offset = 0, long? count = null)
    {
        var pipe = new Pipe();
        var copy = CopyAsync();
        using var stream = new MemoryStream();
        await pipe.Reader.CopyToAsync(stream);
        await copy;
        return stream.ToArray();

        async Task CopyAsync()
        {
            try
            {
                await lease.CopyToAsync(pipe.Writer, offset, count, CancellationToken.None);
                await pipe.Writer.CompleteAsync();
            }
            catch (Exception exception)
            {
                await pipe.Writer.CompleteAsync(exception);
                throw;
            }
        }
    }

    private static ulong SeedOf(CacheKey key) => key.Content.First64 ^ (ulong)key.Index * 0x9E3779B97F4A7C15;

    private static ulong WordAt(ulong seed, long word) => (seed + (ulong)word) * 0xD6E8FEB86659FD93;
}

/// <summary>A clock that stands still until it is moved. Timers do not fire.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(Volatile.Read(ref _ticks));

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
}
