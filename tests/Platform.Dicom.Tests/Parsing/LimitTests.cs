using Platform.Dicom.Pixels;

namespace Platform.Dicom.Tests.Parsing;

/// <summary>Hostile input: bounded memory, depth and time, and an exception that says where.</summary>
public sealed class LimitTests
{
    [Fact]
    public void Read_SequencesNestedThousandsDeep_StopsAtTheLimit()
    {
        var raw = new RawDicom();
        raw.Element(0x00080060, "CS", "CT");
        for (var i = 0; i < 50_000; i++) raw.Header(0x00081140, "SQ", RawDicom.Undefined).Item();

        var exception = Assert.Throws<DicomParseException>(() => DicomFile.Read(raw.ToFile(DicomTransferSyntax.ExplicitVrLittleEndian)));
        Assert.Contains("deeper", exception.Message, StringComparison.Ordinal);
        Assert.True(exception.Offset > 0);
    }

    [Fact]
    public void Read_DepthOfTheLimit_IsRead()
    {
        var raw = new RawDicom();
        raw.Element(0x00080060, "CS", "CT");
        for (var i = 0; i < 5; i++) raw.Header(0x00081140, "SQ", RawDicom.Undefined).Item();
        for (var i = 0; i < 5; i++) raw.EndItem().EndSequence();
        var bytes = raw.ToFile(DicomTransferSyntax.ExplicitVrLittleEndian);

        DicomFile.Read(bytes, new DicomReadOptions { MaxDepth = 5 }).Dispose();
        Assert.Throws<DicomParseException>(() => DicomFile.Read(bytes, new DicomReadOptions { MaxDepth = 4 }));
    }

    [Fact]
    public void Read_ElementBomb_StopsAtTheLimit()
    {
        var raw = new RawDicom();
        raw.Element(0x00080060, "CS", "CT").Header(0x00081140, "SQ", RawDicom.Undefined);
        for (var i = 0; i < 100_000; i++) raw.Item(0);
        raw.EndSequence();
        var bytes = raw.ToFile(DicomTransferSyntax.ExplicitVrLittleEndian);

        using var file = DicomFile.Read(bytes);
        Assert.Equal(100_000, file.Dataset.GetItems(DicomTags.ReferencedImageSequence).Count);
        var exception = Assert.Throws<DicomParseException>(() => DicomFile.Read(bytes, new DicomReadOptions { MaxElements = 5000 }));
        Assert.Contains("elements", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_DeflateBomb_StopsAtTheLimit()
    {
        // 64 MB of zeros in 64 KB, as the value of one element.
        var bytes = new RawDicom().Element(0x00080060, "CS", "CT").Element(0x00420011, "OB", new byte[64 << 20]).ToDeflatedFile();
        Assert.True(bytes.Length < 1 << 20);

        var exception = Assert.Throws<DicomParseException>(() => DicomFile.Read(bytes, new DicomReadOptions { MaxInflatedBytes = 1 << 20 }));
        Assert.Contains("inflates", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_DeflateBombOfSkippedValues_StopsAtTheLimit()
    {
        var bytes = new RawDicom().Element(0x00080060, "CS", "CT").Element(0x00420011, "OB", new byte[64 << 20]).ToDeflatedFile();
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<DicomParseException>(() => DicomFile.Read(bytes, new DicomReadOptions { MaxInflatedBytes = 32 << 20, DeferBulkOverBytes = 1000 }));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Theory]
    [InlineData(0xFFFFFFF0u)]
    [InlineData(0x7FFFFFFFu)]
    [InlineData(0x10000000u)]
    public async Task ReadAsync_LengthBeyondTheSource_AllocatesNothingForIt(uint claimed)
    {
        var bytes = new RawDicom().Element(0x00080060, "CS", "CT").Header(0x00420011, "OB", claimed).Bytes(new byte[500]).ToFile(DicomTransferSyntax.ExplicitVrLittleEndian);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var exception = Assert.Throws<DicomParseException>(() => DicomFile.Read(bytes, new DicomReadOptions { StopBeforePixels = false }));
        Assert.Equal(new DicomTag(0x00420011), exception.Tag);
        await Assert.ThrowsAsync<DicomParseException>(async () => await DicomFile.ReadAsync(new OneWayStream(bytes), new DicomReadOptions { StopBeforePixels = false }));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Fact]
    public async Task ReadFrameAsync_SmallFileThatClaimsHugePixels_Throws()
    {
        var bytes = new RawDicom()
            .Element(0x00080060, "CS", "CT")
            .Element(0x00280002, "US", [3, 0])
            .Element(0x00280008, "IS", "2147483647")
            .Element(0x00280010, "US", [0xFF, 0xFF])
            .Element(0x00280011, "US", [0xFF, 0xFF])
            .Element(0x00280100, "US", [16, 0])
            .Element(0x7FE00010, "OW", new byte[600])
            .ToFile(DicomTransferSyntax.ExplicitVrLittleEndian);
        using var file = DicomFile.Read(bytes);
        using var source = DicomSource.FromMemory(bytes);
        var index = await FrameIndex.ReadAsync(source, file);
        var before = GC.GetAllocatedBytesForCurrentThread();

        await Assert.ThrowsAsync<DicomParseException>(async () => await index!.ReadFrameAsync(source, 0, new System.Buffers.ArrayBufferWriter<byte>()));
        Assert.Throws<DicomParseException>(() => index!.GetLength(int.MaxValue - 1));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData("")]
    [InlineData("DICM")]
    [InlineData("This is a text and no DICOM file at all. It goes on for a while, so that it is long enough to hold a preamble of 128 bytes, and then some more of it.")]
    public void Read_NoDicom_Throws(string text) =>
        Assert.Throws<DicomParseException>(() => DicomFile.Read(System.Text.Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Read_Truncated_ThrowsWithTagAndOffset()
    {
        var bytes = new RawDicom().Element(0x00080060, "CS", "CT").Element(0x00100010, "PN", "SOMEBODY").ToFile(DicomTransferSyntax.ExplicitVrLittleEndian);
        var exception = Assert.Throws<DicomParseException>(() => DicomFile.Read(bytes.AsMemory(0, bytes.Length - 3)));

        Assert.Equal(DicomTags.PatientName, exception.Tag);
        Assert.Equal(bytes.Length - 16, exception.Offset);
        Assert.DoesNotContain("SOME", exception.Message, StringComparison.Ordinal);
    }

    private sealed class OneWayStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
