using ImageApi.HttpCaching;
using Microsoft.AspNetCore.Http;

namespace ImageApi.Tests.HttpCaching;

public sealed class PreconditionsTests
{
    private const string Tag = "\"abc\"";
    private static readonly DateTimeOffset Modified = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    [Theory]
    [InlineData("\"abc\"", true)]
    [InlineData("W/\"abc\"", true)]
    [InlineData("*", true)]
    [InlineData("\"x\", \"abc\"", true)]
    [InlineData("\"x\",W/\"abc\" , \"y\"", true)]
    [InlineData("\"with,comma\", \"abc\"", true)]
    [InlineData("\"x\"", false)]
    [InlineData("abc", false)]
    [InlineData("\"ab", false)]
    [InlineData("\"\"", false)]
    [InlineData("", false)]
    public void Evaluate_IfNoneMatch_ComparesWeakly(string header, bool isNotModified)
    {
        var request = Request(("If-None-Match", header));
        Assert.Equal(isNotModified ? Precondition.NotModified : Precondition.Pass, Preconditions.Evaluate(request, Tag, null));
    }

    [Fact]
    public void Evaluate_IfNoneMatchAndIfModifiedSince_TheTagDecides()
    {
        var request = Request(("If-None-Match", "\"other\""), ("If-Modified-Since", "Fri, 01 Jan 2027 00:00:00 GMT"));
        Assert.Equal(Precondition.Pass, Preconditions.Evaluate(request, Tag, Modified));
    }

    [Theory]
    [InlineData("Fri, 02 Jan 2026 03:04:05 GMT", true)]
    [InlineData("Fri, 02 Jan 2026 03:04:04 GMT", false)]
    [InlineData("nonsense", false)]
    public void Evaluate_IfModifiedSince_ComparesSeconds(string header, bool isNotModified) =>
        Assert.Equal(isNotModified ? Precondition.NotModified : Precondition.Pass, Preconditions.Evaluate(Request(("If-Modified-Since", header)), Tag, Modified));

    [Theory]
    [InlineData("\"abc\"", true)]
    [InlineData("*", true)]
    [InlineData("W/\"abc\"", false)]
    [InlineData("\"x\"", false)]
    public void Evaluate_IfMatch_ComparesStrongly(string header, bool passes) =>
        Assert.Equal(passes ? Precondition.Pass : Precondition.Failed, Preconditions.Evaluate(Request(("If-Match", header)), Tag, null));

    [Fact]
    public void Evaluate_IfUnmodifiedSinceBeforeTheChange_Fails() =>
        Assert.Equal(Precondition.Failed, Preconditions.Evaluate(Request(("If-Unmodified-Since", "Thu, 01 Jan 2026 00:00:00 GMT")), Tag, Modified));

    [Theory]
    [InlineData("\"abc\"", true)]
    [InlineData("W/\"abc\"", false)]
    [InlineData("\"x\"", false)]
    [InlineData("Fri, 02 Jan 2026 03:04:05 GMT", true)]
    [InlineData("Fri, 02 Jan 2026 03:04:06 GMT", false)]
    public void IfRangeHolds_OnlyForExactlyThisRepresentation(string header, bool holds) =>
        Assert.Equal(holds, Preconditions.IfRangeHolds(Request(("If-Range", header)), Tag, Modified));

    private static HttpRequest Request(params (string Name, string Value)[] headers)
    {
        var request = new DefaultHttpContext().Request;
        foreach (var (name, value) in headers)
            request.Headers[name] = value;
        return request;
    }
}
