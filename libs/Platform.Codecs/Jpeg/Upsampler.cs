namespace Platform.Codecs.Jpeg;

/// <summary>
/// Brings a component's row to full width. Components of half width (and height) are interpolated with the triangle filter of the
/// reference decoders: three parts of the nearer sample, one of the farther. Other whole ratios are repeated.
/// </summary>
internal static class Upsampler
{
    public static void ReadRow(ReadOnlySpan<ushort> plane, in JpegComponent component, int maxH, int maxV, int row, Span<ushort> line)
    {
        var stride = 8 * component.BlockColumns;
        if (component.H == maxH && component.V == maxV)
        {
            plane.Slice(row * stride, line.Length).CopyTo(line);
            return;
        }
        if (maxH % component.H != 0 || maxV % component.V != 0) throw new InvalidFrameException("Components are sampled at ratios that are not whole.");
        int ratioH = maxH / component.H, ratioV = maxV / component.V;
        var source = row / ratioV;
        var near = plane.Slice(source * stride, component.Width);
        if (ratioH == 2 && ratioV is 1 or 2 && component.Width > 2)
        {
            // The row beyond an edge is the edge itself.
            var other = ratioV == 1 ? source : Math.Clamp(row % 2 == 0 ? source - 1 : source + 1, 0, component.Height - 1);
            var far = plane.Slice(other * stride, component.Width);
            if (ratioV == 1) InterpolateOneWay(near, line);
            else InterpolateBothWays(near, far, line);
            return;
        }
        for (var i = 0; i < line.Length; i++) line[i] = near[i / ratioH];
    }

    private static void InterpolateOneWay(ReadOnlySpan<ushort> near, Span<ushort> line)
    {
        var last = near.Length - 1;
        for (var i = 0; i < line.Length; i++)
        {
            var at = i >> 1;
            line[i] = (i & 1) == 0
                ? at == 0 ? near[0] : (ushort)((3 * near[at] + near[at - 1] + 1) >> 2)
                : at == last ? near[last] : (ushort)((3 * near[at] + near[at + 1] + 2) >> 2);
        }
    }

    private static void InterpolateBothWays(ReadOnlySpan<ushort> near, ReadOnlySpan<ushort> far, Span<ushort> line)
    {
        var last = near.Length - 1;
        for (var i = 0; i < line.Length; i++)
        {
            var at = i >> 1;
            var sum = 3 * near[at] + far[at];
            line[i] = (i & 1) == 0
                ? at == 0 ? (ushort)((4 * sum + 8) >> 4) : (ushort)((3 * sum + 3 * near[at - 1] + far[at - 1] + 8) >> 4)
                : at == last ? (ushort)((4 * sum + 7) >> 4) : (ushort)((3 * sum + 3 * near[at + 1] + far[at + 1] + 7) >> 4);
        }
    }
}
