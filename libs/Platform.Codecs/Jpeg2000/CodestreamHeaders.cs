using System.Buffers.Binary;

namespace Platform.Codecs.Jpeg2000;

/// <summary>One change of the progression (T.800 A.6.6), or the only progression of a tile.</summary>
internal struct Progression
{
    public int ResolutionStart, ResolutionEnd, ComponentStart, ComponentEnd, LayerEnd;
    public ProgressionOrder Order;
}

/// <summary>T.800 table A.16.</summary>
internal enum ProgressionOrder
{
    Lrcp, Rlcp, Rpcl, Pcrl, Cprl,
}

/// <summary>One tile-part: where its header's segments begin, where its packets begin and where it ends.</summary>
internal struct TilePart
{
    public int Tile, Start, HeaderStart, BodyStart, End;
    public int Packets; // that its PLT tells of; 0 without
}

/// <summary>
/// What main header and tile-part headers say (T.800 annex A). Filled by <see cref="ReadMain"/>, then for each tile by
/// <see cref="ReadTile"/>. Kept per thread and used again.
/// </summary>
internal sealed class CodestreamHeaders
{
    public const int MaxComponents = 4;
    private const int MaxProgressions = 64;

    private readonly ComponentStyle[] _main = [new(), new(), new(), new()];
    private readonly ComponentStyle[] _tile = [new(), new(), new(), new()];
    private readonly int[] _precisions = new int[MaxComponents];
    private readonly bool[] _signs = new bool[MaxComponents];
    private readonly List<Progression> _mainProgressions = [];
    private readonly List<Progression> _tileProgressions = [];
    private (ProgressionOrder Order, int Layers, bool HasTransform, int Flags) _mainStyle, _tileStyle;

    public uint X0 { get; private set; }
    public uint Y0 { get; private set; }
    public uint X1 { get; private set; }
    public uint Y1 { get; private set; }
    public int ComponentCount { get; private set; }
    public int TileCount => TileColumns * TileRows;
    public int TileColumns { get; private set; }
    public int TileRows { get; private set; }
    public List<TilePart> TileParts { get; } = [];

    /// <summary>The lengths of all tile-parts in their order as TLM tells them; none without it, or where it does not fit the tiles.</summary>
    public List<uint> TilePartLengths { get; } = [];

    /// <summary>The marker whose segment, or the packets after it, is being read.</summary>
    public int Marker { get; private set; }

    public int MarkerOffset { get; private set; }

    private uint _tileX0, _tileY0, _tileWidth, _tileHeight;

    public int Width => (int)(X1 - X0);
    public int Height => (int)(Y1 - Y0);
    public int Layers => _tileStyle.Layers;

    /// <summary>The first three components are RCT or ICT, as their wavelet is reversible or not.</summary>
    public bool HasComponentTransform => _tileStyle.HasTransform;

    public bool MayHaveSop => (_tileStyle.Flags & 2) != 0;
    public bool HasEph => (_tileStyle.Flags & 4) != 0;

    /// <summary>Changes of the progression, a tile's own before those of the main header; none: <see cref="DefaultProgression"/>.</summary>
    public List<Progression> Progressions => _tileProgressions.Count > 0 ? _tileProgressions : _mainProgressions;

    public int PrecisionOf(int component) => _precisions[component];

    public bool IsSigned(int component) => _signs[component];

    public ComponentStyle StyleOf(int component) => _tile[component];

    /// <summary>A tile's corner and end on the reference grid (T.800 B.3).</summary>
    public (uint X0, uint Y0, uint X1, uint Y1) TileArea(int tile)
    {
        ulong column = (uint)(tile % TileColumns), row = (uint)(tile / TileColumns);
        ulong x0 = _tileX0 + column * _tileWidth, y0 = _tileY0 + row * _tileHeight;
        return ((uint)Math.Max(x0, X0), (uint)Math.Max(y0, Y0), (uint)Math.Min(x0 + _tileWidth, X1), (uint)Math.Min(y0 + _tileHeight, Y1));
    }

