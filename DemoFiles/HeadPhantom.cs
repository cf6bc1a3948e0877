using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace DemoFiles;

/// <summary>
/// A head as a T1-weighted MR image might have it, computed from ellipsoids and waves: scalp, skull, brain with grey and white matter,
/// ventricles, eyes, a lesion, noise. NIfTI-1, int16, RAS, about 230 mm deep. The same sizes give the same bytes; nobody was ever in a scanner for it.
/// </summary>
internal static class HeadPhantom
{
    private const int HeaderBytes = 352;
    private const float WidthMm = 200, DepthMm = 230, HeightMm = 220;

    /// <param name="columns">Voxels from left to right, and from back to front.</param>
    /// <param name="slices">Voxels from bottom to top.</param>
    public static byte[] Make(int columns, int slices)
    {
        var file = new byte[HeaderBytes + 2L * columns * columns * slices];
        float dx = WidthMm / columns, dy = DepthMm / columns, dz = HeightMm / slices;
        WriteHeader(file, columns, slices, dx, dy, dz);
        Parallel.For(0, slices, slice =>
        {
            var voxels = MemoryMarshal.Cast<byte, short>(file.AsSpan(HeaderBytes + 2 * columns * columns * slice, 2 * columns * columns));
            var noise = (uint)(slice * 2654435761 + 12345);
            var z = (slice + 0.5f) * dz - HeightMm / 2;
            for (var row = 0; row < columns; row++)
            {
                var y = (row + 0.5f) * dy - DepthMm / 2;
                for (var column = 0; column < columns; column++)
                {
                    var x = (column + 0.5f) * dx - WidthMm / 2;
                    noise ^= noise << 13;
                    noise ^= noise >> 17;
                    noise ^= noise << 5;
                    // The magnitude of signal and noise, as MR has it: air is not zero.
                    var (a, b) = ((noise & 0xFF) / 255f - 0.5f, (noise >> 8 & 0xFF) / 255f - 0.5f);
                    var signal = SignalAt(x, y, z) + a * 44;
                    var value = MathF.Sqrt(signal * signal + b * b * 44 * 44);
                    var at = row * columns + column;
                    voxels[at] = BitConverter.IsLittleEndian ? (short)value : BinaryPrimitives.ReverseEndianness((short)value);
                }
            }
        });
        return file;
    }

