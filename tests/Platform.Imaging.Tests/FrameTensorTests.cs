using System.Buffers.Binary;
using Platform.Codecs;

namespace Platform.Imaging.Tests;

public sealed class FrameTensorTests
{
    [Theory]
    [InlineData(1, 1, false)]
    [InlineData(8, 8, false)]
    [InlineData(8, 8, true)]
    [InlineData(16, 12, false)]
    [InlineData(16, 16, true)]
    [InlineData(32, 20, false)]
    [InlineData(32, 20, true)]
    public void ToModality_AnyContainer_IsTheModalityValueOfEachPixel(int allocated, int stored, bool isSigned)
    {
        // Larger than one stretch, and no multiple of it.
        var frame = new FrameDescription(300, 301, 1, allocated, stored, isSigned, false, Photometric.Monochrome2);
        var mapping = new GreyMapping { Slope = 0.5, Intercept = -1024 };
        var pixels = new byte[frame.ByteLength];
        var expected = new float[300 * 301];
        for (var i = 0; i < expected.Length; i++)
        {
            var value = allocated == 1 ? i % 3 & 1 : isSigned ? i % 200 - 100 : i % 200;
            expected[i] = (float)mapping.ToModality(value);
            if (allocated == 1) pixels[i >> 3] |= (byte)(value << (i & 7));
            else if (allocated == 8) pixels[i] = (byte)value;
            else if (allocated == 16) BinaryPrimitives.WriteInt16LittleEndian(pixels.AsSpan(2 * i), (short)value);
            else BinaryPrimitives.WriteInt32LittleEndian(pixels.AsSpan(4 * i), value);
        }

        var values = new float[expected.Length];
        FrameTensor.ToModality(pixels, frame, mapping, values, CancellationToken.None);

        Assert.Equal(expected, values);
    }

    [Fact]
    public void ToModality_LookupTable_IsUsedInPlaceOfTheRescale()
    {
        var frame = new FrameDescription(1, 4, 1, 8, 8, false, false, Photometric.Monochrome2);
        var mapping = new GreyMapping { Slope = 7, ModalityLut = new LookupTable(1, 16, [100, 200, 300]) };
        var values = new float[4];
        FrameTensor.ToModality([0, 1, 2, 9], frame, mapping, values, CancellationToken.None);
        Assert.Equal([100, 100, 200, 300], values);
    }

    [Fact]
    public void ToModality_Colour_IsRefused() => Assert.Throws<InvalidFrameException>(() =>
        FrameTensor.ToModality(new byte[3], new FrameDescription(1, 1, 3, 8, 8, false, false, Photometric.Rgb), new GreyMapping(), new float[3], CancellationToken.None));

    [Fact]
    public void FromPicture_Colour_IsThreeScaledPlanes()
    {
        using var picture = new Picture(2, 1, 3);
        new byte[] { 0, 51, 255, 255, 102, 0 }.CopyTo(picture.Pixels);
        var planes = new float[6];
        FrameTensor.FromPicture(picture, 2, 1, ChannelScaling.ImageNet, planes, CancellationToken.None);
        float[] expected = [(0 - 0.485f) / 0.229f, (1 - 0.485f) / 0.229f, (0.2f - 0.456f) / 0.224f, (0.4f - 0.456f) / 0.224f, (1 - 0.406f) / 0.225f, (0 - 0.406f) / 0.225f];
        for (var i = 0; i < 6; i++) Assert.Equal(expected[i], planes[i], 5);
    }

    [Fact]
    public void FromPicture_GreyOfAnotherSize_IsResizedAndRepeated()
    {
        using var picture = new Picture(8, 6, 1);
        picture.Pixels.Fill(51);
        var planes = new float[3 * 4 * 4];
        FrameTensor.FromPicture(picture, 4, 4, ChannelScaling.None, planes, CancellationToken.None);
        Assert.All(planes, value => Assert.Equal(0.2f, value, 6));
    }
}
