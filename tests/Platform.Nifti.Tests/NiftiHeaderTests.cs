using Platform.Tests.Shared;

namespace Platform.Nifti.Tests;

public class NiftiHeaderTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public void Read_AHeader_SaysWhatItHolds(int version, bool isBigEndian)
    {
        var header = NiftiHeaderReader.Read(new NiftiBuilder
        {
            Version = version,
            IsBigEndian = isBigEndian,
            Sizes = [10, 20, 30, 4],
            Spacing = [0.5, 0.75, 2],
            DataType = 16,
            BitsPerVoxel = 32,
            Slope = 2,
            Intercept = -1024,
            ExtensionBytes = 32,
        }.BuildHeader());

        Assert.Equal((version, isBigEndian, false), (header.Version, header.IsBigEndian, header.IsPair));
        Assert.Equal(new long[] { 10, 20, 30, 4 }, header.Dimensions);
        Assert.Equal(new[] { 0.5, 0.75, 2 }, header.SpacingMm);
        Assert.Equal(NiftiDataType.Float32, header.DataType);
        Assert.Equal((2, -1024, true), (header.Slope, header.Intercept, header.IsScaled));
        Assert.Equal(("mm", "s"), (header.SpaceUnit, header.TimeUnit));
        Assert.Equal((version == 2 ? 544 : 352) + 32, header.VoxelOffset);
        Assert.Equal((24_000, 96_000, 4), (header.VoxelCount, header.VoxelBytes, header.VolumeCount));
    }

    [Fact]
    public void Read_NoOrientation_SaysSoAndTakesTheCustomaryOne()
    {
        var header = NiftiHeaderReader.Read(new NiftiBuilder { Sizes = [3, 5, 7], Spacing = [1, 2, 3] }.BuildHeader());

        Assert.Equal(NiftiOrientationSource.None, header.OrientationSource);
        Assert.Equal("LAS", header.Orientation);
        Assert.Equal((0.0, 0.0, 0.0), header.Affine.Transform(1, 2, 3));
    }

    [Fact]
    public void Read_BothForms_PrefersTheSForm()
    {
        var header = NiftiHeaderReader.Read(new NiftiBuilder { SForm = [0, 0, 2, 5, 3, 0, 0, 6, 0, -4, 0, 7], QForm = [0, 0, 0, 1, 1, 1, 1] }.BuildHeader());

        Assert.Equal((NiftiOrientationSource.SForm, NiftiSpace.AlignedAnatomical, "AIR"), (header.OrientationSource, header.Space, header.Orientation));
        Assert.Equal((7.0, 9.0, 3.0), header.Affine.Transform(1, 1, 1));
    }

    [Fact]
    public void Read_MetresAndMicrons_GivesMillimetres()
    {
        var metres = NiftiHeaderReader.Read(new NiftiBuilder { Spacing = [0.001, 0.002, 0.003], QForm = [0, 0, 0, 0.01, 0, 0, 1] }.Set(123, (byte)1).BuildHeader());
        Assert.Equal([1, 2, 3], metres.SpacingMm.Select(static mm => Math.Round(mm, 4)));
        Assert.Equal(10, metres.Affine.X0, 5);
        Assert.Equal(0.002, NiftiHeaderReader.Read(new NiftiBuilder { Spacing = [2, 2, 2] }.Set(123, (byte)3).BuildHeader()).SpacingMm[0], 9);
    }

    [Fact]
    public void Read_DegenerateAffine_HasNoOrientation() =>
        Assert.Null(NiftiHeaderReader.Read(new NiftiBuilder { SForm = new double[12] }.BuildHeader()).Orientation);

    [Fact]
    public void Read_SFormWithoutNumbers_TakesTheQForm() =>
        Assert.Equal(NiftiOrientationSource.QForm, NiftiHeaderReader.Read(new NiftiBuilder { SForm = [double.NaN, .. new double[11]], QForm = [0, 0, 0, 0, 0, 0, 1] }.BuildHeader()).OrientationSource);

    /// <summary>ANALYZE 7.5: the same fields, no mark; what NIfTI keeps elsewhere is not read.</summary>
    [Fact]
    public void Read_Analyze_TakesSizesAndNoScaling()
    {
        var header = NiftiHeaderReader.Read(new NiftiBuilder { IsPair = true, Slope = 3, QForm = [0, 0, 0, 0, 0, 0, 1] }.Set(344, 0).BuildHeader());

        Assert.Equal((0, true, false, NiftiOrientationSource.None), (header.Version, header.IsPair, header.IsScaled, header.OrientationSource));
        Assert.Equal(new long[] { 6, 5, 4 }, header.Dimensions);
    }

    [Fact]
    public void Read_SlopeZero_IsNoScaling() =>
        Assert.False(NiftiHeaderReader.Read(new NiftiBuilder { Slope = 0, Intercept = 7 }.BuildHeader()).IsScaled);

    [Theory]
    [InlineData(40, (short)0, "0")]
    [InlineData(40, (short)8, "8")]
    [InlineData(40, (short)-1, "-1")]
    [InlineData(42, (short)0, "Dimension 1 has 0 voxels")]
    [InlineData(44, (short)-5, "Dimension 2 has -5 voxels")]
    [InlineData(70, (short)3, "data type 3")]
    [InlineData(70, (short)0, "data type 0")]
    [InlineData(108, 100f, "inside the header")]
    [InlineData(108, -352f, "inside the header")]
    [InlineData(108, 352.5f, "no whole number")]
    [InlineData(108, float.NaN, "no whole number")]
    [InlineData(108, float.PositiveInfinity, "no whole number")]
    [InlineData(108, 1e18f, "between header and voxels")]
    public void Read_FieldThatLies_IsRefused(int at, object value, string message)
    {
        var builder = value is float number ? new NiftiBuilder().Set(at, number) : new NiftiBuilder().Set(at, (short)value);

        Assert.Contains(message, Assert.Throws<InvalidNiftiException>(() => NiftiHeaderReader.Read(builder.BuildHeader())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new long[] { long.MaxValue, 2 })]
    [InlineData(new long[] { 1L << 40, 1L << 40, 1L << 40 })]
    [InlineData(new long[] { 4_000_000_000, 4_000_000_000 })]
    [InlineData(new long[] { 1L << 36 })]
    public void Read_ProductBeyondAnyFile_IsRefused(long[] sizes) =>
        Assert.Throws<InvalidNiftiException>(() => NiftiHeaderReader.Read(new NiftiBuilder { Version = 2, Sizes = sizes }.BuildHeader()));

    [Fact]
    public void Read_NoHeader_IsRefused()
    {
        Assert.Throws<InvalidNiftiException>(() => NiftiHeaderReader.Read([]));
        Assert.Throws<InvalidNiftiException>(() => NiftiHeaderReader.Read(new byte[348]));
        Assert.Throws<InvalidNiftiException>(() => NiftiHeaderReader.Read(new NiftiBuilder().BuildHeader().AsSpan(0, 347)));
        Assert.Throws<InvalidNiftiException>(() => NiftiHeaderReader.Read(new NiftiBuilder { Version = 2 }.Set(4, 0).BuildHeader()));
    }

    [Fact]
    public void Read_AnyBytesChanged_GivesAHeaderOrARefusal()
    {
        var random = new Random(11);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new NiftiBuilder { Version = 1 + i % 2, IsBigEndian = i % 4 > 1 }.BuildHeader();
            for (var n = random.Next(1, 12); n > 0; n--) bytes[random.Next(4, bytes.Length)] = (byte)random.Next(256);
            try
            {
                var header = NiftiHeaderReader.Read(bytes);
                Assert.True(header.VoxelBytes > 0 && header.VoxelOffset >= 0 && header.Affine.IsFinite);
                Assert.All(header.SpacingMm, static mm => Assert.True(mm > 0 && double.IsFinite(mm)));
            }
            catch (InvalidNiftiException)
            {
            }
        }
    }
}
