using static Platform.TieredCache.Tests.DiskFixture;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>
/// A process that writes values of all sorts, replaces a record and invalidates, saying on its standard output what it has acknowledged, until it is killed.
/// </summary>
internal static class KilledWriter
{
    public const int Values = 4000;

    public static Digest256 Counter { get; } = Digest256.HashData("counter"u8);

    public static EntryPolicy Policy { get; } = Relayed with { MaxMemoryBytes = 1 << 20 };

    /// <summary>Every seventh is written while it arrives.</summary>
    public static int LengthOf(int number) => number % 7 == 0 ? 2_000_000 + number % 100 * 1001 : number * 7919 % 150_000;

    public static CacheTag TagOf(int number) => CacheTag.Of("number", $"{number}");

    public static async Task RunAsync(string folder, int first, int seed)
    {
        await using var cache = NewCacheOn(folder);
        var random = new Random(seed);
        for (var number = first; number < first + Values; number += 4)
        {
            // Several at once, so that the kill hits more than one in the middle.
            await Task.WhenAll(Enumerable.Range(number, 4).Select(n => MakeAsync(cache, n)));
            await cache.FlushAsync(default);
            for (var made = number; made < number + 4; made++) Console.WriteLine($"value {made}");
            if (random.Next(3) == 0)
            {
                Console.WriteLine($"invalidating {number}");   // from here on it may be gone, whoever comes to tell
                await cache.InvalidateAsync(TagOf(number), default);
                Console.WriteLine($"invalidated {number}");
            }

            var record = await cache.Records.ReadAsync(Counter, default);
            if (await cache.Records.TryReplaceAsync(Counter, record?.Version ?? 0, new CacheRecord { Value = BitConverter.GetBytes(number) }, default))
                Console.WriteLine($"record {number}");
        }
    }

    public static TieredCache NewCacheOn(string folder) => new(new TieredCacheOptions
    {
        Memory = { CapacityBytes = 16 << 20 },
        Disk = { Path = folder, MinFreeBytes = 0 },
    });

    private static async Task MakeAsync(TieredCache cache, int number)
    {
        var key = Key(number);
        await using var lease = await cache.GetOrCreateAsync(key, LengthOf(number), Policy, async (length, writer, token) =>
        {
            writer.Start(new EntryHeader("a/b") { Length = number % 2 == 0 ? length : null, Tags = [TagOf(number)] });
            for (var at = 0; at < length;)
            {
                var size = Math.Min(50_000, length - at);
                Fill(key, at, writer.GetSpan(size)[..size]);
                writer.Advance(size);
                at += size;
                await writer.FlushAsync(token);
            }
        }, default);
        await lease.WaitUntilCompleteAsync(default);
    }
}
