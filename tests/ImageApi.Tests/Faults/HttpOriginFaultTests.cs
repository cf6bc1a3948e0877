using System.Net;
using System.Text;
using ImageApi.Tests.Support;
using Platform.Tests.Shared.Faults;

namespace ImageApi.Tests.Faults;

/// <summary>A file server that lies, breaks off or falls silent: an honest error, or what was said before where that is allowed; never a wrong byte.</summary>
public sealed class HttpOriginFaultTests : IAsyncLifetime
{
    private const string Path = "/files/liar/a.bin";
    private const string Body = "0123456789";

    private RawHttpServer _origin = null!;
    private FaultProxy _proxy = null!;
    private ImageApiHost _host = null!;
    private Func<int, string> _answer = static _ => Good();
    private int _asked;

    public async Task InitializeAsync()
    {
        _origin = new RawHttpServer(_ => Encoding.Latin1.GetBytes(_answer(Interlocked.Increment(ref _asked))));
        _proxy = FaultProxy.Start(_origin.Port);
        _host = await ImageApiHost.StartAsync(static _ => { },
            ("ImageApi:Origins:liar:Kind", "http"),
            ("ImageApi:Origins:liar:Url", $"http://127.0.0.1:{_proxy.Port}/"),
            ("ImageApi:Origins:liar:TryTimeout", "00:00:01"),
            ("ImageApi:Origins:liar:TotalTimeout", "00:00:02"),
            ("ImageApi:Origins:liar:Freshness:StaleIfError", "01:00:00"),
            ("TieredCache:Disk:Path", ""));
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _proxy.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n0123456789")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 10\r\n\r\n0123456789")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n0123456789")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n0123456789")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 10\r\n\r\n0123456789")]
    [InlineData("HTTP/1.1 200 OK\r\n: no name\r\nContent-Length: 10\r\n\r\n0123456789")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:1/elsewhere\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 301 Moved\r\nLocation: http://example.invalid/\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("\0\0\0\0\0\0\0\0\r\n\r\n")]
    [InlineData("220 ftp.example.org ready\r\n\r\n")]
    [InlineData("")]
    public async Task GetFile_AnAnswerThatIsNoHttp_IsABadGatewayAndIsNotKept(string answer)
    {
        _answer = _ => answer;
        await AssertNotServedAsync();
        _answer = static _ => Good();
        await AssertServedSoonAsync();
    }

    [Fact]
    public async Task GetFile_AHeaderThatDoesNotEnd_IsABadGateway()
    {
        var endless = $"HTTP/1.1 200 OK\r\n{string.Concat(Enumerable.Range(0, 4000).Select(i => $"X-{i}: {new string('x', 60)}\r\n"))}Content-Length: 10\r\n\r\n{Body}";
        _answer = _ => endless;
        await AssertNotServedAsync();
    }

    [Fact]
    public async Task GetFile_ABodyThatIsShort_BreaksOffAndIsNotKept()
    {
        _answer = static _ => "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nCache-Control: max-age=3600\r\nContent-Length: 10\r\n\r\n01234";
        await AssertNotServedAsync();
        _answer = static _ => Good();
        await AssertServedSoonAsync();
    }

    [Fact]
    public async Task GetFile_ABodyThatIsLong_EndsWhereItsHeaderSaid()
    {
        _answer = static _ => "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 10\r\n\r\n0123456789and more";
        await AssertServedSoonAsync();
    }

    [Fact]
    public async Task GetFile_AnotherRangeThanAskedFor_IsNotTakenForIt()
    {
        _answer = static _ => "HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n56789";
        using var response = await _host.SendAsync(Path, ("Range", "bytes=0-4"));
        if (response.IsSuccessStatusCode) Assert.Equal("bytes 5-9/10", response.Header("Content-Range"));   // told as it is
        _answer = static _ => Good();
        await AssertServedSoonAsync();
    }

    [Fact]
    public async Task GetFile_SilenceBeforeTheHeader_IsAGatewayTimeout()
    {
        _proxy.ToClient.IsStalled = true;
        using var response = await _host.SendAsync(Path);
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.GatewayTimeout);
        Assert.NotNull(response.Headers.RetryAfter);
        _proxy.Heal();
        _proxy.ResetConnections();
        await AssertServedSoonAsync();
    }

    [Fact]
    public async Task GetFile_SilenceWithinTheBody_BreaksOffAndIsNotKept()
    {
        _answer = static _ => $"HTTP/1.1 200 OK\r\nETag: \"long\"\r\nCache-Control: max-age=3600\r\nContent-Length: 1000000\r\n\r\n{new string('x', 1_000_000)}";
        _proxy.ToClient.BytesPerSecond = 20_000;   // fast enough for the header, and then nothing
        var asking = AssertNotServedAsync();
        for (var waited = 0; _proxy.ToClient.Bytes == 0 && waited < 500; waited++) await Task.Delay(10);
        _proxy.ToClient.IsStalled = true;
        await asking;
        _proxy.Heal();
        _proxy.ResetConnections();
        _answer = static _ => Good();
        await AssertServedSoonAsync();
    }

    [Fact]
    public async Task GetFile_TwoErrorsAndThenAnAnswer_IsTheAnswer()
    {
        _answer = static asked => asked <= 2 ? Error() : Good();
        using var response = await _host.SendAsync(Path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Body, await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("errors")]
    [InlineData("away")]
    [InlineData("silent")]
    [InlineData("nonsense")]
    public async Task GetFile_TheOriginFailsAfterItAnsweredOnce_IsStaleAndSaysSo(string fault)
    {
        _answer = static _ => Good("max-age=0");
        await AssertServedSoonAsync();
        switch (fault)
        {
            case "errors": _answer = static _ => Error(); break;
            case "nonsense": _answer = static _ => "nonsense\r\n\r\n"; break;
            case "silent": _proxy.ToClient.IsStalled = true; break;
            default:
                _proxy.NewConnections = NewConnections.Reset;
                _proxy.ResetConnections();
                break;
        }
        using var response = await _host.SendAsync(Path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Body, await response.Content.ReadAsStringAsync());
        Assert.Contains("fwd=stale", response.Header("Cache-Status"), StringComparison.Ordinal);
        Assert.NotNull(response.Header("Age"));
    }

    [Fact]
    public async Task GetFile_TheFileChangesWithEveryRequest_RangesAreNeverOfTwoVersions()
    {
        _answer = static asked => $"HTTP/1.1 200 OK\r\nETag: \"v{asked}\"\r\nCache-Control: no-cache\r\nContent-Length: 20\r\n\r\n{new string((char)('a' + (asked % 26)), 20)}";
        for (var i = 0; i < 20; i++)
        {
            using var response = await _host.SendAsync(Path, ("Range", i % 2 == 0 ? "bytes=0-9" : "bytes=10-19"));
            var text = await response.Content.ReadAsStringAsync();
            var version = int.Parse(response.Header("ETag")![2..^1], System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(new string((char)('a' + (version % 26)), text.Length), text);
        }
    }

    private static string Good(string freshness = "max-age=3600") =>
        $"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nCache-Control: {freshness}\r\nDate: {TimeProvider.System.GetUtcNow():R}\r\nContent-Length: {Body.Length}\r\n\r\n{Body}";

    private static string Error() => "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";

    /// <summary>Either a gateway's error, or an answer that visibly breaks off.</summary>
    private async Task AssertNotServedAsync()
    {
        try
        {
            using var response = await _host.SendAsync(Path);
            Assert.True(response.StatusCode is HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout, $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
            await ProblemAnswer.AssertAsync(response, response.StatusCode);
        }
        catch (HttpRequestException)
        {
            // It had begun.
        }
    }

    private async Task AssertServedSoonAsync()
    {
        for (var waited = 0; ; waited++)
        {
            using var response = await _host.SendAsync(Path);
            if (response.StatusCode == HttpStatusCode.OK)
            {
                Assert.Equal(Body, await response.Content.ReadAsStringAsync());
                return;
            }
            Assert.True(waited < 150, $"It is still {(int)response.StatusCode} after 15 s.");
            await Task.Delay(100);   // a circuit breaker may be open
        }
    }
}
