using System.Diagnostics;
using System.Text.Json;
using Platform.Tests.Shared;

namespace Platform.Dicom.Tests.Segmentation;

public sealed class SegmentationWriterTests : IDisposable
{
    private const int Rows = 13, Columns = 15, Planes = 6;   // so that frames do not end at a byte's end

    private static readonly SegmentDescription[] Segments =
    [
        new("Lung", new CodedConcept("123037004", "SCT", "Anatomical Structure"), new CodedConcept("39607008", "SCT", "Lung"), 120, 180, 255),
        new("Fettgewebe, möglich", new CodedConcept("85756007", "SCT", "Tissue"), new CodedConcept("55603005", "SCT", "Adipose tissue"), 255, 255, 255),
        new("Bone", new CodedConcept("85756007", "SCT", "Tissue"), new CodedConcept("3138006", "SCT", "Bone tissue"), 255, 0, 0),
    ];

    private static readonly SegmentationIdentity Identity = new(
        "2.25.4000", "2.25.4000.1", 900, "LUNG_1", "Segmentation", "ct-tissue 1.0", new DateTimeOffset(2026, 11, 20, 10, 11, 12, TimeSpan.Zero));

    private readonly TempFolder _folder = new();

    [Fact]
    public void Create_LabelsOfThreeSegments_HasAFrameForEachPlaneThatASegmentTouches()
    {
        var labels = new byte[Planes * Rows * Columns];
        labels[Index(1, 0, 0)] = 1;
        labels[Index(4, 12, 14)] = 1;
        labels[Index(4, 3, 3)] = 3;
        using var file = SegmentationWriter.Create(Source(), labels, Segments, Identity);

        var dataset = file.Dataset;
        Assert.Equal(3, dataset.GetInt32(DicomTags.NumberOfFrames));
        Assert.Equal([(1, 2), (1, 5), (3, 5)], dataset.GetItems(DicomTags.PerFrameFunctionalGroupsSequence)
            .Select(static groups => groups.GetItem(DicomTags.FrameContentSequence)!).Select(static content => (content.GetInt32(DicomTags.DimensionIndexValues)!.Value, content.GetInt32(DicomTags.DimensionIndexValues, 1)!.Value)));
        Assert.Equal("2.25.1000.1.5", dataset.GetItems(DicomTags.PerFrameFunctionalGroupsSequence)[1].GetItem(DicomTags.DerivationImageSequence)!.GetItem(DicomTags.SourceImageSequence)!.GetString(DicomTags.ReferencedSOPInstanceUID));
        Assert.True(dataset.TryGetElement(DicomTags.PixelData, out var pixels));
        var bits = new byte[74];                              // of 3 x 195
        foreach (var bit in (int[])[0, 195 + 194, 390 + (3 * Columns) + 3]) bits[bit / 8] |= (byte)(1 << (bit % 8));
        Assert.Equal(bits, pixels.Value.ToArray());
        Assert.Equal(6, dataset.GetItem(DicomTags.ReferencedSeriesSequence)!.GetItems(DicomTags.ReferencedInstanceSequence).Count);
    }

    [Fact]
    public void Create_NothingFound_KeepsOneEmptyFrame()
    {
        using var file = SegmentationWriter.Create(Source(), new byte[Planes * Rows * Columns], Segments, Identity);
        Assert.Equal(1, file.Dataset.GetInt32(DicomTags.NumberOfFrames));
    }

    [Fact]
    public void Create_WhatDoesNotFit_IsRefused()
    {
        var labels = new byte[Planes * Rows * Columns];
        Assert.Throws<ArgumentException>(() => SegmentationWriter.Create(Source(), labels.AsSpan(1), Segments, Identity));
        labels[7] = 4;
        Assert.Throws<ArgumentException>(() => SegmentationWriter.Create(Source(), labels, Segments, Identity));
        Assert.Throws<ArgumentException>(() => SegmentationSource.FromInstances([.. Enumerable.Range(0, 2).Select(static i => Slice(i).With(DicomTags.ImageOrientationPatient, "1", "0", "0", "0", i == 0 ? "1" : "0", i == 0 ? "0" : "1").ToDataset())]));
        Assert.Throws<ArgumentException>(() => SegmentationSource.FromInstances([Slice(0).With(static dataset => dataset.Remove(DicomTags.ImagePositionPatient)).ToDataset()]));
    }