    /// <summary>Reads everything up to the first tile-part, and finds all tile-parts.</summary>
    /// <param name="data">The frame; JP2 or JPH boxes may stand around the codestream.</param>
    public void ReadMain(ReadOnlySpan<byte> data)
    {
        TileParts.Clear();
        TilePartLengths.Clear();
        _mainProgressions.Clear();
        ComponentCount = 0;
        (Marker, MarkerOffset) = (0, 0);
        foreach (var style in _main) style.Clear();
        _mainStyle = default;
        var at = JpegBoxes.FindCodestream(data);
        if (ReadMarker(data, at) != J2kMarker.Soc) throw new InvalidFrameException("The frame does not begin as a JPEG 2000 stream.", at);
        at += 2;
        while (true)
        {
            var marker = ReadMarker(data, at);
            if (marker == J2kMarker.Sot) break;
            var segment = ReadSegment(data, marker, at);
            if (marker != J2kMarker.Siz && ComponentCount == 0 && marker != J2kMarker.Cap) throw new InvalidFrameException($"Marker 0x{marker:X4} stands before SIZ.", at);
            if (marker == J2kMarker.Siz) ReadSize(segment, at + 4);
            else ReadParameters(marker, segment, at + 4, _main, _mainProgressions, ref _mainStyle);
            at += 4 + segment.Length;
        }
        if (ComponentCount == 0) throw new InvalidFrameException("The stream has no size (SIZ).", at);
        if (_mainStyle.Layers == 0) throw new InvalidFrameException("The stream does not say how it is coded (COD).", at);
        ReadTileParts(data, at);
    }

    /// <summary>Reads the headers of a tile's parts, which must lie in <see cref="TileParts"/> from <paramref name="first"/> on.</summary>
    public void ReadTile(ReadOnlySpan<byte> data, int first)
    {
        for (var i = 0; i < ComponentCount; i++) _tile[i].CopyFrom(_main[i]);
        _tileStyle = _mainStyle;
        _tileProgressions.Clear();
        var tile = TileParts[first].Tile;
        for (var part = first; part < TileParts.Count && TileParts[part].Tile == tile; part++)
        {
            var at = TileParts[part].HeaderStart;
            while (at < TileParts[part].BodyStart - 2)
            {
                var marker = ReadMarker(data, at);
                var segment = ReadSegment(data, marker, at);
                if (marker is J2kMarker.Cod or J2kMarker.Coc or J2kMarker.Qcd or J2kMarker.Qcc && part != first) throw new InvalidFrameException($"Marker 0x{marker:X4} stands in a later tile-part.", at);
                if (marker == J2kMarker.Plt) CountPackets(part, segment);
                ReadParameters(marker, segment, at + 4, _tile, _tileProgressions, ref _tileStyle);
                at += 4 + segment.Length;
            }
        }
        for (var i = 0; i < ComponentCount; i++) _tile[i].CheckComplete(TileParts[first].Start);
        (Marker, MarkerOffset) = (J2kMarker.Sod, TileParts[first].BodyStart - 2);
    }

    private int ReadMarker(ReadOnlySpan<byte> data, int at)
    {
        if (at + 2 > data.Length) throw new InvalidFrameException("The stream is cut off where a marker should be.", at);
        (Marker, MarkerOffset) = (BinaryPrimitives.ReadUInt16BigEndian(data[at..]), at);
        return Marker;
    }

    private static ReadOnlySpan<byte> ReadSegment(ReadOnlySpan<byte> data, int marker, int at)
    {
        if (marker < 0xFF01) throw new InvalidFrameException($"0x{marker:X4} is no marker.", at);
        var length = at + 4 <= data.Length ? BinaryPrimitives.ReadUInt16BigEndian(data[(at + 2)..]) : 0;
        if (length < 2 || at + 2 + length > data.Length) throw new InvalidFrameException($"The segment of marker 0x{marker:X4} is cut off.", at);
        return data.Slice(at + 4, length - 2);
    }

