using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Text;
using ImageApi.Origins;
using ImageApi.Origins.Outbound;
using ImageApi.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Origins.Outbound;

/// <summary>The road to an origin, against real servers on loopback: each rule by itself.</summary>
public sealed class OriginHttpTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly OriginHealthBoard _health = new(TimeProvider.System);

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task Send_CredentialsAreConfigured_AreSentAndNothingOfTheCallersIs()
    {
        var seen = new Dictionary<string, string>();
        await using var server = await LoopbackServer.StartAsync(context =>
        {
            foreach (var (name, value) in context.Request.Headers) seen[name] = value.ToString();
            return Task.CompletedTask;
        });
        var options = Options(server.Url);
        (options.Username, options.Password) = ("reader", "sésame");
        options.Headers["X-Api-Key"] = "k1";
        using var http = Open(options);
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Url + "/a");
        foreach (var (name, value) in new[] { ("Authorization", "Bearer caller"), ("Cookie", "session=caller"), ("X-Api-Key", "caller"), ("X-Other", "passes") }) request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await http.SendAsync(request, CancellationToken.None);

        Assert.Equal("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("reader:sésame")), seen["Authorization"]);
        Assert.Equal("k1", seen["X-Api-Key"]);
        Assert.Equal("passes", seen["X-Other"]);
        Assert.False(seen.ContainsKey("Cookie"));
        // What a cache above sees of the request afterwards holds no secret.
        Assert.Null(answer.RequestMessage!.Headers.Authorization);
        Assert.False(answer.RequestMessage.Headers.Contains("X-Api-Key"));
    }

    [Fact]
    public async Task Send_ToAnotherHostOrPort_IsRefusedBeforeAnythingLeaves()
    {
        var asked = 0;
        await using var other = await LoopbackServer.StartAsync(_ => { Interlocked.Increment(ref asked); return Task.CompletedTask; });
        await using var server = await LoopbackServer.StartAsync(static _ => Task.CompletedTask);
        using var http = Open(Options(server.Url));
        foreach (var elsewhere in new[] { other.Url, $"http://localhost:{server.Port}", $"https://127.0.0.1:{server.Port}" })
            Assert.Equal(OriginFailure.Refused, (await FailAsync(http, elsewhere + "/x")).Failure);
        Assert.Equal(0, asked);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/elsewhere", false)]
    [InlineData("http://localhost/elsewhere", false)]
    [InlineData("//169.254.169.254/latest", false)]
    [InlineData("/b", true)]
    public async Task Send_ARedirect_IsNeverFollowed_AndRefusedWhenItLeadsElsewhere(string location, bool isHandedUp)
    {
        var asked = 0;
        await using var server = await LoopbackServer.StartAsync(context =>
        {
            Interlocked.Increment(ref asked);
            context.Response.StatusCode = StatusCodes.Status302Found;
            context.Response.Headers.Location = location;
            return Task.CompletedTask;
        });
        using var http = Open(Options(server.Url));
        if (isHandedUp)
        {
            using var answer = await GetAsync(http, server.Url + "/a");
            Assert.Equal(HttpStatusCode.Found, answer.StatusCode);
        }
        else
        {
            Assert.Equal(OriginFailure.Refused, (await FailAsync(http, server.Url + "/a")).Failure);
        }
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task Send_HttpsThatRedirectsToPlainHttp_IsRefused()
    {
        using var authority = new TestAuthority();
        await using var server = await LoopbackServer.StartAsync(context =>
        {
            context.Response.Redirect($"http://127.0.0.1:{context.Request.Host.Port}/a");
            return Task.CompletedTask;
        }, authority.Issue("127.0.0.1"));
        using var folder = new TempFolder();
        using var http = Open(Trusting(server, authority, folder));
        Assert.Equal(OriginFailure.Refused, (await FailAsync(http, server.Url + "/a")).Failure);
    }

    [Fact]
    public async Task Send_Https_IsTrustedByItsAuthorityOnly_AndForItsNameOnly()
    {
        using var authority = new TestAuthority();
        using var stranger = new TestAuthority();
        using var folder = new TempFolder();
        await using var server = await LoopbackServer.StartAsync(static context => context.Response.WriteAsync("trusted"), authority.Issue("127.0.0.1"));
        await using var misnamed = await LoopbackServer.StartAsync(static context => context.Response.WriteAsync("misnamed"), authority.Issue("other.example"));

        using (var http = Open(Trusting(server, authority, folder)))
        using (var answer = await GetAsync(http, server.Url + "/a"))
            Assert.Equal("trusted", await answer.Content.ReadAsStringAsync());
        using (var http = Open(Trusting(server, stranger, folder)))
            Assert.Equal(OriginFailure.Refused, (await FailAsync(http, server.Url + "/a")).Failure);
        using (var http = Open(Trusting(misnamed, authority, folder)))
            Assert.Equal(OriginFailure.Refused, (await FailAsync(http, misnamed.Url + "/a")).Failure);
        using (var http = Open(Options(server.Url)))   // the system's own list does not know the authority
            Assert.Equal(OriginFailure.Refused, (await FailAsync(http, server.Url + "/a")).Failure);
    }

    [Theory]
    [InlineData("10.0.0.0/8", false)]
    [InlineData("127.0.0.2", false)]
    [InlineData("::1", false)]
    [InlineData("127.0.0.0/8", true)]
    public async Task Send_AllowListOfAddresses_IsHeldToWhatTheNameResolvesTo(string allowed, bool isAllowed)
    {
        await using var server = await LoopbackServer.StartAsync(static context => context.Response.WriteAsync("in"));
        var options = Options($"http://localhost:{server.Port}");
        options.AllowedAddresses.Add(allowed);
        using var http = Open(options);
        if (isAllowed)
        {
            using var answer = await GetAsync(http, $"http://localhost:{server.Port}/a");
            Assert.Equal("in", await answer.Content.ReadAsStringAsync());
        }
        else
        {
            Assert.Equal(OriginFailure.Refused, (await FailAsync(http, $"http://localhost:{server.Port}/a")).Failure);
        }
    }

    [Fact]
    public async Task Send_PlainHttpBeyondLoopback_IsRefusedUnlessConfigured()
    {
        // 192.0.2.0/24 is for documentation (RFC 5737): nothing answers there.
        var options = Options("http://192.0.2.1");
        (options.TryTimeout, options.TotalTimeout, options.Retries) = (TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(200), 0);
        using (var http = Open(options)) Assert.Equal(OriginFailure.Refused, (await FailAsync(http, "http://192.0.2.1/a")).Failure);
        options.AllowPlainHttp = true;
        using (var http = Open(options)) Assert.NotEqual(OriginFailure.Refused, (await FailAsync(http, "http://192.0.2.1/a")).Failure);
    }

    [Fact]
    public async Task Send_BurstOfErrors_IsTriedAgainUntilItIsOver()
    {
        var asked = 0;
        await using var server = await LoopbackServer.StartAsync(context =>
        {
            context.Response.StatusCode = Interlocked.Increment(ref asked) switch { 1 => 500, 2 => 503, _ => 200 };
            return Task.CompletedTask;
        });
        using var http = Open(Options(server.Url));
        using var answer = await GetAsync(http, server.Url + "/a");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task Send_MethodThatIsNotSafe_IsSentOnce()
    {
        var asked = 0;
        await using var server = await LoopbackServer.StartAsync(context =>
        {
            Interlocked.Increment(ref asked);
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        using var http = Open(Options(server.Url));
        using var request = new HttpRequestMessage(HttpMethod.Post, server.Url + "/a") { Content = new StringContent("x") };
        using var answer = await http.SendAsync(request, CancellationToken.None);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(1, asked);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(60, 1)]
    public async Task Send_RetryAfter_IsKept_OrHandedUpWhenItIsLong(int seconds, int expected)
    {
        var times = new List<long>();
        await using var server = await LoopbackServer.StartAsync(context =>
        {
            lock (times) times.Add(Stopwatch.GetTimestamp());
            context.Response.StatusCode = times.Count == 1 ? 503 : 200;
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            return Task.CompletedTask;
        });
        using var http = Open(Options(server.Url));
        using var answer = await GetAsync(http, server.Url + "/a");
        Assert.Equal(expected, times.Count);
        if (expected == 2) Assert.True(Stopwatch.GetElapsedTime(times[0], times[1]) > TimeSpan.FromSeconds(0.9));
        else Assert.Equal(TimeSpan.FromSeconds(60), answer.Headers.RetryAfter!.Delta);
    }

    [Fact]
    public async Task Send_MoreThanTheLimit_WaitForTheirTurn_BodiesIncluded()
    {
        var (now, most) = (0, 0);
        await using var server = await LoopbackServer.StartAsync(async context =>
        {
            InterlockedMax(ref most, Interlocked.Increment(ref now));
            await context.Response.WriteAsync("first ");
            await context.Response.Body.FlushAsync();
            await Task.Delay(20);
            await context.Response.WriteAsync("last");
            Interlocked.Decrement(ref now);
        });
        var options = Options(server.Url);
        options.MaxConcurrency = 3;
        using var http = Open(options);
        var bodies = await Task.WhenAll(Enumerable.Range(0, 30).Select(async _ =>
        {
            using var answer = await GetAsync(http, server.Url + "/a");
            return await answer.Content.ReadAsStringAsync();
        }));
        Assert.All(bodies, body => Assert.Equal("first last", body));
        Assert.InRange(most, 2, 3);
    }

    [Fact]
    public async Task Send_AnswerThatIsNotRead_GivesItsTurnBackWhenDisposed()
    {
        await using var server = await LoopbackServer.StartAsync(static context => context.Response.WriteAsync(new string('x', 100_000)));
        var options = Options(server.Url);
        options.MaxConcurrency = 1;
        using var http = Open(options);
        for (var i = 0; i < 5; i++) (await GetAsync(http, server.Url + "/a")).Dispose();
    }

    [Fact]
    public async Task Send_SilentServer_TimesOutPerTryAndInTotal()
    {
        var asked = 0;
        await using var server = await LoopbackServer.StartAsync(async context =>
        {
            Interlocked.Increment(ref asked);
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        var options = Options(server.Url);
        (options.TryTimeout, options.TotalTimeout, options.Retries) = (TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(20), 2);
        using (var http = Open(options)) Assert.Equal(OriginFailure.Timeout, (await FailAsync(http, server.Url + "/a")).Failure);
        Assert.InRange(asked, 1, 3);   // a try may be over before a busy server has seen it

        (options.TryTimeout, options.TotalTimeout, options.Retries) = (TimeSpan.FromMilliseconds(400), TimeSpan.FromMilliseconds(600), 10);
        using (var http = Open(options)) Assert.Equal(OriginFailure.Timeout, (await FailAsync(http, server.Url + "/a")).Failure);
        Assert.InRange(asked, 1, 5);
    }

    [Fact]
    public async Task Read_BodyThatFallsSilent_FailsAsATimeout()
    {
        await using var server = await LoopbackServer.StartAsync(async context =>
        {
            await context.Response.WriteAsync("some");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        var options = Options(server.Url);
        options.TryTimeout = TimeSpan.FromMilliseconds(300);
        using var http = Open(options);
        using var answer = await GetAsync(http, server.Url + "/a");
        var exception = await Assert.ThrowsAnyAsync<Exception>(() => answer.Content.ReadAsByteArrayAsync());
        Assert.Equal(OriginFailure.Timeout, OriginFailures.From(exception).Failure);
    }

    [Fact]
    public async Task Read_BodyThatCrawls_IsGivenUp()
    {
        await using var server = await LoopbackServer.StartAsync(async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync("x");
                await context.Response.Body.FlushAsync();
                await Task.Delay(50);
            }
        });
        var options = Options(server.Url);
        (options.TryTimeout, options.TotalTimeout) = (TimeSpan.FromMilliseconds(900), TimeSpan.FromSeconds(1));
        using var http = Open(options);
        using var answer = await GetAsync(http, server.Url + "/a");
        var exception = await Assert.ThrowsAnyAsync<Exception>(() => answer.Content.ReadAsByteArrayAsync());
        Assert.Equal(OriginFailure.Timeout, OriginFailures.From(exception).Failure);
    }

    [Fact]
    public async Task Read_BodyThatBreaksOff_Fails()
    {
        var isSeen = new TaskCompletionSource();
        await using var server = await LoopbackServer.StartAsync(async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("short");
            await context.Response.Body.FlushAsync();
            await isSeen.Task;
            context.Abort();
        });
        using var http = Open(Options(server.Url));
        using var answer = await GetAsync(http, server.Url + "/a");
        isSeen.SetResult();
        var exception = await Assert.ThrowsAnyAsync<Exception>(() => answer.Content.ReadAsByteArrayAsync());
        Assert.Equal(OriginFailure.Unreachable, OriginFailures.From(exception).Failure);
    }

    [Fact]
    public async Task Send_ServerThatFailsAgainAndAgain_IsLeftAloneForAWhile()
    {
        var asked = 0;
        await using var server = await LoopbackServer.StartAsync(context =>
        {
            Interlocked.Increment(ref asked);
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        var options = Options(server.Url);
        options.Retries = 0;
        using var http = Open(options);
        OriginHttpException? broken = null;
        for (var i = 0; i < 40 && broken is null; i++)
        {
            try
            {
                (await GetAsync(http, server.Url + "/a")).Dispose();
            }
            catch (OriginHttpException exception)
            {
                broken = exception;
            }
        }
        Assert.NotNull(broken);
        Assert.Equal(OriginFailure.Unreachable, broken.Failure);
        Assert.True(broken.RetryAfter > TimeSpan.Zero);
        var before = asked;
        await FailAsync(http, server.Url + "/a");
        Assert.Equal(before, asked);
        Assert.Equal(OriginState.Open, _health.Find("test")!.State);
    }

    [Fact]
    public async Task Health_CountsRequestsBytesAndFailures()
    {
        var fails = false;
        await using var server = await LoopbackServer.StartAsync(context =>
        {
            if (fails) context.Response.StatusCode = 500;
            return context.Response.WriteAsync("12345");
        });
        var options = Options(server.Url);
        options.Retries = 0;
        using var http = Open(options);
        Assert.Equal(OriginState.Unknown, _health.Find("test")!.State);
        for (var i = 0; i < 3; i++)
        {
            using var answer = await GetAsync(http, server.Url + "/a");
            await answer.Content.ReadAsByteArrayAsync();
        }
        var healthy = _health.Find("test")!;
        Assert.Equal((OriginState.Healthy, 3L, 0L, 15L), (healthy.State, healthy.Requests, healthy.Failures, healthy.Bytes));
        Assert.True(healthy.P50 > TimeSpan.Zero);
        fails = true;
        (await GetAsync(http, server.Url + "/a")).Dispose();
        var failing = _health.Find("test")!;
        Assert.Equal((OriginState.Failing, 4L, 1L, OriginFailure.Unreachable), (failing.State, failing.Requests, failing.Failures, failing.LastError!.Value));
    }

    [Fact]
    public async Task Send_DeadServer_IsUnreachable()
    {
        string url;
        await using (var server = await LoopbackServer.StartAsync(static _ => Task.CompletedTask)) url = server.Url;
        using var http = Open(Options(url));
        Assert.Equal(OriginFailure.Unreachable, (await FailAsync(http, url + "/a")).Failure);
    }

    [Fact]
    public async Task Send_CompressedBodyAndCookies_AreHandedUpAsTheyAre()
    {
        await using var server = await LoopbackServer.StartAsync(context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            context.Response.Headers.SetCookie = $"a={(context.Request.Headers.Cookie.Count > 0 ? "again" : "first")}";
            return context.Response.Body.WriteAsync(new byte[] { 0x1f, 0x8b, 1, 2, 3 }).AsTask();
        });
        using var http = Open(Options(server.Url));
        for (var i = 0; i < 2; i++)
        {
            using var answer = await GetAsync(http, server.Url + "/a");
            Assert.Equal([0x1f, 0x8b, 1, 2, 3], await answer.Content.ReadAsByteArrayAsync());
            Assert.Equal("a=first", answer.Headers.GetValues("Set-Cookie").Single());
            Assert.Equal("gzip", answer.Content.Headers.ContentEncoding.Single());
        }
    }

    private static OriginOptions Options(string url) => new() { Kind = OriginKinds.Http, Url = url, TryTimeout = TimeSpan.FromSeconds(10), TotalTimeout = TimeSpan.FromSeconds(20) };

    private static OriginOptions Trusting(LoopbackServer server, TestAuthority authority, TempFolder folder)
    {
        var options = Options(server.Url);
        options.CaFile = folder.Combine(Guid.NewGuid().ToString("N") + ".pem");
        File.WriteAllText(options.CaFile, authority.Pem);
        options.Retries = 0;
        return options;
    }

    private HttpMessageInvoker Open(OriginOptions options)
    {
        var http = new OriginHttp(_health, new OriginMetrics(_services.GetRequiredService<IMeterFactory>()), TimeProvider.System, NullLogger<OriginHttp>.Instance);
        return new HttpMessageInvoker(http.CreateHandler("test", options));
    }

    private static Task<HttpResponseMessage> GetAsync(HttpMessageInvoker http, string url) => http.SendAsync(new HttpRequestMessage(HttpMethod.Get, url), CancellationToken.None);

    private static async Task<OriginException> FailAsync(HttpMessageInvoker http, string url)
    {
        var exception = await Assert.ThrowsAsync<OriginHttpException>(() => GetAsync(http, url));
        return OriginFailures.From(exception);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (int seen; (seen = Volatile.Read(ref most)) < value;) Interlocked.CompareExchange(ref most, value, seen);
    }
}
