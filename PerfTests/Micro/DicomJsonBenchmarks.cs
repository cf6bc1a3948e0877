using System.Buffers;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Platform.Dicom;
using Platform.Dicom.Json;

namespace PerfTests.Micro;

/// <summary>DICOM JSON of one CT header of about 90 elements: what series metadata is made of. The baseline is reading that header.</summary>
[MemoryDiagnoser]
public class DicomJsonBenchmarks
{
    private readonly ArrayBufferWriter<byte> _output = new(1 << 20);
    private byte[] _bytes = [];
    private byte[] _json = [];
    private DicomFile _file = null!;

    /// <summary>Makes the header and sees to it that its JSON reads back as the same.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var made = new ArrayBufferWriter<byte>();
        DicomWriter.Write(made, new DicomFile(Header(), DicomTransferSyntax.ExplicitVrLittleEndian));
        _bytes = made.WrittenSpan.ToArray();
        _file = DicomFile.Read((ReadOnlyMemory<byte>)_bytes);
        _json = DicomJsonWriter.ToUtf8(_file.Dataset);
        using var document = JsonDocument.Parse(_json);
        if (!DicomJsonWriter.ToUtf8(DicomJsonReader.Read(_json)).AsSpan().SequenceEqual(_json)) throw new InvalidOperationException("The JSON does not read back as the same data set.");
    }

    /// <summary>Gives the header's buffers back.</summary>
    [GlobalCleanup]
    public void Cleanup() => _file.Dispose();

    /// <summary>File to data set.</summary>
    [Benchmark(Baseline = true)]
    public int ReadHeader()
    {
        using var file = DicomFile.Read((ReadOnlyMemory<byte>)_bytes);
        return file.Dataset.Count;
    }

    /// <summary>Data set to JSON.</summary>
    [Benchmark]
    public int WriteJson()
    {
        _output.ResetWrittenCount();
        DicomJsonWriter.Write(_output, _file.Dataset);
        return _output.WrittenCount;
    }

    /// <summary>File to JSON, as series metadata are made.</summary>
    [Benchmark]
    public int ReadHeaderAndWriteJson()
    {
        _output.ResetWrittenCount();
        using var file = DicomFile.Read((ReadOnlyMemory<byte>)_bytes);
        DicomJsonWriter.Write(_output, file.Dataset);
        return _output.WrittenCount;
    }

    /// <summary>JSON to data set.</summary>
    [Benchmark]
    public int ReadJson() => DicomJsonReader.Read(_json).Count;

    private static DicomDataset Header()
    {
        var header = new DicomDataset().Set(DicomTags.SpecificCharacterSet, "ISO_IR 100");
        header.Set(DicomTags.ImageType, "ORIGINAL", "PRIMARY", "AXIAL");
        foreach (var tag in new[] { DicomTags.StudyDate, DicomTags.SeriesDate, DicomTags.AcquisitionDate, DicomTags.ContentDate, DicomTags.PatientBirthDate }) header.Set(tag, "20261120");
        foreach (var tag in new[] { DicomTags.StudyTime, DicomTags.SeriesTime, DicomTags.AcquisitionTime, DicomTags.ContentTime }) header.Set(tag, "121530.250");
        foreach (var tag in new[] { DicomTags.SOPInstanceUID, DicomTags.StudyInstanceUID, DicomTags.SeriesInstanceUID, DicomTags.FrameOfReferenceUID }) header.Set(tag, $"2.25.{tag.Value}00112233445566778899");
        header.Set(DicomTags.SOPClassUID, DicomUids.CTImageStorage).Set(DicomTags.Modality, "CT").Set(DicomTags.PatientName, DicomVr.PN, "Ménard^Zoë").Set(DicomTags.PatientSex, "F");
        foreach (var tag in new[]
        {
            DicomTags.AccessionNumber, DicomTags.Manufacturer, DicomTags.InstitutionName, DicomTags.StationName, DicomTags.StudyDescription, DicomTags.SeriesDescription,
            DicomTags.ManufacturerModelName, DicomTags.PatientID, DicomTags.DeviceSerialNumber, DicomTags.SoftwareVersions, DicomTags.ProtocolName, DicomTags.ConvolutionKernel,
            DicomTags.StudyID, DicomTags.BodyPartExamined, DicomTags.FilterType, DicomTags.ScanOptions
        }) header.Set(tag, DicomDictionary.TryGet(tag, out var entry) ? entry.Vr : DicomVr.LO, "SOME TEXT");
        foreach (var tag in new[]
        {
            DicomTags.SliceThickness, DicomTags.KVP, DicomTags.DataCollectionDiameter, DicomTags.ReconstructionDiameter, DicomTags.DistanceSourceToDetector, DicomTags.DistanceSourceToPatient,
            DicomTags.GantryDetectorTilt, DicomTags.TableHeight, DicomTags.SliceLocation, DicomTags.RescaleIntercept, DicomTags.RescaleSlope, DicomTags.PatientWeight, DicomTags.WindowCenter, DicomTags.WindowWidth
        }) header.Set(tag, 123.4375);
        foreach (var tag in new[] { DicomTags.ExposureTime, DicomTags.XRayTubeCurrent, DicomTags.Exposure, DicomTags.GeneratorPower, DicomTags.SeriesNumber, DicomTags.AcquisitionNumber, DicomTags.InstanceNumber }) header.Set(tag, 117L);
        header.Set(DicomTags.ImagePositionPatient, -158.135803, -179.035797, -75.699997).Set(DicomTags.ImageOrientationPatient, 1.0, 0, 0, 0, 1, 0).Set(DicomTags.PixelSpacing, 0.661468, 0.661468);
        foreach (var tag in new[] { DicomTags.Rows, DicomTags.Columns, DicomTags.BitsAllocated, DicomTags.BitsStored, DicomTags.HighBit, DicomTags.PixelRepresentation, DicomTags.SamplesPerPixel }) header.Set(tag, 16L);
        header.Set(DicomTags.PhotometricInterpretation, "MONOCHROME2").Set(DicomTags.PixelPaddingValue, DicomVr.SS, -2000L);
        for (ushort i = 0; i < 12; i++) header.Set(new DicomTag(0x0019, (ushort)(0x1002 + i)), i % 2 == 0 ? DicomVr.SL : DicomVr.FL, (long)i);
        header.Set(new DicomTag(0x0019, 0x0010), DicomVr.LO, "GEMS_ACQU_01");
        var code = new DicomDataset().Set(DicomTags.CodeValue, "IMG101").Set(DicomTags.CodingSchemeDesignator, "L").Set(DicomTags.CodeMeaning, DicomVr.LO, "CT THORAX");
        return header.Set(DicomTags.ProcedureCodeSequence, code);
    }
}
