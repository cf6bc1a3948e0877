using System.Runtime.Intrinsics;

namespace Platform.Codecs.Jpeg;

/// <summary>
/// Brings a component's row to full width. Components of half width (and height) are interpolated with the triangle filter of the
/// reference decoders: three parts of the nearer sample, one of the farther. Other whole ratios are repeated.
/// </summary>
internal static class Upsampler
{
    /// <exception cref="InvalidFrameException">A component's sampling does not divide the largest.</exception>
    public static void Check(ReadOnlySpan<JpegComponent> components, int maxH, int maxV, int offset)
    {
        foreach (ref readonly var component in components)
        {
            if (maxH % component.H != 0 || maxV % component.V != 0) throw new InvalidFrameException("Components are sampled at ratios that are not whole.", offset);
        }
    }

    /// <summary>A row at full width: a part of the plane where that is as wide, else made in <paramref name="line"/>.</summary>
    /// <param name="plane">The component's samples.</param>
    /// <param name="component">The component.</param>
    /// <param name="maxH">The frame's largest horizontal sampling factor.</param>
    /// <param name="maxV">The frame's largest vertical sampling factor.</param>
    /// <param name="row">Of the frame.</param>
    /// <param name="line">As long as the row.</param>
    /// <param name="work">As long as the row and one more; anything.</param>
    /// <param name="isVectorized">False for the scalar twin.</param>
    public static ReadOnlySpan<ushort> ReadRow(ReadOnlySpan<ushort> plane, in JpegComponent component, int maxH, int maxV, int row, Span<ushort> line, Span<ushort> work, bool isVectorized = true)
    {
        var stride = 8 * component.BlockColumns;
        if (component.H == maxH && component.V == maxV) return plane.Slice(row * stride, line.Length);
        int ratioH = maxH / component.H, ratioV = maxV / component.V;
        var source = row / ratioV;
        var near = plane.Slice(source * stride, component.Width);
        if (ratioH == 2 && ratioV is 1 or 2 && component.Width > 2)
        {
            if (ratioV == 1)
            {
                InterpolateOneWay(near, line, isVectorized);
                return line;
            }
            // The row beyond an edge is the edge itself.
            var other = Math.Clamp(row % 2 == 0 ? source - 1 : source + 1, 0, component.Height - 1);
            InterpolateBothWays(near, plane.Slice(other * stride, component.Width), line, work[..component.Width], isVectorized);
            return line;
        }
        for (var i = 0; i < line.Length; i++) line[i] = near[i / ratioH];
        return line;
    }

    private static void InterpolateOneWay(ReadOnlySpan<ushort> near, Span<ushort> line, bool isVectorized)
    {
        var last = near.Length - 1;
        line[0] = near[0];
        line[1] = (ushort)((3 * near[0] + near[1] + 2) >> 2);
        var at = 1;
        if (isVectorized)
        {
            for (; at + Vector256<ushort>.Count <= last; at += Vector256<ushort>.Count)
            {
                var three = Vector256.Create(near.Slice(at, 16)) * 3;
                var even = (three + Vector256.Create(near.Slice(at - 1, 16)) + Vector256.Create((ushort)1)) >>> 2;
                var odd = (three + Vector256.Create(near.Slice(at + 1, 16)) + Vector256.Create((ushort)2)) >>> 2;
                StoreInTurns(even, odd, line.Slice(2 * at, 32));
            }
        }
        for (; at < last; at++)
        {
            line[2 * at] = (ushort)((3 * near[at] + near[at - 1] + 1) >> 2);
            line[2 * at + 1] = (ushort)((3 * near[at] + near[at + 1] + 2) >> 2);
        }
        line[2 * last] = (ushort)((3 * near[last] + near[last - 1] + 1) >> 2);
        if (2 * last + 1 < line.Length) line[2 * last + 1] = near[last];
    }

    // With 12 bits the sums come to 65,528 at most.
    private static void InterpolateBothWays(ReadOnlySpan<ushort> near, ReadOnlySpan<ushort> far, Span<ushort> line, Span<ushort> sums, bool isVectorized)
    {
        var last = near.Length - 1;
        var at = 0;
        if (isVectorized)
        {
            for (; at + Vector256<ushort>.Count <= near.Length; at += Vector256<ushort>.Count) (Vector256.Create(near.Slice(at, 16)) * 3 + Vector256.Create(far.Slice(at, 16))).CopyTo(sums.Slice(at, 16));
        }
        for (; at < near.Length; at++) sums[at] = (ushort)(3 * near[at] + far[at]);

        line[0] = (ushort)((4 * sums[0] + 8) >> 4);
        line[1] = (ushort)((3 * sums[0] + sums[1] + 7) >> 4);
        at = 1;
        if (isVectorized)
        {
            for (; at + Vector256<ushort>.Count <= last; at += Vector256<ushort>.Count)
            {
                var three = Vector256.Create<ushort>(sums.Slice(at, 16)) * 3;
                var even = (three + Vector256.Create<ushort>(sums.Slice(at - 1, 16)) + Vector256.Create((ushort)8)) >>> 4;
                var odd = (three + Vector256.Create<ushort>(sums.Slice(at + 1, 16)) + Vector256.Create((ushort)7)) >>> 4;
                StoreInTurns(even, odd, line.Slice(2 * at, 32));
            }
        }
        for (; at < last; at++)
        {
            line[2 * at] = (ushort)((3 * sums[at] + sums[at - 1] + 8) >> 4);
            line[2 * at + 1] = (ushort)((3 * sums[at] + sums[at + 1] + 7) >> 4);
        }
        line[2 * last] = (ushort)((3 * sums[last] + sums[last - 1] + 8) >> 4);
        if (2 * last + 1 < line.Length) line[2 * last + 1] = (ushort)((4 * sums[last] + 7) >> 4);
    }

    private static void StoreInTurns(Vector256<ushort> even, Vector256<ushort> odd, Span<ushort> line)
    {
        (Vector256.WidenLower(even) | Vector256.WidenLower(odd) << 16).AsUInt16().CopyTo(line);
        (Vector256.WidenUpper(even) | Vector256.WidenUpper(odd) << 16).AsUInt16().CopyTo(line[16..]);
    }
}
