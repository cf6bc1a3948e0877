using System.Buffers.Binary;
using Platform.Codecs;

namespace Platform.Imaging.Tests;

public sealed class GreyMappingTests
{
    private static readonly GreyMapping Mapping = new() { Slope = 2, Intercept = -100, Window = new VoiWindow(50, 200) };

    [Theory]
    [InlineData(8, 8, false)]
    [InlineData(8, 7, true)]
    [InlineData(16, 12, false)]
    [InlineData(16, 16, true)]
    [InlineData(32, 20, true)]
    public void Map_AnyContainer_IsTheGreyOfEachValue(int allocated, int stored, bool isSigned)
    {
        var frame = new FrameDescription(8, 16, 1, allocated, stored, isSigned, false, Photometric.Monochrome2);
        var values = Enumerable.Range(0, 128).Select(i => isSigned ? i - 64 : i).ToArray();
        var pixels = new byte[frame.ByteLength];
        for (var i = 0; i < values.Length; i++)
        {
            var at = pixels.AsSpan(i * allocated / 8);
            if (allocated == 8) at[0] = (byte)values[i];
            else if (allocated == 16) BinaryPrimitives.WriteInt16LittleEndian(at, (short)values[i]);
            else BinaryPrimitives.WriteInt32LittleEndian(at, values[i]);
        }
        var grey = new byte[128];
        Mapping.Map(pixels, frame, grey, CancellationToken.None);
        Assert.Equal(values.Select(value => Mapping.ToGrey(value)), grey);
        Assert.Contains((byte)0, isSigned ? grey : [.. grey, 0]);
    }

    [Fact]
    public void ToGrey_Inverted_IsTheOtherEnd() => Assert.All(Enumerable.Range(0, 200), value =>
        Assert.InRange(Mapping.ToGrey(value) + (Mapping with { IsInverted = true }).ToGrey(value), 255, 256));

    [Fact]
    public void ToModality_LookupTable_ClampsToItsEnds()
    {
        var mapping = new GreyMapping { ModalityLut = new LookupTable(10, 16, [100, 200, 300]) };
        Assert.Equal([100, 100, 200, 300, 300], new[] { -5, 10, 11, 12, 99 }.Select(value => mapping.ToModality(value)));
    }

    [Fact]
    public void Map_PackedBits_AreBlackAndWhite()
    {
        var frame = new FrameDescription(2, 5, 1, 1, 1, false, false, Photometric.Monochrome2);
        var grey = new byte[10];
        new GreyMapping { Window = new VoiWindow(0.5, 1) }.Map([0b0100_1101, 0b10], frame, grey, CancellationToken.None);
        Assert.Equal([255, 0, 255, 255, 0, 0, 255, 0, 0, 255], grey);
    }

    [Fact]
    public void AutoWindow_PaddedFrame_SpansThePercentilesOfTheRest()
    {
        var frame = new FrameDescription(100, 100, 1, 16, 16, true, false, Photometric.Monochrome2);
        var pixels = new byte[frame.ByteLength];
        for (var i = 0; i < 10_000; i++) BinaryPrimitives.WriteInt16LittleEndian(pixels.AsSpan(2 * i), i < 5000 ? (short)-2000 : (short)(i - 5000 - 1000));
        var window = AutoWindow.Find(pixels, frame, new GreyMapping(), padding: -2000)!.Value;
        Assert.InRange(window.Center - window.Width / 2, -980, -970);  // 0.5 % of 5,000 values above -1000
        Assert.InRange(window.Center + window.Width / 2, 3970, 3980);
        Assert.Null(AutoWindow.Find(new byte[frame.ByteLength], frame, new GreyMapping(), padding: null));
    }
}
