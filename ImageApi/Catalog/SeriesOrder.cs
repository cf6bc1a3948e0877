namespace ImageApi.Catalog;

/// <summary>Puts the instances of a series in display order.</summary>
internal static class SeriesOrder
{
    /// <summary>Direction cosines that differ by less than this are the same direction (about 0.06 degrees).</summary>
    private const double DirectionTolerance = 1e-3;

    /// <summary>Planes nearer than this, in mm, lie on one another.</summary>
    private const double PositionTolerance = 1e-3;

    /// <summary>
    /// Sorts in place: along the slice normal when every instance is a plane of one orientation and no two planes lie on one another,
    /// else by instance number (those without one last), then by SOP Instance UID. Gives the geometry in the first case.
    /// </summary>
    public static SeriesGeometry? Sort(InstanceEntry[] instances)
    {
        if (TryGetNormal(instances, out var orientation, out var normal))
        {
            var distances = Array.ConvertAll(instances, instance => Dot(instance.Position!, normal));
            var sorted = (InstanceEntry[])instances.Clone();
            Array.Sort(distances, sorted);
            if (TryGetSpacing(distances, out var spacing, out var isRegular))
            {
                sorted.CopyTo(instances, 0);
                return new SeriesGeometry(orientation, normal, spacing, isRegular);
            }
        }

        Array.Sort(instances, CompareByNumber);
        return null;
    }

    private static int CompareByNumber(InstanceEntry left, InstanceEntry right)
    {
        var byNumber = (left.Number ?? int.MaxValue).CompareTo(right.Number ?? int.MaxValue);
        return byNumber != 0 ? byNumber : string.CompareOrdinal(left.SopUid, right.SopUid);
    }

    private static bool TryGetNormal(InstanceEntry[] instances, out double[] orientation, out double[] normal)
    {
        orientation = normal = [];
        if (instances is not [{ Orientation: { } first }, ..]) return false;
        foreach (var instance in instances)
        {
            if (instance is not { Position: not null, Orientation: { } other, HasPixels: true }) return false;
            for (var i = 0; i < 6; i++)
            {
                if (Math.Abs(first[i] - other[i]) > DirectionTolerance) return false;
            }
        }

        double[] cross =
        [
            (first[1] * first[5]) - (first[2] * first[4]),
            (first[2] * first[3]) - (first[0] * first[5]),
            (first[0] * first[4]) - (first[1] * first[3]),
        ];
        if (Math.Abs(Math.Sqrt(Dot(cross, cross)) - 1) > 0.01) return false;   // not two perpendicular unit vectors
        (orientation, normal) = (first, cross);
        return true;
    }

    private static bool TryGetSpacing(double[] distances, out double spacing, out bool isRegular)
    {
        (spacing, isRegular) = (0, false);
        if (distances.Length < 2) return true;
        var gaps = new double[distances.Length - 1];
        for (var i = 0; i < gaps.Length; i++)
        {
            gaps[i] = distances[i + 1] - distances[i];
            if (gaps[i] < PositionTolerance) return false;
        }
        Array.Sort(gaps);
        spacing = gaps[gaps.Length / 2];
        var tolerance = Math.Max(0.01, spacing * 0.01);
        isRegular = spacing - gaps[0] <= tolerance && gaps[^1] - spacing <= tolerance;
        return true;
    }

    private static double Dot(double[] a, double[] b) => (a[0] * b[0]) + (a[1] * b[1]) + (a[2] * b[2]);
}
