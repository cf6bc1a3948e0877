using ImageApi.Tiles;

namespace ImageApi.Tests.Tiles;

public sealed class TileGridTests
{
    [Theory]
    [InlineData(1, 1, 1, 0)]
    [InlineData(256, 100, 1, 8)]
    [InlineData(257, 1, 2, 8)]
    [InlineData(512, 512, 2, 8)]
    [InlineData(6000, 4224, 6, 8)]
    [InlineData(100, 200, 1, 8)]
    [InlineData(16, 3, 1, 4)]
    [InlineData(TileGrid.MaxSide, 1, 15, 8)]
    public void LevelCount_OfASize_EndsWhereOneTileIsEnough(int width, int height, int levels, int offset)
    {
        var grid = new TileGrid(width, height);
        Assert.Equal(levels, grid.LevelCount);
        Assert.Equal((1, 1), grid.TilesAt(0));
        Assert.Equal((width, height), (grid.WidthAt(grid.MaxLevel), grid.HeightAt(grid.MaxLevel)));
        if (levels > 1) Assert.True(grid.WidthAt(1) > 256 || grid.HeightAt(1) > 256);
        // Deep Zoom: level ceil(log2(longer side)) is the whole.
        Assert.Equal(offset, grid.DeepZoomOffset);
        Assert.Equal((int)Math.Ceiling(Math.Log2(Math.Max(width, height))), grid.MaxLevel + grid.DeepZoomOffset);
    }

    [Fact]
    public void SizeOf_BorderTile_IsCutToTheLevel()
    {
        var grid = new TileGrid(1000, 600);
        Assert.Equal((4, 3), grid.TilesAt(2));
        Assert.Equal((256, 256), grid.SizeOf(new TileAddress(2, 0, 0)));
        Assert.Equal((1000 - 768, 600 - 512), grid.SizeOf(new TileAddress(2, 3, 2)));
        Assert.Equal((500, 300), (grid.WidthAt(1), grid.HeightAt(1)));
        Assert.Equal((250, 150), grid.SizeOf(new TileAddress(0, 0, 0)));
    }

    [Theory]
    [InlineData(-1, 0, 0)]
    [InlineData(3, 0, 0)]
    [InlineData(2, 4, 0)]
    [InlineData(2, 0, 3)]
    [InlineData(0, 1, 0)]
    [InlineData(int.MaxValue, int.MaxValue, int.MaxValue)]
    public void Contains_Outside_IsFalse(int level, int x, int y) => Assert.False(new TileGrid(1000, 600).Contains(new TileAddress(level, x, y)));
}
