using ImageApi.Frames;

namespace ImageApi.Tests.Frames;

public sealed class FrameListTests
{
    [Theory]
    [InlineData("1", new[] { 1 })]
    [InlineData("3,1,2", new[] { 3, 1, 2 })]
    [InlineData("2,2,2", new[] { 2, 2, 2 })]
    [InlineData("0", new[] { 0 })]
    [InlineData("007", new[] { 7 })]
    [InlineData("1, 2", new[] { 1, 2 })]
    [InlineData("99999999999999999999", new[] { int.MaxValue })]
    public void TryParse_Numbers_KeepsOrderAndRepetition(string text, int[] expected)
    {
        Assert.True(FrameList.TryParse(text, out var numbers, out _));
        Assert.Equal(expected, numbers);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("1,")]
    [InlineData(",1")]
    [InlineData("1,,2")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.5")]
    [InlineData("1;2")]
    [InlineData("١")]
    public void TryParse_AnythingElse_SaysWhatIsWrong(string text)
    {
        Assert.False(FrameList.TryParse(text, out _, out var error));
        Assert.NotEmpty(error);
    }

    [Fact]
    public void TryParse_MoreThanTheBound_IsRefused() =>
        Assert.False(FrameList.TryParse(string.Join(',', Enumerable.Repeat("1", FrameList.MaxFrames + 1)), out _, out _));
}
