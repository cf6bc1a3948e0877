using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Compression;

namespace Platform.Nifti;

/// <summary>What a volume to be written is.</summary>
/// <param name="DataType">Of a voxel: one whose values can be read here.</param>
/// <param name="Dimensions">Columns, rows, slices and up to four more; 1 to 32,767 each.</param>
/// <param name="Affine">From voxel indexes to mm, x to the right, y to the front, z to the top; gives the spacing too.</param>
/// <param name="Space">What the coordinates are of.</param>
/// <param name="IntentCode">0 for nothing special, 1002 for labels.</param>
public sealed record NiftiVolumeDescription(
    NiftiDataType DataType, ImmutableArray<long> Dimensions, NiftiAffine Affine, NiftiSpace Space = NiftiSpace.ScannerAnatomical, int IntentCode = 0)
{
    /// <summary>Bytes of all voxels.</summary>
    public long VoxelBytes => Dimensions.Aggregate((long)DataType.BitsPerVoxel() / 8, static (product, size) => checked(product * size));
}

/// <summary>
/// Writes NIfTI-1 in one file (<c>n+1</c>), little endian, voxels at byte 352, unscaled. The orientation goes into <c>sform</c>, and into
/// <c>qform</c> as well where the affine is a rotation with spacings, for readers that look there only.
/// </summary>
public static class NiftiWriter
{
    /// <summary>Where the voxels begin: behind the header of 348 bytes and four that say that no extension follows.</summary>
    public const int VoxelOffset = 352;

    /// <summary>Code of an intent: voxels are labels (<c>NIFTI_INTENT_LABEL</c>).</summary>
    public const int LabelIntent = 1002;

    /// <summary>Writes a whole file.</summary>
    /// <param name="to">Takes the file; stays open.</param>
    /// <param name="volume">What the voxels are.</param>
    /// <param name="voxels">Little endian, columns fastest, <see cref="NiftiVolumeDescription.VoxelBytes"/> of them.</param>
    /// <param name="isCompressed">As <c>.nii.gz</c>.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    /// <exception cref="ArgumentException">The description is not one that NIfTI-1 can hold, or the voxels are not as many as it says.</exception>
    public static async Task WriteAsync(Stream to, NiftiVolumeDescription volume, ReadOnlyMemory<byte> voxels, bool isCompressed, CancellationToken cancellationToken)
    {
        if (voxels.Length != volume.VoxelBytes) throw new ArgumentException($"{volume.VoxelBytes} bytes of voxels were announced, {voxels.Length} given.", nameof(voxels));
        var header = WriteHeader(volume);
        if (!isCompressed)
        {
            await to.WriteAsync(header, cancellationToken);
            await to.WriteAsync(voxels, cancellationToken);
            return;
        }
        await using var gzip = new GZipStream(to, CompressionLevel.Fastest, leaveOpen: true);
        await gzip.WriteAsync(header, cancellationToken);
        await gzip.WriteAsync(voxels, cancellationToken);
    }

