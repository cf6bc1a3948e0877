namespace ImageApi.Manifest;

/// <summary>
/// The order in which frames are shown, and what volume they make. Parallel planes at distinct positions go by their distance along the common
/// normal; anything else stays as it came: by instance, then by frame.
/// </summary>
internal static class DisplayOrder
{
    // Direction cosines are written with few digits: 0.0001 is about 0.006 degrees.
    private const double OrientationTolerance = 1e-4;
    private const double MinDistanceMm = 1e-3;
    private const double SpacingTolerance = 0.01;
    private const double MinSpacingToleranceMm = 0.01;

    /// <summary>One frame's place. Both null where the frame has none.</summary>
    public readonly record struct Plane(double[]? Orientation, double[]? Position);

    /// <summary>
    /// Indexes into <paramref name="planes"/> in display order; the median distance between neighbours in mm, null where there is no common
    /// geometry or a single plane; and whether all distances are within 1 % (at least 0.01 mm) of it.
    /// </summary>
    public static (int[] Order, double? SpacingMm, bool IsEven) Of(IReadOnlyList<Plane> planes)
    {
        var order = new int[planes.Count];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        if (planes.Count < 2 || planes[0].Orientation is not { } first || !planes.All(p => p.Position is not null && IsSame(p.Orientation, first)))
            return (order, null, false);
        var normal = Cross(first);
        var distances = planes.Select(p => Dot(normal, p.Position!)).ToArray();
        var sorted = (int[])order.Clone();
        Array.Sort(sorted, (x, y) => distances[x] != distances[y] ? distances[x].CompareTo(distances[y]) : x.CompareTo(y));
        var gaps = new double[planes.Count - 1];
        for (var i = 0; i < gaps.Length; i++)
        {
            gaps[i] = distances[sorted[i + 1]] - distances[sorted[i]];
            if (gaps[i] < MinDistanceMm)
                return (order, null, false); // several frames at one place: time, echoes, or repeated slices
        }
        var ordered = gaps.Order().ToArray();
        var median = ordered[ordered.Length / 2];
        var tolerance = Math.Max(MinSpacingToleranceMm, median * SpacingTolerance);
        return (sorted, median, Array.TrueForAll(gaps, gap => Math.Abs(gap - median) <= tolerance));
    }

    private static bool IsSame(double[]? orientation, double[] other)
    {
        if (orientation is null)
            return false;
        for (var i = 0; i < 6; i++)
            if (Math.Abs(orientation[i] - other[i]) > OrientationTolerance)
                return false;
        return true;
    }

    private static double[] Cross(double[] o) =>
        [(o[1] * o[5]) - (o[2] * o[4]), (o[2] * o[3]) - (o[0] * o[5]), (o[0] * o[4]) - (o[1] * o[3])];

    private static double Dot(double[] a, double[] b) => (a[0] * b[0]) + (a[1] * b[1]) + (a[2] * b[2]);
}
