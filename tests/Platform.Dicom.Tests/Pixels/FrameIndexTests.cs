using System.Buffers;
using Platform.Dicom.Pixels;
using Platform.Dicom.Tests.Parsing;
using Platform.Tests.Shared;

namespace Platform.Dicom.Tests.Pixels;

public sealed class FrameIndexTests
{
    [Theory]
    [InlineData("1.2.840.10008.1.2", 16)]
    [InlineData("1.2.840.10008.1.2.1", 8)]
    [InlineData("1.2.840.10008.1.2.1", 32)]
    [InlineData("1.2.840.10008.1.2.2", 8)]
    [InlineData("1.2.840.10008.1.2.2", 16)]
    [InlineData("1.2.840.10008.1.2.2", 32)]
    [InlineData("1.2.840.10008.1.2.1", 1)]
    [InlineData("1.2.840.10008.1.2.2", 1)]
    public async Task ReadFrameAsync_Native_GivesLittleEndianPixelsOfThatFrame(string uid, int bitsAllocated)
    {
        // 7 x 5: frames of odd length, and of 1-bit pixels that begin inside a byte.
        var builder = new DicomBuilder { TransferSyntax = DicomTransferSyntax.FromUid(uid), Rows = 7, Columns = 5, Frames = 6, BitsAllocated = bitsAllocated };
        var (index, source, file) = await IndexAsync(builder.Build());
        using (file)
        {
            Assert.Equal(6, index.FrameCount);
            Assert.False(index.IsEncapsulated);
            for (var frame = 0; frame < 6; frame++)
            {
                Assert.Equal(bitsAllocated == 1 ? frame * 35 % 8 : 0, index.GetBitOffset(frame));
                Assert.Equal(builder.NativeFrame(frame), await FrameAsync(index, source, frame));
            }
        }
    }

    [Fact]
    public async Task ReadFrameAsync_BigEndianBytesInWords_AreSwappedByWord()
    {
        // OW keeps 8-bit pixels two to a word (PS3.5 8.1.1), so a frame of odd length begins inside one.
        var pixels = Enumerable.Range(0, 30).Select(i => (byte)i).ToArray();
        var raw = new RawDicom(isBigEndian: true).Element(0x00080060, "CS", "CT").Element(0x00280002, "US", [0, 1]).Element(0x00280008, "IS", "6 ")
            .Element(0x00280010, "US", [0, 1]).Element(0x00280011, "US", [0, 5]).Element(0x00280100, "US", [0, 8])
            .Element(0x7FE00010, "OW", [.. pixels.Chunk(2).SelectMany(word => word.Reverse())]);
        var (index, source, file) = await IndexAsync(raw.ToFile(DicomTransferSyntax.ExplicitVrBigEndian));
        using (file)
        {
            for (var frame = 0; frame < 6; frame++) Assert.Equal(pixels[(5 * frame)..(5 * frame + 5)], await FrameAsync(index, source, frame));
        }
    }

    [Theory]
    [InlineData(OffsetTable.None, 1)]
    [InlineData(OffsetTable.Basic, 1)]
    [InlineData(OffsetTable.Extended, 1)]
    [InlineData(OffsetTable.None, 3)]
    [InlineData(OffsetTable.Basic, 3)]
    public async Task ReadFrameAsync_Encapsulated_GivesThatFramesStream(OffsetTable table, int fragmentsPerFrame)
    {
        var builder = new DicomBuilder { TransferSyntax = DicomTransferSyntax.JpegBaseline, BitsAllocated = 8, Frames = 40, OffsetTable = table, FragmentsPerFrame = fragmentsPerFrame };
        var (index, source, file) = await IndexAsync(builder.Build());
        using (file)
        {
            Assert.True(index.IsEncapsulated);
            Assert.Equal(40, index.FrameCount);
            for (var frame = 0; frame < 40; frame++)
            {
                Assert.Equal(fragmentsPerFrame, index.GetSegments(frame).Count);
                Assert.Equal(builder.EncodedFrame(frame), await FrameAsync(index, source, frame));
            }
        }
    }

    [Theory]
    [InlineData(OffsetTable.None)]
    [InlineData(OffsetTable.Basic)]
    public async Task ReadAsync_OneFrameOfManyFragments_TakesAll(OffsetTable table)
    {
        var builder = new DicomBuilder { TransferSyntax = DicomTransferSyntax.JpegBaseline, BitsAllocated = 8, OffsetTable = table, FragmentsPerFrame = 5 };
        var (index, source, file) = await IndexAsync(builder.Build());
        using (file)
        {
            Assert.Equal(1, index.FrameCount);
            Assert.Equal(builder.EncodedFrame(0), await FrameAsync(index, source, 0));
        }
    }

