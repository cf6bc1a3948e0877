using System.Globalization;
using Platform.Tests.Shared.Faults;

namespace Platform.HttpCache.Tests;

/// <summary>RFC 9111 4.2: how long an answer is fresh, and how old it is.</summary>
public class FreshnessTests
{
    /// <summary>Whether a second request is answered from the store so many seconds later; <c>{s}</c> in a line is a date s seconds from the answer's moment.</summary>
    [Theory]
    // 4.2.1: the lifetime
    [InlineData(true, 10, "Cache-Control: max-age=60")]
    [InlineData(false, 61, "Cache-Control: max-age=60")]
    [InlineData(false, 1, "Cache-Control: max-age=0")]
    [InlineData(true, 10, "Cache-Control: MaX-aGe=60")]
    [InlineData(true, 10, "Cache-Control: max-age=\"60\"")]
    [InlineData(true, 10, "Cache-Control: foobar, max-age=0060")]
    [InlineData(true, 1000000, "Cache-Control: max-age=99999999999999999999")]       // 1.2.2: too large is 2^31
    [InlineData(false, 1, "Cache-Control: max-age=-60")]                             // 4.2.1: what is invalid is stale
    [InlineData(false, 1, "Cache-Control: max-age='60'")]
    [InlineData(false, 1, "Cache-Control: max-age=60.5")]
    [InlineData(false, 1, "Cache-Control: max-age=60a")]
    [InlineData(false, 1, "Cache-Control: max-age =60")]                             // 5.2: no space around "="
    [InlineData(false, 10, "Cache-Control: extension=\"max-age=60\", max-age=1")]
    [InlineData(false, 10, "Cache-Control: max-age=1", "Cache-Control: max-age=60")] // the first counts
    [InlineData(true, 10, "Cache-Control: max-age=1, s-maxage=60")]                  // 5.2.2.10
    [InlineData(false, 10, "Cache-Control: max-age=60", "Cache-Control: s-maxage=1")]
    [InlineData(true, 10, "Expires: {60}")]
    [InlineData(false, 61, "Expires: {60}")]
    [InlineData(false, 1, "Expires: {0}")]
    [InlineData(false, 1, "Expires: 0")]                                             // 5.3
    [InlineData(false, 1, "Expires: Thu, 18 Aug 2050 02:01:18 UTC")]
    [InlineData(false, 1, "Expires: {60}", "Expires: {60}")]
    [InlineData(true, 10, "Expires: Thu, 18 Aug 2050 02:01:18 GMT")]
    [InlineData(true, 10, "Expires: Thursday, 18-Aug-50 02:01:18 GMT")]
    [InlineData(true, 10, "Expires: Thu Aug 18 02:01:18 2050")]
    [InlineData(true, 10, "Expires: {-60}", "Cache-Control: max-age=60")]            // max-age goes before
    [InlineData(false, 1, "Expires: {60}", "Cache-Control: max-age=0")]
    [InlineData(false, 1, "Date: {400}", "Expires: {300}")]
    [InlineData(true, 5, "Date: nonsense", "Expires: {60}")]
    // 4.2.2: the heuristic is a tenth of the time since the last change
    [InlineData(true, 50, "Date: {0}", "Last-Modified: {-1000}")]
    [InlineData(false, 150, "Date: {0}", "Last-Modified: {-1000}")]
    [InlineData(false, 90000, "Date: {0}", "Last-Modified: {-100000000}")]           // at most a day
    [InlineData(false, 1, "Date: {0}", "Last-Modified: {100}")]
    [InlineData(false, 1)]                                                           // nothing said, nothing guessed
    // 4.2.3: the age
    [InlineData(false, 1, "Cache-Control: max-age=3600", "Age: 7200")]
    [InlineData(true, 1, "Cache-Control: max-age=3600", "Age: 1800")]
    [InlineData(true, 1, "Cache-Control: max-age=3600", "Age: nonsense")]
    [InlineData(true, 1, "Cache-Control: max-age=3600", "Age: -7200")]
    [InlineData(true, 1, "Cache-Control: max-age=3600", "Age: 7200.0")]
    [InlineData(false, 1, "Cache-Control: max-age=3600", "Age: 2147483649")]
    [InlineData(false, 1, "Cache-Control: max-age=3600", "Age: 7200, 0")]            // 5.1: the first
    [InlineData(true, 1, "Cache-Control: max-age=3600", "Age: 0", "Age: 7200")]
    [InlineData(false, 1, "Cache-Control: max-age=3600", "Date: {-7200}")]           // apparent age
    [InlineData(true, 1, "Cache-Control: max-age=3600", "Date: {7200}")]
    // RFC 9213: targeted cache control
    [InlineData(true, 10, "CDN-Cache-Control: max-age=60", "Cache-Control: no-store")]
    [InlineData(false, 10, "CDN-Cache-Control: max-age=1", "Cache-Control: max-age=60")]
    [InlineData(false, 1, "CDN-Cache-Control: max-age=0", "Expires: {60}")]
    [InlineData(false, 1, "CDN-Cache-Control: no-store", "Cache-Control: max-age=60")]
    [InlineData(true, 10, "CDN-Cache-Control: max-age=60, no-store=?0")]
    [InlineData(true, 10, "CDN-Cache-Control: max-age=1, &&&", "Cache-Control: max-age=60")]         // not well-formed: ignored
    [InlineData(true, 10, "CDN-Cache-Control: max-age=\"1\"", "Cache-Control: max-age=60")]
    [InlineData(true, 10, "CDN-Cache-Control: MaX-aGe=1", "Cache-Control: max-age=60")]
    public async Task Get_AfterSomeTime_IsFreshOrNot(bool isFresh, int seconds, params string[] lines)
    {
        await using var host = Dated(lines);
        await host.GetAsync();
        host.Time.Move(TimeSpan.FromSeconds(seconds));
        var again = await host.GetAsync();
        Assert.Equal("body", again.Text);
        Assert.Equal(isFresh ? 1 : 2, host.Asked);
        Assert.Equal(isFresh, again.IsHit);
    }

