using System.Globalization;
using System.Net.Http.Headers;
using Platform.Tests.Shared.Faults;
using Platform.TieredCache;

namespace Platform.HttpCache.Tests;

/// <summary>The system's clock with a hand on it: timers run as they do, what time it is can be moved.</summary>
internal sealed class MovedTime : TimeProvider
{
    private long _moved;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Volatile.Read(ref _moved));

    public void Move(TimeSpan by) => Interlocked.Add(ref _moved, by.Ticks);

    /// <summary>A date as a header carries it.</summary>
    public string Date(double secondsFromNow = 0) => GetUtcNow().AddSeconds(secondsFromNow).ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>An answer read to its end.</summary>
internal sealed record Answer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => System.Text.Encoding.UTF8.GetString(Body);

    /// <summary>The lines of a field joined, or null.</summary>
    public string? this[string name] => Headers.GetValueOrDefault(name);

    public bool IsHit => this["Cache-Status"]!.StartsWith("platform; hit", StringComparison.Ordinal);
}

/// <summary>A cache over real tiers in front of a real origin that answers as the test says.</summary>
internal sealed class CacheHost : IAsyncDisposable
{
    private readonly HttpMessageInvoker _client;

    public CacheHost(Func<OriginRequest, OriginReply> answer, HttpCacheOptions? options = null, TieredCacheOptions? tiers = null)
        : this(request => Task.FromResult(answer(request)), options, tiers) { }

    public CacheHost(Func<OriginRequest, Task<OriginReply>> answer, HttpCacheOptions? options = null, TieredCacheOptions? tiers = null)
    {
        Origin = new ScriptedOrigin(answer);
        Cache = new TieredCache.TieredCache(tiers ?? new TieredCacheOptions { Memory = { CapacityBytes = 32 << 20 } }, null, Time);
        Handler = Connect(options);
        _client = new HttpMessageInvoker(Handler, disposeHandler: false);
    }

    public MovedTime Time { get; } = new();

    public ScriptedOrigin Origin { get; }

    public TieredCache.TieredCache Cache { get; }

    public HttpCacheHandler Handler { get; }

    public int Asked => Origin.Requests.Count;

    public OriginRequest LastAsked => Origin.Requests[^1];

    /// <summary>A further handler over the same tiers, as another service of the same folder would have.</summary>
    public HttpCacheHandler Connect(HttpCacheOptions? options = null) => new(Cache, Cache.Records, options ?? new HttpCacheOptions { Name = "test" }, Time)
    {
        InnerHandler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(10) },
    };

    /// <summary>Asks for the first bytes of an answer: the caller reads and disposes it.</summary>
    public async Task<HttpResponseMessage> OpenAsync(HttpMethod method, string path, CancellationToken cancellationToken, params string[] lines)
    {
        var request = new HttpRequestMessage(method, new Uri(Origin.Address, path));
        foreach (var line in lines)
        {
            var colon = line.IndexOf(':');
            Assert.True(request.Headers.TryAddWithoutValidation(line[..colon], line[(colon + 1)..].Trim()));
        }

        return await _client.SendAsync(request, cancellationToken);
    }

    public Task<Answer> GetAsync(string path = "a", params string[] lines) => SendAsync(HttpMethod.Get, path, lines);

    public async Task<Answer> SendAsync(HttpMethod method, string path, params string[] lines)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var response = await OpenAsync(method, path, patience.Token, lines);
        return await ReadAsync(response, patience.Token);
    }

    public static async Task<Answer> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (HttpHeaders fields in (HttpHeaders[])[response.Headers, response.Content.Headers])
            foreach (var (name, values) in fields.NonValidated) headers[name] = string.Join(", ", values);
        return new Answer((int)response.StatusCode, headers, await response.Content.ReadAsByteArrayAsync(cancellationToken));
    }

    /// <summary>Waits for what happens behind an answer's back.</summary>
    public static async Task EventuallyAsync(Func<bool> condition)
    {
        for (var i = 0; !condition(); i++)
        {
            Assert.True(i < 500, "It did not happen within 10 s.");
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        Handler.Dispose();
        await Origin.DisposeAsync();
        await Cache.DisposeAsync();
    }
}
