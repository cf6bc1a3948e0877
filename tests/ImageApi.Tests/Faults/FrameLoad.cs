using System.Collections.Concurrent;
using System.Net;
using ImageApi.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Platform.TieredCache;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Faults;

/// <summary>Clients that ask a service for frames and metadata until they are stopped, and compare every answer with what it has to be.</summary>
internal sealed class FrameLoad : IAsyncDisposable
{
    private const int Clients = 6;

    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly Task _running;
    private long _answers;

    /// <param name="hosts">Asked in turn.</param>
    /// <param name="instances">What they hold.</param>
    public FrameLoad(IReadOnlyList<ImageApiHost> hosts, IReadOnlyList<DicomBuilder> instances)
    {
        var expected = instances.Select(builder => builder.NativeFrame(0)).ToArray();
        var metadata = new ConcurrentDictionary<int, byte[]>();
        _running = Task.WhenAll([.. Enumerable.Range(0, Clients).Select(seed => Task.Run(() => AskAsync(hosts, instances, expected, metadata, new Random(seed)))), Task.Run(() => ForgetAsync(hosts))]);
    }

    public long Answers => Interlocked.Read(ref _answers);

    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Waits until so many more answers have come.</summary>
    public async Task AdvanceAsync(int answers)
    {
        var target = Answers + answers;
        for (var waited = 0; Answers < target; waited++)
        {
            Assert.True(waited < 3000, $"Only {answers - (target - Answers)} of {answers} answers in 30 s.");
            await Task.Delay(10);
        }
    }

    /// <summary>Stops, and tells whether all answers were right.</summary>
    public async Task AssertAllRightAsync()
    {
        await DisposeAsync();
        Assert.Empty(_failures.Take(5));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    private async Task AskAsync(IReadOnlyList<ImageApiHost> hosts, IReadOnlyList<DicomBuilder> instances, byte[][] frames, ConcurrentDictionary<int, byte[]> metadata, Random random)
    {
        while (!_stop.IsCancellationRequested)
        {
            var (host, i, isFrame) = (hosts[random.Next(hosts.Count)], random.Next(instances.Count), random.Next(4) > 0);
            var url = SyntheticStudies.UrlOf(instances[i]) + (isFrame ? "/frames/1" : "/metadata");
            try
            {
                using var response = await host.SendAsync(url, ("Accept", isFrame ? "application/octet-stream;transfer-syntax=*" : "application/dicom+json"));
                var body = await response.Content.ReadAsByteArrayAsync();
                if (response.StatusCode != HttpStatusCode.OK) _failures.Enqueue($"{(int)response.StatusCode} for {url}");
                else if (isFrame && !body.AsSpan().SequenceEqual(frames[i])) _failures.Enqueue($"Wrong bytes for {url}: {response.Header("Cache-Status")}");
                else if (!isFrame && !body.AsSpan().SequenceEqual(metadata.GetOrAdd(i, body))) _failures.Enqueue($"Wrong document for {url}: {response.Header("Cache-Status")}");
            }
            catch (Exception exception)
            {
                _failures.Enqueue($"{exception.Message} for {url}");
            }
            Interlocked.Increment(ref _answers);
        }
    }

    /// <summary>Memory would answer everything soon: it is emptied all the time, so that the tiers beneath it have to.</summary>
    private async Task ForgetAsync(IReadOnlyList<ImageApiHost> hosts)
    {
        while (!_stop.IsCancellationRequested)
        {
            foreach (var host in hosts) await host.Services.GetRequiredService<ICacheAdministration>().ClearAsync(CacheScope.Tier(CacheTier.Memory), CancellationToken.None);
            await Task.Delay(20);
        }
    }
}
