namespace Platform.Nifti.Gzip;

/// <summary>
/// Points of a gzip file where inflating can begin, each with the 32 KB before it. Between two points the inflated bytes have a checksum, so that
/// what is read from the middle is verified as well. Immutable and safe for concurrent use.
/// </summary>
public sealed class GzipIndex
{
    /// <summary>The least distance of two points, in inflated bytes: a read inflates half of that in vain, a point takes 32 KB.</summary>
    internal const int MinSpacingBytes = 2 << 20;

    private readonly Point[] _points;

    private GzipIndex(Point[] points, long length) => (_points, Length) = (points, length);

    /// <summary>Inflated bytes that the index reaches over.</summary>
    public long Length { get; }

    /// <summary>How many points there are.</summary>
    public int Count => _points.Length;

    /// <summary>Memory taken, in bytes.</summary>
    public long Bytes => _points.Sum(static point => (long)point.Window.Length + 56);

    /// <summary>The last point at or before an inflated offset, and where its span ends.</summary>
    internal (Point Point, long SpanEnd) Find(long offset)
    {
        var (low, high) = (0, _points.Length - 1);
        while (low < high)
        {
            var middle = (low + high + 1) >> 1;
            if (_points[middle].Offset <= offset) low = middle;
            else high = middle - 1;
        }
        return (_points[low], low + 1 < _points.Length ? _points[low + 1].Offset : Length);
    }

    /// <param name="Offset">Inflated bytes before it.</param>
    /// <param name="InputBit">Bits of the file before it.</param>
    /// <param name="BlockBit">Bits of the file before the header of its block; the same where it is that header.</param>
    /// <param name="Window">The inflated bytes before it that may be referred to, at most 32 KB.</param>
    /// <param name="Crc">CRC-32 of the inflated bytes from here to the next point.</param>
    internal readonly record struct Point(long Offset, long InputBit, long BlockBit, ReadOnlyMemory<byte> Window, uint Crc);

    /// <summary>Collects points while a file is inflated from its beginning.</summary>
    internal sealed class Builder(long expectedLength, int maxBytes)
    {
        private readonly long _spacing = Math.Max(MinSpacingBytes, expectedLength / Math.Max(1, maxBytes / Inflater.WindowBytes));
        private readonly List<Point> _points = [];
        private long _length;
        private uint _crc;

        public void Add(ReadOnlySpan<byte> inflated)
        {
            _crc = Crc32.Append(_crc, inflated);
            _length += inflated.Length;
        }

        public void At(long offset, long inputBit, long blockBit, ReadOnlySpan<byte> window)
        {
            if (_points.Count > 0 && offset - _points[^1].Offset < _spacing) return;
            Close();
            _points.Add(new Point(offset, inputBit, blockBit, window.ToArray(), 0));
        }

        public GzipIndex Build()
        {
            Close();
            return new GzipIndex([.. _points], _length);
        }

        private void Close()
        {
            if (_points.Count > 0) _points[^1] = _points[^1] with { Crc = _crc };
            _crc = 0;
        }
    }
}
