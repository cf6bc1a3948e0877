using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Platform.Codecs.Jpeg2000;

/// <summary>From the wavelet's samples to those of the frame: the level shift (T.800 G.1.2), clamped to what the precision holds.</summary>
internal readonly unsafe struct SampleOutput
{
    private readonly int _shift, _least, _most, _bytes;
    private readonly bool _isReversible;

    public SampleOutput(in FrameDescription produced, bool isSigned, bool isReversible)
    {
        var half = 1 << (produced.BitsStored - 1);
        (_shift, _least, _most) = isSigned ? (0, -half, half - 1) : (half, 0, 2 * half - 1);
        (_bytes, _isReversible) = (produced.BytesPerSample, isReversible);
    }

    /// <summary>Writes one row of one component of an interleaved frame.</summary>
    /// <param name="samples">Integers, floats where the wavelet was irreversible; overwritten.</param>
    /// <param name="row">The frame's row.</param>
    /// <param name="component">Which of <paramref name="components"/>.</param>
    /// <param name="components">Samples per pixel.</param>
    /// <param name="width">Pixels.</param>
    public void Write(int* samples, Span<byte> row, int component, int components, int width)
    {
        if (!_isReversible)
        {
            var floats = (float*)samples;
            for (var i = 0; i < width; i++) samples[i] = (int)Math.Clamp(MathF.Floor(floats[i] + 0.5f), -1e9f, 1e9f); // NaN becomes 0
        }

        var x = 0;
        switch (_bytes)
        {
            case 1:
                for (; x < width; x++) row[x * components + component] = (byte)Convert(samples[x]);
                break;
            case 2:
                var words = MemoryMarshal.Cast<byte, short>(row);
                if (components == 1 && BitConverter.IsLittleEndian)
                {
                    Vector256<int> shift = Vector256.Create(_shift), least = Vector256.Create(_least), most = Vector256.Create(_most);
                    for (; x + 16 <= width; x += 16)
                    {
                        var low = Vector256.Min(Vector256.Max(Vector256.Load(samples + x) + shift, least), most);
                        var high = Vector256.Min(Vector256.Max(Vector256.Load(samples + x + 8) + shift, least), most);
                        Vector256.Narrow(low, high).CopyTo(words[x..]);
                    }
                }
                for (; x < width; x++) BinaryPrimitives.WriteInt16LittleEndian(row[(2 * (x * components + component))..], (short)Convert(samples[x]));
                break;
            default:
                for (; x < width; x++) BinaryPrimitives.WriteInt32LittleEndian(row[(4 * (x * components + component))..], Convert(samples[x]));
                break;
        }
    }

    private int Convert(int sample) => Math.Clamp(sample + _shift, _least, _most);
}
