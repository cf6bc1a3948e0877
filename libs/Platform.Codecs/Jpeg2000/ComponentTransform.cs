using System.Runtime.Intrinsics;

namespace Platform.Codecs.Jpeg2000;

/// <summary>The transforms of the first three components (T.800 annex G). Rows are padded to 16 samples.</summary>
internal static unsafe class ComponentTransform
{
    /// <summary>RCT back to red, green, blue (G.2.2).</summary>
    public static void InverseReversible(int* first, int* second, int* third, int width)
    {
        for (var x = 0; x < width; x += 8)
        {
            Vector256<int> y = Vector256.Load(first + x), u = Vector256.Load(second + x), v = Vector256.Load(third + x);
            var green = y - ((u + v) >> 2);
            (v + green).Store(first + x);
            green.Store(second + x);
            (u + green).Store(third + x);
        }
    }

    /// <summary>Red, green, blue to RCT (G.2.1).</summary>
    public static void ForwardReversible(int* first, int* second, int* third, int width)
    {
        for (var x = 0; x < width; x += 8)
        {
            Vector256<int> red = Vector256.Load(first + x), green = Vector256.Load(second + x), blue = Vector256.Load(third + x);
            ((red + green + green + blue) >> 2).Store(first + x);
            (blue - green).Store(second + x);
            (red - green).Store(third + x);
        }
    }

    /// <summary>ICT back to red, green, blue (G.3.2).</summary>
    public static void InverseIrreversible(float* first, float* second, float* third, int width)
    {
        for (var x = 0; x < width; x++)
        {
            float y = first[x], cb = second[x], cr = third[x];
            first[x] = y + 1.402f * cr;
            second[x] = y - 0.344136f * cb - 0.714136f * cr;
            third[x] = y + 1.772f * cb;
        }
    }
}
