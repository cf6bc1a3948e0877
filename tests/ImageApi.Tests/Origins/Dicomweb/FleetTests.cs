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
        (string, string)[] settings = [("ConnectionStrings:cache", redis.ConnectionString), ("TieredCache:Redis:Timeout", "00:00:02"), ("ImageApi:Origins:pacs1:Freshness:Ttl", "00:10:00")];
        ImageApiHost[] nodes = [await OrthancFixture.StartApiAsync(proxy.Url, settings), await OrthancFixture.StartApiAsync(proxy.Url, settings), await OrthancFixture.StartApiAsync(proxy.Url, settings)];
        try
        {
            // Redis is connected to in the background, and used when it is there.
            foreach (var node in nodes)
            {
                var path = DicomwebOriginTests.PathOf(SyntheticStudies.Other) + "/frames/1";
                await DicomwebOriginTests.FrameAsync(node, path);
                await Task.Delay(200);
            }
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
}
