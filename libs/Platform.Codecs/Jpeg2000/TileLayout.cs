namespace Platform.Codecs.Jpeg2000;

/// <summary>A list of structs that are changed in place; cleared, it keeps its memory.</summary>
internal sealed class StructList<T>
    where T : struct
{
    private T[] _items = new T[64];

    public int Count { get; private set; }

    public ref T this[int index] => ref _items[index];

    public Span<T> Span => _items.AsSpan(0, Count);

    public void Clear() => Count = 0;

    /// <summary>Adds <paramref name="count"/> default items and returns the index of the first.</summary>
    public int Add(int count)
    {
        var first = Count;
        if (_items.Length - first < count) Array.Resize(ref _items, Math.Max(2 * _items.Length, checked(first + count)));
        Array.Clear(_items, first, count);
        Count += count;
        return first;
    }

    /// <summary>Gives back memory that an unusually large frame has taken.</summary>
    public void Trim(int most)
    {
        Clear();
        if (_items.Length > most) _items = new T[64];
    }
}

/// <summary>One resolution of a component in a tile (T.800 B.5). Areas are in the resolution's own coordinates.</summary>
internal struct Resolution
{
    public int X0, Y0, X1, Y1;
    public int PrecinctWidthExponent, PrecinctHeightExponent, PrecinctColumns, PrecinctRows, FirstPrecinct;
    public int FirstBand, BandCount;
    public long Offset; // of its samples in the component's plane, after the wavelet
    public int Stride;

    public readonly int Width => X1 - X0;
    public readonly int Height => Y1 - Y0;
}

/// <summary>One subband. Its coefficients lie at <see cref="Offset"/> in the component's plane, <see cref="Stride"/> apart.</summary>
internal struct Band
{
    public int X0, Y0, X1, Y1;
    public int Index;           // as in ComponentStyle.StepOf
    public int MagnitudeBits;   // M_b (T.800 equation E-2)
    public float Step;          // of one unit; 1 where reversible
    public int Orientation;     // 0 LL, 1 HL, 2 LH, 3 HH
    public long Offset;
    public int Stride;

    public readonly int Width => X1 - X0;
    public readonly int Height => Y1 - Y0;
}

/// <summary>One precinct: the packets' unit. It has blocks in one band or three.</summary>
internal struct Precinct
{
    public int Component, Resolution, FirstPart;
    public int Number;    // of the resolution within its component
    public int NextLayer; // the first layer whose packet was not read yet
}

/// <summary>The blocks of one precinct in one band, and the tag trees over them.</summary>
internal struct PrecinctPart
{
    public int Band, Columns, Rows, FirstBlock, InclusionTree, PlanesTree;
}

/// <summary>One code-block: where it lies in its band, and what the packets brought of it.</summary>
internal struct Block
{
    public int X, Y, Width, Height; // X and Y from the band's corner
    public int MissingPlanes, Passes, LengthBits;
    public int FirstChunk, LastChunk;
    public bool IsIncluded;
    public int SegmentPasses;       // passes in the last codeword segment
    public int Segments;
}

/// <summary>A stretch of a block's bytes in the frame.</summary>
internal struct Chunk
{
    public int Next, Offset, Length, Passes;
    public int Segment;             // the codeword segment it belongs to, from 0
}

/// <summary>
/// The resolutions, bands, precincts and blocks of one tile (T.800 annex B). Used again for every tile.
/// </summary>
internal sealed class TileLayout
{
    public readonly StructList<Resolution> Resolutions = new();
    public readonly StructList<Band> Bands = new();
    public readonly StructList<Precinct> Precincts = new();
    public readonly StructList<PrecinctPart> Parts = new();
    public readonly StructList<Block> Blocks = new();
    public readonly StructList<Chunk> Chunks = new();
    public readonly TagTrees Trees = new();
    private readonly int[] _firstResolution = new int[CodestreamHeaders.MaxComponents + 1];
    private long _limit;

    public uint X0 { get; private set; }
    public uint Y0 { get; private set; }

    /// <summary>
    /// Gives each band, and each resolution that the wavelet makes, its place in a component's plane. Rows begin at multiples of 16
    /// samples, so that vectors may run over their ends.
    /// </summary>
    /// <returns>The plane's samples.</returns>
    public long Place(int component, int resolutions)
    {
        long at = 0;
        for (var r = 0; r < resolutions; r++)
        {
            ref var resolution = ref ResolutionOf(component, r);
            for (var b = resolution.FirstBand; b < resolution.FirstBand + resolution.BandCount; b++)
            {
                ref var band = ref Bands[b];
                (band.Offset, band.Stride) = (at, (band.Width + 15) & ~15);
                at += (long)band.Stride * band.Height;
            }
            if (r == 0)
            {
                ref var lowest = ref Bands[resolution.FirstBand];
                (resolution.Offset, resolution.Stride) = (lowest.Offset, lowest.Stride);
                continue;
            }
            (resolution.Offset, resolution.Stride) = (at, (resolution.Width + 15) & ~15);
            at += (long)resolution.Stride * resolution.Height;
        }
        return at + 64;
    }

