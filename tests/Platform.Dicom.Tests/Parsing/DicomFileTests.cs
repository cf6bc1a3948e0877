using System.Buffers;
using Platform.Tests.Shared;

namespace Platform.Dicom.Tests.Parsing;

public sealed class DicomFileTests
{
    private static readonly DicomReadOptions Whole = new() { StopBeforePixels = false };

    internal static readonly string[] NativeUids =
    [
        DicomTransferSyntax.ImplicitVrLittleEndian.Uid, DicomTransferSyntax.ExplicitVrLittleEndian.Uid,
        DicomTransferSyntax.ExplicitVrBigEndian.Uid, DicomTransferSyntax.DeflatedExplicitVrLittleEndian.Uid,
    ];

    public static TheoryData<string> NativeSyntaxes => [.. NativeUids];

    [Theory]
    [MemberData(nameof(NativeSyntaxes))]
    public void Read_NativeTransferSyntax_GivesValues(string uid)
    {
        var builder = new DicomBuilder { TransferSyntax = DicomTransferSyntax.FromUid(uid), Rows = 40, Columns = 30 };
        using var file = DicomFile.Read(builder.Build());

        Assert.Equal(uid, file.TransferSyntax.Uid);
        Assert.Equal("SYNTHETIC^TEST", file.Dataset.GetString(DicomTags.PatientName));
        Assert.Equal(["ORIGINAL", "PRIMARY", "AXIAL"], file.Dataset.GetStrings(DicomTags.ImageType));
        Assert.Equal(40, file.Dataset.GetInt32(DicomTags.Rows));
        Assert.Equal([0.5, 0.5], file.Dataset.GetDoubles(DicomTags.PixelSpacing));
        Assert.Equal(DicomUids.CTImageStorage, file.FileMeta.GetString(DicomTags.MediaStorageSOPClassUID));
        Assert.False(file.Dataset.Contains(DicomTags.PixelData));
        Assert.Equal(DicomTags.PixelData, file.PixelData?.Tag);
        Assert.Equal(2400, file.PixelData?.Length);
    }

    [Theory]
    [MemberData(nameof(NativeSyntaxes))]
    public void Read_BareDataSet_FindsOutItsCoding(string uid)
    {
        var syntax = DicomTransferSyntax.FromUid(uid);
        if (syntax.IsDeflated) return;  // nothing tells a bare deflated stream from noise
        using var file = DicomFile.Read(new DicomBuilder { TransferSyntax = syntax }.BuildBare());

        Assert.Equal(syntax, file.TransferSyntax);
        Assert.Empty(file.FileMeta);
        Assert.Equal("SYN-1", file.Dataset.GetString(DicomTags.PatientID));
    }

    [Fact]
    public void Read_BareDeflatedDataSet_IsReadWhenToldSo()
    {
        var bare = new DicomBuilder { TransferSyntax = DicomTransferSyntax.DeflatedExplicitVrLittleEndian }.BuildBare();
        using var file = DicomFile.Read(bare, new DicomReadOptions { AssumedTransferSyntax = DicomTransferSyntax.DeflatedExplicitVrLittleEndian });

        Assert.Equal("SYN-1", file.Dataset.GetString(DicomTags.PatientID));
    }

    [Fact]
    public async Task ReadAsync_EverySource_GivesTheSame()
    {
        var bytes = new DicomBuilder { Frames = 5, Rows = 100, Columns = 100 }
            .With(dataset => dataset.Set(DicomTags.EncapsulatedDocument, DicomVr.OB, new byte[300_000])).Build();
        using var folder = new TempFolder();
        var path = folder.Combine("a.dcm");
        await File.WriteAllBytesAsync(path, bytes);
        foreach (var options in new[] { DicomReadOptions.Default, new DicomReadOptions { DeferBulkOverBytes = 1000 }, Whole })
        {
            using var expected = DicomFile.Read(bytes, options);
            using var fromPath = DicomFile.Read(path, options);
            using var fromSequence = DicomFile.Read(Segments(bytes, 1000), options);
            using var fromStream = await DicomFile.ReadAsync(new MemoryStream(bytes), options);
            using var fromTrickle = await DicomFile.ReadAsync(new TrickleStream(bytes), options);
            foreach (var file in new[] { fromPath, fromSequence, fromStream, fromTrickle })
            {
                Assert.Equal(expected.Dataset.Select(element => (element.Tag, element.Vr, element.Length, element.Offset)), file.Dataset.Select(element => (element.Tag, element.Vr, element.Length, element.Offset)));
                Assert.Equal(expected.PixelData, file.PixelData);
                foreach (var element in file.Dataset)
                {
                    if (element.IsDeferred)
                    {
                        Assert.Equal(DicomTags.EncapsulatedDocument, element.Tag);
                        Assert.Throws<InvalidOperationException>(() => element.Value);
                    }
                    else
                    {
                        Assert.Equal(bytes.AsSpan((int)element.Offset, (int)element.Length), element.Span);
                    }
                }
            }
        }
    }

