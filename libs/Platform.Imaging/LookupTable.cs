using System.Buffers.Binary;
using Platform.Dicom;

namespace Platform.Imaging;

/// <summary>
/// A modality or VOI look-up table (PS3.3 C.11.1.1, C.11.2.1.1): values below the first mapped one take the first entry, values beyond
/// the last one the last.
/// </summary>
public sealed class LookupTable
{
    private readonly ushort[] _entries;

    /// <param name="firstMapped">The input that the first entry is for.</param>
    /// <param name="bits">Bits of an entry, 8 to 16.</param>
    /// <param name="entries">1 to 65,536 entries.</param>
    public LookupTable(int firstMapped, int bits, ushort[] entries)
    {
        ArgumentOutOfRangeException.ThrowIfZero(entries.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(entries.Length, 65536);
        FirstMapped = firstMapped;
        Bits = bits;
        _entries = entries;
    }

    public int FirstMapped { get; }
    public int Bits { get; }

    /// <summary>The largest output, by the bits of an entry.</summary>
    public int MaxOutput => (1 << Bits) - 1;

    public int this[double input] => _entries[(int)Math.Clamp(Math.Floor(input) - FirstMapped, 0, _entries.Length - 1)];

    /// <summary>The table of a Modality LUT or VOI LUT sequence's item; null where it is broken.</summary>
    /// <param name="item">The sequence's item: LUT Descriptor (0028,3002) and LUT Data (0028,3006).</param>
    /// <param name="isInputSigned">Whether the values looked up are signed, which decides how the descriptor's second value is read.</param>
    public static LookupTable? TryRead(DicomDataset item, bool isInputSigned) =>
        TryRead(item, new DicomTag(0x0028, 0x3002), new DicomTag(0x0028, 0x3006), isInputSigned);

    internal static LookupTable? TryRead(DicomDataset dataset, DicomTag descriptor, DicomTag data, bool isInputSigned)
    {
        // C.11.1.1.1: 0 entries means 65,536; the descriptor's VR is ambiguous, so its bits are read again by the input's sign.
        if (dataset.GetInt32(descriptor, 0) is not { } count || dataset.GetInt32(descriptor, 1) is not { } first || dataset.GetInt32(descriptor, 2) is not { } bits) return null;
        count = (ushort)count == 0 ? 65536 : (ushort)count;
        first = isInputSigned ? (short)first : (ushort)first;
        if (bits is < 8 or > 16 || !dataset.TryGetElement(data, out var element)) return null;
        var bytes = element.Span;
        if (bytes.Length >= 2 * count)
        {
            var entries = new ushort[count];
            for (var i = 0; i < count; i++) entries[i] = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]);
            return new LookupTable(first, bits, entries);
        }
        return bytes.Length >= count ? new LookupTable(first, bits, Array.ConvertAll(bytes[..count].ToArray(), static value => (ushort)value)) : null;
    }
}