    /// <summary>What the wavelet needs to make a resolution of the one below it, or the other way round.</summary>
    public unsafe WaveletLevel LevelOf(int component, int r, int* plane)
    {
        ref var below = ref ResolutionOf(component, r - 1);
        ref var made = ref ResolutionOf(component, r);
        ref Band hl = ref Bands[made.FirstBand], lh = ref Bands[made.FirstBand + 1], hh = ref Bands[made.FirstBand + 2];
        return new WaveletLevel
        {
            LL = plane + below.Offset,
            LLStride = below.Stride,
            HL = plane + hl.Offset,
            HLStride = hl.Stride,
            LH = plane + lh.Offset,
            LHStride = lh.Stride,
            HH = plane + hh.Offset,
            HHStride = hh.Stride,
            Image = plane + made.Offset,
            ImageStride = made.Stride,
            X0 = made.X0,
            Y0 = made.Y0,
            X1 = made.X1,
            Y1 = made.Y1,
        };
    }

    public ref Resolution ResolutionOf(int component, int resolution) => ref Resolutions[_firstResolution[component] + resolution];

    public int ResolutionCount(int component) => _firstResolution[component + 1] - _firstResolution[component];

    /// <summary>Lays out a tile.</summary>
    /// <param name="headers">After <see cref="CodestreamHeaders.ReadTile"/>.</param>
    /// <param name="tile">Its index.</param>
    /// <param name="discard">Resolutions that are left out, from the highest down; 0 to know all.</param>
    /// <param name="offset">Where the tile is described, for exceptions.</param>
    /// <param name="most">The most blocks, where the caller has not checked the size that the stream claims.</param>
    public void Build(CodestreamHeaders headers, int tile, int discard, int offset, long most = long.MaxValue)
    {
        Resolutions.Clear();
        Bands.Clear();
        Precincts.Clear();
        Parts.Clear();
        Blocks.Clear();
        Chunks.Clear();
        Trees.Clear();
        var area = headers.TileArea(tile);
        (X0, Y0) = (area.X0, area.Y0);
        // A stream may cut its tiles into blocks of one sample; none that was made to be read does.
        _limit = Math.Min(most, 65536 + (long)(area.X1 - area.X0) * (area.Y1 - area.Y0) * headers.ComponentCount / 8);
        for (var component = 0; component < headers.ComponentCount; component++)
        {
            var style = headers.StyleOf(component);
            _firstResolution[component] = Resolutions.Count;
            for (var r = 0; r <= Math.Max(style.Levels - discard, 0); r++) AddResolution(headers, component, style, r, area, offset);
        }
        _firstResolution[headers.ComponentCount] = Resolutions.Count;
    }

    public void Trim()
    {
        Resolutions.Trim(1 << 12);
        Bands.Trim(1 << 12);
        Precincts.Trim(1 << 12);
        Parts.Trim(1 << 12);
        Blocks.Trim(1 << 13);
        Chunks.Trim(1 << 13);
        Trees.Trim();
    }

    private void AddResolution(CodestreamHeaders headers, int component, ComponentStyle style, int r, (uint X0, uint Y0, uint X1, uint Y1) area, int offset)
    {
        var down = style.Levels - r;
        var index = Resolutions.Add(1);
        ref var resolution = ref Resolutions[index];
        (resolution.X0, resolution.Y0, resolution.X1, resolution.Y1) = (CeilShift(area.X0, down), CeilShift(area.Y0, down), CeilShift(area.X1, down), CeilShift(area.Y1, down));
        int ppx = style.PrecinctWidthExponent(r), ppy = style.PrecinctHeightExponent(r);
        (resolution.PrecinctWidthExponent, resolution.PrecinctHeightExponent) = (ppx, ppy);
        resolution.PrecinctColumns = resolution.Width > 0 ? CeilShift((uint)resolution.X1, ppx) - (resolution.X0 >> ppx) : 0;
        resolution.PrecinctRows = resolution.Height > 0 ? CeilShift((uint)resolution.Y1, ppy) - (resolution.Y0 >> ppy) : 0;

        resolution.FirstBand = Bands.Count;
        resolution.BandCount = r == 0 ? 1 : 3;
        for (var b = 0; b < resolution.BandCount; b++) AddBand(headers, component, style, r, r == 0 ? 0 : b + 1, area, offset);

        var count = (long)resolution.PrecinctColumns * resolution.PrecinctRows;
        CheckLimit(Precincts.Count + count, offset);
        resolution.FirstPrecinct = Precincts.Add((int)count);
        var precinct = resolution.FirstPrecinct;
        for (var row = 0; row < resolution.PrecinctRows; row++)
        {
            for (var column = 0; column < resolution.PrecinctColumns; column++, precinct++)
            {
                Precincts[precinct] = new Precinct { Component = component, Resolution = index, Number = r, FirstPart = Parts.Count };
                for (var b = 0; b < resolution.BandCount; b++)
                {
                    AddPart(style, r, resolution.FirstBand + b, (resolution.X0 >> ppx) + column, (resolution.Y0 >> ppy) + row, ppx, ppy, offset);
                }
            }
        }
    }

