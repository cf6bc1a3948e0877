using System.Net;
using ImageApi.Prefetch;
using ImageApi.Tests.Origins.S3;
using ImageApi.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Prefetch;

/// <summary>What is fetched ahead from an object store behind a proxy that can be slow.</summary>
public sealed class PrefetchServiceTests
{
    private const int Slices = 24;
    private const string Octets = "application/octet-stream;transfer-syntax=*";

    [ToolFact("s3rver")]
    public async Task AFrame_OfARemoteSeries_BringsTheRestAndIsCounted()
    {
        await using var s3 = await StartAsync();
        await GetFrameAsync(s3.Host, 10);
        await UntilAsync(() => Counts(s3).Completed == Slices - 1);
        for (var number = 1; number <= Slices; number++)
        {
            using var response = await GetFrameAsync(s3.Host, number);
            Assert.Equal("platform; hit; detail=memory", response.Header("Cache-Status"));
        }
        Assert.Equal((Slices - 1, 0), (Counts(s3).Used, Counts(s3).UnaskedBytes));
        var prefetch = (await (await s3.Host.SendAsync("/api/cache/stats")).JsonAsync()).GetProperty("prefetch");
        Assert.Equal(1, prefetch.GetProperty("hitRate").GetDouble());
        Assert.Equal(Slices - 1, prefetch.GetProperty("used").GetInt32());
        Assert.Equal((Slices - 1) * Slice(1).NativeFrame(0).Length, prefetch.GetProperty("usedBytes").GetInt64());
    }

    [ToolFact("s3rver")]
    public async Task AManifest_OfARemoteSeries_BringsItsFrames()
    {
        await using var s3 = await StartAsync();
        using var manifest = await s3.Host.SendAsync($"/api/series/{SyntheticStudies.Slices}/manifest");
        Assert.Equal(HttpStatusCode.OK, manifest.StatusCode);
        await UntilAsync(() => Counts(s3).Completed == Slices);
    }

    [Fact]
    public async Task AFrame_OfAFolder_BringsNothing()
    {
        await using var host = await ImageApiHost.StartAsync(Fill);
        await GetFrameAsync(host, 10);
        await Task.Delay(300);
        Assert.Equal(0, host.Services.GetRequiredService<PrefetchLedger>().Counts.Started);
    }

    [ToolFact("s3rver")]
    public async Task AFrame_WhereItIsSwitchedOff_BringsNothing()
    {
        await using var s3 = await StartAsync(("ImageApi:Prefetch:Enabled", "false"));
        await GetFrameAsync(s3.Host, 10);
        await Task.Delay(300);
        Assert.Equal(0, Counts(s3).Started);
    }

    [ToolFact("s3rver")]
    public async Task Fetches_OfASlowOrigin_StayWithinTheirShareAndLeavePeopleRoom()
    {
        await using var s3 = await StartAsync(("ImageApi:Origins:bucket:MaxConcurrency", "4"));
        await GetFrameAsync(s3.Host, 1);
        await UntilAsync(() => Counts(s3).Completed == Slices - 1);

        // Another series, and answers that do not come: what is under way stays under way.
        s3.Proxy.ToClient.IsStalled = true;
        var first = GetFrameAsync(s3.Host, 1, SyntheticStudies.MultiFrame);
        await UntilAsync(() => Service(s3).InFlight == 2);
        await Task.Delay(300);
        Assert.Equal(2, Service(s3).InFlight);

        // A person's request reaches the origin at once, whatever is being fetched ahead.
        var asked = s3.Proxy.ToServer.Bytes;
        var second = GetFrameAsync(s3.Host, 7, SyntheticStudies.MultiFrame);
        await UntilAsync(() => s3.Proxy.ToServer.Bytes > asked);
        s3.Proxy.Heal();
        await first;
        await second;
    }

    [ToolFact("s3rver")]
    public async Task Fetches_WithABudgetOfBytes_GoOneByOne()
    {
        await using var s3 = await StartAsync(("ImageApi:Prefetch:MaxBytesInFlight", "65536"), ("ImageApi:Origins:bucket:MaxConcurrency", "16"));
        s3.Proxy.ToClient.IsStalled = true;
        var first = GetFrameAsync(s3.Host, 1);
        var most = 0;
        await UntilAsync(() => Service(s3).InFlight > 0);
        for (var i = 0; i < 20; i++)
        {
            most = Math.Max(most, Service(s3).InFlight);
            await Task.Delay(10);
        }
        Assert.Equal(65536 / Slice(1).NativeFrame(0).Length, most);
        s3.Proxy.Heal();
        await first;
    }

    [ToolFact("s3rver")]
    public async Task Fetches_ThatNobodyAsksFor_StopAtTheirShareOfTheTiers()
    {
        await using var s3 = await StartAsync(("ImageApi:Prefetch:MemoryShare", "0.001"), ("TieredCache:Disk:Path", ""));   // 64 KB of 64 MB
        await GetFrameAsync(s3.Host, 1);
        await UntilAsync(() => Counts(s3).UnaskedBytes > 60_000);
        await Task.Delay(300);
        Assert.InRange(Counts(s3).Completed, 2, 6);
        for (var number = 2; number <= Slices; number++) await GetFrameAsync(s3.Host, number);   // asked for: there is room again
        Assert.True(Counts(s3).Used >= 2);
    }

