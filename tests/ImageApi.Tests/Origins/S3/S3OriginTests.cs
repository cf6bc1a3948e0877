using System.Net;
using ImageApi.Origins;
using ImageApi.Origins.S3;
using ImageApi.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Platform.Dicom;
using Platform.Tests.Shared;
using Platform.Tests.Shared.S3;

namespace ImageApi.Tests.Origins.S3;

/// <summary>What an object store holds is served as if it lay in a folder.</summary>
public sealed class S3OriginTests(S3Fixture fixture) : IClassFixture<S3Fixture>
{
    private const string Octets = "application/octet-stream;transfer-syntax=*";

    public static TheoryData<string> Answers
    {
        get
        {
            var paths = new TheoryData<string>
            {
                "/dicomweb/studies",
                $"/dicomweb/studies/{SyntheticStudies.Study}/metadata",
                $"/dicomweb/studies/{SyntheticStudies.OtherStudy}/metadata",
                $"{SyntheticStudies.UrlOf(SyntheticStudies.Report)}/bulkdata/00091010",
                $"{SyntheticStudies.UrlOf(SyntheticStudies.Report)}/bulkdata/0040A730/1/00091020",
                SyntheticStudies.UrlOf(SyntheticStudies.Native),
                SyntheticStudies.UrlOf(SyntheticStudies.Deflated),
            };
            foreach (var builder in Forms)
            {
                for (var number = 1; number <= builder.Frames; number++) paths.Add($"{SyntheticStudies.UrlOf(builder)}/frames/{number}");
            }
            return paths;
        }
    }

    private static DicomBuilder[] Forms =>
        [SyntheticStudies.Slice(1), SyntheticStudies.Native, SyntheticStudies.BigEndian, SyntheticStudies.Deflated, SyntheticStudies.Rle, SyntheticStudies.JpegLs, SyntheticStudies.Implicit];

    [ToolTheory("s3rver")]
    [MemberData(nameof(Answers))]
    public async Task Answer_OfAnObject_IsThatOfTheSameFileInAFolder(string path)
    {
        var accept = path.Contains("/frames/", StringComparison.Ordinal) ? Octets : path.Contains("bulkdata", StringComparison.Ordinal) ? "*/*"
            : path.Contains("/instances/", StringComparison.Ordinal) ? "application/dicom" : "application/dicom+json";
        using var expected = await fixture.Folder.SendAsync(path, ("Accept", accept));
        using var response = await fixture.S3.Host.SendAsync(path, ("Accept", accept));
        Assert.Equal(HttpStatusCode.OK, expected.StatusCode);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(expected.Header("Content-Type")?.Split("boundary")[0], response.Header("Content-Type")?.Split("boundary")[0]);
        var (wanted, got) = (await expected.Content.ReadAsStringAsync(), await response.Content.ReadAsStringAsync());
        Assert.Equal(wanted.Replace($"{fixture.Folder.Address}", "", StringComparison.Ordinal), got.Replace($"{fixture.S3.Host.Address}", "", StringComparison.Ordinal));
    }

    [ToolFact("s3rver")]
    public async Task GetInstance_ARange_IsThatOfTheObject()
    {
        using var response = await fixture.S3.Host.SendAsync(SyntheticStudies.UrlOf(SyntheticStudies.Native), ("Accept", "application/dicom"), ("Range", "bytes=100-299"));
        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal(SyntheticStudies.Native.Build()[100..300], await response.Content.ReadAsByteArrayAsync());
    }

    [ToolFact("s3rver")]
    public async Task GetFrames_OfALargeMultiFrameObject_FetchesTheFrameAndNoMore()
    {
        var builder = new DicomBuilder { StudyUid = "2.25.7", SeriesUid = "2.25.7.1", InstanceUid = "2.25.7.1.1", Rows = 256, Columns = 256, Frames = 40 };
        await using var s3 = await S3Host.StartAsync(folder => builder.Save(Path.Combine(folder, "cine.dcm")), ("ImageApi:Prefetch:Enabled", "false"));
        var before = s3.Proxy.ToClient.Bytes;
        using var response = await s3.Host.SendAsync($"{SyntheticStudies.UrlOf(builder)}/frames/33", ("Accept", Octets));
        Assert.Equal(builder.NativeFrame(32), await response.Content.ReadAsByteArrayAsync());
        Assert.InRange(s3.Proxy.ToClient.Bytes - before, builder.NativeFrame(32).Length, builder.NativeFrame(32).Length + 4096);
    }

