using Platform.Tests.Shared.Faults;

namespace Platform.HttpCache.Tests;

/// <summary>RFC 9111 4.3: asking whether what is stored still holds, and being asked.</summary>
public class ValidationTests
{
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(100);

    [Theory]     // 4.3.1
    [InlineData("ETag: \"v1\"", "If-None-Match", "\"v1\"")]
    [InlineData("ETag: W/\"v1\"", "If-None-Match", "W/\"v1\"")]
    [InlineData("ETag: v1", "If-None-Match", "v1")]
    [InlineData("Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT", "If-Modified-Since", "Wed, 01 Jan 2020 00:00:00 GMT")]
    public async Task Get_Stale_AsksWithItsValidator(string validator, string field, string value)
    {
        await using var host = new CacheHost(request => request[field] == value ? new OriginReply(304, "Cache-Control: max-age=60", "X-New: 1") : OriginReply.Of(200, "body", "Cache-Control: max-age=10", validator));
        await host.GetAsync();
        host.Time.Move(Later);
        var again = await host.GetAsync();
        Assert.Equal(value, host.LastAsked[field]);
        Assert.Equal((200, "body", "1"), (again.Status, again.Text, again["X-New"]));
        Assert.Matches("^platform; fwd=stale; fwd-status=304; detail=\"origin test\"$", again["Cache-Status"]);
        // 4.3.4: the record is as new as the 304
        host.Time.Move(TimeSpan.FromSeconds(50));
        Assert.True((await host.GetAsync()).IsHit);
        Assert.Equal(2, host.Asked);
    }

    [Fact]
    public async Task Get_NotModified_UpdatesLinesButThoseOfTheBody()     // 3.2
    {
        await using var host = new CacheHost(request => request.Number == 1
            ? OriginReply.Of(200, "body", "Cache-Control: max-age=10", "ETag: \"v\"", "X-Kept: 1", "X-Both: old", "Content-Encoding: identity", "Content-Type: text/plain", "Age: 3")
            : new OriginReply(304, "Cache-Control: max-age=60", "ETag: \"v\"", "X-Both: new", "X-Both: newer", "Content-Length: 999", "Content-Encoding: gzip", "Content-Type: text/html", "Connection: X-Hop", "X-Hop: 1"));
        await host.GetAsync();
        host.Time.Move(Later);
        await host.GetAsync();
        var hit = await host.GetAsync();
        Assert.True(hit.IsHit);
        Assert.Equal(("1", "new, newer", "4", "identity", "text/html", null), (hit["X-Kept"], hit["X-Both"], hit["Content-Length"], hit["Content-Encoding"], hit["Content-Type"], hit["X-Hop"]));
        Assert.Equal("body", hit.Text);
    }

    [Fact]
    public async Task Get_NotModifiedAboutAnotherVersion_IsNotBelieved()     // 4.3.4
    {
        await using var host = new CacheHost(request => request.Number switch
        {
            1 => OriginReply.Of(200, "old", "Cache-Control: max-age=10", "ETag: \"v1\""),
            2 => new OriginReply(304, "ETag: \"v2\""),
            _ => OriginReply.Of(200, "new", "Cache-Control: max-age=10", "ETag: \"v2\""),
        });
        await host.GetAsync();
        host.Time.Move(Later);
        Assert.Equal("new", (await host.GetAsync()).Text);
        Assert.Null(host.LastAsked["If-None-Match"]);
        Assert.Equal("new", (await host.GetAsync()).Text);
        Assert.Equal(3, host.Asked);
    }

    [Fact]
    public async Task Get_StaleAndChanged_IsReplaced()
    {
        await using var host = new CacheHost(request => OriginReply.Of(200, $"body {request.Number}", "Cache-Control: max-age=60", $"ETag: \"{request.Number}\""));
        await host.GetAsync();
        host.Time.Move(Later);
        Assert.Equal("body 2", (await host.GetAsync()).Text);
        Assert.Equal("body 2", (await host.GetAsync()).Text);
        Assert.Equal(2, host.Asked);
    }

    [Theory]     // 4.3.3: the new answer holds, also where it may not be kept
    [InlineData(200, "Cache-Control: no-store"), InlineData(404, "Cache-Control: no-store"), InlineData(403, "X: y")]
    public async Task Get_StaleAndNewAnswerIsNotForTheStore_ForgetsTheOld(int status, string line)
    {
        await using var host = new CacheHost(request => request.Number == 1 ? OriginReply.Of(200, "old", "Cache-Control: max-age=10", "ETag: \"v\"") : OriginReply.Of(status, "new", line));
        await host.GetAsync();
        host.Time.Move(Later);
        Assert.Equal("new", (await host.GetAsync()).Text);
        await host.GetAsync();
        Assert.Null(host.LastAsked["If-None-Match"]);
    }

