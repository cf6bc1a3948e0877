using System.Runtime.InteropServices;
using Platform.Nifti.Values;
using Platform.Tests.Shared;

namespace Platform.Nifti.Tests;

public class NiftiVolumeTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task ReadSliceAsync_AnySlice_GivesItsVoxelsLittleEndian(bool isBigEndian, bool isCompressed)
    {
        var builder = new NiftiBuilder { IsBigEndian = isBigEndian, Sizes = [6, 5, 4, 3] };
        var volume = await OpenAsync(isCompressed ? builder.BuildGzip() : builder.Build());
        var slice = new byte[volume.SliceBytes];

        await volume.ReadSliceAsync(2, 1, slice, CancellationToken.None);

        Assert.Equal(Enumerable.Range((2 * 4 + 1) * 30, 30).Select(static i => (short)i), MemoryMarshal.Cast<byte, short>(slice).ToArray());
        Assert.Equal(isCompressed, volume.Index is not null);
    }

    /// <summary>Voxels for tens of megabytes: read in the middle by the index, and with several readers at once.</summary>
    [Fact]
    public async Task ReadAsync_ManyReadersOfACompressedFile_GetTheirBytes()
    {
        const int side = 220;
        var voxels = new byte[side * side * side * 2];
        var words = MemoryMarshal.Cast<byte, short>(voxels.AsSpan());
        for (var i = 0; i < words.Length; i++) words[i] = (short)(i * 2654435761 >> 24);
        var volume = await OpenAsync(new NiftiBuilder { Sizes = [side, side, side], Voxels = voxels }.BuildGzip(System.IO.Compression.CompressionLevel.Fastest));

        await Parallel.ForAsync(0, 40, async (i, token) =>
        {
            var offset = (i * 7919L * 512) % (voxels.Length - 100_000) / 2 * 2;
            var buffer = new byte[100_000];
            await volume.ReadAsync(offset, buffer, token);
            Assert.True(voxels.AsSpan((int)offset, buffer.Length).SequenceEqual(buffer));
        });

        Assert.InRange(volume.Index!.Count, 5, 12);
        Assert.InRange(volume.Index.Bytes, 1, 12 * 33_000);
    }

    [Fact]
    public async Task OpenAsync_Pair_ReadsBothHalves()
    {
        var builder = new NiftiBuilder { IsPair = true };
        foreach (var image in new[] { builder.BuildVoxels(), NiftiBuilder.Gzip(builder.BuildVoxels()) })
        {
            var volume = await NiftiVolume.OpenAsync(NiftiSource.FromMemory(builder.BuildHeader()), NiftiSource.FromMemory(image), null, CancellationToken.None);
            Assert.Equal(new NiftiValueRange(0, 119, 2, 116, 120, 0), await volume.MeasureAsync(null, CancellationToken.None));
        }
        var alone = await OpenAsync(builder.BuildHeader());
        Assert.False(alone.HasVoxels);
        Assert.Null(await alone.MeasureAsync(null, CancellationToken.None));
    }

    [Fact]
    public async Task MeasureAsync_NegativeSlope_TurnsTheOrderAround()
    {
        var volume = await OpenAsync(new NiftiBuilder { Slope = -2, Intercept = 10 }.Build());

        Assert.Equal(new NiftiValueRange(-228, 10, -224, 4 + 2, 120, 0) with { Low = 10 - 2 * 117, High = 10 - 2 * 3 }, await volume.MeasureAsync(null, CancellationToken.None));
    }

    [Fact]
    public async Task MeasureAsync_FloatsThatAreNone_AreLeftOut()
    {
        float[] values = [float.NaN, float.PositiveInfinity, 1.5f, float.NegativeInfinity, -2.5f, 0, float.NaN, 3, 4, 5, 6, 7];
        var volume = await OpenAsync(new NiftiBuilder { DataType = 16, BitsPerVoxel = 32, Sizes = [12], Voxels = MemoryMarshal.AsBytes(values.AsSpan()).ToArray() }.Build());

        var range = await volume.MeasureAsync(null, CancellationToken.None);

        Assert.Equal((-2.5, 7.0, 8L, 4L), (range!.Min, range.Max, range.Count, range.NotFinite));
    }

    [Fact]
    public async Task MeasureAsync_NothingButNaN_IsEmpty()
    {
        var volume = await OpenAsync(new NiftiBuilder { DataType = 64, BitsPerVoxel = 64, Sizes = [50], Voxels = MemoryMarshal.AsBytes(Enumerable.Repeat(double.NaN, 50).ToArray().AsSpan()).ToArray() }.Build());

        Assert.Equal(new NiftiValueRange(0, 0, 0, 0, 0, 50), await volume.MeasureAsync(null, CancellationToken.None));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1536, 128)]
    [InlineData(2048, 256)]
    public async Task MeasureAsync_TypesWithoutValuesHere_IsNull(short type, int bits)
    {
        var volume = await OpenAsync(new NiftiBuilder { DataType = type, BitsPerVoxel = bits }.Build());

        Assert.Null(await volume.MeasureAsync(null, CancellationToken.None));
        Assert.False(volume.Header.DataType.HasReadableValues());
    }

    [Fact]
    public async Task MeasureAsync_Progress_EndsWithAllBytes()
    {
        var done = new List<long>();
        var volume = await OpenAsync(new NiftiBuilder().BuildGzip());
        await volume.MeasureAsync(new Recorder(done), CancellationToken.None);
        Assert.Equal(volume.Header.VoxelBytes, done[^1]);
    }

    [Fact]
    public async Task OpenAsync_HeaderAnnouncesMoreThanTheFile_IsRefused()
    {
        var file = new NiftiBuilder { Sizes = [300, 300, 300], Voxels = new byte[1000] }.Build();
        await Assert.ThrowsAsync<InvalidNiftiException>(() => OpenAsync(file));
        // A kilobyte cannot inflate to 54 MB: refused without trying.
        await Assert.ThrowsAsync<InvalidNiftiException>(() => OpenAsync(NiftiBuilder.Gzip(file)));
    }

    [Fact]
    public async Task MeasureAsync_CompressedFileEndsEarly_IsRefused()
    {
        var builder = new NiftiBuilder { Sizes = [50, 50, 10], Voxels = new byte[49_000] };
        var volume = await OpenAsync(builder.BuildGzip());
        await Assert.ThrowsAsync<InvalidNiftiException>(() => volume.MeasureAsync(null, CancellationToken.None));
    }

    /// <summary>A file of a few KB that inflates to gigabytes is inflated as far as its header says, and no further.</summary>
    [Fact]
    public async Task MeasureAsync_MoreDataThanVoxels_StopsAtTheVoxels()
    {
        byte[] file = [.. new NiftiBuilder().Build(), .. new byte[60_000_000]];
        var volume = await OpenAsync(NiftiBuilder.Gzip(file));

        var range = await volume.MeasureAsync(null, CancellationToken.None);

        Assert.Equal(120, range!.Count);
        Assert.InRange(volume.Index!.Length, 0, 1_000_000);
    }

    [Fact]
    public async Task MeasureAsync_Cancelled_Stops()
    {
        var volume = await OpenAsync(new NiftiBuilder().BuildGzip());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => volume.MeasureAsync(null, new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task ReadAsync_OutsideOrInsideANumber_IsAnArgumentError()
    {
        var volume = await OpenAsync(new NiftiBuilder().Build());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => volume.ReadAsync(239, new byte[2], CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => volume.ReadAsync(1, new byte[2], CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => volume.ReadSliceAsync(0, 4, new byte[60], CancellationToken.None));
        await volume.ReadAsync(238, new byte[2], CancellationToken.None);
    }

    private static Task<NiftiVolume> OpenAsync(byte[] file) => NiftiVolume.OpenAsync(NiftiSource.FromMemory(file), null, null, CancellationToken.None);

    private sealed class Recorder(List<long> values) : IProgress<long>
    {
        public void Report(long value) => values.Add(value);
    }
}
