using System.Globalization;

namespace Platform.Dicom;

/// <summary>
/// Makes Segmentation objects (PS3.3 A.51): binary, one frame for each plane that a segment touches, each with the plane's place and a
/// reference to the image that it was made from.
/// </summary>
public static class SegmentationWriter
{
    // What the segmentation takes over of its images (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2, C.7.4.1): who, and in which study.
    private static readonly DicomTag[] Inherited =
    [
        DicomTags.SpecificCharacterSet, DicomTags.StudyDate, DicomTags.StudyTime, DicomTags.AccessionNumber, DicomTags.ReferringPhysicianName,
        DicomTags.StudyDescription, DicomTags.PatientName, DicomTags.PatientID, DicomTags.IssuerOfPatientID, DicomTags.PatientBirthDate, DicomTags.PatientSex,
        DicomTags.PatientAge, DicomTags.PatientSize, DicomTags.PatientWeight, DicomTags.StudyInstanceUID, DicomTags.StudyID,
        DicomTags.FrameOfReferenceUID, DicomTags.PositionReferenceIndicator,
    ];

    // Type 2 of those: present even where the images lack them.
    private static readonly DicomTag[] Required =
    [
        DicomTags.StudyDate, DicomTags.StudyTime, DicomTags.AccessionNumber, DicomTags.ReferringPhysicianName, DicomTags.PatientName, DicomTags.PatientID,
        DicomTags.PatientBirthDate, DicomTags.PatientSex, DicomTags.StudyID, DicomTags.PositionReferenceIndicator,
    ];

    /// <summary>Makes the object.</summary>
    /// <param name="source">The images, in the order of the labels' planes.</param>
    /// <param name="labels">Planes x rows x columns; 0 is nothing, n is <paramref name="segments"/>[n - 1].</param>
    /// <param name="segments">1 to 255 of them.</param>
    /// <param name="identity">What the object says of itself.</param>
    /// <exception cref="ArgumentException">The images lack their geometry, or labels and segments do not fit them.</exception>
    public static DicomFile Create(SegmentationSource source, ReadOnlySpan<byte> labels, IReadOnlyList<SegmentDescription> segments, SegmentationIdentity identity)
    {
        source.Validate();
        var planeLength = source.Rows * source.Columns;
        if (labels.Length != (long)planeLength * source.Planes.Count) throw new ArgumentException("There are not as many labels as pixels.", nameof(labels));
        if (segments.Count is < 1 or > byte.MaxValue) throw new ArgumentException("There are 1 to 255 segments.", nameof(segments));
        if (labels.ContainsAnyExceptInRange((byte)0, (byte)segments.Count)) throw new ArgumentException("A label names no segment.", nameof(labels));

        var frames = FindFrames(labels, planeLength, source.Planes.Count, segments.Count);
        var dataset = Describe(source, segments, identity);
        var dimensions = Uid(identity.InstanceUid, "dimensions");
        dataset
            .Set(DicomTags.DimensionOrganizationSequence, new DicomDataset().Set(DicomTags.DimensionOrganizationUID, dimensions))
            .Set(DicomTags.DimensionIndexSequence,
                Dimension(dimensions, DicomTags.ReferencedSegmentNumber, DicomTags.SegmentIdentificationSequence),
                Dimension(dimensions, DicomTags.ImagePositionPatient, DicomTags.PlanePositionSequence))
            .Set(DicomTags.NumberOfFrames, (long)frames.Count)
            .Set(DicomTags.SharedFunctionalGroupsSequence, SharedGroups(source))
            .Set(DicomTags.PerFrameFunctionalGroupsSequence, [.. frames.Select(frame => GroupsOf(source, frame.Segment, frame.Plane))])
            .Set(DicomTags.PixelData, DicomVr.OB, Pack(labels, planeLength, frames));
        return new DicomFile(dataset, DicomTransferSyntax.ExplicitVrLittleEndian);
    }

