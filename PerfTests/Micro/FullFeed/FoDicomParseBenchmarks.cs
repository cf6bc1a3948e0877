using BenchmarkDotNet.Attributes;
using FoDicomFile = FellowOakDicom.DicomFile;

namespace PerfTests.Micro.FullFeed;

/// <summary>fo-dicom's column beside <see cref="DicomParseBenchmarks"/>: the same file's header from a path, large values left in the file.</summary>
[MemoryDiagnoser]
public class FoDicomParseBenchmarks
{
    private readonly DicomParseBenchmarks _ours = new();
    private string _path = "";

    /// <summary>How the data set is coded.</summary>
    [Params("explicit", "implicit", "big endian")]
    public string Coding { get; set; } = "explicit";

    /// <summary>Makes the same file.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _ours.Coding = Coding;
        _ours.Setup();
        _path = _ours.Path;
        if (FoDicom() != 512) throw new InvalidOperationException("fo-dicom does not read the file.");
    }

    /// <summary>Removes the file.</summary>
    [GlobalCleanup]
    public void Cleanup() => _ours.Cleanup();

    /// <summary>Ours: open, one read, close.</summary>
    [Benchmark(Baseline = true)]
    public long Platform() => _ours.File();

    /// <summary>fo-dicom, skipping large values.</summary>
    [Benchmark]
    public int FoDicom() => FoDicomFile.Open(_path, FellowOakDicom.FileReadOption.SkipLargeTags).Dataset.GetSingleValue<int>(FellowOakDicom.DicomTag.Rows);
}
