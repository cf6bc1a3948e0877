using System.Buffers;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>
/// Everything at once for a while: readers, makers that fail, callers that leave, removals, invalidations, slow
/// readers, values too large, no memory left; then the books must agree. PLATFORM_SOAK_FACTOR makes it longer.
/// </summary>
public class TieredCacheSoakTests
{
    [Theory]
    [InlineData(4 << 20, 1)]
    [InlineData(16 << 20, 2)]
    public async Task GetOrCreateAsync_EverythingAtOnce_NeverWrongBytesAndTheBooksAgree(int capacityBytes, int seed)
    {
        var seconds = 2 * (double.TryParse(Environment.GetEnvironmentVariable("PLATFORM_SOAK_FACTOR"), out var factor) ? factor : 1);
        await using var cache = NewCache(capacityBytes, overflowBytes: 2 << 20);
        using var stopping = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        var (reads, refused) = (0L, 0L);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() => WorkAsync(new Random(seed * 100 + worker)))))
            .WaitAsync(TimeSpan.FromSeconds(seconds + 60));     // a reader and a maker that wait for each other show here

        await SingleFlightTests.EventuallyAsync(() => cache.Flights == 0);
        cache.Memory.Verify();
        var statistics = cache.GetStatistics();
        Assert.InRange(statistics.MemoryBytes, 0, capacityBytes);
        Assert.Equal(0, cache.Memory.Pool.OverflowBytes);
        Assert.Equal(cache.Memory.Count, statistics.Tiers.Sum(t => t.Entries));
        Assert.True(reads > 100, $"only {reads} reads");
        Assert.True(statistics.Hits > 0);
        Assert.True(refused < reads / 4, $"{refused} of {reads} found no memory");
        cache.Memory.Clear();
        Assert.Equal((0, 0L), (cache.Memory.Pool.LentBlocks, cache.Memory.ChargedBytes));
        cache.Memory.Verify();

        async Task WorkAsync(Random random)
        {
            while (!stopping.IsCancellationRequested)
            {
                var number = (int)Math.Pow(300, random.NextDouble());
                var key = Key(number);
                var tag = CacheTag.Of("series", (number % 10).ToString());
                var length = number % 7 == 0 ? 900 : number % 11 == 0 ? 700_000 : 40_000 + number * 1013 % 200_000;
                var isRelayed = number % 2 == 0;
                var policy = (isRelayed ? EntryPolicy.Relayed : EntryPolicy.Derived) with { MaxMemoryBytes = 500_000 };
                switch (random.Next(100))
                {
                    case 0: await cache.RemoveAsync(key, default); continue;
                    case 1: await cache.InvalidateAsync(tag, default); continue;
                }

                using var leaving = random.Next(10) == 0 ? new CancellationTokenSource(random.Next(3)) : new CancellationTokenSource();
                var (fails, pause) = (random.Next(50) == 0, random.Next(4) == 0);
                var chunk = random.Next(1, 4) << 14;
                try
                {
                    await using var lease = await cache.GetOrCreateAsync(key, length, policy, async (n, writer, token) =>
                    {
                        writer.Start(new EntryHeader("a/b") { Length = n % 3 == 0 ? null : n, Tags = [tag] });
                        for (var at = 0; at < n; at += chunk)
                        {
                            var size = Math.Min(chunk, n - at);
                            Fill(key, at, writer.GetSpan(size)[..size]);
                            writer.Advance(size);
                            await writer.FlushAsync(token);
                            if (pause && at % 3 == 0) await Task.Delay(1, token);
                            if (fails && at > n / 2) throw new IOException("planned");
                        }
                    }, leaving.Token);
                    Interlocked.Increment(ref reads);
                    switch (random.Next(3))
                    {
                        case 0 when lease.TryGetBytes(out var bytes):
                            if (random.Next(5) == 0) await Task.Delay(1);
                            Assert.True(bytes.Length == length && Matches(key, bytes), $"wrong bytes for {number}");
                            break;
                        case 1:
                            var from = random.Next(length);
                            Assert.True((await ReadAllAsync(lease, from)).AsSpan().SequenceEqual(Bytes(key, length).AsSpan(from)), $"wrong bytes for {number} from {from}");
                            break;
                        case 2:
                            var copy = await ReadAllAsync(lease);
                            Assert.True(copy.Length == length && Matches(key, new ReadOnlySequence<byte>(copy)), $"wrong copy of {number}");
                            break;
                    }

                    if (random.Next(10) == 0) await lease.DisposeAsync();
                }
                catch (IOException exception) when (exception.Message == "planned")
                {
                }
                catch (OperationCanceledException) when (leaving.IsCancellationRequested)
                {
                }
                catch (CacheFullException)
                {
                    Interlocked.Increment(ref refused);
                }
            }
        }
    }
}
