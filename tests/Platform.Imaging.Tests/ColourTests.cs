using System.Buffers.Binary;
using Platform.Codecs;
using Platform.Dicom;

namespace Platform.Imaging.Tests;

public sealed class ColourTests
{
    [Theory]
    [InlineData(0, 128, 128, 0, 0, 0)]
    [InlineData(255, 128, 128, 255, 255, 255)]
    [InlineData(76, 85, 255, 254, 0, 0)]
    [InlineData(150, 44, 21, 0, 255, 1)]
    [InlineData(29, 255, 107, 0, 0, 254)]
    public void YbrFullToRgb_KnownColours_ComeBack(byte y, byte cb, byte cr, int red, int green, int blue)
    {
        byte[] pixel = [y, cb, cr];
        ColourConversion.YbrFullToRgb(pixel);
        Assert.InRange(pixel[0], red - 1, red + 1);
        Assert.InRange(pixel[1], green - 1, green + 1);
        Assert.InRange(pixel[2], blue - 1, blue + 1);
        var pair = new byte[6];
        ColourConversion.YbrFull422ToRgb([y, y, cb, cr], pair);
        Assert.Equal([.. pixel, .. pixel], pair);
    }

    [Fact]
    public void Interleave_Planes_BecomePixels()
    {
        var frame = new FrameDescription(1, 3, 3, 8, 8, false, true, Photometric.Rgb);
        var pixels = new byte[9];
        ColourConversion.Interleave([1, 2, 3, 11, 12, 13, 21, 22, 23], frame, pixels);
        Assert.Equal([1, 11, 21, 2, 12, 22, 3, 13, 23], pixels);
    }

    [Fact]
    public void Palette_SixteenBitEntries_GiveTheirHighByte()
    {
        var dataset = new DicomDataset();
        for (var colour = 0; colour < 3; colour++)
        {
            dataset.Set(new DicomTag(0x0028, (ushort)(0x1101 + colour)), DicomVr.US, 4L, 2L, 16L);
            var data = new byte[8];
            for (var i = 0; i < 4; i++) BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(2 * i), (ushort)((10 * i + colour) << 8 | 0x55));
            dataset.Set(new DicomTag(0x0028, (ushort)(0x1201 + colour)), DicomVr.OW, data);
        }
        var palette = Palette.TryRead(dataset, isSigned: false)!;
        var frame = new FrameDescription(1, 4, 1, 8, 8, false, false, Photometric.PaletteColor);
        var rgb = new byte[12];
        palette.Map([0, 3, 5, 200], frame, rgb); // values below the first and beyond the last entry take the ends
        Assert.Equal([0, 1, 2, 10, 11, 12, 30, 31, 32, 30, 31, 32], rgb);
        Assert.Null(Palette.TryRead(new DicomDataset(), isSigned: false));
    }
}