    private void ReadSize(ReadOnlySpan<byte> segment, int offset)
    {
        if (ComponentCount > 0) throw new InvalidFrameException("A second size (SIZ).", offset);
        if (segment.Length < 36) throw new InvalidFrameException("The size (SIZ) is cut off.", offset);
        (X1, Y1, X0, Y0) = (U32(segment, 2), U32(segment, 6), U32(segment, 10), U32(segment, 14));
        (_tileWidth, _tileHeight, _tileX0, _tileY0) = (U32(segment, 18), U32(segment, 22), U32(segment, 26), U32(segment, 30));
        var count = U16(segment, 34);
        if (count is < 1 or > MaxComponents || segment.Length < 36 + 3 * count) throw new InvalidFrameException($"{count} components are not supported.", offset);
        // T.800 B.3: the first tile holds the image's corner.
        if (X0 >= X1 || Y0 >= Y1 || X1 > int.MaxValue || Y1 > int.MaxValue || _tileWidth == 0 || _tileHeight == 0 || _tileX0 > X0 || _tileY0 > Y0 ||
            (ulong)_tileX0 + _tileWidth <= X0 || (ulong)_tileY0 + _tileHeight <= Y0)
        {
            throw new InvalidFrameException("The size (SIZ) contradicts itself.", offset);
        }
        var columns = ((ulong)X1 - _tileX0 + _tileWidth - 1) / _tileWidth;
        var rows = ((ulong)Y1 - _tileY0 + _tileHeight - 1) / _tileHeight;
        if (columns > ushort.MaxValue || rows > ushort.MaxValue || columns * rows > ushort.MaxValue) throw new InvalidFrameException("The stream has too many tiles.", offset);
        (TileColumns, TileRows) = ((int)columns, (int)rows);
        for (var i = 0; i < count; i++)
        {
            var (depth, dx, dy) = (segment[36 + 3 * i], segment[37 + 3 * i], segment[38 + 3 * i]);
            _precisions[i] = (depth & 0x7F) + 1;
            _signs[i] = depth > 0x7F;
            if (dx != 1 || dy != 1) throw new InvalidFrameException("Subsampled components are not supported.", offset);
            if (_precisions[i] > 24) throw new InvalidFrameException($"Samples of {_precisions[i]} bits are not supported.", offset);
        }
        ComponentCount = count;
    }

    private void ReadParameters(int marker, ReadOnlySpan<byte> segment, int offset, ComponentStyle[] styles, List<Progression> progressions, ref (ProgressionOrder Order, int Layers, bool HasTransform, int Flags) style)
    {
        switch (marker)
        {
            case J2kMarker.Cod:
                if (segment.Length < 10) throw new InvalidFrameException("The coding style (COD) is cut off.", offset);
                if (segment[1] > 4 || segment[4] > 1 || U16(segment, 2) == 0) throw new InvalidFrameException("The coding style (COD) is out of range.", offset);
                style = ((ProgressionOrder)segment[1], U16(segment, 2), segment[4] == 1, segment[0]);
                for (var i = 0; i < ComponentCount; i++) styles[i].ReadStyle(segment[5..], (segment[0] & 1) != 0, false, offset);
                break;
            case J2kMarker.Coc:
                if (segment.Length < 2) throw new InvalidFrameException("The coding style (COC) is cut off.", offset);
                styles[Component(segment[0], offset)].ReadStyle(segment[2..], (segment[1] & 1) != 0, true, offset);
                break;
            case J2kMarker.Qcd:
                for (var i = 0; i < ComponentCount; i++) styles[i].ReadQuantization(segment, false, offset);
                break;
            case J2kMarker.Qcc:
                if (segment.Length < 1) throw new InvalidFrameException("The quantization (QCC) is cut off.", offset);
                styles[Component(segment[0], offset)].ReadQuantization(segment[1..], true, offset);
                break;
            case J2kMarker.Poc: ReadProgressions(segment, progressions, offset); break;
            case J2kMarker.Tlm: ReadTilePartLengths(segment); break;
            case J2kMarker.Rgn: throw new InvalidFrameException("Regions of interest (RGN) are not supported.", offset);
            case J2kMarker.Ppm or J2kMarker.Ppt: throw new InvalidFrameException("Packed packet headers (PPM, PPT) are not supported.", offset);
        }
    }

    private int Component(int index, int offset) => index < ComponentCount ? index : throw new InvalidFrameException("A marker names a component that the stream does not have.", offset);

