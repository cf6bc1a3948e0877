using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Platform.Codecs;

namespace Platform.Imaging;

/// <summary>
/// A colour profile (ICC.1, versions 2 and 4) of the two kinds that cameras, screens and scanners mostly carry and that can be computed with: red, green and
/// blue by curves and a matrix, grey by a curve. Profiles by tables of colours (of printers, and the like) are not read; pictures with those are shown as
/// if they had none. Immutable.
/// </summary>
public sealed class IccProfile
{
    private const int MaxTags = 100;

    // XYZ of D50 to linear sRGB (IEC 61966-2-1, adapted by Bradford).
    private static readonly double[] ToLinear = [3.1338561, -1.6168667, -0.4906146, -0.9787684, 1.9161415, 0.0334540, 0.0719453, -0.2289914, 1.4052427];
    private static readonly byte[] Encoded = MakeEncoded();

    private readonly float[][] _curves;   // linear light for each 8-bit value: one of grey, or three
    private readonly float[] _matrix;     // linear light to linear sRGB, by row; of colour

    private IccProfile(float[][] curves, float[] matrix) => (_curves, _matrix) = (curves, matrix);

    /// <summary>Of red, green and blue; else of grey.</summary>
    public bool IsColour => _curves.Length == 3;

    /// <summary>Whether it changes no 8-bit colour by more than 1 from what sRGB would show.</summary>
    public bool IsSrgb { get; private set; }

    /// <summary>Reads a profile; null where it is broken or of another kind.</summary>
    public static IccProfile? TryRead(ReadOnlySpan<byte> profile)
    {
        if (profile.Length < 132 || !profile.Slice(36, 4).SequenceEqual("acsp"u8) || !profile.Slice(20, 4).SequenceEqual("XYZ "u8)) return null;
        var space = profile.Slice(16, 4);
        if (space.SequenceEqual("GRAY"u8))
        {
            return Curve(Tag(profile, "kTRC"u8)) is { } grey ? new IccProfile([grey], []).Judged() : null;
        }
        if (!space.SequenceEqual("RGB "u8)) return null;
        if (Curve(Tag(profile, "rTRC"u8)) is not { } red || Curve(Tag(profile, "gTRC"u8)) is not { } green || Curve(Tag(profile, "bTRC"u8)) is not { } blue) return null;
        Span<double> columns = stackalloc double[9];
        if (!TryXyz(Tag(profile, "rXYZ"u8), columns) || !TryXyz(Tag(profile, "gXYZ"u8), columns[3..]) || !TryXyz(Tag(profile, "bXYZ"u8), columns[6..])) return null;
        var matrix = new float[9];
        for (var row = 0; row < 3; row++)
        {
            for (var column = 0; column < 3; column++)
            {
                double sum = 0;
                for (var i = 0; i < 3; i++) sum += ToLinear[3 * row + i] * columns[3 * column + i];
                matrix[3 * row + column] = (float)sum;
            }
        }
        return new IccProfile([red, green, blue], matrix).Judged();
    }

    /// <summary>Turns samples of this profile's colours into sRGB, in place; alpha stays.</summary>
    /// <param name="samples">8 or 16 bits, the samples of a pixel together.</param>
    /// <param name="info">What they are: as many colours as the profile has.</param>
    public void ToSrgb(Span<byte> samples, in PictureInfo info)
    {
        if (info.BitsPerSample == 16)
        {
            // 8 bits are what comes out in the end; the upper byte is enough to look up.
            var wide = MemoryMarshal.Cast<byte, ushort>(samples);
            Span<byte> pixel = stackalloc byte[3];
            for (var at = 0; at + info.Channels <= wide.Length; at += info.Channels)
            {
                var colours = IsColour ? 3 : 1;
                for (var i = 0; i < colours; i++) pixel[i] = (byte)(wide[at + i] >> 8);
                Convert(pixel);
                for (var i = 0; i < colours; i++) wide[at + i] = (ushort)(pixel[i] * 257);
            }
            return;
        }
        for (var at = 0; at + info.Channels <= samples.Length; at += info.Channels) Convert(samples.Slice(at, IsColour ? 3 : 1));
    }

    private void Convert(Span<byte> pixel)
    {
        if (!IsColour)
        {
            pixel[0] = Encode(_curves[0][pixel[0]]);
            return;
        }
        float r = _curves[0][pixel[0]], g = _curves[1][pixel[1]], b = _curves[2][pixel[2]];
        pixel[0] = Encode(_matrix[0] * r + _matrix[1] * g + _matrix[2] * b);
        pixel[1] = Encode(_matrix[3] * r + _matrix[4] * g + _matrix[5] * b);
        pixel[2] = Encode(_matrix[6] * r + _matrix[7] * g + _matrix[8] * b);
    }

