using System.Numerics;

namespace Platform.Codecs.Png;

/// <summary>The filters of a row (W3C PNG, clause 9).</summary>
internal static class PngFilters
{
    public const int Count = 5;

    /// <summary>Undoes a filter in place. <paramref name="above"/> is the row above, all zeros for the first.</summary>
    public static void Undo(byte filter, Span<byte> row, ReadOnlySpan<byte> above, int bytesPerPixel)
    {
        switch (filter)
        {
            case 0:
                break;
            case 1:
                for (var i = bytesPerPixel; i < row.Length; i++) row[i] += row[i - bytesPerPixel];
                break;
            case 2:
                Add(row, above);
                break;
            case 3:
                for (var i = 0; i < row.Length; i++) row[i] += (byte)(((i < bytesPerPixel ? 0 : row[i - bytesPerPixel]) + above[i]) >> 1);
                break;
            case 4:
                for (var i = 0; i < Math.Min(bytesPerPixel, row.Length); i++) row[i] += above[i];
                for (var i = bytesPerPixel; i < row.Length; i++) row[i] += Paeth(row[i - bytesPerPixel], above[i], above[i - bytesPerPixel]);
                break;
            default:
                throw new InvalidFrameException($"There is no filter {filter}.");
        }
    }

    /// <summary>Applies a filter.</summary>
    public static void Apply(int filter, ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int bytesPerPixel, Span<byte> target)
    {
        switch (filter)
        {
            case 0:
                row.CopyTo(target);
                break;
            case 1:
                row[..bytesPerPixel].CopyTo(target);
                Subtract(row[bytesPerPixel..], row, target[bytesPerPixel..]);
                break;
            case 2:
                Subtract(row, above, target);
                break;
            case 3:
                for (var i = 0; i < row.Length; i++) target[i] = (byte)(row[i] - (((i < bytesPerPixel ? 0 : row[i - bytesPerPixel]) + above[i]) >> 1));
                break;
            default:
                for (var i = 0; i < bytesPerPixel; i++) target[i] = (byte)(row[i] - above[i]);
                for (var i = bytesPerPixel; i < row.Length; i++) target[i] = (byte)(row[i] - Paeth(row[i - bytesPerPixel], above[i], above[i - bytesPerPixel]));
                break;
        }
    }

    /// <summary>How much a filtered row is likely to cost: the sum of its bytes' distances from zero (clause 12.7).</summary>
    public static int Cost(ReadOnlySpan<byte> filtered)
    {
        var cost = 0;
        foreach (var value in filtered) cost += Math.Abs((int)(sbyte)value);
        return cost;
    }

    private static byte Paeth(int a, int b, int c)
    {
        var (pa, pb, pc) = (Math.Abs(b - c), Math.Abs(a - c), Math.Abs(a + b - 2 * c));
        return (byte)(pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
    }

    private static void Add(Span<byte> row, ReadOnlySpan<byte> other)
    {
        var i = 0;
        for (; i <= row.Length - Vector<byte>.Count; i += Vector<byte>.Count) (new Vector<byte>(row[i..]) + new Vector<byte>(other[i..])).CopyTo(row[i..]);
        for (; i < row.Length; i++) row[i] += other[i];
    }

    private static void Subtract(ReadOnlySpan<byte> row, ReadOnlySpan<byte> other, Span<byte> target)
    {
        var i = 0;
        for (; i <= row.Length - Vector<byte>.Count; i += Vector<byte>.Count) (new Vector<byte>(row[i..]) - new Vector<byte>(other[i..])).CopyTo(target[i..]);
        for (; i < row.Length; i++) target[i] = (byte)(row[i] - other[i]);
    }
}