    /// <summary>Segment by segment the planes that it touches. A segmentation of nothing keeps one empty frame, as there has to be one.</summary>
    private static List<(int Segment, int Plane)> FindFrames(ReadOnlySpan<byte> labels, int planeLength, int planes, int segments)
    {
        var frames = new List<(int Segment, int Plane)>();
        for (var plane = 0; plane < planes; plane++)
        {
            var pixels = labels.Slice(plane * planeLength, planeLength);
            for (var segment = 1; segment <= segments; segment++)
            {
                if (pixels.Contains((byte)segment)) frames.Add((segment, plane));
            }
        }
        if (frames.Count == 0) frames.Add((1, 0));
        frames.Sort();
        return frames;
    }

    /// <summary>One bit a pixel, frame behind frame without a gap, the first pixel in the lowest bit (PS3.5 8.1.1, 8.2).</summary>
    private static byte[] Pack(ReadOnlySpan<byte> labels, int planeLength, List<(int Segment, int Plane)> frames)
    {
        var packed = new byte[((long)planeLength * frames.Count + 15) / 16 * 2];
        long bit = 0;
        foreach (var (segment, plane) in frames)
        {
            foreach (var label in labels.Slice(plane * planeLength, planeLength))
            {
                if (label == segment) packed[bit >> 3] |= (byte)(1 << (int)(bit & 7));
                bit++;
            }
        }
        return packed;
    }

    private static DicomDataset Describe(SegmentationSource source, IReadOnlyList<SegmentDescription> segments, SegmentationIdentity identity)
    {
        var dataset = new DicomDataset();
        foreach (var tag in Inherited)
        {
            if (source.Header.TryGetElement(tag, out var element)) dataset.Set(tag, element.Vr, (ReadOnlyMemory<byte>)element.Value.ToArray());
        }
        foreach (var tag in Required)
        {
            if (!dataset.Contains(tag)) dataset.Set(tag, "");
        }
        var date = identity.MadeAt.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var time = identity.MadeAt.ToString("HHmmss", CultureInfo.InvariantCulture);
        var isLossy = source.Header.GetString(DicomTags.LossyImageCompression) == "01";
        dataset
            .Set(DicomTags.ImageType, "DERIVED", "PRIMARY")
            .Set(DicomTags.SOPClassUID, DicomUids.SegmentationStorage)
            .Set(DicomTags.SOPInstanceUID, identity.InstanceUid)
            .Set(DicomTags.SeriesDate, date).Set(DicomTags.SeriesTime, time)
            .Set(DicomTags.ContentDate, date).Set(DicomTags.ContentTime, time)
            .Set(DicomTags.Modality, "SEG")
            .Set(DicomTags.Manufacturer, "Platform")
            .Set(DicomTags.ManufacturerModelName, identity.AlgorithmName)
            .Set(DicomTags.DeviceSerialNumber, "1")
            .Set(DicomTags.SoftwareVersions, Implementation.VersionName)
            .Set(DicomTags.SeriesInstanceUID, identity.SeriesUid)
            .Set(DicomTags.SeriesNumber, identity.SeriesNumber)
            .Set(DicomTags.SeriesDescription, identity.Description)
            .Set(DicomTags.InstanceNumber, 1)
            .Set(DicomTags.SamplesPerPixel, 1)
            .Set(DicomTags.PhotometricInterpretation, "MONOCHROME2")
            .Set(DicomTags.Rows, source.Rows)
            .Set(DicomTags.Columns, source.Columns)
            .Set(DicomTags.BitsAllocated, 1)
            .Set(DicomTags.BitsStored, 1)
            .Set(DicomTags.HighBit, 0)
            .Set(DicomTags.PixelRepresentation, 0)
            .Set(DicomTags.LossyImageCompression, isLossy ? "01" : "00")
            .Set(DicomTags.SegmentationType, "BINARY")
            .Set(DicomTags.SegmentsOverlap, "NO")
            .Set(DicomTags.ContentLabel, identity.Label)
            .Set(DicomTags.ContentDescription, "")
            .Set(DicomTags.ContentCreatorName, "");
        if (isLossy)
        {
            // Type 1C once lossy: how much and how the images were compressed.
            foreach (var tag in (DicomTag[])[DicomTags.LossyImageCompressionRatio, DicomTags.LossyImageCompressionMethod])
            {
                if (source.Header.TryGetElement(tag, out var element)) dataset.Set(tag, element.Vr, (ReadOnlyMemory<byte>)element.Value.ToArray());
            }
        }

        var items = new DicomDataset[segments.Count];
        for (var i = 0; i < items.Length; i++) items[i] = new DicomDataset();
        dataset.Set(DicomTags.SegmentSequence, items);                      // before text goes into the items: they take its character set
        for (var i = 0; i < items.Length; i++)
        {
            items[i]
                .Set(DicomTags.SegmentNumber, i + 1)
                .Set(DicomTags.SegmentLabel, segments[i].Label)
                .Set(DicomTags.SegmentAlgorithmType, "AUTOMATIC")
                .Set(DicomTags.SegmentAlgorithmName, identity.AlgorithmName)
                .Set(DicomTags.SegmentedPropertyCategoryCodeSequence, segments[i].Category.ToItem())
                .Set(DicomTags.SegmentedPropertyTypeCodeSequence, segments[i].Type.ToItem())
                .Set(DicomTags.RecommendedDisplayCIELabValue, segments[i].ToCieLab());
        }
        return dataset.Set(DicomTags.ReferencedSeriesSequence, new DicomDataset()
            .Set(DicomTags.SeriesInstanceUID, source.Header.GetString(DicomTags.SeriesInstanceUID) ?? throw new ArgumentException("The images lack a series."))
            .Set(DicomTags.ReferencedInstanceSequence, [.. source.Planes.DistinctBy(static plane => plane.SopInstanceUid).Select(static plane => Reference(plane))]));
    }

