namespace Platform.Codecs.Jpeg2000;

/// <summary>
/// The order of a tile's packets (T.800 B.12): the precincts sorted once for each progression, and the layers around or within them.
/// </summary>
internal sealed class PacketOrder
{
    private readonly StructList<UInt128> _keys = new();
    private readonly StructList<int> _precincts = new();

    public void Trim()
    {
        _keys.Trim(1 << 12);
        _precincts.Trim(1 << 12);
    }

    /// <summary>The precincts of a progression in its order. Within a group, which shares <paramref name="groupShift"/>'s leading bits, layers come first.</summary>
    public ReadOnlySpan<int> Sort(TileLayout layout, CodestreamHeaders headers, in Progression progression)
    {
        _keys.Clear();
        _precincts.Clear();
        for (var component = progression.ComponentStart; component < Math.Min(progression.ComponentEnd, headers.ComponentCount); component++)
        {
            var style = headers.StyleOf(component);
            for (var r = progression.ResolutionStart; r < Math.Min(progression.ResolutionEnd, layout.ResolutionCount(component)); r++)
            {
                ref var resolution = ref layout.ResolutionOf(component, r);
                var first = _keys.Add(resolution.PrecinctColumns * resolution.PrecinctRows);
                _precincts.Add(resolution.PrecinctColumns * resolution.PrecinctRows);
                var down = style.Levels - r;
                for (var row = 0; row < resolution.PrecinctRows; row++)
                {
                    var y = Corner((resolution.Y0 >> resolution.PrecinctHeightExponent) + row, resolution.PrecinctHeightExponent + down, layout.Y0);
                    for (var column = 0; column < resolution.PrecinctColumns; column++)
                    {
                        var x = Corner((resolution.X0 >> resolution.PrecinctWidthExponent) + column, resolution.PrecinctWidthExponent + down, layout.X0);
                        var index = row * resolution.PrecinctColumns + column;
                        _keys[first + index] = Key(progression.Order, component, r, x, y, index);
                        _precincts[first + index] = resolution.FirstPrecinct + index;
                    }
                }
            }
        }
        _keys.Span.Sort(_precincts.Span);
        return _precincts.Span;
    }

    // The precinct's corner on the reference grid; one that begins before the tile is met at the tile's edge.
    private static ulong Corner(int index, int exponent, uint tileEdge) => exponent > 31 ? tileEdge : Math.Max((ulong)index << exponent, tileEdge);

    private static UInt128 Key(ProgressionOrder order, int component, int resolution, ulong x, ulong y, int index)
    {
        UInt128 c = (UInt128)(uint)component, r = (UInt128)(uint)resolution, k = (UInt128)(uint)index;
        UInt128 place = (UInt128)y << 33 | (UInt128)x; // 66 bits
        return order switch
        {
            ProgressionOrder.Lrcp or ProgressionOrder.Rlcp => r << 40 | c << 32 | k,
            ProgressionOrder.Rpcl => r << 112 | place << 40 | c << 32 | k,
            ProgressionOrder.Pcrl => place << 48 | c << 40 | r << 32 | k,
            _ => c << 112 | place << 40 | r << 32 | k,
        };
    }
}
