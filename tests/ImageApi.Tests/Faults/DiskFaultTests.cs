using ImageApi.Tests.Origins.S3;
using ImageApi.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Platform.TieredCache;
using Platform.Tests.Shared;
using Platform.Tests.Shared.Faults;
using Platform.Tests.Shared.S3;

namespace ImageApi.Tests.Faults;

/// <summary>What a disk does under load fails no request and changes no byte of an answer.</summary>
public sealed class DiskFaultTests
{
    private static readonly DicomBuilder[] Instances =
        [.. Enumerable.Range(1, 12).Select(number => new DicomBuilder { InstanceUid = $"{SyntheticStudies.Slices}.{number}", InstanceNumber = number, Rows = 256, Columns = 256 })];

    [SmallDiskFact]
    public async Task Load_DiskIsFull_NoRequestFails()
    {
        if (ToolPath.Find("s3rver") is null) return;
        using var disk = new SmallDisk(megabytes: 1);   // of 1.6 MB
        await using var s3 = await S3Host.StartAsync(Fill, ("TieredCache:Disk:Path", Path.Combine(disk.Path, "cache")), ("TieredCache:Disk:MinFreeBytes", "0"));
        await using var load = new FrameLoad([s3.Host], Instances);
        await load.AdvanceAsync(300);
        await load.AssertAllRightAsync();
    }

    [SmallDiskFact]
    public async Task Load_FolderBecomesReadOnlyAndWritableAgain_NoRequestFails()
    {
        if (ToolPath.Find("s3rver") is null) return;
        using var disk = new SmallDisk(megabytes: 16);
        await using var s3 = await S3Host.StartAsync(Fill, ("TieredCache:Disk:Path", Path.Combine(disk.Path, "cache")), ("TieredCache:Disk:MinFreeBytes", "0"), ("TieredCache:Disk:BreakDuration", "00:00:00.200"));
        await using var load = new FrameLoad([s3.Host], Instances);
        await load.AdvanceAsync(100);
        for (var tries = 0; !disk.TryMakeReadOnly() && tries < 100; tries++) await Task.Delay(5);   // not while a file is being written
        await load.AdvanceAsync(150);
        disk.MakeWritable();
        await load.AdvanceAsync(100);
        await load.AssertAllRightAsync();
    }

    [SmallDiskFact]
    public async Task Start_FolderThatCannotBeWritten_ServesWithoutIt()
    {
        if (ToolPath.Find("s3rver") is null) return;
        using var disk = new SmallDisk(megabytes: 1);
        Assert.True(disk.TryMakeReadOnly());
        await using var s3 = await S3Host.StartAsync(Fill, ("TieredCache:Disk:Path", Path.Combine(disk.Path, "cache")));
        await using var load = new FrameLoad([s3.Host], Instances);
        await load.AdvanceAsync(50);
        await load.AssertAllRightAsync();
    }

    [ToolFact("s3rver")]
    public async Task Load_BitsFlipInStoredFilesOfTwoNodesWithOneFolder_NoByteOfAnAnswerIsWrong()
    {
        using var folder = new TempFolder();
        var cache = folder.Combine("cache", "x")[..^2];
        var server = await S3Server.StartAsync(S3Host.Bucket);
        foreach (var builder in Instances) await server.PutAsync(S3Host.Bucket, $"{S3Host.Prefix}{builder.InstanceNumber}.dcm", builder.Build());
        await using var first = await S3Host.StartAsync(server, ("TieredCache:Disk:Path", cache));
        await using var second = await ImageApiHost.StartAsync(static _ => { }, [.. S3Host.Settings(first.Proxy.Port), ("TieredCache:Disk:Path", cache)]);
        await using var load = new FrameLoad([first.Host, second], Instances);
        await load.AdvanceAsync(50);
        var random = new Random(7);
        var flips = 0;
        for (var round = 0; round < 100; round++)
        {
            var values = Directory.EnumerateFiles(cache, "*", SearchOption.AllDirectories).Where(static path => new FileInfo(path) is { Exists: true, Length: > 100_000 });
            foreach (var path in values.OrderBy(_ => random.Next()).Take(2)) flips += TryFlip(path, random) ? 1 : 0;
            await load.AdvanceAsync(4);
        }
        Assert.True(flips > 20, $"Only {flips} bits were flipped.");
        Assert.True(Corruptions(first.Host) + Corruptions(second) > 0);

        // And in whatever else lies there: epochs, locks, records.
        foreach (var path in Directory.EnumerateFiles(cache, "*", SearchOption.AllDirectories)) TryFlip(path, random);
        await load.AdvanceAsync(100);
        await load.AssertAllRightAsync();
    }

    private static bool TryFlip(string path, Random random)
    {
        try
        {
            using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length == 0) return false;
            var at = random.NextInt64(file.Length);
            file.Position = at;
            var value = file.ReadByte();
            file.Position = at;
            file.WriteByte((byte)(value ^ (1 << random.Next(8))));
            return true;
        }
        catch (IOException)
        {
            return false;   // evicted, or locked, meanwhile
        }
    }

    private static long Corruptions(ImageApiHost host) =>
        host.Services.GetRequiredService<ITieredCache>().GetStatistics().Tiers.Where(row => row.Tier == CacheTier.Disk).Sum(row => row.Corruptions);

    private static void Fill(string folder)
    {
        foreach (var builder in Instances) builder.Save(Path.Combine(folder, $"{builder.InstanceNumber}.dcm"));
    }
}