    [Fact]
    public void Read_PathWithLargeValue_LeavesItInTheFile()
    {
        using var folder = new TempFolder();
        var path = new DicomBuilder().With(dataset => dataset.Set(DicomTags.EncapsulatedDocument, DicomVr.OB, new byte[3_000_000]).Set(new DicomTag(0x0043, 0x0010), DicomVr.LO, "AFTER")).Save(folder.Combine("large.dcm"));
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var file = DicomFile.Read(path);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.True(file.Dataset.TryGetElement(DicomTags.EncapsulatedDocument, out var document));
        Assert.True(document.IsDeferred);
        Assert.Equal(3_000_000, document.Length);
        Assert.Equal("AFTER", file.Dataset.GetString(new DicomTag(0x0043, 0x0010)));
        Assert.InRange(allocated, 0, 300_000);
        Assert.Equal(new FileInfo(path).Length - file.PixelData!.Value.Length, file.PixelData.Value.Offset);
    }

    [Fact]
    public void Read_SequencesOfEveryForm_GiveItems()
    {
        foreach (var (isExplicit, isBig) in new[] { (true, false), (true, true), (false, false) })
        {
            var item = new RawDicom(isExplicit, isBig).Element(0x00080100, "SH", "CODE").ToArray();
            var bytes = new RawDicom(isExplicit, isBig)
                .Element(0x00080005, "CS", "ISO_IR 100")
                .Header(0x00081032, "SQ", RawDicom.Undefined)
                .Item().Bytes(item).EndItem()
                .Item((uint)item.Length).Bytes(item)
                .Item(0)
                .EndSequence()
                .Header(0x00081110, "SQ", (uint)(8 + item.Length)).Item((uint)item.Length).Bytes(item)
                .Header(0x00081115, "SQ", 0)
                .Element(0x00100010, "PN", "AFTER")
                .ToFile(isBig ? DicomTransferSyntax.ExplicitVrBigEndian : isExplicit ? DicomTransferSyntax.ExplicitVrLittleEndian : DicomTransferSyntax.ImplicitVrLittleEndian);
            using var file = DicomFile.Read(bytes);

            var items = file.Dataset.GetItems(DicomTags.ProcedureCodeSequence);
            Assert.Equal(3, items.Count);
            Assert.Equal("CODE", items[0].GetString(DicomTags.CodeValue));
            Assert.Equal("CODE", items[1].GetString(DicomTags.CodeValue));
            Assert.Empty(items[2]);
            Assert.Same(file.Dataset, items[0].Parent);
            Assert.Single(file.Dataset.GetItems(new DicomTag(0x00081110)));
            Assert.Empty(file.Dataset.GetItems(new DicomTag(0x00081115)));
            Assert.Equal("AFTER", file.Dataset.GetString(DicomTags.PatientName));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_UnknownVrOfUndefinedLength_IsImplicitSequence(bool isBigEndian)
    {
        // PS3.5 6.2.2: the content is implicit VR little endian whatever is around it.
        var inside = new RawDicom(isExplicit: false).Item().Element(0x00100010, "PN", "INSIDE").EndItem().EndSequence().ToArray();
        var bytes = new RawDicom(isBigEndian: isBigEndian)
            .Element(0x00080060, "CS", "CT")
            .Element(0x00210010, "LO", "MAKER ")
            .Header(0x00211001, "UN", RawDicom.Undefined).Bytes(inside)
            .Element(0x00280010, "US", isBigEndian ? [1, 0] : [0, 1])
            .ToFile(isBigEndian ? DicomTransferSyntax.ExplicitVrBigEndian : DicomTransferSyntax.ExplicitVrLittleEndian);
        using var file = DicomFile.Read(bytes);

        Assert.True(file.Dataset.TryGetElement(new DicomTag(0x00211001), out var element));
        Assert.Equal(DicomVr.SQ, element.Vr);
        Assert.Equal("INSIDE", element.Items[0].GetString(DicomTags.PatientName));
        Assert.Equal(256, file.Dataset.GetInt32(DicomTags.Rows));
    }

    [Fact]
    public void Read_EveryVr_GivesItsValue()
    {
        foreach (var isBig in new[] { false, true })
        {
            byte[] Order(byte[] little) => isBig ? [.. little.Reverse()] : little;
            var bytes = new RawDicom(isBigEndian: isBig)
                .Element(0x00080060, "CS", "CT")
                .Element(0x00110001, "FL", Order(BitConverter.GetBytes(1.5f)))
                .Element(0x00110002, "FD", Order(BitConverter.GetBytes(-2.25)))
                .Element(0x00110003, "SL", Order(BitConverter.GetBytes(-70000)))
                .Element(0x00110004, "SS", Order(BitConverter.GetBytes((short)-3)))
                .Element(0x00110005, "SV", Order(BitConverter.GetBytes(long.MinValue)))
                .Element(0x00110006, "UL", Order(BitConverter.GetBytes(uint.MaxValue)))
                .Element(0x00110007, "US", Order(BitConverter.GetBytes((ushort)65535)))
                .Element(0x00110008, "UV", Order(BitConverter.GetBytes(ulong.MaxValue)))
                .Element(0x00110009, "AT", isBig ? [0x00, 0x28, 0x00, 0x10] : [0x28, 0x00, 0x10, 0x00])
                .Element(0x0011000A, "IS", "+42 ")
                .Element(0x0011000B, "DS", " 1.5e2\\-7")
                .Element(0x0011000C, "UT", "a\\b ")
                .Element(0x0011000D, "UC", "a\\b ")
                .Element(0x0011000E, "OV", new byte[8])
                .Element(0x0011000F, "UR", "urn:x ")
                .Element(0x00110010, "LO", "MAKER")
                .ToFile(isBig ? DicomTransferSyntax.ExplicitVrBigEndian : DicomTransferSyntax.ExplicitVrLittleEndian);
            using var file = DicomFile.Read(bytes);
            DicomTag T(uint element) => new(0x00110000 | element);

            Assert.Equal(1.5, file.Dataset.GetDouble(T(1)));
            Assert.Equal("1.5", file.Dataset.GetString(T(1)));
            Assert.Equal(-2.25, file.Dataset.GetDouble(T(2)));
            Assert.Equal(-70000, file.Dataset.GetInt32(T(3)));
            Assert.Equal(-3, file.Dataset.GetInt32(T(4)));
            Assert.Equal(long.MinValue, file.Dataset.GetInt64(T(5)));
            Assert.Null(file.Dataset.GetInt32(T(5)));
            Assert.Equal(uint.MaxValue, file.Dataset.GetInt64(T(6)));
            Assert.Equal(65535, file.Dataset.GetInt32(T(7)));
            Assert.Null(file.Dataset.GetInt64(T(8)));
            Assert.Equal("18446744073709551615", file.Dataset.GetString(T(8)));
            Assert.Equal("00280010", file.Dataset.GetString(T(9)));
            Assert.Equal(42, file.Dataset.GetInt32(T(0xA)));
            Assert.Equal([150.0, -7.0], file.Dataset.GetDoubles(T(0xB)));
            Assert.Equal(["a\\b"], file.Dataset.GetStrings(T(0xC)));
            Assert.Equal(["a", "b"], file.Dataset.GetStrings(T(0xD)));
            Assert.Equal(8, file.Dataset.Single(element => element.Tag == T(0xE)).Length);
            Assert.Equal("urn:x", file.Dataset.GetString(T(0xF)));
            Assert.Null(file.Dataset.GetString(T(0xE)));
            Assert.Null(file.Dataset.GetDouble(T(0x10)));
        }
    }

    [Fact]
    public void Read_SignedPixels_MakesAmbiguousValuesSigned()
    {
        // PS3.5 A.1: "US or SS" is decided by Pixel Representation, also of the data set around an item.
        var bytes = new RawDicom(isExplicit: false)
            .Element(0x00080060, "CS", "CT")
            .Element(0x00280103, "US", [1, 0])
            .Element(0x00280106, "US", [0xFF, 0xFF])
            .Header(0x00283000, "SQ", RawDicom.Undefined).Item().Element(0x00283002, "US", [1, 0, 0xFE, 0xFF, 16, 0]).EndItem().EndSequence()
            .ToFile(DicomTransferSyntax.ImplicitVrLittleEndian);
        using var file = DicomFile.Read(bytes);

        Assert.Equal(-1, file.Dataset.GetInt32(DicomTags.SmallestImagePixelValue));
        Assert.Equal(-2, file.Dataset.GetItems(DicomTags.ModalityLUTSequence)[0].GetInt32(DicomTags.LUTDescriptor, 1));
    }

    [Fact]
    public void Read_FileMetaThatLies_BelievesTheDataSet()
    {
        var explicitBytes = new RawDicom().Element(0x00080060, "CS", "CT").Element(0x00280010, "US", [0, 1]).ToFile(DicomTransferSyntax.ImplicitVrLittleEndian);
        var bigBytes = new RawDicom(isBigEndian: true).Element(0x00080060, "CS", "CT").Element(0x00280010, "US", [1, 0]).ToFile(DicomTransferSyntax.ExplicitVrLittleEndian);
        foreach (var bytes in new[] { explicitBytes, bigBytes })
        {
            using var file = DicomFile.Read(bytes);
            Assert.Equal("CT", file.Dataset.GetString(DicomTags.Modality));
            Assert.Equal(256, file.Dataset.GetInt32(DicomTags.Rows));
        }
    }

    [Fact]
    public void Read_ZerosAfterTheLastElement_ArePadding()
    {
        var raw = new RawDicom().Element(0x00080060, "CS", "CT").Bytes(new byte[100_000]);
        var bytes = raw.ToFile(DicomTransferSyntax.ExplicitVrLittleEndian);
        using var header = DicomFile.Read(bytes);
        using var whole = DicomFile.Read(bytes, Whole);
        using var inPieces = DicomFile.Read(Segments(bytes, 1000), Whole);

        Assert.Single(header.Dataset);
        Assert.Single(whole.Dataset);
        Assert.Single(inPieces.Dataset);
        Assert.Throws<DicomParseException>(() => DicomFile.Read(raw.Bytes(1, 2, 3).ToFile(DicomTransferSyntax.ExplicitVrLittleEndian), Whole));
    }

    [Fact]
    public void Read_DuplicateAndUnsortedElements_FirstCountsInOrderOfTags()
    {
        var bytes = new RawDicom().Element(0x00080060, "CS", "CT").Element(0x00100020, "LO", "FIRST ").Element(0x00100010, "PN", "A ").Element(0x00100020, "LO", "SECOND").ToFile(DicomTransferSyntax.ExplicitVrLittleEndian);
        using var file = DicomFile.Read(bytes);

        Assert.Equal([DicomTags.Modality, DicomTags.PatientName, DicomTags.PatientID], file.Dataset.Select(element => element.Tag));
        Assert.Equal("FIRST", file.Dataset.GetString(DicomTags.PatientID));
    }

    [Fact]
    public void Dispose_ThenUsed_Throws()
    {
        var file = DicomFile.Read(new DicomBuilder().Build());
        var dataset = file.Dataset;
        Assert.True(dataset.TryGetElement(DicomTags.PatientName, out var element));
        file.Dispose();
        file.Dispose();

        Assert.Throws<ObjectDisposedException>(() => dataset.GetString(DicomTags.PatientName));
        Assert.Throws<ObjectDisposedException>(() => element.Value);
        Assert.Throws<ObjectDisposedException>(() => DicomSource.FromFile(file));
    }

    [Fact]
    public async Task ReadAsync_Cancelled_Throws()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await DicomFile.ReadAsync(new TrickleStream(new DicomBuilder().Build()), null, cancelled.Token));
    }

    [Fact]
    public void Read_ImageHeader_MakesLittleGarbage()
    {
        using var folder = new TempFolder();
        var path = new DicomBuilder().Save(folder.Combine("a.dcm"));
        for (var i = 0; i < 200; i++) DicomFile.Read(path).Dispose();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            using var file = DicomFile.Read(path);
            Assert.True(file.Dataset.Contains(DicomTags.Rows));
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 100, 0, 4096);
    }

    private static ReadOnlySequence<byte> Segments(byte[] bytes, int size)
    {
        var first = new Segment(bytes.AsMemory(0, size), 0);
        var last = first;
        for (var at = size; at < bytes.Length; at += size) last = last.Append(bytes.AsMemory(at, Math.Min(size, bytes.Length - at)));
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }

    /// <summary>A network that gives a few bytes at a time and cannot go back.</summary>
    private sealed class TrickleStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 777)]);
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer[..Math.Min(buffer.Length, 777)], cancellationToken);
    }
}
