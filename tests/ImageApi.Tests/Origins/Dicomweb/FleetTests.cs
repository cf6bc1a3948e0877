using ImageApi.Tests.Support;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Origins.Dicomweb;

/// <summary>Several nodes with one Redis before one PACS.</summary>
[Collection(OrthancCollection.Name)]
public sealed class FleetTests(OrthancFixture fixture)
{
    [ToolFact("Orthanc", "redis-server")]
    public async Task AColdFrame_AskedByManyOnThreeNodes_IsAskedOfThePacsOnce()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        (string, string)[] settings = [("ConnectionStrings:cache", redis.ConnectionString), ("TieredCache:Redis:Timeout", "00:00:02"), ("ImageApi:Origins:pacs1:Freshness:Ttl", "00:10:00"), ("ImageApi:Prefetch:Enabled", "false")];
        ImageApiHost[] nodes = [await OrthancFixture.StartApiAsync(proxy.Url, settings), await OrthancFixture.StartApiAsync(proxy.Url, settings), await OrthancFixture.StartApiAsync(proxy.Url, settings)];
        try
        {
            // Redis is connected to in the background, and used when it is there: when each node gets from it what the first one made.
            var shared = Enumerable.Range(1, SyntheticStudies.Native.Frames).Select(frame => $"{DicomwebOriginTests.PathOf(SyntheticStudies.Native)}/frames/{frame}").ToList();
            foreach (var node in nodes.Skip(1)) Assert.True(await SharesAsync(nodes[0], node, shared), "A node does not use Redis.");
            proxy.Clear();

            var frame = DicomwebOriginTests.PathOf(SyntheticStudies.Slice(3)) + "/frames/1";
            var expected = SyntheticStudies.Slice(3).NativeFrame(0);
            var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => DicomwebOriginTests.FrameAsync(nodes[i % 3], frame)));
            Assert.All(answers, answer => Assert.Equal(expected, answer));
            Assert.Equal(1, proxy.Count($"{SyntheticStudies.Slices}.3/frames/1"));
            Assert.Equal(1, proxy.Count("/metadata"));
        }
        finally
        {
            foreach (var node in nodes) await node.DisposeAsync();
        }
    }

    private static async Task<bool> SharesAsync(ImageApiHost maker, ImageApiHost taker, List<string> frames)
    {
        while (frames.Count > 0)
        {
            var frame = frames[0];
            frames.RemoveAt(0);
            await DicomwebOriginTests.FrameAsync(maker, frame);
            await Task.Delay(500);
            using var answer = await taker.SendAsync(frame, ("Accept", "application/octet-stream;transfer-syntax=*"));
            if (answer.Header("Cache-Status")!.Contains("redis", StringComparison.Ordinal)) return true;
        }

        return false;
    }
}
