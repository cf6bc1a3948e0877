using System.Buffers;
using System.Diagnostics;
using Platform.Dicom.Pixels;
using Platform.Dicom.Tests.Parsing;
using Platform.Tests.Shared;

namespace Platform.Dicom.Tests.Writing;

public sealed class DicomWriterTests
{
    private static readonly DicomReadOptions Whole = new() { StopBeforePixels = false };

    public static TheoryData<string> RealFiles => [.. TestData.GetFiles("dicom-zoo").Select(path => Path.GetFileName(path))];

    public static TheoryData<string> NativeSyntaxes => DicomFileTests.NativeSyntaxes;

    [DataTheory("dicom-zoo")]
    [MemberData(nameof(RealFiles))]
    public async Task Write_RealFileUnchanged_EqualsTheOriginal(string name)
    {
        var path = TestData.GetPath(Path.Combine("dicom-zoo", name));
        var original = await File.ReadAllBytesAsync(path);
        using var fromPath = DicomFile.Read(path, Whole);
        using var fromMemory = DicomFile.Read(original, Whole);
        using var fromStream = await DicomFile.ReadAsync(new MemoryStream(original), Whole);

        foreach (var file in new[] { fromPath, fromMemory, fromStream }) Assert.Equal(original, Write(file));
    }

    [DataTheory("dicom-zoo")]
    [MemberData(nameof(RealFiles))]
    public void Write_RealFileWithOneChange_KeepsEverythingElse(string name)
    {
        var path = TestData.GetPath(Path.Combine("dicom-zoo", name));
        using var original = DicomFile.Read(path, Whole);
        using var changed = DicomFile.Read(path, Whole);
        changed.Dataset.Set(DicomTags.PatientID, DicomVr.LO, "CHANGED");
        using var again = DicomFile.Read(Write(changed), Whole);

        Assert.Equal("CHANGED", again.Dataset.GetString(DicomTags.PatientID));
        Assert.Equal(original.TransferSyntax, again.TransferSyntax);
        var expected = original.Dataset.Where(element => element.Tag != DicomTags.PatientID && !element.Tag.IsGroupLength).ToArray();
        var actual = again.Dataset.Where(element => element.Tag != DicomTags.PatientID).ToArray();
        Assert.Equal(expected.Select(element => (element.Tag, element.Vr, element.Length)), actual.Select(element => (element.Tag, element.Vr, element.Length)));
        foreach (var (before, after) in expected.Zip(actual)) Assert.Equal(before.GetSourceBytes(), after.GetSourceBytes());
    }

    [DataTheory("dicom-zoo")]
    [MemberData(nameof(RealFiles))]
    public void Write_RealFileInEveryNativeSyntax_KeepsValues(string name)
    {
        var path = TestData.GetPath(Path.Combine("dicom-zoo", name));
        using var original = DicomFile.Read(path, Whole);
        if (original.TransferSyntax.IsEncapsulated) return;
        foreach (var uid in DicomFileTests.NativeUids)
        {
            using var again = DicomFile.Read(Write(new DicomFile(original.Dataset, DicomTransferSyntax.FromUid(uid), original.FileMeta)), Whole);
            Assert.Equal(uid, again.TransferSyntax.Uid);
            AssertSameValues(original.Dataset, again.Dataset);
        }
    }

