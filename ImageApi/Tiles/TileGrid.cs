namespace ImageApi.Tiles;

/// <summary>
/// The levels of a pyramid. Level 0 is the smallest, the largest of those that fit one tile; each further one has twice the width and height, and the last is the
/// whole. Halves are rounded up. Deep Zoom counts the same levels from 1 x 1 pixel up, so its number of a level is ours and <see cref="DeepZoomOffset"/>.
/// </summary>
/// <param name="Width">Of the whole, in pixels, 1 to <see cref="MaxSide"/>.</param>
/// <param name="Height">Of the whole, in pixels, 1 to <see cref="MaxSide"/>.</param>
internal readonly record struct TileGrid(int Width, int Height)
{
    /// <summary>Pixels across and down of a tile; those at the right and lower border are cut to the level.</summary>
    public const int TileSize = 256;

    /// <summary>More than a metre at a quarter of a micrometre. Keeps every number of a tile within 32 bits.</summary>
    public const int MaxSide = 1 << 22;

    public int LevelCount => DeepZoomLevelCount - DeepZoomOffset;

    /// <summary>The last level, which is the whole.</summary>
    public int MaxLevel => LevelCount - 1;

    public int DeepZoomLevelCount => CeilLog2(Math.Max(Width, Height)) + 1;

    /// <summary>What Deep Zoom has below our level 0: 8 levels from 1 to 128 pixels; all but the whole where that fits one tile.</summary>
    public int DeepZoomOffset => Math.Min(CeilLog2(TileSize), CeilLog2(Math.Max(Width, Height)));

    public int WidthAt(int level) => Halved(Width, MaxLevel - level);

    public int HeightAt(int level) => Halved(Height, MaxLevel - level);

    /// <summary>Tiles across and down of a level.</summary>
    public (int Columns, int Rows) TilesAt(int level) => ((WidthAt(level) + TileSize - 1) / TileSize, (HeightAt(level) + TileSize - 1) / TileSize);

    /// <summary>Width and height of a tile of a level.</summary>
    public (int Width, int Height) SizeOf(TileAddress tile) =>
        (Math.Min(TileSize, WidthAt(tile.Level) - tile.X * TileSize), Math.Min(TileSize, HeightAt(tile.Level) - tile.Y * TileSize));

    public bool Contains(TileAddress tile)
    {
        if (tile.Level < 0 || tile.Level > MaxLevel || tile.X < 0 || tile.Y < 0) return false;
        var (columns, rows) = TilesAt(tile.Level);
        return tile.X < columns && tile.Y < rows;
    }

    /// <summary>Half as much, rounded up, so many times.</summary>
    public static int Halved(int length, int times) => times <= 0 ? length : (int)((length + (1L << times) - 1) >> times);

    private static int CeilLog2(int value) => value <= 1 ? 0 : int.Log2(value - 1) + 1;
}

/// <summary>A tile: level, column and row, all from 0.</summary>
internal readonly record struct TileAddress(int Level, int X, int Y);