    [ToolFact("s3rver")]
    public async Task Start_OverObjectsThatAreNoDicom_PassesThemOver()
    {
        await using var s3 = await S3Host.StartAsync(folder =>
        {
            SyntheticStudies.Slice(1).Save(Path.Combine(folder, "a.dcm"));
            File.WriteAllBytes(Path.Combine(folder, "empty"), []);
            File.WriteAllText(Path.Combine(folder, "readme.txt"), "No image.");
            File.WriteAllBytes(Path.Combine(folder, "cut.dcm"), SyntheticStudies.Slice(2).Build()[..300]);
            Directory.CreateDirectory(Path.Combine(folder, ".trash"));
            SyntheticStudies.Slice(3).Save(Path.Combine(folder, ".trash", "b.dcm"));
        });
        var instances = await (await s3.Host.SendAsync("/dicomweb/instances", ("Accept", "application/dicom+json"))).JsonAsync();
        Assert.Equal(SyntheticStudies.Slice(1).InstanceUid, Assert.Single(instances.EnumerateArray()).Value("00080018"));
    }

    [ToolFact("s3rver")]
    public async Task Objects_AddedChangedAndRemoved_AreFollowed()
    {
        await using var s3 = await S3Host.StartAsync(static folder => SyntheticStudies.Slice(1).Save(Path.Combine(folder, "a.dcm")), ("ImageApi:Origins:bucket:Freshness:Ttl", "00:00:00.200"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(s3.Host, SyntheticStudies.Slice(2)));

        await s3.PutAsync("b/c.dcm", SyntheticStudies.Slice(2));
        await UntilAsync(async () => await StatusAsync(s3.Host, SyntheticStudies.Slice(2)) == HttpStatusCode.OK);

        var changed = new DicomBuilder { InstanceUid = SyntheticStudies.Slice(1).InstanceUid, Pixel = (_, row, column) => (uint)(row + column) };
        await s3.PutAsync("a.dcm", changed);
        await UntilAsync(async () => (await FrameAsync(s3.Host, changed)).AsSpan().SequenceEqual(changed.NativeFrame(0)));

        await s3.Server.DeleteAsync(S3Host.Bucket, S3Host.Prefix + "a.dcm");
        await UntilAsync(async () => await StatusAsync(s3.Host, changed) == HttpStatusCode.NotFound);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(s3.Host, SyntheticStudies.Slice(2)));
    }

    [ToolFact("s3rver")]
    public async Task GetFrames_OfAnObjectThatChangedSinceItWasIndexed_ServesTheNewOneAtOnce()
    {
        await using var s3 = await S3Host.StartAsync(static folder => SyntheticStudies.Slice(1).Save(Path.Combine(folder, "a.dcm")), ("ImageApi:Origins:bucket:Freshness:Ttl", "01:00:00"));
        var changed = new DicomBuilder { InstanceUid = SyntheticStudies.Slice(1).InstanceUid, Pixel = (_, row, column) => (uint)(row + column) };
        await s3.PutAsync("a.dcm", changed);
        Assert.Equal(changed.NativeFrame(0), await FrameAsync(s3.Host, changed));

        await s3.Server.DeleteAsync(S3Host.Bucket, S3Host.Prefix + "a.dcm");
        using var gone = await s3.Host.SendAsync(SyntheticStudies.UrlOf(changed), ("Accept", "application/dicom"));
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [ToolFact("s3rver")]
    public async Task OpenAsync_AnotherVersionThanAskedFor_IsChanged()
    {
        var origin = Origin(fixture.S3);
        var item = new OriginItem("first/slice2.dcm");
        var version = (await origin.GetVersionAsync(item, CancellationToken.None))!.Value;
        await using (var read = await origin.OpenAsync(item, version, new ByteRange(10, 5), CancellationToken.None)) Assert.Equal(5, read.Length);
        var refused = await Assert.ThrowsAsync<OriginException>(() => origin.OpenAsync(item, OriginVersion.FromEntityTag("\"00000000000000000000000000000000\""), null, CancellationToken.None));
        Assert.Equal(OriginFailure.Changed, refused.Failure);
        var absent = await Assert.ThrowsAsync<OriginException>(() => origin.OpenAsync(new OriginItem("nowhere"), null, null, CancellationToken.None));
        Assert.Equal(OriginFailure.Absent, absent.Failure);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => origin.OpenAsync(item, null, new ByteRange(1 << 30, null), CancellationToken.None));
        Assert.Null(await origin.GetVersionAsync(new OriginItem("nowhere"), CancellationToken.None));
    }

