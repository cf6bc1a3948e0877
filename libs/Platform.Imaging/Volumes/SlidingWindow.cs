using System.Buffers;
using System.Numerics.Tensors;

namespace Platform.Imaging;

/// <summary>Voxels along the three axes: slices, rows, columns.</summary>
public readonly record struct VolumeSize(int Depth, int Height, int Width)
{
    /// <summary>All voxels.</summary>
    public long Voxels => (long)Depth * Height * Width;
}

/// <summary>Where a window begins, in voxels of the volume; a window larger than the volume begins at 0 and reaches beyond.</summary>
public readonly record struct WindowPlace(int Slice, int Row, int Column);

/// <summary>
/// Windows over a volume that is too large for a model, overlapping, all of one size, and their scores blended: each counts by a Gaussian
/// around its middle, so that nothing shows where windows meet (Isensee et al., nnU-Net, Nature Methods 2021, inference).
/// Windows come slice by slice, so that no more than one window's depth of scores is held: planes behind the next window are final.
/// </summary>
public sealed class SlidingWindow : IDisposable
{
    /// <summary>Of the Gaussian, as a part of the window's size.</summary>
    private const double Sigma = 0.125;

    private readonly VolumeSize _volume, _window;
    private readonly int _classes;
    private readonly float[] _depthWeights, _rowWeights, _columnWeights;
    private readonly int _ring;
    private readonly int _plane;
    private float[]? _scores, _weights;
    private int _done;