    /// <summary>RFC 9110 15.1: without a lifetime only these are reused, by the heuristic.</summary>
    [Theory]
    [InlineData(true, 200), InlineData(true, 203), InlineData(true, 204), InlineData(true, 404), InlineData(true, 405), InlineData(true, 410), InlineData(true, 414), InlineData(true, 501)]
    [InlineData(false, 201), InlineData(false, 202), InlineData(false, 302), InlineData(false, 403), InlineData(false, 500), InlineData(false, 502), InlineData(false, 503), InlineData(false, 599)]
    public async Task Get_StatusWithoutLifetime_IsReusedWhereTheHeuristicAllows(bool isReused, int status)
    {
        await using var host = Dated(["Date: {0}", "Last-Modified: {-86400}"], status);
        await host.GetAsync();
        var again = await host.GetAsync();
        Assert.Equal(status, again.Status);
        Assert.Equal(isReused, again.IsHit);
    }

    [Theory]
    [InlineData(200), InlineData(203), InlineData(204), InlineData(299), InlineData(301), InlineData(302), InlineData(307), InlineData(308), InlineData(400), InlineData(404), InlineData(410), InlineData(499), InlineData(500), InlineData(503), InlineData(599)]
    public async Task Get_AnyFinalStatusWithLifetime_IsReused(int status)
    {
        await using var host = Dated(["Cache-Control: max-age=60"], status);
        await host.GetAsync();
        var again = await host.GetAsync();
        Assert.Equal(status, again.Status);
        Assert.True(again.IsHit);
    }

    [Fact]
    public async Task Get_Hit_TellsItsAge()     // 5.1
    {
        await using var host = Dated(["Cache-Control: max-age=600", "Date: {0}", "Age: 30"]);
        Assert.Equal("30", (await host.GetAsync())["Age"]);
        host.Time.Move(TimeSpan.FromSeconds(100));
        var again = await host.GetAsync();
        Assert.InRange(int.Parse(again["Age"]!, CultureInfo.InvariantCulture), 130, 160);
        Assert.Matches("^platform; hit; ttl=4[4-7][0-9]; detail=memory$", again["Cache-Status"]);
    }