    [Theory]     // 4.3.2
    [InlineData(304, "If-None-Match: \"v\"")]
    [InlineData(304, "If-None-Match: W/\"v\"")]
    [InlineData(304, "If-None-Match: \"a,b\", \"v\", \"c\"")]
    [InlineData(304, "If-None-Match: *")]
    [InlineData(304, "If-None-Match: \"v\"", "If-Modified-Since: Wed, 01 Jan 2019 00:00:00 GMT")]     // RFC 9110 13.2.2: the tag goes before
    [InlineData(200, "If-None-Match: \"w\"", "If-Modified-Since: Wed, 01 Jan 2025 00:00:00 GMT")]
    [InlineData(200, "If-None-Match: \"a,v\"")]
    [InlineData(304, "If-Modified-Since: Wed, 01 Jan 2020 00:00:00 GMT")]
    [InlineData(304, "If-Modified-Since: Wednesday, 01-Jan-20 00:00:00 GMT")]
    [InlineData(200, "If-Modified-Since: Tue, 31 Dec 2019 23:59:59 GMT")]
    [InlineData(200, "If-Modified-Since: nonsense")]
    public async Task Get_Conditional_IsAnsweredFromTheStore(int status, params string[] lines)
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, "body", "Cache-Control: max-age=60", "ETag: \"v\"", "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT", "Content-Type: text/plain", "Vary: X"));
        await host.GetAsync();
        var answer = await host.GetAsync("a", lines);
        Assert.True(answer.IsHit);
        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 200 ? "body" : "", answer.Text);
        // RFC 9110 15.4.5: what a 304 repeats
        Assert.Equal(("\"v\"", "X", "max-age=60"), (answer["ETag"], answer["Vary"], answer["Cache-Control"]));
        Assert.Equal(status == 304, answer["Content-Type"] is null && answer["Content-Length"] is null);
        Assert.Equal(1, host.Asked);
    }

    [Fact]
    public async Task Get_ConditionalOnNothingStored_IsPassedOn()
    {
        await using var host = new CacheHost(_ => new OriginReply(304, "ETag: \"v\"", "Cache-Control: max-age=60"));
        Assert.Equal(304, (await host.GetAsync("a", "If-None-Match: \"v\"")).Status);
        Assert.Equal("\"v\"", host.LastAsked["If-None-Match"]);
        // Nothing to answer others from.
        await host.GetAsync("a", "If-None-Match: \"v\"");
        Assert.Equal(2, host.Asked);
    }

    [Fact]
    public async Task Get_ConditionalOnStaleThatHolds_IsNotModified()
    {
        await using var host = new CacheHost(request => request["If-None-Match"] is null ? OriginReply.Of(200, "body", "Cache-Control: max-age=10", "ETag: \"v\"") : new OriginReply(304));
        await host.GetAsync();
        host.Time.Move(Later);
        Assert.Equal(304, (await host.GetAsync("a", "If-None-Match: \"x\", \"v\"")).Status);
        Assert.Equal("\"v\"", host.LastAsked["If-None-Match"]);
    }

    [Theory]     // 4.3.2: conditions on the origin's state are the origin's to judge
    [InlineData("If-Match: \"other\""), InlineData("If-Unmodified-Since: Wed, 01 Jan 2019 00:00:00 GMT")]
    public async Task Get_ConditionForTheOrigin_ReachesIt(string line)
    {
        await using var host = new CacheHost(request => request.Number == 1 ? OriginReply.Of(200, "body", "Cache-Control: max-age=60") : new OriginReply(412));
        await host.GetAsync();
        Assert.Equal(412, (await host.GetAsync("a", line)).Status);
    }

    [Fact]
    public async Task Head_Fresh_IsAnsweredFromTheStore()
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, "body", "Cache-Control: max-age=60", "Content-Type: text/x"));
        await host.GetAsync();
        var head = await host.SendAsync(HttpMethod.Head, "a");
        Assert.True(head.IsHit);
        Assert.Equal((200, "", "text/x", "4"), (head.Status, head.Text, head["Content-Type"], head["Content-Length"]));
    }

    [Fact]
    public async Task Head_OfStale_UpdatesWhatIsStored()     // 4.3.5
    {
        await using var host = new CacheHost(request => request.Method == "HEAD"
            ? new OriginReply(200, "Cache-Control: max-age=600", "ETag: \"v\"", "X: new", "Content-Length: 4") : OriginReply.Of(200, "body", "Cache-Control: max-age=10", "ETag: \"v\"", "X: old"));
        await host.GetAsync();
        host.Time.Move(Later);
        Assert.False((await host.SendAsync(HttpMethod.Head, "a")).IsHit);
        var hit = await host.GetAsync();
        Assert.True(hit.IsHit);
        Assert.Equal(("new", "body"), (hit["X"], hit.Text));
    }

    [Theory]
    [InlineData("ETag: \"other\"", "Content-Length: 4"), InlineData("ETag: \"v\"", "Content-Length: 5")]
    public async Task Head_OfAnotherVersion_MakesTheStoredOneStale(params string[] lines)     // 4.3.5
    {
        await using var host = new CacheHost(request => request.Method == "HEAD" ? new OriginReply(200, [.. lines, "Cache-Control: max-age=600"]) : OriginReply.Of(200, "body", "Cache-Control: max-age=10", "ETag: \"v\""));
        await host.GetAsync();
        host.Time.Move(Later);
        await host.SendAsync(HttpMethod.Head, "a");
        Assert.False((await host.GetAsync()).IsHit);
        Assert.Equal(3, host.Asked);
    }
}