    public static byte[] Gzip(byte[] file)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(file);
        return packed.ToArray();
    }

    /// <summary>Signal at a point in mm: x to the right, y to the front, z to the top, 0 in the middle.</summary>
    private static float SignalAt(float x, float y, float z)
    {
        // Narrower towards the neck and the chin.
        var taper = z < -20 ? 1 + (-20 - z) * 0.0035f : 1;
        var head = Radius(x * taper, y * taper, z + 6, 78, 98, 100);
        if (z < -60 && head > 1) head = MathF.Min(head, MathF.Sqrt((x * x + (y + 18) * (y + 18)) / (46f * 46f)));   // neck
        if (head > 1) return Nose(x, y, z) ? 520 : 0;
        if (head > 0.955f) return 880;   // fat beneath the skin
        if (head > 0.93f) return 420;

        var eye = MathF.Min(Radius(x - 32, y - 74, z + 22, 12.5f, 12.5f, 12.5f), Radius(x + 32, y - 74, z + 22, 12.5f, 12.5f, 12.5f));
        if (eye < 1) return eye < 0.85f ? 130 : 480;
        // The base of the skull rises to the front.
        if (z < -48 + 0.35f * (y + 40) || (y > 60 && z < -4)) return BelowTheBrain(x, y, z);

        var brain = Radius(x, y, z - 4, 66, 84, 74);
        if (brain > 1.06f) return head > 0.9f ? 90 : 110;   // skull
        // The folds: waves along the surface, deeper where they meet.
        var fold = MathF.Sin(x * 0.19f + 2.2f * MathF.Sin(y * 0.06f)) * MathF.Sin(y * 0.17f + 2f * MathF.Sin(z * 0.07f)) * MathF.Cos(z * 0.16f + 1.8f * MathF.Sin(x * 0.055f));
        var surface = brain + fold * 0.055f;
        // Between the halves, but for what joins them.
        var fissure = MathF.Abs(x - 2.4f - 0.7f * MathF.Sin(y * 0.04f)) < 1.2f && Radius(0, y - 2, z - 6, 1, 40, 24) > 1;
        if (surface > 1 || fissure) return 190;   // fluid
        if (Cerebellum(x, y, z, out var cerebellum)) return cerebellum;

        var ventricle = MathF.Min(Radius(MathF.Abs(x) - 9 - y * 0.02f, y - 8, z - 12, 5.5f, 30, 9), Radius(x, y + 4, z - 2, 2.5f, 10, 9));
        if (ventricle < 1) return 180;
        var nuclei = MathF.Min(Radius(MathF.Abs(x) - 21, y - 6, z - 4, 8, 17, 11), Radius(MathF.Abs(x) - 9, y + 12, z - 2, 7, 12, 8));
        if (nuclei < 1) return 590;
        var lesion = Radius(x - 30, y + 22, z - 30, 8, 9, 7.5f);
        if (lesion < 1) return lesion < 0.6f ? 320 : 930;
        // Grey matter follows the folds, some 3 mm wide.
        return surface + MathF.Max(0, fold) * 0.13f > 0.9f ? 560 : 760;
    }

    private static float BelowTheBrain(float x, float y, float z)
    {
        if (Radius(x, y + 14, z + 70, 11, 11, 60) < 1) return Radius(x, y + 14, z + 70, 7, 7, 60) < 1 ? 650 : 200;   // spinal cord
        if (Radius(x, y + 20, z + 90, 20, 18, 50) < 1) return 380;
        if (Cerebellum(x, y, z, out var cerebellum)) return cerebellum;
        if (Radius(x, y - 62, z + 46, 10, 22, 16) < 1) return 20;   // air of the nose
        if (Radius(x, y - 50, z + 74, 26, 34, 12) < 1) return 460;   // tongue
        return 330 + 90 * MathF.Sin(x * 0.12f) * MathF.Sin(y * 0.1f + z * 0.08f);
    }

    private static bool Cerebellum(float x, float y, float z, out float signal)
    {
        var inside = Radius(x, y + 52, z + 40, 44, 26, 24);
        signal = inside > 0.94f ? 190 : MathF.Sin(z * 1.1f + y * 0.35f) > 0.15f ? 700 : 540;
        return inside < 1;
    }

    private static bool Nose(float x, float y, float z) => z is < -18 and > -58 && y > 70 && Radius(x, y - 84, z + 44, 13, 24, 24) < 1;

    private static float Radius(float x, float y, float z, float a, float b, float c) => MathF.Sqrt(x * x / (a * a) + y * y / (b * b) + z * z / (c * c));

    // nifti1.h
    private static void WriteHeader(Span<byte> file, int columns, int slices, float dx, float dy, float dz)
    {
        BinaryPrimitives.WriteInt32LittleEndian(file, 348);
        short[] sizes = [3, (short)columns, (short)columns, (short)slices, 1, 1, 1, 1];
        for (var i = 0; i < sizes.Length; i++) BinaryPrimitives.WriteInt16LittleEndian(file[(40 + 2 * i)..], sizes[i]);
        BinaryPrimitives.WriteInt16LittleEndian(file[70..], 4);   // int16
        BinaryPrimitives.WriteInt16LittleEndian(file[72..], 16);
        float[] distances = [1, dx, dy, dz];
        for (var i = 0; i < distances.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(file[(76 + 4 * i)..], distances[i]);
        BinaryPrimitives.WriteSingleLittleEndian(file[108..], HeaderBytes);
        BinaryPrimitives.WriteSingleLittleEndian(file[112..], 1);
        file[123] = 2;   // mm
        BinaryPrimitives.WriteSingleLittleEndian(file[124..], 1000);   // shown as white
        BinaryPrimitives.WriteSingleLittleEndian(file[128..], 60);   // shown as black: the noise of air lies below
        "Synthetic head, made by a program"u8.CopyTo(file[148..]);
        BinaryPrimitives.WriteInt16LittleEndian(file[254..], 1);   // rows of the affine
        float[] rows = [dx, 0, 0, (dx - WidthMm) / 2, 0, dy, 0, (dy - DepthMm) / 2, 0, 0, dz, (dz - HeightMm) / 2];
        for (var i = 0; i < rows.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(file[(280 + 4 * i)..], rows[i]);
        "n+1\0"u8.CopyTo(file[344..]);
    }
}