    /// <summary>Plans windows.</summary>
    /// <param name="volume">At least one voxel.</param>
    /// <param name="window">What the model takes; 1 slice for a model of slices.</param>
    /// <param name="overlap">How much of a window its neighbour covers again: 0 to 0.9.</param>
    /// <param name="classes">Scores per voxel, 1 or more.</param>
    public SlidingWindow(VolumeSize volume, VolumeSize window, double overlap, int classes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(volume.Depth, Math.Min(volume.Height, volume.Width)), 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(window.Depth, Math.Min(window.Height, window.Width)), 1);
        ArgumentOutOfRangeException.ThrowIfNegative(overlap);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(overlap, 0.9);
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        (_volume, _window, _classes) = (volume, window, classes);
        (_depthWeights, _rowWeights, _columnWeights) = (Gaussian(window.Depth), Gaussian(window.Height), Gaussian(window.Width));
        Places = [.. from slice in Starts(volume.Depth, window.Depth, overlap) from row in Starts(volume.Height, window.Height, overlap) from column in Starts(volume.Width, window.Width, overlap) select new WindowPlace(slice, row, column)];
        _ring = Math.Min(window.Depth, volume.Depth);
        _plane = checked(volume.Height * volume.Width);
        _scores = ArrayPool<float>.Shared.Rent(checked(_ring * _plane * classes));
        _weights = ArrayPool<float>.Shared.Rent(_ring * _plane);
        _scores.AsSpan(0, _ring * _plane * classes).Clear();
        _weights.AsSpan(0, _ring * _plane).Clear();
    }

    /// <summary>Where windows are needed, in the order in which their scores are to be added.</summary>
    public IReadOnlyList<WindowPlace> Places { get; }

    /// <summary>Cuts a window out of a volume; what lies beyond it is filled with a value.</summary>
    /// <param name="voxels">The volume: slices of rows of columns.</param>
    /// <param name="place">One of <see cref="Places"/>.</param>
    /// <param name="beyond">For voxels that the volume does not have: air, say.</param>
    /// <param name="to">Takes the window's voxels.</param>
    public void Cut(ReadOnlySpan<float> voxels, WindowPlace place, float beyond, Span<float> to)
    {
        var width = Math.Min(_window.Width, _volume.Width - place.Column);
        for (var z = 0; z < _window.Depth; z++)
        {
            for (var y = 0; y < _window.Height; y++)
            {
                var row = to.Slice((z * _window.Height + y) * _window.Width, _window.Width);
                if (place.Slice + z >= _volume.Depth || place.Row + y >= _volume.Height)
                {
                    row.Fill(beyond);
                    continue;
                }

                voxels.Slice(((place.Slice + z) * _volume.Height + place.Row + y) * _volume.Width + place.Column, width).CopyTo(row);
                row[width..].Fill(beyond);
            }
        }
    }

    /// <summary>
    /// Adds a window's scores. Call it for every place in order. Planes that no later window touches are then ready for <see cref="TryTake"/>:
    /// take them before the next place of another slice is added.
    /// </summary>
    /// <param name="place">The next of <see cref="Places"/>.</param>
    /// <param name="scores">Classes x slices x rows x columns of the window.</param>
    public void Add(WindowPlace place, ReadOnlySpan<float> scores)
    {
        var total = _scores ?? throw new ObjectDisposedException(nameof(SlidingWindow));
        if (place.Slice != _done) throw new InvalidOperationException("Finished planes were not taken.");
        var width = Math.Min(_window.Width, _volume.Width - place.Column);
        var weights = _columnWeights.AsSpan(0, width);
        for (var z = 0; z < _window.Depth && place.Slice + z < _volume.Depth; z++)
        {
            var plane = (place.Slice + z) % _ring;
            for (var y = 0; y < _window.Height && place.Row + y < _volume.Height; y++)
            {
                var factor = _depthWeights[z] * _rowWeights[y];
                var at = (place.Row + y) * _volume.Width + place.Column;
                var sum = _weights.AsSpan(plane * _plane + at, width);
                TensorPrimitives.MultiplyAdd(weights, factor, sum, sum);
                for (var c = 0; c < _classes; c++)
                {
                    var from = scores.Slice(((c * _window.Depth + z) * _window.Height + y) * _window.Width, width);
                    var to = total.AsSpan((plane * _classes + c) * _plane + at, width);
                    for (var x = 0; x < width; x++) to[x] += from[x] * (weights[x] * factor);
                }
            }
        }
    }

    /// <summary>The next plane, when no window from <paramref name="next"/> on touches it.</summary>
    /// <param name="next">The place that will be added next; null after the last one.</param>
    /// <param name="labels">Takes rows x columns: the class of the greatest score, for one class 1 where the score is above <paramref name="threshold"/>.</param>
    /// <param name="threshold">For one class: on the blended score.</param>
    /// <param name="confidence">Takes each pixel's blended score of its class; empty where nobody asks.</param>
    /// <param name="slice">Which one it is, from 0 on.</param>
    public bool TryTake(WindowPlace? next, Span<byte> labels, float threshold, Span<float> confidence, out int slice)
    {
        var total = _scores ?? throw new ObjectDisposedException(nameof(SlidingWindow));
        slice = _done;
        if (slice >= _volume.Depth || (next is { } place && slice >= place.Slice)) return false;
        var plane = slice % _ring;
        var weights = _weights.AsSpan(plane * _plane, _plane);
        for (var i = 0; i < _plane; i++)
        {
            var (best, label) = (total[plane * _classes * _plane + i], 0);
            for (var c = 1; c < _classes; c++)
            {
                if (total[(plane * _classes + c) * _plane + i] is var score && score > best) (best, label) = (score, c);
            }

            best /= weights[i];
            labels[i] = (byte)(_classes == 1 ? best > threshold ? 1 : 0 : label);
            if (!confidence.IsEmpty) confidence[i] = best;
        }

        total.AsSpan(plane * _classes * _plane, _classes * _plane).Clear();
        weights.Clear();
        _done++;
        return true;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _scores, null) is { } scores) ArrayPool<float>.Shared.Return(scores);
        if (Interlocked.Exchange(ref _weights, null) is { } weights) ArrayPool<float>.Shared.Return(weights);
    }

    /// <summary>Evenly spread starts, the last one at the volume's end.</summary>
    private static IEnumerable<int> Starts(int length, int window, double overlap)
    {
        if (window >= length) return [0];
        var step = Math.Max(1, (int)Math.Floor(window * (1 - overlap)));
        var count = (length - window + step - 1) / step + 1;
        return Enumerable.Range(0, count).Select(i => (int)Math.Round((double)i * (length - window) / (count - 1)));
    }

    private static float[] Gaussian(int length)
    {
        var weights = new float[length];
        var middle = (length - 1) / 2.0;
        for (var i = 0; i < length; i++)
        {
            var distance = (i - middle) / (length * Sigma);
            weights[i] = (float)Math.Max(Math.Exp(-0.5 * distance * distance), 1e-3);   // what only an edge sees still counts
        }

        return weights;
    }
}
