using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PerfTests.Load;
using PerfTests.Report;
using PerfTests.Versus;

namespace PerfTests.Tests;

public class LoadTests
{
    private static readonly LoadPlan Plan = new(Users: 2, Rate: 0, TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(200), TimeSpan.Zero);

    [Theory]
    [InlineData("max-age=60", "\"a\"", 1, 0)]
    [InlineData("no-cache", "\"a\"", 3, 2)]
    [InlineData("no-store", "\"a\"", 3, 0)]
    [InlineData(null, null, 3, 0)]
    public async Task Visitor_ThreeLooks_AsksAsTheHeadersAllow(string? cacheControl, string? tag, int requests, int notModified)
    {
        await using var server = await ImageServer.StartAsync(cacheControl, tag);
        var visitor = new Visitor(server.Client, TimeProvider.System);

        for (var i = 0; i < 3; i++) await visitor.LookAsync("/image", "*/*", CancellationToken.None);

        Assert.Equal((requests, notModified), (server.Asked("/image"), server.NotModified));
        Assert.Equal((requests - notModified) * ImageServer.ImageBytes, visitor.Bytes);
    }

    [Theory]
    [InlineData("first-image", 1)]
    [InlineData("series-full", 4)]
    [InlineData("scroll", 1)]
    [InlineData("revisit", 4)]
    [InlineData("zipf-clinic", 1)]
    [InlineData("metadata", 0)]
    [InlineData("search", 0)]
    public async Task Run_Scenario_MeasuresWhatTheServerAnswered(string name, int imagesAtLeast)
    {
        await using var server = await ImageServer.StartAsync("max-age=60", "\"a\"");
        using var target = LoadTarget.Parse($"ours=dicomweb,{server.Address}dicomweb", "application/octet-stream");
        await target.FindSeriesAsync(10, null, CancellationToken.None);
        Assert.Equal([new SeriesItem("1.2", "1.2.1", 4)], target.Series);
        var before = server.Images;

        var run = new VersusRun(1, CancellationToken.None);
        var engine = LoadCommand.Run(run, LoadScenario.All.Single(scenario => scenario.Name == name), target, Plan);

        Assert.Equal("NBomber stand-in", engine);
        var latency = Of(run, "latency");
        Assert.True(latency.N > 0);
        Assert.Equal(0, latency.Errors);
        Assert.Contains("p99.9", latency.Percentiles!.Keys);
        var bytes = Of(run, "bytes on the wire").Rounds[0];
        switch (name)
        {
            case "revisit":
                Assert.Equal(0, bytes);
                Assert.Equal(4 * 2, server.Images - before);   // each of two people has looked once
                break;
            case "series-full":
                Assert.True(bytes >= 4 * ImageServer.ImageBytes);
                break;
            case "scroll":
                Assert.Equal(ImageServer.ImageBytes, bytes);
                break;
        }

        if (imagesAtLeast > 0) Assert.True(Of(run, "image latency").N >= imagesAtLeast);
    }

    [Fact]
    public async Task Run_ServerThatFails_CountsItsErrors()
    {
        await using var server = await ImageServer.StartAsync("max-age=60", "\"a\"");
        using var target = LoadTarget.Parse($"ours=dicomweb,{server.Address}dicomweb", "application/octet-stream");
        await target.FindSeriesAsync(10, null, CancellationToken.None);
        server.Fails = true;
        var run = new VersusRun(1, CancellationToken.None);

        LoadCommand.Run(run, LoadScenario.All.Single(static scenario => scenario.Name == "scroll"), target, Plan with { Rate = 50, WarmUp = TimeSpan.Zero });

        var latency = Of(run, "latency");
        Assert.True(latency.Errors > 0);
        Assert.Equal(latency.N, latency.Errors);
    }

    [Fact]
    public async Task LatencyLog_ServerThatStalls_IsChargedForThoseWhoWaited()
    {
        var log = new LatencyLog(perSecond: 1000);
        var first = log.Begin();
        await Task.Delay(50);                    // the engine could not begin the others in time
        for (var i = 0; i < 40; i++) log.End(log.Begin(), 1, null);
        log.End(first, 1, null);
        Assert.InRange(log.Iterations.GetPercentile(50) / 1e6, 15, 1000);
    }

    [Fact]
    public void Parse_WhatIsNoTarget_IsRefused()
    {
        Assert.Throws<ArgumentException>(static () => LoadTarget.Parse("ours=dicomweb", "x"));
        Assert.Throws<ArgumentException>(static () => LoadTarget.Parse("ours=soap,http://127.0.0.1:1/", "x"));
    }

    private static Measurement Of(VersusRun run, string measure) => run.GetMeasurements().Single(measurement => measurement.Measure == measure);

    /// <summary>A DICOMweb server of one series of four images: enough of one to be put under load.</summary>
    private sealed class ImageServer : IAsyncDisposable
    {
        public const int ImageBytes = 5000;
        private readonly WebApplication _app;
        private readonly ConcurrentDictionary<string, int> _asked = new();
        private int _notModified;

        private ImageServer(string? cacheControl, string? tag)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Logging.ClearProviders();
            _app = builder.Build();
            _app.Run(async context =>
            {
                var path = context.Request.Path.Value!;
                _asked.AddOrUpdate(path, 1, static (_, count) => count + 1);
                if (cacheControl is not null) context.Response.Headers.CacheControl = cacheControl;
                if (tag is not null) context.Response.Headers.ETag = tag;
                if (Fails)
                {
                    context.Response.StatusCode = 503;
                }
                else if (tag is not null && context.Request.Headers.IfNoneMatch == tag)
                {
                    Interlocked.Increment(ref _notModified);
                    context.Response.StatusCode = 304;
                }
                else if (Document(path) is { } json)
                {
                    await context.Response.WriteAsync(json);
                }
                else
                {
                    await context.Response.Body.WriteAsync(new byte[ImageBytes]);
                }
            });
        }

        public bool Fails { get; set; }

        public int NotModified => _notModified;

        public Uri Address => new(_app.Urls.First().TrimEnd('/') + "/");

        public HttpClient Client { get; private set; } = null!;

        public int Images => _asked.Where(static pair => pair.Key.Contains("/frames/", StringComparison.Ordinal)).Sum(static pair => pair.Value);

        public int Asked(string path) => _asked.GetValueOrDefault(path);

        public static async Task<ImageServer> StartAsync(string? cacheControl, string? tag)
        {
            var server = new ImageServer(cacheControl, tag);
            await server._app.StartAsync();
            server.Client = new HttpClient { BaseAddress = server.Address };
            return server;
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await _app.DisposeAsync();
        }

        private static string? Document(string path) => path switch
        {
            "/dicomweb/studies" => """[{"0020000D":{"vr":"UI","Value":["1.2"]}}]""",
            "/dicomweb/studies/1.2/series" => """[{"0020000E":{"vr":"UI","Value":["1.2.1"]},"00201209":{"vr":"IS","Value":[4]}}]""",
            "/dicomweb/studies/1.2/series/1.2.1/metadata" or "/dicomweb/studies/1.2/series/1.2.1/instances" =>
                "[" + string.Join(',', Enumerable.Range(1, 4).Select(static i => $$$"""{"00080018":{"vr":"UI","Value":["1.2.1.{{{i}}}"]},"00200013":{"vr":"IS","Value":[{{{i}}}]},"00280010":{"vr":"US","Value":[4]}}""")) + "]",
            _ => null,
        };
    }
}