    [Fact]
    public async Task Get_Hit_KeepsTheDateAndEveryLine()
    {
        await using var host = Dated(["Cache-Control: max-age=600", "Date: {-5}", "X-Odd:  a, b;;=", "X-Odd: \"c", "Set-Cookie: a=b", "Set-Cookie: c=d", "Last-Modified: nonsense", "Content-Language: xx-nonsense", "X-Octets: \u00fc\u00ff"]);
        var first = await host.GetAsync();
        host.Time.Move(TimeSpan.FromSeconds(100));
        var again = await host.GetAsync();
        Assert.True(again.IsHit);
        foreach (var name in (string[])["Date", "X-Odd", "Set-Cookie", "Last-Modified", "Content-Language"]) Assert.Equal(first[name], again[name]);
        Assert.Equal("a, b;;=, \"c", again["X-Odd"]);
        Assert.Equal("\u00fc\u00ff", again["X-Octets"]);
    }

    [Fact]
    public async Task Get_WithoutDate_GetsThatOfItsArrival()     // RFC 9110 6.6.1
    {
        await using var host = Dated(["Cache-Control: max-age=600"]);
        await host.GetAsync();
        var arrived = host.Time.GetUtcNow();
        host.Time.Move(TimeSpan.FromSeconds(100));
        var date = DateTimeOffset.Parse((await host.GetAsync())["Date"]!, CultureInfo.InvariantCulture);
        Assert.InRange((arrived - date).TotalSeconds, -2, 20);
    }

    [Fact]
    public async Task Get_ClockSetBack_AsksAgain()
    {
        await using var host = Dated(["Cache-Control: max-age=60"]);
        await host.GetAsync();
        host.Time.Move(TimeSpan.FromDays(-30));
        Assert.False((await host.GetAsync()).IsHit);
        Assert.Equal(2, host.Asked);
    }

    [Fact]
    public async Task Get_PolicyTtl_GoesBeforeWhatTheOriginSays()
    {
        var options = new HttpCacheOptions { Name = "test", Freshness = new HttpFreshness { Ttl = TimeSpan.FromMinutes(10) } };
        await using var host = new CacheHost(_ => OriginReply.Of(200, "x", "Cache-Control: max-age=1"), options);
        await host.GetAsync();
        host.Time.Move(TimeSpan.FromMinutes(9));
        Assert.True((await host.GetAsync()).IsHit);
        host.Time.Move(TimeSpan.FromMinutes(2));
        Assert.False((await host.GetAsync()).IsHit);
    }

    [Fact]
    public async Task Get_PolicyChangesAtRunTime_CountsAtOnce()
    {
        var policy = new HttpFreshness();
        await using var host = new CacheHost(_ => OriginReply.Of(200, "x", "Cache-Control: max-age=10"), new HttpCacheOptions { Name = "test", LiveFreshness = () => policy });
        await host.GetAsync();
        host.Time.Move(TimeSpan.FromSeconds(100));
        policy = new HttpFreshness { Ttl = TimeSpan.FromHours(1) };
        Assert.True((await host.GetAsync()).IsHit);
        policy = new HttpFreshness();
        Assert.False((await host.GetAsync()).IsHit);
    }

    [Fact]
    public async Task Get_NotFound_IsBelievedForTheNegativeTtl()
    {
        var options = new HttpCacheOptions { Name = "test", Freshness = new HttpFreshness { NegativeTtl = TimeSpan.FromSeconds(100) } };
        await using var host = new CacheHost(_ => OriginReply.Of(404, "none"), options);
        await host.GetAsync();
        host.Time.Move(TimeSpan.FromSeconds(50));
        Assert.True((await host.GetAsync()).IsHit);
        host.Time.Move(TimeSpan.FromSeconds(60));
        Assert.False((await host.GetAsync()).IsHit);
    }

    /// <summary>An origin whose lines hold dates that are reckoned when it is asked.</summary>
    private static CacheHost Dated(string[] lines, int status = 200)
    {
        MovedTime? time = null;
        var host = new CacheHost(_ => OriginReply.Of(status, status == 204 ? "" : "body", [.. lines.Select(line => WithDate(line, time!))]));
        time = host.Time;
        return host;
    }

    private static string WithDate(string line, MovedTime time)
    {
        var open = line.IndexOf('{');
        return open < 0 ? line : line[..open] + time.Date(int.Parse(line[(open + 1)..line.IndexOf('}')], CultureInfo.InvariantCulture));
    }
}
