using System.Globalization;
using System.Text;
using Platform.HttpCache.Fields;
using Platform.Tests.Shared.Faults;

namespace Platform.HttpCache.Tests;

/// <summary>RFC 9111 3.3, 3.4 and RFC 9110 14: ranges of whole and of partial stored answers, under one strong validator.</summary>
public class RangeTests
{
    private const string Body = "0123456789abcdefghij";

    [Theory]
    [InlineData("bytes=0-1", "01", "bytes 0-1/20")]
    [InlineData("bytes=18-", "ij", "bytes 18-19/20")]
    [InlineData("bytes=-3", "hij", "bytes 17-19/20")]
    [InlineData("bytes=5-5", "5", "bytes 5-5/20")]
    [InlineData("bytes=15-99999999999999999999", "fghij", "bytes 15-19/20")]
    [InlineData("BYTES= 1 - 2", "12", "bytes 1-2/20")]
    [InlineData("bytes=-999", Body, "bytes 0-19/20")]
    public async Task Get_RangeOfWhole_IsServedFromTheStore(string range, string expected, string contentRange)
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, Body, "Cache-Control: max-age=60", "X: 1"));
        await host.GetAsync();
        var answer = await host.GetAsync("a", $"Range: {range}");
        Assert.True(answer.IsHit);
        Assert.Equal((206, expected, contentRange, expected.Length.ToString(CultureInfo.InvariantCulture), "1"), (answer.Status, answer.Text, answer["Content-Range"], answer["Content-Length"], answer["X"]));
    }

    [Theory]
    [InlineData("bytes=0-1,3-4"), InlineData("bytes=5-4"), InlineData("bytes="), InlineData("bytes=a-b"), InlineData("lines=1-2"), InlineData("bytes=-")]
    public async Task Get_SeveralOrNoRange_IsTheWhole(string range)     // 14.2
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, Body, "Cache-Control: max-age=60"));
        Assert.Equal((200, Body), Of(await host.GetAsync("a", $"Range: {range}")));
        Assert.Null(host.LastAsked["Range"]);
        Assert.Equal((200, Body), Of(await host.GetAsync("a", $"Range: {range}")));
        Assert.Equal(1, host.Asked);
    }

    [Theory]
    [InlineData("bytes=20-"), InlineData("bytes=99-100"), InlineData("bytes=-0")]
    public async Task Get_RangeBeyondTheEnd_Is416(string range)
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, Body, "Cache-Control: max-age=60"));
        await host.GetAsync();
        var answer = await host.GetAsync("a", $"Range: {range}");
        Assert.Equal((416, "bytes */20", ""), (answer.Status, answer["Content-Range"], answer.Text));
    }

    [Theory]     // RFC 9110 13.1.5
    [InlineData(206, "\"v\""), InlineData(200, "\"w\""), InlineData(200, "W/\"v\""), InlineData(206, "Wed, 01 Jan 2020 00:00:00 GMT"), InlineData(200, "Wed, 01 Jan 2025 00:00:00 GMT"), InlineData(200, "nonsense")]
    public async Task Get_IfRange_NeedsTheVeryVersion(int status, string condition)
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, Body, "Cache-Control: max-age=60", "ETag: \"v\"", "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT"));
        await host.GetAsync();
        var answer = await host.GetAsync("a", "Range: bytes=0-1", $"If-Range: {condition}");
        Assert.True(answer.IsHit);
        Assert.Equal((status, status == 206 ? "01" : Body), Of(answer));
    }

    [Fact]
    public async Task Get_RangesOfNothingStored_AreAskedForAndKept()
    {
        await using var host = new CacheHost(Ranged());
        Assert.Equal((206, "56789"), Of(await host.GetAsync("a", "Range: bytes=5-9")));
        Assert.Equal("bytes=5-9", host.LastAsked["Range"]);
        foreach (var (range, expected) in ((string, string)[])[("bytes=5-9", "56789"), ("bytes=6-8", "678"), ("bytes=9-9", "9")])
        {
            var part = await host.GetAsync("a", $"Range: {range}");
            Assert.True(part.IsHit);
            Assert.Equal((206, expected), Of(part));
        }

        Assert.Equal(1, host.Asked);
    }

    [Fact]
    public async Task Get_WholeOfAPart_AsksForTheMissingBytes()     // 3.4
    {
        await using var host = new CacheHost(Ranged());
        await host.GetAsync("a", "Range: bytes=0-4");
        var whole = await host.GetAsync();
        Assert.Equal((200, Body, "20", null), (whole.Status, whole.Text, whole["Content-Length"], whole["Content-Range"]));
        Assert.Equal(("bytes=5-", "\"v1\""), (host.LastAsked["Range"], host.LastAsked["If-Range"]));
        Assert.StartsWith("platform; fwd=partial; fwd-status=206", whole["Cache-Status"]);
        // Now it is whole.
        Assert.True((await host.GetAsync()).IsHit);
        Assert.Equal(Body, (await host.GetAsync()).Text);
        Assert.Equal(2, host.Asked);
    }

    [Fact]
    public async Task Get_PartsInAnyOrder_BecomeTheWhole()
    {
        await using var host = new CacheHost(Ranged());
        foreach (var range in (string[])["10-14", "0-2", "17-17", "4-6"]) await host.GetAsync("a", $"Range: bytes={range}");
        Assert.Equal((206, "3456789abcd"), Of(await host.GetAsync("a", "Range: bytes=3-13")));
        Assert.Equal("bytes=3-9", host.LastAsked["Range"]);
        Assert.True((await host.GetAsync("a", "Range: bytes=0-14")).IsHit);
        Assert.Equal(Body, (await host.GetAsync()).Text);
        Assert.Equal("bytes=15-", host.LastAsked["Range"]);
        var asked = host.Asked;
        Assert.Equal(Body, (await host.GetAsync()).Text);
        Assert.Equal(asked, host.Asked);
    }

    [Fact]
    public async Task Get_RandomRangesOfAChangingFile_AreNeverSpliced()
    {
        var version = 1;
        await using var host = new CacheHost(request => Ranged($"\"v{version}\"", Text(version), "Cache-Control: max-age=10")(request));
        var random = new Random(7);
        for (var i = 0; i < 300; i++)
        {
            if (random.Next(20) == 0) version++;
            if (random.Next(10) == 0) host.Time.Move(TimeSpan.FromSeconds(random.Next(15)));
            var first = random.Next(20);
            var answer = random.Next(4) == 0 ? await host.GetAsync() : await host.GetAsync("a", $"Range: bytes={first}-{random.Next(first, 20)}");
            var said = int.Parse(answer["ETag"]!.Trim('"', 'v'), CultureInfo.InvariantCulture);
            var offset = answer.Status == 206 && ContentRange.TryParse(answer["Content-Range"], out var range) ? (int)range.First : 0;
            Assert.Equal(Text(said).Substring(offset, answer.Text.Length), answer.Text);
            Assert.True(answer.Status == 206 || answer.Text.Length == 20);
        }

        static string Text(int version) => new((char)('A' + (version % 26)), 20);
    }

    [Fact]
    public async Task Get_RestHasChanged_IsTheNewWhole()
    {
        var version = 1;
        await using var host = new CacheHost(request => Ranged($"\"v{version}\"", version == 1 ? Body : "NEW")(request));
        await host.GetAsync("a", "Range: bytes=0-4");
        version = 2;
        Assert.Equal((200, "NEW"), Of(await host.GetAsync()));
        Assert.Equal(2, host.Asked);
        Assert.Equal((206, "NE"), Of(await host.GetAsync("a", "Range: bytes=0-1")));
    }

    [Theory]     // 3.4: no combining but under one strong validator
    [InlineData("ETag: W/\"v\""), InlineData("Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT"), InlineData("X: y")]
    public async Task Get_PartWithoutStrongValidator_IsNotCombined(string line)
    {
        await using var host = new CacheHost(request => request["Range"] is null ? OriginReply.Of(200, Body, "Cache-Control: max-age=60", line)
            : OriginReply.Of(206, "01234", "Cache-Control: max-age=60", "Content-Range: bytes 0-4/20", line));
        await host.GetAsync("a", "Range: bytes=0-4");
        Assert.True((await host.GetAsync("a", "Range: bytes=1-2")).IsHit);
        Assert.Equal((200, Body), Of(await host.GetAsync()));
        Assert.Null(host.LastAsked["Range"]);
    }

    [Theory]     // an origin that lies about what it gives
    [InlineData("bytes 0-9/20", "01234"), InlineData("bytes 5-2/20", "01234"), InlineData("bytes 0-4/3", "01234"), InlineData("nonsense", "01234"), InlineData("bytes 4-9/10", "01234")]
    public async Task Get_PartThatContradictsItself_IsPassedOnUnstored(string contentRange, string body)
    {
        await using var host = new CacheHost(_ => OriginReply.Of(206, body, "Cache-Control: max-age=60", $"Content-Range: {contentRange}", "ETag: \"v\""));
        Assert.Equal((206, body), Of(await host.GetAsync("a", "Range: bytes=0-4")));
        Assert.False((await host.GetAsync("a", "Range: bytes=0-4")).IsHit);
    }

    [Theory]     // an origin that answers If-Range with other bytes than asked for
    [InlineData("bytes 6-19/20", "6789abcdefghij", "\"v1\""), InlineData("bytes 5-19/20", "XXXXXXXXXXXXXXX", "\"v2\""), InlineData("bytes 5-19/21", "56789abcdefghij", "\"v1\""), InlineData("bytes 5-9/20", "56789", "\"v1\"")]
    public async Task Get_RestIsNotWhatWasAskedFor_IsFetchedWhole(string contentRange, string rest, string tag)
    {
        await using var host = new CacheHost(request => request["If-Range"] is not null ? OriginReply.Of(206, rest, "Cache-Control: max-age=60", $"Content-Range: {contentRange}", $"ETag: {tag}") : Ranged()(request));
        await host.GetAsync("a", "Range: bytes=0-4");
        Assert.Equal((200, Body), Of(await host.GetAsync()));
        Assert.Null(host.LastAsked["Range"]);
    }

    [Fact]
    public async Task Get_StaleRange_IsValidatedAndServed()
    {
        await using var host = new CacheHost(request => request["If-None-Match"] == "\"v1\"" ? new OriginReply(304, "ETag: \"v1\"", "Cache-Control: max-age=60") : Ranged()(request));
        await host.GetAsync();
        host.Time.Move(TimeSpan.FromSeconds(100));
        Assert.Equal((206, "34"), Of(await host.GetAsync("a", "Range: bytes=3-4")));
        Assert.Equal((2, "bytes=3-4"), (host.Asked, host.LastAsked["Range"]));
        Assert.True((await host.GetAsync()).IsHit);
    }

    [Fact]
    public async Task Get_OriginWithoutRanges_GivesTheRangeAndKeepsTheWhole()
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, Body, "Cache-Control: max-age=60"));
        Assert.Equal((206, "34"), Of(await host.GetAsync("a", "Range: bytes=3-4")));
        await CacheHost.EventuallyAsync(() => host.Handler.Flights == 0);
        Assert.True((await host.GetAsync()).IsHit);
    }

    [Fact]
    public async Task Get_ManyPieces_KeepsTheLargest()
    {
        await using var host = new CacheHost(Ranged(), new HttpCacheOptions { Name = "test", MaxSegments = 3 });
        foreach (var range in (string[])["0-4", "6-6", "8-10", "12-12", "14-19"]) await host.GetAsync("a", $"Range: bytes={range}");
        Assert.True((await host.GetAsync("a", "Range: bytes=0-4")).IsHit);
        Assert.True((await host.GetAsync("a", "Range: bytes=14-19")).IsHit);
        Assert.False((await host.GetAsync("a", "Range: bytes=6-6")).IsHit);
    }

    /// <summary>An origin that serves single ranges and judges If-Range and If-None-Match.</summary>
    private static Func<OriginRequest, OriginReply> Ranged(string tag = "\"v1\"", string body = Body, string control = "Cache-Control: max-age=60") => request =>
    {
        if (request["If-None-Match"] == tag) return new OriginReply(304, control, $"ETag: {tag}");
        if (!RangeRequest.TryParse(request["Range"], out var range) || (request["If-Range"] is { } condition && condition != tag)) return OriginReply.Of(200, body, control, $"ETag: {tag}");
        if (!range.TryResolve(body.Length, out var offset, out var count)) return new OriginReply(416, $"Content-Range: bytes */{body.Length}");
        return new OriginReply(206, control, $"ETag: {tag}", $"Content-Range: bytes {offset}-{offset + count - 1}/{body.Length}") { Body = Encoding.UTF8.GetBytes(body.Substring((int)offset, (int)count)) };
    };

    private static (int, string) Of(Answer answer) => (answer.Status, answer.Text);
}
