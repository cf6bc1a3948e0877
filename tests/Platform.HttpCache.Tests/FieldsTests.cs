using System.Globalization;
using Platform.HttpCache.Fields;
using Platform.HttpCache.Storing;
using Platform.TieredCache;

namespace Platform.HttpCache.Tests;

/// <summary>Fields and records taken apart: what is right, what is wrong, and what is hostile.</summary>
public class FieldsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    [Theory]     // RFC 9110 5.6.7
    [InlineData("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37")]
    [InlineData("SUN, 06 NOV 1994 08:49:37 gmt", "1994-11-06T08:49:37")]
    [InlineData("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37")]
    [InlineData("Thursday, 18-Aug-50 02:01:18 GMT", "2050-08-18T02:01:18")]
    [InlineData("Sunday, 06-Nov-77 08:49:37 GMT", "1977-11-06T08:49:37")]
    [InlineData("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37")]
    [InlineData("Wed Nov 16 08:49:37 1994", "1994-11-16T08:49:37")]
    [InlineData("Sat, 31 Dec 2016 23:59:60 GMT", "2016-12-31T23:59:59")]
    [InlineData("Sun, 21 Nov 2286 04:46:39 GMT", "2286-11-21T04:46:39")]
    public void HttpDate_AnyOfTheThreeForms_IsRead(string text, string expected)
    {
        Assert.True(HttpDate.TryParse(text, Now, out var date));
        Assert.Equal(expected, date.ToString("s", CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData(null), InlineData(""), InlineData("0"), InlineData("-1"), InlineData("now"), InlineData("Thu, 18 Aug 50 02:01:18 GMT"), InlineData("Thu 18 Aug 2050 02:01:18 GMT"), InlineData("Thu, 18  Aug  2050 02:01:18 GMT"),
     InlineData("Thu, 18-Aug-2050 02:01:18 GMT"), InlineData("Thu, 18 Aug 2050 02.01.18 GMT"), InlineData("Thu, 18 Aug 2050 2:01:18 GMT"), InlineData("Thu, 18 Aug 2050 02:01:18 UTC"), InlineData("Thu, 31 Feb 2050 02:01:18 GMT"),
     InlineData("Thu, 18 Aug 2050 25:01:18 GMT"), InlineData("Xyz, 18 Aug 2050 02:01:18 GMT"), InlineData("Thu, 18 Aug 2050 02:01:18"), InlineData("Sun Nov 6 08:49:37 1994"), InlineData("Thu, +8 Aug 2050 02:01:18 GMT")]
    public void HttpDate_AnythingElse_IsNone(string? text) => Assert.False(HttpDate.TryParse(text, Now, out _));

    [Theory]     // RFC 9651 4.2
    [InlineData("a=1, b, c=?0, d=\"x\\\"y\", e=tok/en, f=:YWJj:, g=(1 2;x \"y\");z=1, h=1.5;q=?1")]
    [InlineData("a=-999999999999999")]
    [InlineData("  a=1\t,\t b  ")]
    [InlineData("")]
    public void StructuredDictionary_WellFormed_IsRead(string text) => Assert.True(StructuredDictionary.TryParse(text, out _));

    [Theory]
    [InlineData("A=1"), InlineData("a=1,"), InlineData("a=1 b=2"), InlineData("a="), InlineData("a= 1"), InlineData("a =1"), InlineData("a=\"x"), InlineData("a=\"\\x\""), InlineData("a=\"\u00fc\""), InlineData("a=?2"), InlineData("a=1."), InlineData("a=1.2345"),
     InlineData("a=1234567890123456"), InlineData("a=:%:"), InlineData("a=(1"), InlineData("a=(1,2)"), InlineData("a;=1"), InlineData("&"), InlineData("a=1, &&&"), InlineData(",a=1"), InlineData("1=a")]
    public void StructuredDictionary_Malformed_IsNone(string text) => Assert.False(StructuredDictionary.TryParse(text, out _));

    [Fact]
    public void StructuredDictionary_RepeatedKey_TheLastCounts()
    {
        Assert.True(StructuredDictionary.TryParse("max-age=1, x, max-age=2", out var members));
        Assert.Equal(2, members.Single(member => member.Key == "max-age").Number);
        Assert.Equal(2, members.Count);
    }

    [Fact]
    public void Parsers_RandomInput_NeverThrow()
    {
        const string letters = "a=1,;\"\\ \t-()?:*/W\u00fc\0GMTbytes 0max-age";
        var random = new Random(5);
        for (var i = 0; i < 20_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(40)).Select(_ => letters[random.Next(letters.Length)])]);
            HttpDate.TryParse(text, Now, out _);
            StructuredDictionary.TryParse(text, out _);
            RangeRequest.TryParse("bytes=" + text, out _);
            ContentRange.TryParse("bytes " + text, out _);
            EntityTag.ListContains(text, "\"x\"");
            RequestDirectives.Parse(text);
            var headers = new HeaderLines();
            foreach (var name in (string[])["Cache-Control", "CDN-Cache-Control", "Vary", "Connection", "Age", "Expires", "Date"]) headers.Add(name, text);
            ResponseDirectives.Of(headers);
            if (VaryFields.TryTake(headers, headers, out var fields)) VaryFields.Match(fields, headers);
            _ = new Freshness(new StoredResponse { Status = 200, Headers = headers, RequestTime = Now, ResponseTime = Now }, new HttpCacheOptions { Name = "x" }, Now.AddDays(1)).IsFresh;
            headers.RemoveHopByHop();
        }
    }

    [Fact]
    public void StoredResponses_WrittenAndRead_AreTheSame()
    {
        var headers = new HeaderLines();
        headers.Add("X-Odd", "\u00fc, \"\0");
        headers.Add("x-odd", "");
        var stored = new StoredResponse
        {
            Status = 599,
            Headers = headers,
            Vary = [new VaryField("a", null), new VaryField("b", "1,2")],
            RequestTime = Now,
            ResponseTime = Now.AddSeconds(1),
            Length = 1L << 40,
            Segments = [new BodySegment(5, 1L << 33, ResponseStore.NewBody()), new BodySegment(1L << 35, 7, ResponseStore.NewBody())],
        };
        var bytes = new StoredResponses([stored, stored with { Length = null, Segments = [] }]).TryWrite()!;
        var read = StoredResponses.TryRead(bytes)!;
        Assert.Equal(2, read.Variants.Length);
        var first = read.Variants[0];
        Assert.Equal((stored.Status, stored.RequestTime, stored.ResponseTime, stored.Length), (first.Status, first.RequestTime, first.ResponseTime, first.Length));
        Assert.Equal(stored.Headers.Lines, first.Headers.Lines);
        Assert.Equal(stored.Vary.ToArray(), first.Vary.ToArray());
        Assert.Equal(stored.Segments.ToArray(), first.Segments.ToArray());
        Assert.Null(read.Variants[1].Length);
    }

    [Fact]
    public void StoredResponses_Damaged_AreNoneOrReadable()
    {
        var headers = new HeaderLines();
        headers.Add("ETag", "\"v\"");
        var bytes = new StoredResponses([new StoredResponse { Status = 200, Headers = headers, RequestTime = Now, ResponseTime = Now, Length = 4, Segments = [new BodySegment(0, 4, ResponseStore.NewBody())] }]).TryWrite()!;
        var random = new Random(9);
        for (var i = 0; i < 5_000; i++)
        {
            var damaged = bytes.ToArray()[..random.Next(bytes.Length + 1)];
            for (var flips = random.Next(4); flips > 0 && damaged.Length > 0; flips--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            _ = StoredResponses.TryRead(damaged);
        }

        Assert.Null(StoredResponses.TryRead(Array.Empty<byte>()));
        Assert.Null(StoredResponses.TryRead(bytes.AsMemory(0, bytes.Length - 1)));
    }

    [Fact]
    public void StoredResponse_RandomSegments_CoverWhatTheyCover()
    {
        var random = new Random(13);
        for (var round = 0; round < 500; round++)
        {
            var stored = new StoredResponse { Status = 200, Headers = new HeaderLines(), RequestTime = Now, ResponseTime = Now, Length = 64 };
            for (var i = random.Next(8); i > 0; i--)
            {
                var offset = random.Next(64);
                stored = stored.WithSegment(new BodySegment(offset, random.Next(1, 65 - offset), ResponseStore.NewBody()), 6);
            }

            for (var i = 1; i < stored.Segments.Length; i++) Assert.True(stored.Segments[i - 1].End <= stored.Segments[i].Offset);
            Assert.InRange(stored.Segments.Length, 0, 6);
            var here = new bool[64];
            foreach (var segment in stored.Segments) here.AsSpan((int)segment.Offset, (int)segment.Length).Fill(true);
            var first = random.Next(64);
            var count = random.Next(1, 65 - first);
            var missing = Enumerable.Range(first, count).Where(i => !here[i]).ToArray();
            Assert.Equal(missing.Length == 0, stored.TryCover(first, count, out _));
            Assert.Equal(missing.Length == 0 ? null : ((long, long)?)(missing[0], missing[^1] + 1), stored.MissingOf(first, count));
        }
    }
}