    [Theory]
    [MemberData(nameof(NativeSyntaxes))]
    public void Write_NewFile_CanBeRead(string uid)
    {
        var builder = new DicomBuilder { TransferSyntax = DicomTransferSyntax.FromUid(uid) }.With(dataset => dataset
            .Set(DicomTags.ReferencedImageSequence, new DicomDataset().Set(DicomTags.ReferencedSOPInstanceUID, "1.2.3"), new DicomDataset())
            .Set(new DicomTag(0x0009, 0x0010), DicomVr.LO, "MAKER")
            .Set(new DicomTag(0x0009, 0x1001), DicomVr.FD, 1.5, -2.5)
            .Set(new DicomTag(0x0009, 0x1002), DicomVr.SV, long.MinValue)
            .Set(new DicomTag(0x0009, 0x1003), DicomVr.UV, "18446744073709551615")
            .Set(new DicomTag(0x0009, 0x1004), DicomTags.Rows)
            .Set(new DicomTag(0x0009, 0x1005), DicomVr.OB, new byte[] { 1, 2, 3 })
            .SetEmpty(DicomTags.AcquisitionNumber, DicomVr.IS));
        using var file = DicomFile.Read(builder.Build(), Whole);

        Assert.Equal(uid, file.TransferSyntax.Uid);
        Assert.Equal(Implementation.ClassUid, file.FileMeta.GetString(DicomTags.ImplementationClassUID));
        Assert.Equal("1.2.3", file.Dataset.GetItem(DicomTags.ReferencedImageSequence)!.GetString(DicomTags.ReferencedSOPInstanceUID));
        Assert.True(file.Dataset.Contains(DicomTags.AcquisitionNumber));
        if (uid == DicomTransferSyntax.ImplicitVrLittleEndian.Uid) return;      // private VRs are lost in implicit VR
        Assert.Equal([1.5, -2.5], file.Dataset.GetDoubles(new DicomTag(0x0009, 0x1001)));
        Assert.Equal(long.MinValue, file.Dataset.GetInt64(new DicomTag(0x0009, 0x1002)));
        Assert.Equal("18446744073709551615", file.Dataset.GetString(new DicomTag(0x0009, 0x1003)));
        Assert.Equal("00280010", file.Dataset.GetString(new DicomTag(0x0009, 0x1004)));
        Assert.Equal(4, file.Dataset.Single(element => element.Tag == new DicomTag(0x0009, 0x1005)).Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Write_ItemChanged_RewritesTheSequenceInItsForm(bool isUndefined)
    {
        var item = new RawDicom().Element(0x00080100, "SH", "OLD ").ToArray();
        var raw = new RawDicom().Element(0x00080060, "CS", "CT");
        if (isUndefined) raw.Header(0x00081140, "SQ", RawDicom.Undefined).Item().Bytes(item).EndItem().EndSequence();
        else raw.Header(0x00081140, "SQ", (uint)item.Length + 8).Item((uint)item.Length).Bytes(item);
        using var file = DicomFile.Read(raw.Element(0x00100010, "PN", "A^B ").ToFile(DicomTransferSyntax.ExplicitVrLittleEndian), Whole);
        file.Dataset.GetItems(DicomTags.ReferencedImageSequence)[0].Set(DicomTags.CodeValue, "LONGER VALUE");
        using var again = DicomFile.Read(Write(file), Whole);

        Assert.True(again.Dataset.TryGetElement(DicomTags.ReferencedImageSequence, out var sequence));
        Assert.Equal(isUndefined, sequence.IsUndefinedLength);
        Assert.Equal("LONGER VALUE", sequence.Items[0].GetString(DicomTags.CodeValue));
        Assert.Equal("A^B", again.Dataset.GetString(DicomTags.PatientName));
    }

    [Fact]
    public void Write_TextTooLongForItsVr_GoesAsUnknown()
    {
        // PS3.5 6.2.2; the dictionary still knows how to read it.
        var dataset = new DicomBuilder().ToDataset().Set(DicomTags.ContourData, [.. Enumerable.Range(0, 20_000).Select(i => i / 8.0)]);
        using var file = DicomFile.Read(Write(new DicomFile(dataset, DicomTransferSyntax.ExplicitVrLittleEndian)));

        Assert.True(file.Dataset.TryGetElement(DicomTags.ContourData, out var element));
        Assert.Equal(DicomVr.UN, element.Vr);
        Assert.Equal(20_000, element.GetDoubles().Length);
    }

    [Fact]
    public void Write_PixelsThatWereNotRead_Throws()
    {
        using var file = DicomFile.Read(new DicomBuilder().Build());
        Assert.Throws<InvalidOperationException>(() => Write(file));
    }

    [Fact]
    public void Write_EncapsulatedPixelsInNativeSyntax_Throws()
    {
        var dataset = new DicomBuilder { TransferSyntax = DicomTransferSyntax.RleLossless }.ToDataset();
        Assert.Throws<InvalidOperationException>(() => Write(new DicomFile(dataset, DicomTransferSyntax.ExplicitVrLittleEndian)));
    }

    [Fact]
    public void Write_ToStream_GivesTheSameBytes()
    {
        using var file = DicomFile.Read(new DicomBuilder { Rows = 300, Columns = 300 }.Build(), Whole);
        using var stream = new MemoryStream();
        DicomWriter.Write(stream, file);

        Assert.Equal(Write(file), stream.ToArray());
    }

    [ToolFact("dcmdump")]
    public async Task Write_NewFiles_AreReadByDcmtk()
    {
        using var folder = new TempFolder();
        foreach (var syntax in new[]
        {
            DicomTransferSyntax.ImplicitVrLittleEndian, DicomTransferSyntax.ExplicitVrLittleEndian, DicomTransferSyntax.ExplicitVrBigEndian,
            DicomTransferSyntax.DeflatedExplicitVrLittleEndian, DicomTransferSyntax.RleLossless,
        })
        {
            foreach (var table in syntax.IsEncapsulated ? Enum.GetValues<OffsetTable>() : [OffsetTable.None])
            {
                var path = new DicomBuilder { TransferSyntax = syntax, Frames = 3, OffsetTable = table }
                    .With(dataset => dataset.Set(DicomTags.ReferencedImageSequence, new DicomDataset().Set(DicomTags.ReferencedSOPInstanceUID, "1.2.3")))
                    .Save(folder.Combine("a.dcm"));
                var dump = await RunAsync("dcmdump", "+P", "PatientName", "+P", "ReferencedSOPInstanceUID", path);
                Assert.Contains("SYNTHETIC^TEST", dump, StringComparison.Ordinal);
                Assert.Contains("1.2.3", dump, StringComparison.Ordinal);
            }
        }
    }

    private static async Task<string> RunAsync(string tool, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return output;
    }

    private static byte[] Write(DicomFile file)
    {
        var bytes = new ArrayBufferWriter<byte>();
        DicomWriter.Write(bytes, file);
        return bytes.WrittenSpan.ToArray();
    }

    private static void AssertSameValues(DicomDataset expected, DicomDataset actual)
    {
        var left = expected.Where(element => !element.Tag.IsGroupLength).ToArray();
        var right = actual.Where(element => !element.Tag.IsGroupLength).ToArray();
        Assert.Equal(left.Select(element => element.Tag), right.Select(element => element.Tag));
        foreach (var (before, after) in left.Zip(right))
        {
            // Implicit VR keeps no private VR and so no private sequence of defined length: bytes are compared then.
            if (before.IsSequence)
            {
                if (!after.IsSequence) continue;
                Assert.Equal(before.Items.Count, after.Items.Count);
                foreach (var (itemBefore, itemAfter) in before.Items.Zip(after.Items)) AssertSameValues(itemBefore, itemAfter);
                continue;
            }
            Assert.Equal(LittleEndian(before), LittleEndian(after));
        }

        static byte[] LittleEndian(DicomElement element)
        {
            var bytes = new ArrayBufferWriter<byte>();
            element.WriteLittleEndian(bytes);
            var value = bytes.WrittenSpan;
            return value.Length % 2 == 0 ? value.ToArray() : [.. value, element.Vr.PaddingByte];
        }
    }
}
