using ImageApi.Catalog;
using ImageApi.Origins;
using ImageApi.Tests.Catalog;
using Platform.Dicom;
using Platform.Dicom.Pixels;
using Platform.TieredCache;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Origins;

public sealed class FolderOriginTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("1.2.840.10008.1.2")]
    [InlineData("1.2.840.10008.1.2.1")]
    [InlineData("1.2.840.10008.1.2.1.99")]
    [InlineData("1.2.840.10008.1.2.2")]
    public async Task ReadFrameAsync_NativePixelsInAnyEncoding_AreRawLittleEndian(string transferSyntax)
    {
        var builder = new DicomBuilder { TransferSyntax = DicomTransferSyntax.FromUid(transferSyntax), Frames = 3 };
        var (fixture, entry) = await IndexAsync(builder);
        await using var _ = fixture;
        for (var frame = 0; frame < 3; frame++)
        {
            var (description, bytes) = await ReadAsync(fixture, entry, frame);
            Assert.Equal(builder.NativeFrame(frame), bytes);
            Assert.Equal("1.2.840.10008.1.2.1", description.TransferSyntaxUid);
        }
    }

    [Theory]
    [InlineData(OffsetTable.Basic, 1)]
    [InlineData(OffsetTable.None, 1)]
    [InlineData(OffsetTable.Basic, 3)]
    public async Task ReadFrameAsync_Encapsulated_IsTheStreamWithItsFragmentsJoined(OffsetTable table, int fragments)
    {
        var builder = new DicomBuilder { TransferSyntax = DicomTransferSyntax.Jpeg2000Lossless, Frames = 4, OffsetTable = table, FragmentsPerFrame = fragments };
        var (fixture, entry) = await IndexAsync(builder);
        await using var _ = fixture;
        for (var frame = 3; frame >= 0; frame--)
        {
            var (description, bytes) = await ReadAsync(fixture, entry, frame);
            Assert.Equal(builder.EncodedFrame(frame), bytes);
            Assert.Equal(DicomTransferSyntax.Jpeg2000Lossless.Uid, description.TransferSyntaxUid);
        }
    }

    [Fact]
    public async Task ReadFrameAsync_FileChangedSinceItWasIndexed_IsChanged()
    {
        var (fixture, entry) = await IndexAsync(new DicomBuilder());
        await using var _ = fixture;
        new DicomBuilder().With(DicomTags.PatientID, "ANOTHER").Save(Path.Combine(fixture.A, "x.dcm"));
        var exception = await Assert.ThrowsAsync<OriginException>(() => ReadAsync(fixture, entry, 0));
        Assert.Equal(OriginFailure.Changed, exception.Failure);
    }

    [Fact]
    public async Task ReadFrameAsync_FileIsGone_IsAbsent()
    {
        var (fixture, entry) = await IndexAsync(new DicomBuilder());
        await using var _ = fixture;
        File.Delete(Path.Combine(fixture.A, "x.dcm"));
        var exception = await Assert.ThrowsAsync<OriginException>(() => ReadAsync(fixture, entry, 0));
        Assert.Equal(OriginFailure.Absent, exception.Failure);
    }

    [Fact]
    public async Task ReadFrameAsync_PixelsCutShort_IsBroken()
    {
        var bytes = new DicomBuilder().Build();
        var (fixture, entry) = await IndexAsync(bytes[..^20]);
        await using var _ = fixture;
        var exception = await Assert.ThrowsAsync<OriginException>(() => ReadAsync(fixture, entry, 0));
        Assert.Equal(OriginFailure.Broken, exception.Failure);
    }

    [Theory]
    [InlineData("../secret.dcm")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/../../secret.dcm")]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a\0b")]
    public async Task OpenAsync_PathThatLeadsOut_IsAbsent(string item)
    {
        new DicomBuilder().Save(_folder.Combine("secret.dcm"));
        var (fixture, _) = await IndexAsync(new DicomBuilder());
        await using var __ = fixture;
        var exception = await Assert.ThrowsAsync<OriginException>(() => OriginOf(fixture).OpenAsync(new OriginItem(item), null, null, default));
        Assert.Equal(OriginFailure.Absent, exception.Failure);
    }

    [Fact]
    public async Task OpenAsync_LinkThatLeadsOut_IsRefusedAndNotIndexed()
    {
        if (OperatingSystem.IsWindows()) return;
        new DicomBuilder { InstanceUid = "2.25.666" }.Save(_folder.Combine("outside", "secret.dcm"));
        Directory.CreateDirectory(_folder.Combine("a"));
        File.CreateSymbolicLink(_folder.Combine("a", "link.dcm"), _folder.Combine("outside", "secret.dcm"));
        Directory.CreateSymbolicLink(_folder.Combine("a", "folder"), _folder.Combine("outside"));
        var (fixture, _) = await IndexAsync(new DicomBuilder());
        await using var __ = fixture;
        Assert.Null(await fixture.Catalog.FindInstanceAsync("2.25.666", default));
        foreach (var item in new[] { "link.dcm", "folder/secret.dcm" })
        {
            var exception = await Assert.ThrowsAsync<OriginException>(() => OriginOf(fixture).OpenAsync(new OriginItem(item), null, null, default));
            Assert.Equal(OriginFailure.Refused, exception.Failure);
        }
    }

    [Fact]
    public async Task OpenAsync_NamedPipeInTheFolder_DoesNotWait()
    {
        if (ToolPath.Find("mkfifo") is not { } mkfifo) return;
        Directory.CreateDirectory(_folder.Combine("a"));
        using (var process = System.Diagnostics.Process.Start(mkfifo, _folder.Combine("a", "pipe.dcm"))) await process.WaitForExitAsync();
        var (fixture, _) = await IndexAsync(new DicomBuilder());
        await using var __ = fixture;
        var exception = await Assert.ThrowsAsync<OriginException>(() => OriginOf(fixture).OpenAsync(new OriginItem("pipe.dcm"), null, null, default));
        Assert.Equal(OriginFailure.Absent, exception.Failure);
    }

    [Fact]
    public async Task OpenAsync_Range_GivesThoseBytesOnly()
    {
        var builder = new DicomBuilder();
        var (fixture, entry) = await IndexAsync(builder);
        await using var _ = fixture;
        var whole = builder.Build();
        await using var read = await OriginOf(fixture).OpenAsync(entry, new ByteRange(100, 50), default);
        var buffer = new byte[80];
        Assert.Equal(50, await read.ReadAsync(buffer, 0, default));
        Assert.Equal(whole[100..150], buffer[..50]);
        Assert.Equal(whole.Length, read.TotalLength);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => OriginOf(fixture).OpenAsync(entry, new ByteRange(whole.Length, null), default));
    }

    [Fact]
    public async Task GetMetadataAsync_ManyInstances_KeepsTheirOrder()
    {
        for (var i = 1; i <= 40; i++) new DicomBuilder { InstanceUid = $"2.25.1000.1.{i}", InstanceNumber = i }.Save(_folder.Combine("a", $"{i}.dcm"));
        await using var fixture = await CatalogFixture.OpenAsync(_folder, run: false);
        await fixture.ReconcileAsync();
        var series = await fixture.Catalog.FindSeriesAsync("2.25.1000.1", default);
        var numbers = new List<int?>();
        await foreach (var (_, file) in OriginOf(fixture).GetMetadataAsync(series!.Instances, default)) numbers.Add(file.Dataset.GetInt32(DicomTags.InstanceNumber));
        Assert.Equal(Enumerable.Range(1, 40).Select(number => (int?)number), numbers);
    }

    private static FolderOrigin OriginOf(CatalogFixture fixture) => fixture.Origins.TryGet<FolderOrigin>("a", out var origin) ? origin : throw new InvalidOperationException();

    private Task<(CatalogFixture, InstanceEntry)> IndexAsync(DicomBuilder builder) => IndexAsync(builder.Build());

    private async Task<(CatalogFixture, InstanceEntry)> IndexAsync(byte[] bytes)
    {
        await File.WriteAllBytesAsync(_folder.Combine("a", "x.dcm"), bytes);
        var fixture = await CatalogFixture.OpenAsync(_folder, run: false);
        await fixture.ReconcileAsync();
        return (fixture, (await fixture.Catalog.FindInstanceAsync("2.25.1000.1.1", default))!);
    }

    private static async Task<(FrameDescription, byte[])> ReadAsync(CatalogFixture fixture, InstanceEntry entry, int frame)
    {
        var writer = new CollectingWriter();
        var description = await OriginOf(fixture).ReadFrameAsync(entry, frame, writer, default);
        Assert.Equal(writer.Header!.Length, writer.WrittenBytes);
        return (description, writer.ToArray());
    }

    private sealed class CollectingWriter : EntryWriter
    {
        private readonly System.Buffers.ArrayBufferWriter<byte> _bytes = new();

        public EntryHeader? Header { get; private set; }
        public override long WrittenBytes => _bytes.WrittenCount;
        public override void Start(EntryHeader header) => Header = header;
        public override void Advance(int count) => _bytes.Advance(count);
        public override Memory<byte> GetMemory(int sizeHint = 0) => _bytes.GetMemory(sizeHint);
        public override Span<byte> GetSpan(int sizeHint = 0) => _bytes.GetSpan(sizeHint);
        public override ValueTask FlushAsync(CancellationToken cancellationToken) => default;
        public override void KeepNothing() { }
        public byte[] ToArray() => _bytes.WrittenSpan.ToArray();
    }
}
