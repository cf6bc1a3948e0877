using Platform.Codecs;

namespace ImageApi.Tiles;

/// <summary>A frame at its place: column and row of its upper left pixel in the level.</summary>
internal readonly record struct PlacedFrame(int Frame, int Left, int Top);

/// <summary>Where the frames of a level lie.</summary>
internal abstract class FrameLayout
{
    /// <summary>Adds the frames that touch a region, in the order in which they are stored. False when they are more than <paramref name="max"/>.</summary>
    public abstract bool TryFind(int left, int top, int width, int height, int max, List<PlacedFrame> found);

    /// <summary>Whether any frame may touch a square of 2^<paramref name="steps"/> tiles of the level across and down.</summary>
    public abstract bool IsCovered(int tileX, int tileY, int steps);

    /// <summary>Places held in memory.</summary>
    public virtual int IndexedPlaces => 0;
}

/// <summary>Every place of the matrix has its frame, row by row (PS3.3 C.7.6.17.3, TILED_FULL); nothing has to be kept.</summary>
internal sealed class FullLayout(int width, int height, int frameWidth, int frameHeight) : FrameLayout
{
    private readonly int _columns = CountOf(width, frameWidth), _rows = CountOf(height, frameHeight);

    public static int CountOf(int length, int frameLength) => (int)(((long)length + frameLength - 1) / frameLength);

    public override bool TryFind(int left, int top, int width, int height, int max, List<PlacedFrame> found)
    {
        var (firstColumn, lastColumn) = (Math.Max(0, left / frameWidth), Math.Min(_columns - 1, (left + width - 1) / frameWidth));
        var (firstRow, lastRow) = (Math.Max(0, top / frameHeight), Math.Min(_rows - 1, (top + height - 1) / frameHeight));
        if ((long)(lastColumn - firstColumn + 1) * (lastRow - firstRow + 1) > max) return false;
        for (var row = firstRow; row <= lastRow; row++)
        {
            for (var column = firstColumn; column <= lastColumn; column++)
                found.Add(new PlacedFrame(checked(row * _columns + column), column * frameWidth, row * frameHeight));
        }
        return true;
    }

    public override bool IsCovered(int tileX, int tileY, int steps) => true;
}

/// <summary>
/// Each frame says where it lies (TILED_SPARSE): anywhere, in any order. Kept as one sorted array: a place per tile that a frame touches, by the Morton code of the
/// tile, so that the frames of a tile, and whether a square of tiles has any, are a binary search, however empty or full the matrix is.
/// </summary>
internal sealed class SparseLayout : FrameLayout
{
    /// <summary>At 16 bytes each.</summary>
    public const int MaxPlaces = 4 << 20;

    private readonly ulong[] _codes;
    private readonly int[] _frames;
    private readonly IReadOnlyDictionary<int, (int Left, int Top)> _positions;
    private readonly int _frameWidth, _frameHeight;

    /// <param name="width">Of the level.</param>
    /// <param name="height">Of the level.</param>
    /// <param name="frameWidth">Of each frame.</param>
    /// <param name="frameHeight">Of each frame.</param>
    /// <param name="frames">Frames with the column and row of their upper left pixel, from 0.</param>
    /// <exception cref="InvalidFrameException">A frame lies outside, or there are too many.</exception>
    public SparseLayout(int width, int height, int frameWidth, int frameHeight, IReadOnlyList<PlacedFrame> frames)
    {
        (_frameWidth, _frameHeight) = (frameWidth, frameHeight);
        var positions = new Dictionary<int, (int, int)>(frames.Count);
        var codes = new List<ulong>(frames.Count);
        var numbers = new List<int>(frames.Count);
        foreach (var frame in frames)
        {
            if (frame.Left < 0 || frame.Top < 0 || frame.Left >= width || frame.Top >= height)
                throw new InvalidFrameException($"Frame {frame.Frame + 1} lies at column {frame.Left + 1L}, row {frame.Top + 1L}, outside of the {width} x {height} pixels of its level.");
            positions[frame.Frame] = (frame.Left, frame.Top);
            var (right, bottom) = (Math.Min(width, (long)frame.Left + frameWidth) - 1, Math.Min(height, (long)frame.Top + frameHeight) - 1);
            for (var y = frame.Top / TileGrid.TileSize; y <= bottom / TileGrid.TileSize; y++)
            {
                for (var x = frame.Left / TileGrid.TileSize; x <= right / TileGrid.TileSize; x++)
                {
                    if (codes.Count == MaxPlaces) throw new InvalidFrameException($"The frames of a level touch more than {MaxPlaces} tiles.");
                    codes.Add(Morton(x, y));
                    numbers.Add(frame.Frame);
                }
            }
        }
        (_positions, _codes, _frames) = (positions, [.. codes], [.. numbers]);
        Array.Sort(_codes, _frames);
    }

    public override int IndexedPlaces => _codes.Length;

    public override bool TryFind(int left, int top, int width, int height, int max, List<PlacedFrame> found)
    {
        var seen = new HashSet<int>();
        for (var y = top / TileGrid.TileSize; y <= (top + height - 1) / TileGrid.TileSize; y++)
        {
            for (var x = left / TileGrid.TileSize; x <= (left + width - 1) / TileGrid.TileSize; x++)
            {
                var code = Morton(x, y);
                for (var i = FirstAtLeast(code); i < _codes.Length && _codes[i] == code; i++)
                {
                    var (frameLeft, frameTop) = _positions[_frames[i]];
                    var isTouched = frameLeft < left + width && frameTop < top + height && frameLeft + (long)_frameWidth > left && frameTop + (long)_frameHeight > top;
                    if (!isTouched || !seen.Add(_frames[i])) continue;
                    if (seen.Count > max) return false;
                    found.Add(new PlacedFrame(_frames[i], frameLeft, frameTop));
                }
            }
        }
        found.Sort(static (one, other) => one.Frame.CompareTo(other.Frame));
        return true;
    }

    public override bool IsCovered(int tileX, int tileY, int steps)
    {
        // The tiles of a square of a power of two have neighbouring codes.
        var first = FirstAtLeast(Morton(tileX << steps, tileY << steps));
        return first < _codes.Length && _codes[first] >> (2 * steps) == Morton(tileX, tileY);
    }

    private int FirstAtLeast(ulong code)
    {
        var (low, high) = (0, _codes.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_codes[middle] < code) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private static ulong Morton(int x, int y) => Spread((uint)x) | Spread((uint)y) << 1;

    private static ulong Spread(ulong bits)
    {
        bits = (bits | bits << 16) & 0x0000_FFFF_0000_FFFF;
        bits = (bits | bits << 8) & 0x00FF_00FF_00FF_00FF;
        bits = (bits | bits << 4) & 0x0F0F_0F0F_0F0F_0F0F;
        bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
        return (bits | bits << 1) & 0x5555_5555_5555_5555;
    }
}