    [Theory]
    [InlineData(255, 255, 255, 65535, 32896, 32896)]
    [InlineData(0, 0, 0, 0, 32896, 32896)]
    [InlineData(255, 0, 0, 35582, 53669, 50855)]             // L* 54.29, a* 80.81, b* 69.89 over D50
    public void ToCieLab_Colour_IsScaledAsTheStandardSays(byte red, byte green, byte blue, int l, int a, int b)
    {
        var lab = (Segments[0] with { Red = red, Green = green, Blue = blue }).ToCieLab();
        Assert.All(lab.Zip([l, a, b]), static pair => Assert.InRange(pair.First, pair.Second - 12, pair.Second + 12));
    }

    /// <summary>dciodvfy knows the rules of the IOD; pydicom unpacks the bits; DCMTK reads the file.</summary>
    [ToolFact("dciodvfy", "pydicom", "dcmdump")]
    public async Task Create_RandomLabels_IsValidAndSaysTheSameToOthers()
    {
        var random = new Random(3);
        var labels = new byte[Planes * Rows * Columns];
        for (var i = 0; i < labels.Length; i++) labels[i] = (byte)Math.Max(0, random.Next(-3, 4));
        labels.AsSpan(0, Rows * Columns).Clear();
        using var file = SegmentationWriter.Create(Source(), labels, Segments, Identity);
        var path = _folder.Combine("seg.dcm");
        await using (var stream = File.Create(path)) DicomWriter.Write(stream, file);

        var (_, verdict) = await RunAsync("dciodvfy", "-new", path);
        Assert.DoesNotContain("Error", verdict, StringComparison.Ordinal);
        Assert.Contains("Segmentation", verdict, StringComparison.Ordinal);
        var (exit, _) = await RunAsync("dcmdump", "-q", "+E", path);
        Assert.Equal(0, exit);

        var (_, json) = await RunAsync(ToolPath.Find("pydicom")!, "-c", """
            import json, sys, pydicom
            d = pydicom.dcmread(sys.argv[1])
            print(json.dumps({"name": str(d.PatientName), "label": d.SegmentSequence[1].SegmentLabel, "frames": [
                [int(g.SegmentIdentificationSequence[0].ReferencedSegmentNumber), float(g.PlanePositionSequence[0].ImagePositionPatient[2]), a.ravel().tolist()]
                for g, a in zip(d.PerFrameFunctionalGroupsSequence, d.pixel_array)]}))
            """, path);
        var read = JsonDocument.Parse(json.Trim().Split('\n')[^1]).RootElement;
        Assert.Equal(("Grün^Ä", "Fettgewebe, möglich"), (read.GetProperty("name").GetString(), read.GetProperty("label").GetString()));
        var found = new byte[labels.Length];
        foreach (var frame in read.GetProperty("frames").EnumerateArray())
        {
            var plane = (int)Math.Round((frame[1].GetDouble() + 100) / 2.5);
            var pixels = frame[2].EnumerateArray().Select(static value => value.GetInt32()).ToArray();
            for (var i = 0; i < pixels.Length; i++) if (pixels[i] == 1) found[plane * Rows * Columns + i] = (byte)frame[0].GetInt32();
        }
        Assert.Equal(labels, found);
    }

    public void Dispose() => _folder.Dispose();

    private static int Index(int plane, int row, int column) => (plane * Rows + row) * Columns + column;

    private static SegmentationSource Source() => SegmentationSource.FromInstances([.. Enumerable.Range(0, Planes).Select(static i => Slice(i).ToDataset())]);

    private static DicomBuilder Slice(int index) => new DicomBuilder { Rows = Rows, Columns = Columns, InstanceUid = $"2.25.1000.1.{index + 1}", InstanceNumber = index + 1 }
        .With(DicomTags.SpecificCharacterSet, "ISO_IR 192")
        .With(DicomTags.PatientName, "Grün^Ä")
        .With(DicomTags.StudyDate, "20260102").With(DicomTags.StudyTime, "101112")
        .With(DicomTags.FrameOfReferenceUID, "2.25.77")
        .With(DicomTags.PixelSpacing, "0.7", "0.8")
        .With(DicomTags.ImageOrientationPatient, "1", "0", "0", "0", "1", "0")
        .With(dataset => dataset.Set(DicomTags.ImagePositionPatient, -50d, -40, -100 + index * 2.5));

    private static async Task<(int Exit, string Output)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await error);
    }
}