    private static void ReadProgressions(ReadOnlySpan<byte> segment, List<Progression> progressions, int offset)
    {
        for (; segment.Length >= 7; segment = segment[7..])
        {
            if (progressions.Count == MaxProgressions) throw new InvalidFrameException("The stream has too many changes of progression (POC).", offset);
            if (segment[6] > 4) throw new InvalidFrameException("The progression (POC) is out of range.", offset);
            progressions.Add(new Progression
            {
                ResolutionStart = segment[0],
                ComponentStart = segment[1],
                LayerEnd = U16(segment, 2),
                ResolutionEnd = segment[4],
                ComponentEnd = segment[5] == 0 ? 256 : segment[5],
                Order = (ProgressionOrder)segment[6],
            });
        }
    }

    // T.800 A.7.1. A help and nothing more: a broken one is passed over.
    private void ReadTilePartLengths(ReadOnlySpan<byte> segment)
    {
        if (segment.Length < 2) return;
        int tileBytes = (segment[1] >> 4) & 3, lengthBytes = (segment[1] & 0x40) != 0 ? 4 : 2;
        for (segment = segment[2..]; segment.Length >= tileBytes + lengthBytes && TilePartLengths.Count < 65_536; segment = segment[(tileBytes + lengthBytes)..])
        {
            TilePartLengths.Add(lengthBytes == 4 ? U32(segment, tileBytes) : (uint)U16(segment, tileBytes));
        }
    }

    // T.800 A.7.3: a length ends with the byte whose highest bit is clear.
    private void CountPackets(int part, ReadOnlySpan<byte> segment)
    {
        var counted = TileParts[part];
        if (segment.Length > 0) foreach (var value in segment[1..]) if (value < 0x80) counted.Packets++;
        TileParts[part] = counted;
    }

    private void ReadTileParts(ReadOnlySpan<byte> data, int at)
    {
        while (at + 2 <= data.Length)
        {
            var marker = ReadMarker(data, at);
            if (marker == J2kMarker.Eoc) break;
            if (marker != J2kMarker.Sot) throw new InvalidFrameException($"Marker 0x{marker:X4} stands where a tile-part should begin.", at);
            if (at + 12 > data.Length) break; // cut off here: what lies before may be enough
            int tile = U16(data, at + 4);
            var length = U32(data, at + 6);
            if (U16(data, at + 2) != 10 || tile >= TileCount || length is > 0 and < 14 || (TileParts.Count > 0 && TileParts.Count >= data.Length / 14))
                throw new InvalidFrameException("The tile-part header (SOT) is broken.", at);
            var end = length == 0 ? data.Length : (int)Math.Min(at + (long)length, data.Length);
            var body = at + 12;
            var isCut = false;
            while (true)
            {
                if (body + 2 > end)
                {
                    isCut = true;
                    break;
                }
                marker = ReadMarker(data, body);
                if (marker == J2kMarker.Sod) break;
                if (body + 4 > end || body + 2 + U16(data, body + 2) > end)
                {
                    isCut = true;
                    break;
                }
                body += 4 + ReadSegment(data, marker, body).Length;
            }
            if (isCut && end < data.Length) throw new InvalidFrameException("The tile-part has no packets (SOD).", at);
            if (isCut) break;
            TileParts.Add(new TilePart { Tile = tile, Start = at, HeaderStart = at + 12, BodyStart = body + 2, End = end });
            at = end;
        }
        if (TileParts.Count == 0) throw new InvalidFrameException("The stream has no tiles (SOT).", at);
        // Parts of several tiles may be interleaved; those of one tile come in their order.
        TileParts.Sort(static (a, b) => a.Tile != b.Tile ? a.Tile.CompareTo(b.Tile) : a.Start.CompareTo(b.Start));
    }

    /// <summary>The progression where no marker changes it.</summary>
    public Progression DefaultProgression => new() { ResolutionEnd = ComponentStyle.MaxLevels + 1, ComponentEnd = MaxComponents, LayerEnd = Layers, Order = _tileStyle.Order };

    private static int U16(ReadOnlySpan<byte> data, int at) => BinaryPrimitives.ReadUInt16BigEndian(data[at..]);

    private static uint U32(ReadOnlySpan<byte> data, int at) => BinaryPrimitives.ReadUInt32BigEndian(data[at..]);
}
