using System.Buffers;
using System.Runtime.InteropServices;
using Platform.Codecs;

namespace Platform.Imaging;

/// <summary>
/// From stored values to grey: modality LUT or rescale, then window or VOI LUT, then inversion for MONOCHROME1 (the pipeline of
/// PS3.4 N.2). Immutable.
/// </summary>
public sealed record GreyMapping
{
    public double Slope { get; init; } = 1;
    public double Intercept { get; init; }

    /// <summary>Used in place of <see cref="Slope"/> and <see cref="Intercept"/>.</summary>
    public LookupTable? ModalityLut { get; init; }

    /// <summary>Used where there is no <see cref="VoiLut"/>.</summary>
    public VoiWindow Window { get; init; } = new(128, 256);

    public LookupTable? VoiLut { get; init; }

    /// <summary>Low values are bright: MONOCHROME1, or a viewer's wish; both together cancel out.</summary>
    public bool IsInverted { get; init; }

    /// <summary>A stored value in modality units.</summary>
    public double ToModality(double stored) => ModalityLut is { } lut ? lut[stored] : stored * Slope + Intercept;

    /// <summary>A stored value as grey, 0 to 255, halves rounded up.</summary>
    public byte ToGrey(double stored)
    {
        var value = ToModality(stored);
        var grey = VoiLut is { } lut ? (double)lut[value] / lut.MaxOutput : Window.Apply(value);
        if (IsInverted) grey = 1 - grey;
        return (byte)(grey * 255 + 0.5);
    }

    /// <summary>Maps a frame of one sample per pixel.</summary>
    /// <param name="pixels">Stored values in containers of 8, 16 or 32 bits, or packed bits.</param>
    /// <param name="frame">What they are.</param>
    /// <param name="grey">Takes one byte per pixel, rows x columns.</param>
    /// <param name="cancellationToken">Checked while mapping 32-bit values.</param>
    public void Map(ReadOnlySpan<byte> pixels, in FrameDescription frame, Span<byte> grey, CancellationToken cancellationToken)
    {
        var count = frame.Rows * frame.Columns;
        switch (frame.BitsAllocated)
        {
            case 1:
                byte off = ToGrey(0), on = ToGrey(1);
                for (var i = 0; i < count; i++) grey[i] = (pixels[i >> 3] >> (i & 7) & 1) == 0 ? off : on;
                break;
            case 8:
                Span<byte> small = stackalloc byte[256];
                for (var i = 0; i < 256; i++) small[i] = ToGrey(frame.IsSigned ? (sbyte)i : i);
                for (var i = 0; i < count; i++) grey[i] = small[pixels[i]];
                break;
            case 16:
                MapWords(MemoryMarshal.Cast<byte, ushort>(pixels)[..count], frame, grey);
                break;
            default:
                var wide = MemoryMarshal.Cast<byte, int>(pixels)[..count];
                for (var i = 0; i < count; i++)
                {
                    if ((i & 0xFFFF) == 0) cancellationToken.ThrowIfCancellationRequested();
                    grey[i] = ToGrey(frame.IsSigned ? wide[i] : (uint)wide[i]);
                }
                break;
        }
    }

    private void MapWords(ReadOnlySpan<ushort> values, in FrameDescription frame, Span<byte> grey)
    {
        // The table covers the values that bits stored allow; the high bits are normalised (IFrameDecoder.Decode).
        var size = 1 << frame.BitsStored;
        var table = ArrayPool<byte>.Shared.Rent(65536);
        try
        {
            if (frame.IsSigned)
            {
                for (var value = -size / 2; value < size / 2; value++) table[(ushort)value] = ToGrey(value);
            }
            else
            {
                for (var value = 0; value < size; value++) table[value] = ToGrey(value);
            }
            for (var i = 0; i < values.Length; i++) grey[i] = table[values[i]];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(table);
        }
    }
}