    [Fact]
    public async Task ReadAsync_ExtendedTableThatLies_IsNotBelieved()
    {
        var builder = new DicomBuilder { TransferSyntax = DicomTransferSyntax.JpegBaseline, BitsAllocated = 8, Frames = 4, OffsetTable = OffsetTable.Extended }
            .With(dataset => dataset.Set(DicomTags.ExtendedOffsetTable, DicomVr.OV, new byte[32]));
        var (index, source, file) = await IndexAsync(builder.Build());
        using (file)
        {
            for (var frame = 0; frame < 4; frame++) Assert.Equal(builder.EncodedFrame(frame), await FrameAsync(index, source, frame));
        }
    }

    [Fact]
    public async Task ReadAsync_BasicTableThatLies_IsNotBelieved()
    {
        var streams = Enumerable.Range(0, 3).Select(DicomBuilder.FakeStream).ToArray();
        var fragments = new List<ReadOnlyMemory<byte>> { new byte[] { 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0 } };
        foreach (var stream in streams) fragments.AddRange([stream.AsMemory(0, 20), stream.AsMemory(20)]);
        var builder = new DicomBuilder { TransferSyntax = DicomTransferSyntax.JpegBaseline, BitsAllocated = 8, Frames = 3 }.With(dataset => dataset.SetFragments(DicomTags.PixelData, fragments));
        var (index, source, file) = await IndexAsync(builder.Build());
        using (file)
        {
            for (var frame = 0; frame < 3; frame++) Assert.Equal(streams[frame], await FrameAsync(index, source, frame));
        }
    }

    [Fact]
    public async Task ReadAsync_FragmentsThatCannotBeTold_Throws()
    {
        var builder = new DicomBuilder { TransferSyntax = DicomTransferSyntax.FromUid("1.2.3.4"), Frames = 2, OffsetTable = OffsetTable.None, FragmentsPerFrame = 3, CompressedFrame = frame => new byte[60] };
        var exception = await Assert.ThrowsAsync<DicomParseException>(() => IndexAsync(builder.Build()));

        Assert.Equal(DicomTags.PixelData, exception.Tag);
    }

    [Fact]
    public async Task ReadAsync_FewerFragmentsThanFrames_Throws()
    {
        var builder = new DicomBuilder { TransferSyntax = DicomTransferSyntax.JpegBaseline, BitsAllocated = 8, Frames = 2 }.With(DicomTags.NumberOfFrames, 9);
        await Assert.ThrowsAsync<DicomParseException>(() => IndexAsync(builder.Build()));
    }

    [Fact]
    public async Task ReadAsync_Deflated_IndexesTheInflatedStream()
    {
        var builder = new DicomBuilder { TransferSyntax = DicomTransferSyntax.DeflatedExplicitVrLittleEndian, Frames = 3 };
        using var file = DicomFile.Read(builder.Build(), new DicomReadOptions { StopBeforePixels = false });
        using var source = DicomSource.FromFile(file);
        var index = (await FrameIndex.ReadAsync(source, file))!;

        Assert.True(index.IsDeflated);
        Assert.Equal(builder.NativeFrame(2), await FrameAsync(index, source, 2));
    }

    [Theory]
    [InlineData(0x7FE00008u, "OF", 4)]
    [InlineData(0x7FE00009u, "OD", 8)]
    public async Task ReadAsync_FloatPixels_HaveFramesOfTheirWidth(uint tag, string vr, int width)
    {
        var pixels = Enumerable.Range(0, 2 * 6 * width).Select(i => (byte)i).ToArray();
        var raw = new RawDicom().Element(0x00080060, "CS", "CT").Element(0x00280002, "US", [1, 0]).Element(0x00280008, "IS", "2 ")
            .Element(0x00280010, "US", [2, 0]).Element(0x00280011, "US", [3, 0]).Element(tag, vr, pixels);
        var (index, source, file) = await IndexAsync(raw.ToFile(DicomTransferSyntax.ExplicitVrLittleEndian));
        using (file) Assert.Equal(pixels[(6 * width)..], await FrameAsync(index, source, 1));
    }

    [Fact]
    public async Task ReadFrameAsync_OneOfThousands_ReadsNotTheOthers()
    {
        var builder = new DicomBuilder { Rows = 64, Columns = 64, Frames = 2000 };
        using var source = new CountingSource(builder.Build());
        using var file = DicomFile.Read(source.Bytes);
        var index = (await FrameIndex.ReadAsync(source, file))!;
        var pixels = await FrameAsync(index, source, 1234);

        Assert.Equal(builder.NativeFrame(1234), pixels);
        Assert.Equal(64 * 64 * 2, source.BytesRead);
    }