    private static DicomDataset SharedGroups(SegmentationSource source)
    {
        var measures = new DicomDataset().Set(DicomTags.PixelSpacing, source.PixelSpacing);
        var spacing = source.SpacingBetweenPlanes();
        if (source.Header.GetDouble(DicomTags.SliceThickness) is { } thickness) measures.Set(DicomTags.SliceThickness, thickness);
        else if (spacing is { } distance) measures.Set(DicomTags.SliceThickness, distance);
        else measures.Set(DicomTags.SliceThickness, 1d);
        if (spacing is > 0) measures.Set(DicomTags.SpacingBetweenSlices, spacing.Value);
        return new DicomDataset()
            .Set(DicomTags.PlaneOrientationSequence, new DicomDataset().Set(DicomTags.ImageOrientationPatient, source.Orientation))
            .Set(DicomTags.PixelMeasuresSequence, measures);
    }

    private static DicomDataset GroupsOf(SegmentationSource source, int segment, int plane) => new DicomDataset()
        .Set(DicomTags.DerivationImageSequence, new DicomDataset()
            .Set(DicomTags.SourceImageSequence, SourceReference(source.Planes[plane]))
            .Set(DicomTags.DerivationCodeSequence, new CodedConcept("113076", "DCM", "Segmentation").ToItem()))
        .Set(DicomTags.FrameContentSequence, new DicomDataset().Set(DicomTags.DimensionIndexValues, [segment, plane + 1L]))
        .Set(DicomTags.PlanePositionSequence, new DicomDataset().Set(DicomTags.ImagePositionPatient, source.Planes[plane].Position))
        .Set(DicomTags.SegmentIdentificationSequence, new DicomDataset().Set(DicomTags.ReferencedSegmentNumber, segment));

    private static DicomDataset SourceReference(SegmentedPlane plane)
    {
        var reference = Reference(plane)
            .Set(DicomTags.SpatialLocationsPreserved, "YES")
            .Set(DicomTags.PurposeOfReferenceCodeSequence, new CodedConcept("121322", "DCM", "Source image for image processing operation").ToItem());
        return plane.FrameNumber is { } frame ? reference.Set(DicomTags.ReferencedFrameNumber, (long)frame) : reference;
    }

    private static DicomDataset Reference(SegmentedPlane plane) => new DicomDataset()
        .Set(DicomTags.ReferencedSOPClassUID, plane.SopClassUid)
        .Set(DicomTags.ReferencedSOPInstanceUID, plane.SopInstanceUid);

    private static DicomDataset Dimension(string organization, DicomTag pointer, DicomTag group) => new DicomDataset()
        .Set(DicomTags.DimensionOrganizationUID, organization)
        .Set(DicomTags.DimensionIndexPointer, pointer)
        .Set(DicomTags.FunctionalGroupPointer, group);

    private static string Uid(string instanceUid, string what) => DicomUids.FromName($"{instanceUid} {what}");
}
