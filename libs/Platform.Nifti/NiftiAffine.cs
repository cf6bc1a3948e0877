namespace Platform.Nifti;

/// <summary>
/// Three rows of four numbers: voxel indexes (i, j, k) to coordinates (x, y, z) in mm, x to the right, y to the front, z to the top (RAS+).
/// </summary>
public readonly record struct NiftiAffine(
    double Xi, double Xj, double Xk, double X0,
    double Yi, double Yj, double Yk, double Y0,
    double Zi, double Zj, double Zk, double Z0)
{
    /// <summary>Method 2 of nifti1.h: a unit quaternion (b, c, d; a follows), an offset, and the sign of the third axis.</summary>
    public static NiftiAffine FromQuaternion(double b, double c, double d, double x, double y, double z, double dx, double dy, double dz, double thirdAxisSign)
    {
        var a = 1 - (b * b + c * c + d * d);
        if (a < 1e-7)
        {
            // Rounded beyond a unit: a half turn.
            a = 1 / Math.Sqrt(b * b + c * c + d * d);
            (b, c, d, a) = (b * a, c * a, d * a, 0);
        }
        else
        {
            a = Math.Sqrt(a);
        }
        dz *= thirdAxisSign;
        return new NiftiAffine(
            (a * a + b * b - c * c - d * d) * dx, 2 * (b * c - a * d) * dy, 2 * (b * d + a * c) * dz, x,
            2 * (b * c + a * d) * dx, (a * a + c * c - b * b - d * d) * dy, 2 * (c * d - a * b) * dz, y,
            2 * (b * d - a * c) * dx, 2 * (c * d + a * b) * dy, (a * a + d * d - c * c - b * b) * dz, z);
    }

    /// <summary>
    /// What is customary where a header states no orientation: transverse, columns to the patient's left as ANALYZE has it, the origin in
    /// the middle.
    /// </summary>
    public static NiftiAffine FromSizes(long columns, long rows, long slices, double dx, double dy, double dz) => new(
        -dx, 0, 0, (columns - 1) / 2.0 * dx,
        0, dy, 0, -(rows - 1) / 2.0 * dy,
        0, 0, dz, -(slices - 1) / 2.0 * dz);

    public bool IsFinite =>
        double.IsFinite(Xi + Xj + Xk + X0) && double.IsFinite(Yi + Yj + Yk + Y0) && double.IsFinite(Zi + Zj + Zk + Z0);

    /// <summary>The affine of the same voxels in another unit of length.</summary>
    public NiftiAffine Scale(double factor) => new(
        Xi * factor, Xj * factor, Xk * factor, X0 * factor,
        Yi * factor, Yj * factor, Yk * factor, Y0 * factor,
        Zi * factor, Zj * factor, Zk * factor, Z0 * factor);

    /// <summary>Coordinates of a voxel's centre in mm.</summary>
    public (double X, double Y, double Z) Transform(double i, double j, double k) =>
        (Xi * i + Xj * j + Xk * k + X0, Yi * i + Yj * j + Yk * k + Y0, Zi * i + Zj * j + Zk * k + Z0);

    /// <summary>The rows one after the other, 12 numbers.</summary>
    public double[] ToArray() => [Xi, Xj, Xk, X0, Yi, Yj, Yk, Y0, Zi, Zj, Zk, Z0];

    /// <summary>
    /// The anatomical direction nearest to each voxel axis, no direction used twice: of the six ways to pair axes the one that agrees best.
    /// Null where an axis has no length or no number.
    /// </summary>
    public string? ToOrientation()
    {
        ReadOnlySpan<double> columns = [Xi, Yi, Zi, Xj, Yj, Zj, Xk, Yk, Zk];
        Span<double> unit = stackalloc double[9];
        for (var axis = 0; axis < 3; axis++)
        {
            var (x, y, z) = (columns[axis * 3], columns[axis * 3 + 1], columns[axis * 3 + 2]);
            var length = Math.Sqrt(x * x + y * y + z * z);
            if (!(length > 0) || !double.IsFinite(length)) return null;
            (unit[axis * 3], unit[axis * 3 + 1], unit[axis * 3 + 2]) = (x / length, y / length, z / length);
        }
        ReadOnlySpan<byte> pairings = [0, 1, 2, 0, 2, 1, 1, 0, 2, 1, 2, 0, 2, 0, 1, 2, 1, 0];
        var (best, bestSum) = (0, -1.0);
        for (var p = 0; p < 6; p++)
        {
            var sum = 0.0;
            for (var axis = 0; axis < 3; axis++) sum += Math.Abs(unit[axis * 3 + pairings[p * 3 + axis]]);
            if (sum > bestSum + 1e-9) (best, bestSum) = (p, sum);
        }
        Span<char> code = stackalloc char[3];
        for (var axis = 0; axis < 3; axis++)
        {
            var direction = pairings[best * 3 + axis];
            code[axis] = (unit[axis * 3 + direction] >= 0 ? "RAS" : "LPI")[direction];
        }
        return new string(code);
    }
}
