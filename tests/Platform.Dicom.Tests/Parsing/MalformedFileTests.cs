using System.Buffers;
using System.Diagnostics;
using Platform.Dicom.Pixels;
using Platform.Tests.Shared;

namespace Platform.Dicom.Tests.Parsing;

/// <summary>Files that broke readers before: data or the exception, quickly and in little memory.</summary>
public sealed class MalformedFileTests
{
    public static TheoryData<string> Files => [.. TestData.GetFiles("malformed").Select(path => Path.GetFileName(path))];

    /// <summary>What other readers get something out of, so must we.</summary>
    public static TheoryData<string, string> Readable => new()
    {
        { "ExplVR_BigEndNoMeta.dcm", "1.2.840.10008.1.2.2" },
        { "ExplVR_LitEndNoMeta.dcm", "1.2.840.10008.1.2.1" },
        { "no_meta_group_length.dcm", "1.2.840.10008.1.2" },
        { "meta_missing_tsyntax.dcm", "1.2.840.10008.1.2" },
        { "priv_SQ.dcm", "1.2.840.10008.1.2" },
        { "nested_priv_SQ.dcm", "1.2.840.10008.1.2" },
        { "UN_sequence.dcm", "1.2.840.10008.1.2.4.70" },
        { "explicit_VR-UN.dcm", "1.2.840.10008.1.2.4.90" },
        { "GH179A.dcm", "1.2.840.10008.1.2.1" },
        { "MR_truncated.dcm", "1.2.840.10008.1.2.1" },
        { "emri_small_jpeg_2k_lossless_too_short.dcm", "1.2.840.10008.1.2.4.90" },
        { "JPEG2000-embedded-sequence-delimiter.dcm", "1.2.840.10008.1.2.4.91" },
    };

    [DataTheory("malformed")]
    [MemberData(nameof(Files))]
    public async Task Read_MalformedFile_GivesDataOrTheException(string name)
    {
        var path = TestData.GetPath(Path.Combine("malformed", name));
        var clock = Stopwatch.StartNew();
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var options in new[] { DicomReadOptions.Default, new DicomReadOptions { StopBeforePixels = false } })
        {
            try
            {
                using var file = DicomFile.Read(path, options);
                foreach (var element in file.Dataset) _ = (element.GetStrings(), element.GetDoubles(), element.Items.Count);
                using var source = DicomSource.Open(path);
                if (await FrameIndex.ReadAsync(source, file) is not { } index) continue;
                for (var frame = 0; frame < index.FrameCount; frame++) await index.ReadFrameAsync(source, frame, new ArrayBufferWriter<byte>());
            }
            catch (DicomParseException exception)
            {
                Assert.True(exception.Offset >= 0);
            }
        }
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32 << 20);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [DataTheory("malformed")]
    [MemberData(nameof(Readable))]
    public void Read_OddButReadableFile_GivesData(string name, string transferSyntax)
    {
        using var file = DicomFile.Read(TestData.GetPath(Path.Combine("malformed", name)));

        Assert.Equal(transferSyntax, file.TransferSyntax.Uid);
        Assert.NotEmpty(file.Dataset);
    }
}
