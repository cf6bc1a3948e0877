using ImageApi.HttpCaching;

namespace ImageApi.Tests.HttpCaching;

public sealed class RangeHeaderTests
{
    [Theory]
    [InlineData("bytes=0-0", 0, 1)]
    [InlineData("bytes=0-99", 0, 100)]
    [InlineData("bytes=10-19", 10, 10)]
    [InlineData("bytes=90-", 90, 10)]
    [InlineData("bytes=90-1000", 90, 10)]
    [InlineData("bytes=-10", 90, 10)]
    [InlineData("bytes=-1000", 0, 100)]
    [InlineData("Bytes= 5 - 6 ", 5, 2)]
    [InlineData("bytes=0-99999999999999999999999", 0, 100)]
    public void Resolve_OneRange_IsPartial(string header, long offset, long count)
    {
        Assert.Equal(RangeOutcome.Partial, RangeHeader.Resolve(header, 100, out var actualOffset, out var actualCount));
        Assert.Equal((offset, count), (actualOffset, actualCount));
    }

    [Theory]
    [InlineData("bytes=100-")]
    [InlineData("bytes=100-200")]
    [InlineData("bytes=-0")]
    [InlineData("bytes=99999999999999999999999-")]
    public void Resolve_BeyondTheEnd_IsUnsatisfiable(string header) =>
        Assert.Equal(RangeOutcome.Unsatisfiable, RangeHeader.Resolve(header, 100, out _, out _));

    [Theory]
    [InlineData("bytes=0-1,3-4")]
    [InlineData("bytes=5-4")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=-")]
    [InlineData("bytes=")]
    [InlineData("lines=0-1")]
    [InlineData("bytes 0-1")]
    public void Resolve_NoneOrSeveralOrUnreadable_IsTheWhole(string header)
    {
        Assert.Equal(RangeOutcome.Whole, RangeHeader.Resolve(header, 100, out var offset, out var count));
        Assert.Equal((0, 100), (offset, count));
    }

    [Fact]
    public void Resolve_EmptyRepresentation_HasNoSatisfiableRange() =>
        Assert.Equal(RangeOutcome.Unsatisfiable, RangeHeader.Resolve("bytes=0-", 0, out _, out _));
}
