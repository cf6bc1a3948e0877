using System.Buffers;
using BenchmarkDotNet.Attributes;
using Platform.Dicom;
using Platform.Dicom.Pixels;

namespace PerfTests.Micro;

/// <summary>
/// Reading the header of an image of 512 x 512 pixels, about 90 elements: from a path (page cache warm), from memory, and with a look-up
/// of what an index needs. <c>versus parse</c> compares the first with DCMTK over real files.
/// </summary>
[MemoryDiagnoser]
public class DicomParseBenchmarks
{
    private readonly string _path = System.IO.Path.GetTempFileName();
    private byte[] _bytes = [];

    /// <summary>The file that is read.</summary>
    internal string Path => _path;

    /// <summary>How the data set is coded.</summary>
    [Params("explicit", "implicit", "big endian")]
    public string Coding { get; set; } = "explicit";

    /// <summary>Makes the file and sees to it that it reads back.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var syntax = Coding switch
        {
            "implicit" => DicomTransferSyntax.ImplicitVrLittleEndian,
            "big endian" => DicomTransferSyntax.ExplicitVrBigEndian,
            _ => DicomTransferSyntax.ExplicitVrLittleEndian,
        };
        var made = new ArrayBufferWriter<byte>();
        DicomWriter.Write(made, new DicomFile(Image(), syntax));
        _bytes = made.WrittenSpan.ToArray();
        System.IO.File.WriteAllBytes(_path, _bytes);
        using var file = DicomFile.Read(_path);
        if (file.TransferSyntax != syntax || file.Dataset.GetInt32(DicomTags.Rows) != 512 || file.PixelData?.Length != 1 << 19) throw new InvalidOperationException("The file does not read back.");
    }

    /// <summary>Removes the file.</summary>
    [GlobalCleanup]
    public void Cleanup() => System.IO.File.Delete(_path);

    /// <summary>A path: open, one read, close.</summary>
    [Benchmark(Baseline = true)]
    public long File()
    {
        using var file = DicomFile.Read(_path);
        return file.PixelData!.Value.Offset;
    }

    /// <summary>Memory: the parser alone.</summary>
    [Benchmark]
    public long Memory()
    {
        using var file = DicomFile.Read((ReadOnlyMemory<byte>)_bytes);
        return file.PixelData!.Value.Offset;
    }

    /// <summary>Memory, and the attributes that a catalog keeps.</summary>
    [Benchmark]
    public int MemoryAndIndexedAttributes()
    {
        using var file = DicomFile.Read((ReadOnlyMemory<byte>)_bytes);
        var data = file.Dataset;
        var length = 0;
        foreach (var tag in IndexedTags) length += data.GetString(tag)?.Length ?? 0;
        PixelDescription.TryRead(data, out var pixels);
        return length + pixels.Rows;
    }

    /// <summary>Memory, pixels included, every element visited.</summary>
    [Benchmark]
    public long WholeFile()
    {
        using var file = DicomFile.Read((ReadOnlyMemory<byte>)_bytes, Whole);
        long bytes = 0;
        foreach (var element in file.Dataset) bytes += element.Span.Length;
        return bytes;
    }

    private static readonly DicomReadOptions Whole = new() { StopBeforePixels = false };

    private static readonly DicomTag[] IndexedTags =
    [
        DicomTags.StudyInstanceUID, DicomTags.SeriesInstanceUID, DicomTags.SOPInstanceUID, DicomTags.SOPClassUID, DicomTags.PatientName, DicomTags.PatientID,
        DicomTags.StudyDate, DicomTags.StudyTime, DicomTags.AccessionNumber, DicomTags.Modality, DicomTags.SeriesNumber, DicomTags.InstanceNumber,
    ];

    private static DicomDataset Image()
    {
        var image = new DicomDataset().Set(DicomTags.SpecificCharacterSet, "ISO_IR 100");
        foreach (var tag in IndexedTags) image.Set(tag, tag == DicomTags.StudyDate ? "20261120" : tag == DicomTags.StudyTime ? "121530" : tag == DicomTags.Modality ? "CT" : "1.2.826.0.1.3680043");
        for (ushort i = 0; i < 60; i++) image.Set(new DicomTag(0x0019, (ushort)(0x1002 + i)), i % 2 == 0 ? DicomVr.DS : DicomVr.LO, "117.25");
        image.Set(new DicomTag(0x0019, 0x0010), DicomVr.LO, "MAKER");
        image.Set(DicomTags.ProcedureCodeSequence, new DicomDataset().Set(DicomTags.CodeValue, "IMG101").Set(DicomTags.CodeMeaning, "CT THORAX"));
        image.Set(DicomTags.SamplesPerPixel, 1).Set(DicomTags.PhotometricInterpretation, "MONOCHROME2").Set(DicomTags.Rows, 512).Set(DicomTags.Columns, 512);
        image.Set(DicomTags.BitsAllocated, 16).Set(DicomTags.BitsStored, 12).Set(DicomTags.HighBit, 11).Set(DicomTags.PixelRepresentation, 1);
        image.Set(DicomTags.ImagePositionPatient, -158.13, -179.03, -75.69).Set(DicomTags.PixelSpacing, 0.66, 0.66);
        return image.Set(DicomTags.PixelData, DicomVr.OW, new byte[1 << 19]);
    }
}
