using System.Buffers;

namespace Platform.Imaging;

/// <summary>
/// Resizes 8-bit pictures with the Lanczos filter of three lobes, widened when shrinking so that nothing aliases; separable, in 14-bit
/// fixed point.
/// </summary>
public static class Resizer
{
    private const int Lobes = 3, WeightBits = 14;

    /// <summary>The size that fits into a box, keeping the shape; never larger than the picture itself.</summary>
    public static (int Width, int Height) Fit(int width, int height, int maxWidth, int maxHeight)
    {
        var scale = Math.Min(1, Math.Min((double)maxWidth / width, (double)maxHeight / height));
        return (Math.Max(1, (int)Math.Round(width * scale)), Math.Max(1, (int)Math.Round(height * scale)));
    }

    /// <summary>Resizes.</summary>
    /// <param name="source">Rows of <paramref name="channels"/> bytes per pixel.</param>
    /// <param name="width">Of the source.</param>
    /// <param name="height">Of the source.</param>
    /// <param name="channels">1 or 3.</param>
    /// <param name="target">Takes the picture, in the same layout.</param>
    /// <param name="targetWidth">1 or more.</param>
    /// <param name="targetHeight">1 or more.</param>
    /// <param name="cancellationToken">Checked per row.</param>
    public static void Resize(ReadOnlySpan<byte> source, int width, int height, int channels, Span<byte> target, int targetWidth, int targetHeight, CancellationToken cancellationToken)
    {
        if (width == targetWidth && height == targetHeight)
        {
            source.CopyTo(target);
            return;
        }
        using var across = new Kernel(width, targetWidth);
        using var down = new Kernel(height, targetHeight);
        var rowLength = targetWidth * channels;
        var narrow = ArrayPool<byte>.Shared.Rent(rowLength * height);
        try
        {
            for (var row = 0; row < height; row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var from = source.Slice(row * width * channels, width * channels);
                var to = narrow.AsSpan(row * rowLength, rowLength);
                for (var x = 0; x < targetWidth; x++)
                {
                    var weights = across.WeightsOf(x, out var first);
                    for (var channel = 0; channel < channels; channel++)
                    {
                        var sum = 1 << (WeightBits - 1);
                        for (int i = 0, at = first * channels + channel; i < weights.Length; i++, at += channels) sum += weights[i] * from[at];
                        to[x * channels + channel] = (byte)Math.Clamp(sum >> WeightBits, 0, 255);
                    }
                }
            }
            for (var y = 0; y < targetHeight; y++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var weights = down.WeightsOf(y, out var first);
                var to = target.Slice(y * rowLength, rowLength);
                for (var x = 0; x < rowLength; x++)
                {
                    var sum = 1 << (WeightBits - 1);
                    for (int i = 0, at = first * rowLength + x; i < weights.Length; i++, at += rowLength) sum += weights[i] * narrow[at];
                    to[x] = (byte)Math.Clamp(sum >> WeightBits, 0, 255);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(narrow);
        }
    }

    /// <summary>
    /// Half the width and height, rounded up: each pixel is the mean of four, of the two or the one that are left at an odd border. What pyramids are made with: tiles
    /// made apart match.
    /// </summary>
    /// <param name="source">Rows of <paramref name="channels"/> bytes per pixel.</param>
    /// <param name="width">Of the source.</param>
    /// <param name="height">Of the source.</param>
    /// <param name="channels">1 or 3.</param>
    /// <param name="target">Takes the picture, in the same layout.</param>
    /// <param name="cancellationToken">Checked per row.</param>
    public static void Halve(ReadOnlySpan<byte> source, int width, int height, int channels, Span<byte> target, CancellationToken cancellationToken)
    {
        var (targetWidth, targetHeight, stride) = ((width + 1) / 2, (height + 1) / 2, width * channels);
        for (var y = 0; y < targetHeight; y++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var upper = source.Slice(2 * y * stride, stride);
            var lower = 2 * y + 1 < height ? source.Slice((2 * y + 1) * stride, stride) : upper;
            var to = target.Slice(y * targetWidth * channels, targetWidth * channels);
            var whole = width / 2 * channels;
            if (channels == 1)
            {
                for (var x = 0; x < whole; x++) to[x] = (byte)((upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1] + 2) >> 2);
            }
            else
            {
                for (int x = 0, at = 0; x < whole; x += 3, at += 6)
                {
                    to[x] = (byte)((upper[at] + upper[at + 3] + lower[at] + lower[at + 3] + 2) >> 2);
                    to[x + 1] = (byte)((upper[at + 1] + upper[at + 4] + lower[at + 1] + lower[at + 4] + 2) >> 2);
                    to[x + 2] = (byte)((upper[at + 2] + upper[at + 5] + lower[at + 2] + lower[at + 5] + 2) >> 2);
                }
            }
            if ((width & 1) == 0) continue;
            for (var channel = 0; channel < channels; channel++) to[whole + channel] = (byte)((upper[2 * whole + channel] + lower[2 * whole + channel] + 1) >> 1);
        }
    }

    /// <summary>For every target position: which source positions count, and how much.</summary>
    private readonly ref struct Kernel
    {
        private readonly int[] _first;
        private readonly int[] _weights;
        private readonly int _length;

        public Kernel(int source, int target)
        {
            var scale = (double)source / target;
            var stretch = Math.Max(1, scale);
            var support = Lobes * stretch;
            _length = Math.Min(source, (int)Math.Ceiling(support) * 2 + 1);
            _first = ArrayPool<int>.Shared.Rent(target);
            _weights = ArrayPool<int>.Shared.Rent(target * _length);
            Span<double> exact = _length <= 256 ? stackalloc double[256] : new double[_length];
            for (var i = 0; i < target; i++)
            {
                var center = (i + 0.5) * scale - 0.5;
                var first = Math.Clamp((int)Math.Ceiling(center - support), 0, source - _length);
                _first[i] = first;
                double sum = 0;
                for (var k = 0; k < _length; k++) sum += exact[k] = Lanczos((first + k - center) / stretch);
                int left = 1 << WeightBits, largest = 0;
                for (var k = 0; k < _length; k++)
                {
                    var weight = (int)Math.Round(exact[k] / sum * (1 << WeightBits));
                    _weights[i * _length + k] = weight;
                    left -= weight;
                    if (weight > _weights[i * _length + largest]) largest = k;
                }
                _weights[i * _length + largest] += left; // so that a flat picture stays flat
            }
        }

        public ReadOnlySpan<int> WeightsOf(int at, out int first)
        {
            first = _first[at];
            return _weights.AsSpan(at * _length, _length);
        }

        public void Dispose()
        {
            ArrayPool<int>.Shared.Return(_first);
            ArrayPool<int>.Shared.Return(_weights);
        }

        private static double Lanczos(double x)
        {
            x = Math.Abs(x);
            if (x < 1e-9) return 1;
            if (x >= Lobes) return 0;
            var angle = Math.PI * x;
            return Lobes * Math.Sin(angle) * Math.Sin(angle / Lobes) / (angle * angle);
        }
    }
}