    [ToolFact("s3rver")]
    public async Task GetFrames_WhatAnotherNodeFetched_ComesFromTheObjectStoreThatTheyShare()
    {
        var server = await S3Server.StartAsync(S3Host.Bucket, "cache");
        await server.PutAsync(S3Host.Bucket, S3Host.Prefix + "a.dcm", SyntheticStudies.Slice(1).Build());
        (string, string)[] settings =
        [
            ("TieredCache:S3:ServiceUrl", $"http://127.0.0.1:{server.Port}"), ("TieredCache:S3:Bucket", "cache"),
            ("TieredCache:S3:AccessKey", S3Server.AccessKey), ("TieredCache:S3:SecretKey", S3Server.SecretKey),
            ("TieredCache:Objects:Timeout", "00:00:10"), ("TieredCache:Disk:Path", ""),
        ];
        await using var first = await S3Host.StartAsync(server, settings);
        var frame = SyntheticStudies.Slice(1).NativeFrame(0);
        Assert.Equal(frame, await FrameAsync(first.Host, SyntheticStudies.Slice(1)));
        await UntilAsync(() => Task.FromResult(server.FilesOf("cache").Any(path => path.Contains("/v1/", StringComparison.Ordinal) && new FileInfo(path).Length > frame.Length)));
        await using var second = await ImageApiHost.StartAsync(static _ => { }, [.. S3Host.Settings(first.Proxy.Port), .. settings]);
        using var response = await second.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(1))}/frames/1", ("Accept", Octets));
        Assert.Equal("platform; hit; detail=object", response.Header("Cache-Status"));
        Assert.Equal(frame, await response.Content.ReadAsByteArrayAsync());
    }

    [ToolFact("s3rver")]
    public async Task ListAsync_APrefix_GivesItsFilesWithLengths()
    {
        var files = await ((IFileOrigin)Origin(fixture.S3)).ListAsync("second/", CancellationToken.None).ToListAsync();
        var file = Assert.Single(files);
        Assert.Equal("second/other.dcm", file.Item.Path);
        Assert.Equal(SyntheticStudies.Other.Build().Length, file.Length);
        Assert.NotNull(file.LastModified);
    }

    [ToolFact("s3rver")]
    public async Task ListItemsAsync_MoreThanAPage_GivesThemAll()
    {
        var server = await S3Server.StartAsync(S3Host.Bucket);
        await Parallel.ForEachAsync(Enumerable.Range(0, 1005), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) => await server.PutAsync(S3Host.Bucket, $"{S3Host.Prefix}{i % 7}/{i}", [1]));
        await using var s3 = await S3Host.StartAsync(server, ("ImageApi:Origins:bucket:MaxConcurrency", "4"));
        var items = await Origin(s3).ListItemsAsync(CancellationToken.None).ToListAsync();
        Assert.Equal(1005, items.Select(listed => listed.Item).Distinct().Count());
        Assert.InRange(s3.Proxy.Connections, 1, 4);
    }

    private static S3Origin Origin(S3Host s3) => s3.Host.Services.GetRequiredService<IOrigins>().TryGet<S3Origin>("bucket", out var origin) ? origin : throw new InvalidOperationException();

    private static async Task<HttpStatusCode> StatusAsync(ImageApiHost host, DicomBuilder builder)
    {
        using var response = await host.SendAsync(SyntheticStudies.UrlOf(builder) + "/metadata", ("Accept", "application/dicom+json"));
        return response.StatusCode;
    }

    private static async Task<byte[]> FrameAsync(ImageApiHost host, DicomBuilder builder)
    {
        using var response = await host.SendAsync($"{SyntheticStudies.UrlOf(builder)}/frames/1", ("Accept", Octets));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsByteArrayAsync();
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var waited = 0; !await condition(); waited++)
        {
            Assert.True(waited < 300, "It did not come to be in 15 s.");
            await Task.Delay(50);
        }
    }
}
