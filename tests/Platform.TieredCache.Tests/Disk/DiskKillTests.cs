using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>A process is killed (SIGKILL) while it writes, again and again, over one folder: 10 times; 100 with PLATFORM_SOAK_FACTOR above 1.</summary>
public class DiskKillTests
{
    [Fact]
    public async Task Kill_WhileWriting_NeverAWrongByteAndNothingAcknowledgedIsLost()
    {
        var rounds = double.TryParse(Environment.GetEnvironmentVariable("PLATFORM_SOAK_FACTOR"), out var factor) && factor > 1 ? 100 : 10;
        await using var disk = new DiskFixture();
        var random = new Random(1);
        var (acknowledged, invalidating, invalidated) = (new HashSet<int>(), new HashSet<int>(), new HashSet<int>());
        var record = -1;
        for (var round = 0; round < rounds; round++)
        {
            var first = round * KilledWriter.Values;
            foreach (var line in await RunAndKillAsync(disk.Path, first, round, TimeSpan.FromMilliseconds(random.Next(20, 300))))
            {
                if (line.Split(' ') is not [var what, var text] || !int.TryParse(text, out var number)) continue;        // the last line may be half a line
                if (what == "value") acknowledged.Add(number);
                if (what == "invalidating") invalidating.Add(number);
                if (what == "invalidated") invalidated.Add(number);
                if (what == "record") record = number;
            }

            await using var cache = KilledWriter.NewCacheOn(disk.Path);
            var stored = await cache.Records.ReadAsync(KilledWriter.Counter, default);
            Assert.True(stored is null ? record < 0 : BitConverter.ToInt32(stored.Value.Span) >= record, "An acknowledged record was lost.");
            foreach (var number in acknowledged.Where(number => number >= first))
            {
                await using var lease = await cache.TryGetAsync(Key(number), default);
                if (invalidated.Contains(number)) Assert.True(lease is null, $"{number} was invalidated.");
                else if (lease is null && invalidating.Contains(number)) continue;
                else if (lease is null) Assert.Fail($"{number} was acknowledged and is lost.");
                else Assert.Equal(Bytes(Key(number), KilledWriter.LengthOf(number)), await ReadAllAsync(lease.Value));
            }

            // What was not acknowledged is right or absent.
            for (var number = first; number < first + KilledWriter.Values; number++)
            {
                if (acknowledged.Contains(number)) continue;
                await using var lease = await cache.TryGetAsync(Key(number), default);
                if (lease is not null) Assert.Equal(Bytes(Key(number), KilledWriter.LengthOf(number)), await ReadAllAsync(lease.Value));
                else if (number > acknowledged.Max() + 20) break;
            }

            Assert.Equal(0, cache.GetStatistics().Tiers.Sum(row => row.Corruptions));
        }

        Assert.True(acknowledged.Count > rounds * 4, $"Only {acknowledged.Count} values were acknowledged.");
        await using var last = KilledWriter.NewCacheOn(disk.Path);
        var report = await last.ScrubAsync(null, default);
        Assert.Equal(0, report.Damaged);
        Assert.True(report.Entries >= acknowledged.Count - invalidating.Count);
    }

    private static async Task<List<string>> RunAndKillAsync(string folder, int first, int seed, TimeSpan after)
    {
        await using var child = Child.Start("write-until-killed", folder, $"{first}", $"{seed}");
        var lines = new List<string> { await child.ReadLineAsync() ?? throw new InvalidOperationException("The writer ended.") };
        await Task.Delay(after);
        await child.KillAsync();
        while (await child.ReadLineAsync() is { } line) lines.Add(line);
        return lines;
    }
}
