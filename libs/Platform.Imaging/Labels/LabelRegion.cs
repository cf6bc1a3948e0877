namespace Platform.Imaging;

/// <summary>Where one label is in a picture of labels.</summary>
/// <param name="Label">1 to 255; 0 is nothing.</param>
/// <param name="Box">The smallest one that holds all its pixels.</param>
/// <param name="Pixels">How many have it, 1 or more.</param>
public readonly record struct LabelRegion(byte Label, PixelRegion Box, int Pixels)
{
    /// <summary>The labels of a picture, in rising order, each with its box.</summary>
    /// <param name="labels">One byte per pixel, row by row.</param>
    /// <param name="width">Of the picture, in pixels.</param>
    public static IReadOnlyList<LabelRegion> Find(ReadOnlySpan<byte> labels, int width)
    {
        Span<int> counts = stackalloc int[256], left = stackalloc int[256], right = stackalloc int[256], top = stackalloc int[256], bottom = stackalloc int[256];
        counts.Clear();
        left.Fill(int.MaxValue);
        right.Fill(-1);
        for (var y = 0; y * width < labels.Length; y++)
        {
            var row = labels.Slice(y * width, width);
            for (var x = 0; x < width;)
            {
                var label = row[x];
                var rest = row[x..].IndexOfAnyExcept(label);
                var length = rest < 0 ? width - x : rest;
                if (label != 0)
                {
                    if (counts[label] == 0) top[label] = y;
                    counts[label] += length;
                    bottom[label] = y;
                    left[label] = Math.Min(left[label], x);
                    right[label] = Math.Max(right[label], x + length - 1);
                }

                x += length;
            }
        }

        var regions = new List<LabelRegion>();
        for (var label = 1; label < 256; label++)
        {
            if (counts[label] == 0) continue;
            regions.Add(new LabelRegion((byte)label, new PixelRegion(left[label], top[label], right[label] - left[label] + 1, bottom[label] - top[label] + 1), counts[label]));
        }

        return regions;
    }
}

/// <summary>
/// Masks as the lengths of runs: within a box, row by row, how many pixels are out, then in, then out again, and so on. The first number
/// can be 0; the last run is one of pixels that are in, what follows it is out. Runs go on over the end of a row.
/// </summary>
public static class RunLengths
{
    /// <summary>The runs of one label within its box.</summary>
    /// <param name="labels">One byte per pixel, row by row.</param>
    /// <param name="width">Of the picture.</param>
    /// <param name="box">Within the picture.</param>
    /// <param name="label">What is in.</param>
    public static IReadOnlyList<int> Encode(ReadOnlySpan<byte> labels, int width, PixelRegion box, byte label)
    {
        var runs = new List<int>();
        var length = 0;
        var isIn = false;
        for (var y = box.Top; y < box.Top + box.Height; y++)
        {
            var row = labels.Slice(y * width + box.Left, box.Width);
            while (!row.IsEmpty)
            {
                var next = isIn ? row.IndexOfAnyExcept(label) : row.IndexOf(label);
                if (next < 0)
                {
                    length += row.Length;
                    break;
                }

                runs.Add(length + next);
                (length, isIn) = (0, !isIn);
                row = row[next..];
            }
        }

        if (isIn) runs.Add(length);
        return runs;
    }

    /// <summary>Writes a mask into a picture of labels.</summary>
    /// <param name="runs">As <see cref="Encode"/> gives them.</param>
    /// <param name="labels">One byte per pixel, row by row; pixels that are out keep what they have.</param>
    /// <param name="width">Of the picture.</param>
    /// <param name="box">Within the picture.</param>
    /// <param name="label">What is in gets it.</param>
    /// <exception cref="ArgumentException">A run is negative or ends outside the box.</exception>
    public static void Decode(IReadOnlyList<int> runs, Span<byte> labels, int width, PixelRegion box, byte label)
    {
        long at = 0, size = (long)box.Width * box.Height;
        for (var i = 0; i < runs.Count; i++)
        {
            if (runs[i] < 0 || at + runs[i] > size) throw new ArgumentException("The runs do not fit the box.", nameof(runs));
            var end = at + runs[i];
            for (; (i & 1) == 1 && at < end;)
            {
                var (y, x) = Math.DivRem((int)at, box.Width);
                var length = (int)Math.Min(end - at, box.Width - x);
                labels.Slice((box.Top + y) * width + box.Left + x, length).Fill(label);
                at += length;
            }

            at = end;
        }
    }
}
