namespace Platform.Dicom;

/// <summary>A plane of the images that were segmented.</summary>
/// <param name="SopClassUid">Of the instance that it is in.</param>
/// <param name="SopInstanceUid">Of the instance that it is in.</param>
/// <param name="FrameNumber">1-based, where the instance has several frames; else null.</param>
/// <param name="Position">Image Position (Patient), mm.</param>
public sealed record SegmentedPlane(string SopClassUid, string SopInstanceUid, int? FrameNumber, double[] Position);

/// <summary>The images that were segmented: parallel planes of one size in one frame of reference.</summary>
/// <param name="Header">A data set of the series: whose patient and study the segmentation belongs to.</param>
/// <param name="Rows">Of every plane.</param>
/// <param name="Columns">Of every plane.</param>
/// <param name="PixelSpacing">Between rows, then between columns, mm.</param>
/// <param name="Orientation">Direction cosines of a row, then of a column.</param>
/// <param name="Planes">In the order of the labels.</param>
public sealed record SegmentationSource(
    DicomDataset Header, int Rows, int Columns, double[] PixelSpacing, double[] Orientation, IReadOnlyList<SegmentedPlane> Planes)
{
    /// <summary>The planes of instances of one frame each, in the order given.</summary>
    /// <exception cref="ArgumentException">There is none, one lacks its geometry, or they are not parallel and of one size in one frame of reference.</exception>
    public static SegmentationSource FromInstances(IReadOnlyList<DicomDataset> instances)
    {
        if (instances.Count == 0) throw new ArgumentException("There are no instances.", nameof(instances));
        var header = instances[0];
        var source = new SegmentationSource(
            header, header.GetInt32(DicomTags.Rows) ?? 0, header.GetInt32(DicomTags.Columns) ?? 0,
            header.GetDoubles(DicomTags.PixelSpacing), header.GetDoubles(DicomTags.ImageOrientationPatient), [.. instances.Select(PlaneOf)]);
        foreach (var instance in instances)
        {
            if (instance.GetInt32(DicomTags.Rows) != source.Rows || instance.GetInt32(DicomTags.Columns) != source.Columns
                || !IsNear(instance.GetDoubles(DicomTags.PixelSpacing), source.PixelSpacing) || !IsNear(instance.GetDoubles(DicomTags.ImageOrientationPatient), source.Orientation)
                || instance.GetString(DicomTags.FrameOfReferenceUID) != header.GetString(DicomTags.FrameOfReferenceUID))
            {
                throw new ArgumentException("The instances are not parallel planes of one size.", nameof(instances));
            }
        }
        source.Validate();
        return source;
    }

    internal void Validate()
    {
        if (Rows is < 1 or > ushort.MaxValue || Columns is < 1 or > ushort.MaxValue || Planes.Count == 0) throw new ArgumentException("The planes have no size.");
        if (PixelSpacing.Length != 2 || Orientation.Length != 6 || Planes.Any(static plane => plane.Position.Length != 3)) throw new ArgumentException("The planes lack their place in the patient.");
        if (!Header.Contains(DicomTags.FrameOfReferenceUID)) throw new ArgumentException("The planes lack a frame of reference.");
    }

    /// <summary>Distance between the first two planes along their normal in mm; null for one plane.</summary>
    internal double? SpacingBetweenPlanes()
    {
        if (Planes.Count < 2) return null;
        double[] row = Orientation[..3], column = Orientation[3..], from = Planes[0].Position, to = Planes[1].Position;
        return Math.Abs(
            (to[0] - from[0]) * (row[1] * column[2] - row[2] * column[1])
            + (to[1] - from[1]) * (row[2] * column[0] - row[0] * column[2])
            + (to[2] - from[2]) * (row[0] * column[1] - row[1] * column[0]));
    }

    private static SegmentedPlane PlaneOf(DicomDataset instance) => new(
        instance.GetString(DicomTags.SOPClassUID) ?? "", instance.GetString(DicomTags.SOPInstanceUID) ?? "", null, instance.GetDoubles(DicomTags.ImagePositionPatient));

    private static bool IsNear(double[] a, double[] b) => a.Length == b.Length && !a.Where((value, i) => Math.Abs(value - b[i]) > 1e-4).Any();
}