    private void AddBand(CodestreamHeaders headers, int component, ComponentStyle style, int r, int orientation, (uint X0, uint Y0, uint X1, uint Y1) area, int offset)
    {
        var level = r == 0 ? style.Levels : style.Levels - r + 1;
        int right = orientation & 1, down = orientation >> 1;
        ref var band = ref Bands[Bands.Add(1)];
        // T.800 equation B-15
        (band.X0, band.Y0) = (BandEdge(area.X0, right, level), BandEdge(area.Y0, down, level));
        (band.X1, band.Y1) = (BandEdge(area.X1, right, level), BandEdge(area.Y1, down, level));
        band.Orientation = orientation;
        band.Index = r == 0 ? 0 : 3 * (r - 1) + orientation;
        var (exponent, mantissa) = style.StepOf(band.Index);
        band.MagnitudeBits = style.GuardBits + exponent - 1;
        if (band.MagnitudeBits is < 0 or > 30) throw new InvalidFrameException($"A band with {band.MagnitudeBits} bits is not supported.", offset);
        // T.800 equation E-3: the gain is 0, 1, 1, 2 bits for LL, HL, LH, HH.
        var range = headers.PrecisionOf(component) + right + down;
        band.Step = style.IsReversible ? 1 : MathF.ScaleB(1 + mantissa / 2048f, range - exponent);
    }

    private void AddPart(ComponentStyle style, int r, int band, int column, int row, int ppx, int ppy, int offset)
    {
        ref var b = ref Bands[band];
        if (r > 0) (ppx, ppy) = (ppx - 1, ppy - 1);
        int x0 = Math.Max(b.X0, Saturate((long)column << ppx)), x1 = Math.Min(b.X1, Saturate((long)(column + 1) << ppx));
        int y0 = Math.Max(b.Y0, Saturate((long)row << ppy)), y1 = Math.Min(b.Y1, Saturate((long)(row + 1) << ppy));
        ref var part = ref Parts[Parts.Add(1)];
        part.Band = band;
        part.FirstBlock = Blocks.Count;
        if (x0 >= x1 || y0 >= y1) return;

        // T.800 equations B-17 and B-18
        int xcb = Math.Min(style.BlockWidthExponent, ppx), ycb = Math.Min(style.BlockHeightExponent, ppy);
        part.Columns = CeilShift((uint)x1, xcb) - (x0 >> xcb);
        part.Rows = CeilShift((uint)y1, ycb) - (y0 >> ycb);
        CheckLimit(Blocks.Count + (long)part.Columns * part.Rows, offset);
        var block = Blocks.Add(part.Columns * part.Rows);
        for (var j = 0; j < part.Rows; j++)
        {
            for (var i = 0; i < part.Columns; i++, block++)
            {
                int bx0 = Math.Max(x0, ((x0 >> xcb) + i) << xcb), bx1 = Math.Min(x1, Saturate((long)((x0 >> xcb) + i + 1) << xcb));
                int by0 = Math.Max(y0, ((y0 >> ycb) + j) << ycb), by1 = Math.Min(y1, Saturate((long)((y0 >> ycb) + j + 1) << ycb));
                Blocks[block] = new Block { X = bx0 - b.X0, Y = by0 - b.Y0, Width = bx1 - bx0, Height = by1 - by0, LengthBits = 3, FirstChunk = -1, LastChunk = -1 };
            }
        }
        part.InclusionTree = Trees.Add(part.Columns, part.Rows);
        part.PlanesTree = Trees.Add(part.Columns, part.Rows);
    }

    private void CheckLimit(long count, int offset)
    {
        if (count > _limit) throw new InvalidFrameException("The stream is cut into too many blocks.", offset);
    }

    internal static int CeilShift(uint value, int shift) => shift > 31 ? (value > 0 ? 1 : 0) : (int)(((ulong)value + (1UL << shift) - 1) >> shift);

    private static int BandEdge(uint value, int high, int level)
    {
        if (level == 0) return (int)value;
        var shifted = (long)value - ((long)high << (level - 1));
        return (int)((shifted + (1L << level) - 1) >> level);
    }

    private static int Saturate(long value) => (int)Math.Min(value, int.MaxValue);
}