    [Theory]
    [InlineData(OffsetTable.None)]
    [InlineData(OffsetTable.Basic)]
    [InlineData(OffsetTable.Extended)]
    public async Task ReadAsync_ThousandsOfEncapsulatedFrames_ReadsHeadersOnly(OffsetTable table)
    {
        var builder = new DicomBuilder { TransferSyntax = DicomTransferSyntax.RleLossless, Rows = 32, Columns = 32, Frames = 1000, OffsetTable = table };
        using var source = new CountingSource(builder.Build());
        using var file = DicomFile.Read(source.Bytes);
        var index = (await FrameIndex.ReadAsync(source, file))!;

        Assert.Equal(1000, index.FrameCount);
        Assert.InRange(source.BytesRead, 8000, 30_000);
        Assert.InRange(index.ToBytes().Length, 1, 4000);
    }

    [Fact]
    public async Task FromBytes_OfToBytes_IsTheSame()
    {
        foreach (var builder in new[]
        {
            new DicomBuilder { Frames = 3, BitsAllocated = 1, Rows = 5, Columns = 5 },
            new DicomBuilder { Frames = 3, TransferSyntax = DicomTransferSyntax.ExplicitVrBigEndian },
            new DicomBuilder { Frames = 9, TransferSyntax = DicomTransferSyntax.JpegBaseline, BitsAllocated = 8 },
            new DicomBuilder { Frames = 9, TransferSyntax = DicomTransferSyntax.JpegBaseline, BitsAllocated = 8, FragmentsPerFrame = 4, OffsetTable = OffsetTable.None },
        })
        {
            var (index, _, file) = await IndexAsync(builder.Build());
            using (file)
            {
                var again = FrameIndex.FromBytes(index.ToBytes());
                Assert.Equal((index.FrameCount, index.IsEncapsulated, index.IsBigEndian, index.IsDeflated, index.UnitBytes), (again.FrameCount, again.IsEncapsulated, again.IsBigEndian, again.IsDeflated, again.UnitBytes));
                for (var frame = 0; frame < index.FrameCount; frame++)
                {
                    Assert.Equal(index.GetSegments(frame), again.GetSegments(frame));
                    Assert.Equal(index.GetBitOffset(frame), again.GetBitOffset(frame));
                }
            }
        }
    }

    [Fact]
    public async Task FromBytes_Damaged_ThrowsOrIsAnIndex()
    {
        var (index, _, file) = await IndexAsync(new DicomBuilder { Frames = 9, TransferSyntax = DicomTransferSyntax.JpegBaseline, BitsAllocated = 8, FragmentsPerFrame = 2, OffsetTable = OffsetTable.None }.Build());
        file.Dispose();
        var bytes = index.ToBytes();
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                var read = FrameIndex.FromBytes(damaged.AsSpan(0, random.Next(2) == 0 ? damaged.Length : random.Next(damaged.Length)));
                for (var frame = 0; frame < Math.Min(read.FrameCount, 20); frame++) _ = read.GetLength(frame);
            }
            catch (DicomParseException)
            {
            }
        }
    }

    [Fact]
    public async Task GetSegments_FrameBeyondTheLast_Throws()
    {
        var (index, _, file) = await IndexAsync(new DicomBuilder { Frames = 2 }.Build());
        using (file)
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => index.GetSegments(2));
            Assert.Throws<ArgumentOutOfRangeException>(() => index.GetLength(-1));
        }
    }

    [Fact]
    public async Task ReadAsync_NoPixelData_IsNull()
    {
        var bytes = new RawDicom().Element(0x00080060, "CS", "SR").ToFile(DicomTransferSyntax.ExplicitVrLittleEndian);
        using var file = DicomFile.Read(bytes);
        using var source = DicomSource.FromMemory(bytes);

        Assert.Null(await FrameIndex.ReadAsync(source, file));
    }

    private static async Task<(FrameIndex Index, DicomSource Source, DicomFile File)> IndexAsync(byte[] bytes)
    {
        var file = DicomFile.Read(bytes);
        var source = DicomSource.FromMemory(bytes);
        return ((await FrameIndex.ReadAsync(source, file))!, source, file);
    }

    private static async Task<byte[]> FrameAsync(FrameIndex index, DicomSource source, int frame)
    {
        var pixels = new ArrayBufferWriter<byte>();
        await index.ReadFrameAsync(source, frame, pixels);
        return pixels.WrittenSpan.ToArray();
    }

    private sealed class CountingSource(byte[] bytes) : DicomSource
    {
        public byte[] Bytes => bytes;
        public long BytesRead { get; private set; }
        public override long? Length => bytes.Length;

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var count = (int)Math.Clamp(bytes.Length - offset, 0, buffer.Length);
            bytes.AsSpan((int)offset, count).CopyTo(buffer.Span);
            BytesRead += count;
            return new ValueTask<int>(count);
        }
    }
}