    [ToolFact("s3rver")]
    public async Task Fetches_OfASeriesThatNobodyLooksAtAnyMore_AreCancelled()
    {
        await using var s3 = await StartAsync(("ImageApi:Prefetch:IdleTime", "00:00:00.300"));
        s3.Proxy.ToClient.IsStalled = true;
        using var leaving = new CancellationTokenSource();
        var asking = s3.Host.Client.GetAsync(Url(1), leaving.Token);
        await UntilAsync(() => Service(s3).InFlight > 0);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await UntilAsync(() => Service(s3).InFlight == 0);
        var started = Counts(s3).Started;
        s3.Proxy.Heal();
        await Task.Delay(300);
        Assert.Equal((started, 0), (Counts(s3).Started, Counts(s3).UnaskedBytes));
    }

    [ToolFact("s3rver")]
    public async Task Fetches_OfASeriesWhoseClientOpenedAnother_AreCancelledAndThatOneIsFetched()
    {
        await using var s3 = await StartAsync(("ImageApi:Prefetch:SwitchTime", "00:00:00.100"), ("ImageApi:Prefetch:MaxBytesInFlight", "65536"));
        s3.Proxy.ToClient.Delay = TimeSpan.FromMilliseconds(250);
        await GetFrameAsync(s3.Host, 1);
        await Task.Delay(150);
        for (var number = 1; number <= 7; number++) await GetFrameAsync(s3.Host, number, SyntheticStudies.MultiFrame);
        await UntilAsync(() => Service(s3).InFlight == 0);
        s3.Proxy.Heal();
        var completed = Counts(s3).Completed;
        Assert.True(completed < Slices - 1, $"{completed} frames were fetched.");
        await Task.Delay(300);
        Assert.Equal(completed, Counts(s3).Completed);
    }

    [ToolFact("s3rver")]
    public async Task WhatNobodyAskedFor_IsCountedAsWaste()
    {
        await using var s3 = await StartAsync(("ImageApi:Prefetch:WasteTime", "00:00:00.200"));
        await GetFrameAsync(s3.Host, 1);
        await UntilAsync(() => Counts(s3).Wasted == Slices - 1);
        Assert.Equal((Slices - 1) * Slice(1).NativeFrame(0).Length, Counts(s3).WastedBytes);
        Assert.Equal(0, Counts(s3).UnaskedBytes);
    }

    [ToolFact("s3rver")]
    public async Task Fetches_OfAnOriginThatFails_DoNotHammerIt()
    {
        await using var s3 = await StartAsync(("ImageApi:Origins:bucket:Retries", "0"));
        using (await GetFrameAsync(s3.Host, 1)) { }
        await UntilAsync(() => Counts(s3).Completed == Slices - 1);
        s3.Proxy.NewConnections = Platform.Tests.Shared.Faults.NewConnections.Reset;
        s3.Proxy.ResetConnections();
        using var failed = await s3.Host.SendAsync(Url(1, SyntheticStudies.MultiFrame), ("Accept", Octets));
        Assert.Equal(HttpStatusCode.BadGateway, failed.StatusCode);
        await Task.Delay(500);
        Assert.InRange(Counts(s3).Started, Slices - 1, Slices - 1 + 4);   // as many as may go at once
    }

    private static PrefetchService Service(S3Host s3) => s3.Host.Services.GetRequiredService<PrefetchService>();

    private static PrefetchCounts Counts(S3Host s3) => s3.Host.Services.GetRequiredService<PrefetchLedger>().Counts;

    private static Task<S3Host> StartAsync(params (string Name, string Value)[] settings) => S3Host.StartAsync(Fill, settings);

    private static DicomBuilder Slice(int number) => new() { InstanceUid = $"{SyntheticStudies.Slices}.{number}", InstanceNumber = number, Rows = 96, Columns = 96 };

    private static void Fill(string folder)
    {
        for (var number = 1; number <= Slices; number++) Slice(number).Save(Path.Combine(folder, $"slice{number}.dcm"));
        SyntheticStudies.Native.Save(Path.Combine(folder, "other.dcm"));
    }

    private static string Url(int number, string series = SyntheticStudies.Slices) => series == SyntheticStudies.Slices
        ? $"{SyntheticStudies.UrlOf(Slice(number))}/frames/1"
        : $"{SyntheticStudies.UrlOf(SyntheticStudies.Native)}/frames/{number}";

    private static async Task<HttpResponseMessage> GetFrameAsync(ImageApiHost host, int number, string series = SyntheticStudies.Slices)
    {
        var response = await host.SendAsync(Url(number, series), ("Accept", Octets));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(series == SyntheticStudies.Slices ? Slice(number).NativeFrame(0) : SyntheticStudies.Native.NativeFrame(number - 1), await response.Content.ReadAsByteArrayAsync());
        return response;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var waited = 0; !condition(); waited++)
        {
            Assert.True(waited < 1000, "It did not come to be in 10 s.");
            await Task.Delay(10);
        }
    }
}