    private IccProfile Judged()
    {
        Span<byte> pixel = stackalloc byte[3];
        ReadOnlySpan<byte> levels = [0, 20, 64, 110, 128, 190, 255];
        IsSrgb = true;
        foreach (var r in levels)
        {
            foreach (var g in levels)
            {
                foreach (var b in levels)
                {
                    (pixel[0], pixel[1], pixel[2]) = (r, g, b);
                    Convert(pixel);
                    IsSrgb &= Math.Abs(pixel[0] - r) <= 1 && (!IsColour || (Math.Abs(pixel[1] - g) <= 1 && Math.Abs(pixel[2] - b) <= 1));
                }
            }
        }
        return this;
    }

    private static byte Encode(float linear) => Encoded[(int)(Math.Clamp(linear, 0, 1) * (Encoded.Length - 1) + 0.5f)];

    private static byte[] MakeEncoded()
    {
        var table = new byte[16385];
        for (var i = 0; i < table.Length; i++)
        {
            var linear = (double)i / (table.Length - 1);
            table[i] = (byte)(255 * (linear <= 0.0031308 ? 12.92 * linear : 1.055 * Math.Pow(linear, 1 / 2.4) - 0.055) + 0.5);
        }
        return table;
    }

    private static ReadOnlySpan<byte> Tag(ReadOnlySpan<byte> profile, ReadOnlySpan<byte> signature)
    {
        var count = BinaryPrimitives.ReadUInt32BigEndian(profile[128..]);
        for (var (i, at) = (0, 132); i < Math.Min(count, MaxTags) && at + 12 <= profile.Length; i++, at += 12)
        {
            if (!profile.Slice(at, 4).SequenceEqual(signature)) continue;
            var (offset, length) = (BinaryPrimitives.ReadUInt32BigEndian(profile[(at + 4)..]), BinaryPrimitives.ReadUInt32BigEndian(profile[(at + 8)..]));
            return offset <= profile.Length && length <= profile.Length - offset ? profile.Slice((int)offset, (int)length) : default;
        }
        return default;
    }

    private static bool TryXyz(ReadOnlySpan<byte> tag, Span<double> xyz)
    {
        if (tag.Length < 20 || !tag.StartsWith("XYZ "u8)) return false;
        for (var i = 0; i < 3; i++) xyz[i] = Fixed(tag[(8 + 4 * i)..]);
        return true;
    }

    /// <summary>A curve (ICC.1 10.6, 10.18) at the 256 values of 8 bits.</summary>
    private static float[]? Curve(ReadOnlySpan<byte> tag)
    {
        if (tag.Length < 12) return null;
        var values = new float[256];
        if (tag.StartsWith("curv"u8))
        {
            var count = BinaryPrimitives.ReadUInt32BigEndian(tag[8..]);
            if (count > (tag.Length - 12) / 2) return null;
            for (var i = 0; i < 256; i++) values[i] = count switch
            {
                0 => i / 255f,
                1 => (float)Math.Pow(i / 255.0, BinaryPrimitives.ReadUInt16BigEndian(tag[12..]) / 256.0),
                _ => Interpolate(tag[12..], (int)count, i / 255f),
            };
            return values;
        }
        if (!tag.StartsWith("para"u8)) return null;
        var type = BinaryPrimitives.ReadUInt16BigEndian(tag[8..]);
        ReadOnlySpan<int> lengths = [1, 3, 4, 5, 7];
        if (type >= lengths.Length || tag.Length < 12 + 4 * lengths[type]) return null;
        Span<double> p = stackalloc double[7];   // g a b c d e f
        for (var i = 0; i < lengths[type]; i++) p[i] = Fixed(tag[(12 + 4 * i)..]);
        for (var i = 0; i < 256; i++)
        {
            var x = i / 255.0;
            var y = type switch
            {
                0 => Math.Pow(x, p[0]),
                1 => x >= -p[2] / p[1] ? Math.Pow(p[1] * x + p[2], p[0]) : 0,
                2 => x >= -p[2] / p[1] ? Math.Pow(p[1] * x + p[2], p[0]) + p[3] : p[3],
                3 => x >= p[4] ? Math.Pow(p[1] * x + p[2], p[0]) : p[3] * x,
                _ => x >= p[4] ? Math.Pow(p[1] * x + p[2], p[0]) + p[5] : p[3] * x + p[6],
            };
            if (!double.IsFinite(y)) return null;
            values[i] = (float)Math.Clamp(y, 0, 1);
        }
        return values;
    }

    private static float Interpolate(ReadOnlySpan<byte> table, int count, float x)
    {
        var at = x * (count - 1);
        var low = Math.Min((int)at, count - 2);
        float a = BinaryPrimitives.ReadUInt16BigEndian(table[(2 * low)..]), b = BinaryPrimitives.ReadUInt16BigEndian(table[(2 * low + 2)..]);
        return (a + (b - a) * (at - low)) / 65535;
    }

    private static double Fixed(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32BigEndian(bytes) / 65536.0;
}
