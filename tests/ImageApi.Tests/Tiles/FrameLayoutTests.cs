using ImageApi.Tiles;
using Platform.Codecs;

namespace ImageApi.Tests.Tiles;

public sealed class FrameLayoutTests
{
    [Fact]
    public void FullLayout_Region_HasTheFramesThatTouchIt()
    {
        var layout = new FullLayout(1000, 600, 240, 240);   // 5 x 3
        var found = new List<PlacedFrame>();
        Assert.True(layout.TryFind(230, 0, 20, 241, 64, found));
        Assert.Equal([new(0, 0, 0), new(1, 240, 0), new(5, 0, 240), new(6, 240, 240)], found);
        found.Clear();
        Assert.False(layout.TryFind(0, 0, 1000, 600, 14, found));
        Assert.True(layout.TryFind(0, 0, 1000, 600, 15, found));
        Assert.Equal(15, found.Count);
    }

    [Fact]
    public void SparseLayout_FramesAnywhere_AreFoundAsByLookingAtEach()
    {
        var random = new Random(5);
        const int Width = 5000, Height = 3000, Side = 300;
        PlacedFrame[] frames = [.. Enumerable.Range(0, 200).Select(i => new PlacedFrame(i, random.Next(Width), random.Next(Height)))];
        var layout = new SparseLayout(Width, Height, Side, Side, frames);
        for (var i = 0; i < 300; i++)
        {
            var (left, top, width, height) = (random.Next(Width - 1), random.Next(Height - 1), random.Next(1, 900), random.Next(1, 900));
            (width, height) = (Math.Min(width, Width - left), Math.Min(height, Height - top));
            var found = new List<PlacedFrame>();
            Assert.True(layout.TryFind(left, top, width, height, 1000, found));
            Assert.Equal(frames.Where(f => f.Left < left + width && f.Top < top + height && f.Left + Side > left && f.Top + Side > top), found);
        }
        for (var steps = 0; steps <= 5; steps++)
        {
            var side = TileGrid.TileSize << steps;
            for (var y = 0; y * side < Height; y++)
            {
                for (var x = 0; x * side < Width; x++)
                {
                    var isTouched = frames.Any(f => f.Left < (x + 1) * side && f.Top < (y + 1) * side && Math.Min(Width, f.Left + Side) > x * side && Math.Min(Height, f.Top + Side) > y * side);
                    Assert.Equal(isTouched, layout.IsCovered(x, y, steps));
                }
            }
        }
    }

    [Fact]
    public void SparseLayout_TooManyInARegion_IsToldInsteadOfCollected()
    {
        var layout = new SparseLayout(256, 256, 1, 1, [.. Enumerable.Range(0, 100).Select(i => new PlacedFrame(i, 5, 5))]);
        Assert.False(layout.TryFind(0, 0, 256, 256, 64, []));
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, -1)]
    [InlineData(1000, 0)]
    [InlineData(0, 600)]
    [InlineData(int.MinValue, 0)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void SparseLayout_FrameOutside_IsRefused(int left, int top) =>
        Assert.Throws<InvalidFrameException>(() => new SparseLayout(1000, 600, 240, 240, [new PlacedFrame(0, left, top)]));

    [Fact]
    public void SparseLayout_HugeFramesOverAHugeMatrix_AreRefusedBeforeMemoryIs() =>
        Assert.Throws<InvalidFrameException>(() => new SparseLayout(TileGrid.MaxSide, TileGrid.MaxSide, 65535, 65535, [.. Enumerable.Range(0, 1000).Select(i => new PlacedFrame(i, i, i))]));
}