    /// <summary>The first <see cref="VoxelOffset"/> bytes of the file.</summary>
    /// <exception cref="ArgumentException">The description is not one that NIfTI-1 can hold.</exception>
    public static byte[] WriteHeader(NiftiVolumeDescription volume)
    {
        if (!volume.DataType.HasReadableValues()) throw new ArgumentException($"Voxels of {volume.DataType} are not written.", nameof(volume));
        if (volume.Dimensions.Length is < 1 or > 7 || volume.Dimensions.Any(size => size is < 1 or > short.MaxValue)) throw new ArgumentException("NIfTI-1 has 1 to 7 dimensions of 1 to 32,767.", nameof(volume));
        if (!volume.Affine.IsFinite) throw new ArgumentException("The affine is not finite.", nameof(volume));
        var affine = volume.Affine;
        var bytes = new byte[VoxelOffset];
        var header = bytes.AsSpan();
        void Int16(int at, int value) => BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(at), checked((short)value));
        void Float(int at, double value) => BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(at), (float)value);

        BinaryPrimitives.WriteInt32LittleEndian(header, 348);
        Int16(40, volume.Dimensions.Length);
        for (var i = 0; i < 7; i++) Int16(42 + 2 * i, i < volume.Dimensions.Length ? (int)volume.Dimensions[i] : 1);
        Int16(68, volume.IntentCode);
        Int16(70, (int)volume.DataType);
        Int16(72, volume.DataType.BitsPerVoxel());
        double[] spacing = [Norm(affine.Xi, affine.Yi, affine.Zi), Norm(affine.Xj, affine.Yj, affine.Zj), Norm(affine.Xk, affine.Yk, affine.Zk)];
        for (var i = 0; i < 7; i++) Float(80 + 4 * i, i < 3 ? spacing[i] : 1);
        Float(108, VoxelOffset);
        Float(112, 1);                                       // scl_slope
        bytes[123] = 2;                                      // mm
        var rows = affine.ToArray();
        Int16(254, (int)volume.Space);
        for (var i = 0; i < 12; i++) Float(280 + 4 * i, rows[i]);
        if (TryToQuaternion(affine, spacing, out var quaternion, out var thirdAxisSign))
        {
            Int16(252, (int)volume.Space);
            Float(76, thirdAxisSign);
            Float(256, quaternion.B);
            Float(260, quaternion.C);
            Float(264, quaternion.D);
            Float(268, affine.X0);
            Float(272, affine.Y0);
            Float(276, affine.Z0);
        }
        else
        {
            Float(76, 1);
        }
        "n+1\0"u8.CopyTo(header[344..]);
        return bytes;
    }

    /// <summary>The unit quaternion of an affine without shear (nifti1.h, method 2), its first number not negative; false for any other affine.</summary>
    private static bool TryToQuaternion(in NiftiAffine affine, double[] spacing, out (double B, double C, double D) quaternion, out int thirdAxisSign)
    {
        (quaternion, thirdAxisSign) = (default, 1);
        if (spacing.Any(static distance => !(distance > 0))) return false;
        double xi = affine.Xi / spacing[0], yi = affine.Yi / spacing[0], zi = affine.Zi / spacing[0];
        double xj = affine.Xj / spacing[1], yj = affine.Yj / spacing[1], zj = affine.Zj / spacing[1];
        double xk = affine.Xk / spacing[2], yk = affine.Yk / spacing[2], zk = affine.Zk / spacing[2];
        const double Tolerance = 1e-4;
        if (Math.Abs(xi * xj + yi * yj + zi * zj) > Tolerance || Math.Abs(xi * xk + yi * yk + zi * zk) > Tolerance || Math.Abs(xj * xk + yj * yk + zj * zk) > Tolerance) return false;
        var determinant = xi * (yj * zk - zj * yk) - xj * (yi * zk - zi * yk) + xk * (yi * zj - zi * yj);
        if (determinant < 0) (thirdAxisSign, xk, yk, zk) = (-1, -xk, -yk, -zk);

        // From the largest of the four, so that nothing is divided by a small number.
        double a, b, c, d;
        var trace = xi + yj + zk;
        if (trace > 0.5)
        {
            a = 0.5 * Math.Sqrt(1 + trace);
            (b, c, d) = (0.25 * (zj - yk) / a, 0.25 * (xk - zi) / a, 0.25 * (yi - xj) / a);
        }
        else
        {
            double bb = 1 + xi - yj - zk, cc = 1 + yj - xi - zk, dd = 1 + zk - xi - yj;
            if (bb >= cc && bb >= dd)
            {
                b = 0.5 * Math.Sqrt(bb);
                (a, c, d) = (0.25 * (zj - yk) / b, 0.25 * (xj + yi) / b, 0.25 * (xk + zi) / b);
            }
            else if (cc >= dd)
            {
                c = 0.5 * Math.Sqrt(cc);
                (a, b, d) = (0.25 * (xk - zi) / c, 0.25 * (xj + yi) / c, 0.25 * (yk + zj) / c);
            }
            else
            {
                d = 0.5 * Math.Sqrt(dd);
                (a, b, c) = (0.25 * (yi - xj) / d, 0.25 * (xk + zi) / d, 0.25 * (yk + zj) / d);
            }
            if (a < 0) (b, c, d) = (-b, -c, -d);
        }
        quaternion = (b, c, d);
        return true;
    }

    private static double Norm(double x, double y, double z) => Math.Sqrt(x * x + y * y + z * z);
}
