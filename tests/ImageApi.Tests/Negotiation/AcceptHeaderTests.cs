using ImageApi.Negotiation;
using Microsoft.Extensions.Primitives;

namespace ImageApi.Tests.Negotiation;

public sealed class AcceptHeaderTests
{
    [Theory]
    [InlineData("multipart/related;type=application/octet-stream;transfer-syntax=*")]
    [InlineData("multipart/related; type=application/octet-stream; transfer-syntax=*")]
    [InlineData("multipart/related; type=\"application/octet-stream\"; transfer-syntax=*")]
    [InlineData("Multipart/Related ; Type = \"application/octet-stream\" ; Transfer-Syntax = \"*\"")]
    [InlineData("multipart/related;transfer-syntax=*;type=\"application\\/octet-stream\"")]
    public void Parse_QuotedOrNot_ReadsTheSame(string header)
    {
        var range = Assert.Single(AcceptHeader.Parse(header));
        Assert.Equal("multipart/related", range.Type);
        Assert.Equal("application/octet-stream", range["type"]);
        Assert.Equal("*", range["transfer-syntax"]);
        Assert.Equal(1, range.Quality);
    }

    [Fact]
    public void Parse_SeveralWithWeights_KeepsOrder()
    {
        var ranges = AcceptHeader.Parse(new StringValues(["image/jls;q=0.5, */*;q=0.1", "application/dicom+json"]));
        Assert.Equal(["image/jls", "*/*", "application/dicom+json"], ranges.Select(r => r.Type));
        Assert.Equal([0.5, 0.1, 1], ranges.Select(r => r.Quality));
    }

    [Fact]
    public void Parse_CommaInQuotes_IsPartOfTheValue() =>
        Assert.Equal("a,b;c", Assert.Single(AcceptHeader.Parse("text/plain;x=\"a,b;c\""))["x"]);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public void Parse_NoHeader_AcceptsAnything(string? header) =>
        Assert.Equal("*/*", Assert.Single(AcceptHeader.Parse(header)).Type);

    [Theory]
    [InlineData("nonsense")]
    [InlineData("*")]
    [InlineData("*/png")]
    [InlineData("image/")]
    [InlineData("/png")]
    [InlineData("image/png;q=2")]
    [InlineData("image/png;q=x")]
    [InlineData("image/png;type=\"unclosed")]
    [InlineData(",,;,;;")]
    public void Parse_Malformed_MatchesNothing(string header) => Assert.Empty(AcceptHeader.Parse(header));

    [Fact]
    public void Parse_ThousandsOfRanges_IsBounded() =>
        Assert.True(AcceptHeader.Parse(string.Join(',', Enumerable.Repeat("a/b;c=d", 10_000))).Count <= 64);
}
