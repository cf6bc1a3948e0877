using Platform.Dicom;

namespace ImageApi.Tiles;

/// <summary>How far apart the pixels of an image are.</summary>
internal static class PixelSpacings
{
    /// <summary>Distance of the centres of two columns (x) and two rows (y) in mm, or null where none is told or it is no distance.</summary>
    /// <param name="dataset">Of the instance.</param>
    /// <param name="width">Of the whole image, for what a slide tells of its extent only.</param>
    /// <param name="height">Of the whole image.</param>
    public static (double X, double Y)? Read(DicomDataset dataset, long width, long height)
    {
        var measures = dataset.GetItem(DicomTags.SharedFunctionalGroupsSequence)?.GetItem(DicomTags.PixelMeasuresSequence)
            ?? dataset.GetItem(DicomTags.PerFrameFunctionalGroupsSequence)?.GetItem(DicomTags.PixelMeasuresSequence);
        return Pair(measures?.GetDoubles(DicomTags.PixelSpacing))
            ?? Pair(dataset.GetDoubles(DicomTags.PixelSpacing))
            ?? Pair([(dataset.GetDouble(DicomTags.ImagedVolumeHeight) ?? 0) / height, (dataset.GetDouble(DicomTags.ImagedVolumeWidth) ?? 0) / width])
            ?? Pair(dataset.GetDoubles(DicomTags.ImagerPixelSpacing))
            ?? Pair(dataset.GetDoubles(DicomTags.NominalScannedPixelSpacing));
    }

    // PS3.3 10.7.1.3: first between rows, then between columns.
    private static (double X, double Y)? Pair(double[]? values) =>
        values is [var rows, var columns] && IsDistance(rows) && IsDistance(columns) ? (columns, rows) : null;

    private static bool IsDistance(double value) => double.IsFinite(value) && value is > 1e-9 and < 1e4;
}
