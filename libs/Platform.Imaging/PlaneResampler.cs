using System.Buffers;
using System.Numerics.Tensors;

namespace Platform.Imaging;

/// <summary>How values between samples are found. Shrinking always averages what a target sample covers, but for <see cref="Nearest"/>.</summary>
public enum PlaneFilter
{
    Bilinear,
    Nearest,

    /// <summary>Keys' cubic with a = -0.5 (Keys, IEEE Trans. ASSP 29, 1981).</summary>
    Bicubic,
}

/// <summary>Resamples planes of float32, separably; sample centres lie at half integers, so that corners stay where they are.</summary>
public static class PlaneResampler
{
    /// <summary>Resamples one plane.</summary>
    /// <param name="source">Rows of <paramref name="width"/> values.</param>
    /// <param name="width">Of the source.</param>
    /// <param name="height">Of the source.</param>
    /// <param name="target">Takes rows of <paramref name="targetWidth"/> values.</param>
    /// <param name="targetWidth">1 or more.</param>
    /// <param name="targetHeight">1 or more.</param>
    /// <param name="filter">How.</param>
    /// <param name="cancellationToken">Checked per row.</param>
    public static void Resample(ReadOnlySpan<float> source, int width, int height, Span<float> target, int targetWidth, int targetHeight, PlaneFilter filter, CancellationToken cancellationToken)
    {
        if (width == targetWidth && height == targetHeight)
        {
            source[..(width * height)].CopyTo(target);
            return;
        }

        if (filter == PlaneFilter.Nearest)
        {
            for (var y = 0; y < targetHeight; y++)
            {
                var row = source.Slice(NearestOf(y, height, targetHeight) * width, width);
                for (var x = 0; x < targetWidth; x++) target[y * targetWidth + x] = row[NearestOf(x, width, targetWidth)];
            }

            return;
        }

        var (across, down) = (new Kernel(width, targetWidth, filter), new Kernel(height, targetHeight, filter));
        var narrow = ArrayPool<float>.Shared.Rent(targetWidth * height);
        try
        {
            for (var y = 0; y < height; y++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var row = source.Slice(y * width, width);
                for (var x = 0; x < targetWidth; x++) narrow[y * targetWidth + x] = TensorPrimitives.Dot(row.Slice(across.FirstOf(x), across.Length), across.WeightsOf(x));
            }

            for (var y = 0; y < targetHeight; y++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var row = target.Slice(y * targetWidth, targetWidth);
                row.Clear();
                var weights = down.WeightsOf(y);
                for (var i = 0; i < weights.Length; i++) TensorPrimitives.MultiplyAdd(narrow.AsSpan((down.FirstOf(y) + i) * targetWidth, targetWidth), weights[i], row, row);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(narrow);
        }
    }

    /// <summary>Brings a plane of labels to a size: each pixel takes the label that its centre lies in.</summary>
    /// <param name="source">Rows of <paramref name="width"/> labels.</param>
    /// <param name="width">Of the source.</param>
    /// <param name="height">Of the source.</param>
    /// <param name="target">Takes rows of <paramref name="targetWidth"/> labels.</param>
    /// <param name="targetWidth">1 or more.</param>
    /// <param name="targetHeight">1 or more.</param>
    public static void Resample(ReadOnlySpan<byte> source, int width, int height, Span<byte> target, int targetWidth, int targetHeight)
    {
        for (var y = 0; y < targetHeight; y++)
        {
            var row = source.Slice(NearestOf(y, height, targetHeight) * width, width);
            for (var x = 0; x < targetWidth; x++) target[y * targetWidth + x] = row[NearestOf(x, width, targetWidth)];
        }
    }

    private static int NearestOf(int at, int source, int target) => Math.Min((int)((at + 0.5) * source / target), source - 1);

    /// <summary>For every target position the first source position that counts, and the weights from there on; they sum to 1.</summary>
    private readonly struct Kernel
    {
        private readonly int[] _first;
        private readonly float[] _weights;

        public Kernel(int source, int target, PlaneFilter filter)
        {
            var scale = (double)source / target;
            var stretch = Math.Max(1, scale);
            var support = (filter == PlaneFilter.Bicubic ? 2 : 1) * stretch;
            Length = Math.Min(source, (int)Math.Ceiling(support) * 2 + 1);
            (_first, _weights) = (new int[target], new float[target * Length]);
            for (var i = 0; i < target; i++)
            {
                var center = (i + 0.5) * scale - 0.5;
                _first[i] = Math.Clamp((int)Math.Ceiling(center - support), 0, source - Length);
                var weights = _weights.AsSpan(i * Length, Length);
                for (var k = 0; k < Length; k++) weights[k] = (float)WeightOf((_first[i] + k - center) / stretch, filter);
                TensorPrimitives.Divide(weights, TensorPrimitives.Sum<float>(weights), weights);
            }
        }

        public int Length { get; }

        public int FirstOf(int at) => _first[at];

        public ReadOnlySpan<float> WeightsOf(int at) => _weights.AsSpan(at * Length, Length);

        private static double WeightOf(double x, PlaneFilter filter)
        {
            x = Math.Abs(x);
            if (filter == PlaneFilter.Bilinear) return Math.Max(0, 1 - x);
            return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
        }
    }
}
