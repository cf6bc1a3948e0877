using System.Globalization;
using Platform.Dicom;

namespace ImageApi.Origins;

/// <summary>A value found in a file: in memory as an element, or where it lies in the source.</summary>
internal readonly record struct BulkDataValue(DicomElement? Element, long Offset, long Length, int UnitBytes);

/// <summary>Finds the element that a bulk data path names: tags and 0-based item indexes, <c>54000100/0/54001010</c>.</summary>
internal static class BulkDataPath
{
    private const int MaxParts = 33;

    /// <summary>The value, or null when there is none, it is a sequence, or it is encapsulated pixel data (which is asked for frame by frame).</summary>
    public static BulkDataValue? Find(DicomFile file, string path)
    {
        if (FindElement(file, path) is { } element)
        {
            if (element.IsSequence || element.IsEncapsulated) return null;
            return new BulkDataValue(element, element.Offset, element.Length, element.IsBigEndian ? element.Vr.UnitBytes : 1);
        }

        // Pixel data is where the reader stopped.
        if (file.PixelData is not { Length: { } length } pixels || path != pixels.Tag.ToJsonKey()) return null;
        return new BulkDataValue(null, pixels.Offset, length, file.TransferSyntax.IsBigEndian ? pixels.Vr.UnitBytes : 1);
    }

    public static DicomElement? FindElement(DicomFile file, string path)
    {
        var parts = path.Split('/');
        if (parts.Length is 0 or > MaxParts || parts.Length % 2 == 0) return null;
        var dataset = file.Dataset;
        for (var i = 0; ; i += 2)
        {
            if (parts[i].Length != 8 || !DicomTag.TryParse(parts[i], out var tag) || !dataset.TryGetElement(tag, out var element)) return null;
            if (i == parts.Length - 1) return element;
            var items = element.Items;
            if (!int.TryParse(parts[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var item) || item >= items.Count) return null;
            dataset = items[item];
        }
    }
}
