using System.Buffers;
using ImageApi.Tiles;
using Platform.Codecs.Jpeg;

namespace ImageApi.Tests.Tiles;

public sealed class StoredTileTests
{
    private static byte[] Jpeg(int side = 256, int channels = 3)
    {
        var stream = new ArrayBufferWriter<byte>();
        new JpegFrameEncoder().Encode(new byte[side * side * channels], side, side, channels, 80, stream, CancellationToken.None);
        return stream.WrittenSpan.ToArray();
    }

    private static bool IsTile(byte[] bytes, bool isRgb = false) => StoredTile.IsTile(new ReadOnlySequence<byte>(bytes), isRgb);

    /// <summary>Without the JFIF segment, with another one in its place.</summary>
    private static byte[] With(byte[] segment)
    {
        var bytes = Jpeg();
        return [.. bytes[..2], .. segment, .. bytes[20..]];
    }

    private static byte[] Adobe(byte transform) => [0xFF, 0xEE, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, transform];

    [Fact]
    public void IsTile_BaselineOfATilesSize_IsOne()
    {
        Assert.True(IsTile(Jpeg()));
        Assert.True(IsTile([.. Jpeg(), 0]));   // padded to an even length
    }

    [Fact]
    public void IsTile_OtherSizeOrGrey_IsNone()
    {
        Assert.False(IsTile(Jpeg(side: 240)));
        Assert.False(IsTile(Jpeg(channels: 1)));
    }

    [Fact]
    public void IsTile_CutOrNoJpeg_IsNone()
    {
        var bytes = Jpeg();
        Assert.False(IsTile(bytes[..^2]));
        Assert.False(IsTile([]));
        Assert.False(IsTile(new byte[1000]));
        for (var length = 0; length < 700; length += 7) Assert.False(IsTile([.. bytes.AsSpan(0, Math.Min(length, 600)), 0xFF, 0xD9]));
    }

    [Fact]
    public void IsTile_ProgressiveOrTwelveBit_IsNone()
    {
        var bytes = Jpeg();
        var frame = bytes.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
        var progressive = bytes.ToArray();
        progressive[frame + 1] = 0xC2;
        Assert.False(IsTile(progressive));
        var deep = bytes.ToArray();
        deep[frame + 4] = 12;
        Assert.False(IsTile(deep));
    }

    [Fact]
    public void IsTile_ColoursThatBrowsersReadOtherwise_IsNone()
    {
        Assert.True(IsTile(With([])));                          // luminance and colour differences for everybody
        Assert.True(IsTile(With([]), isRgb: true));             // subsampled: cannot be RGB
        Assert.True(IsTile(With(Adobe(1)), isRgb: true));
        Assert.True(IsTile(With(Adobe(0))));                    // red, green and blue for everybody
        byte[] jfif = Jpeg()[2..20];
        Assert.False(IsTile(With([.. jfif, .. Adobe(0)])));     // browsers believe JFIF, we Adobe
        // Not subsampled, no marker, RGB in the data set: browsers would take it for YCbCr.
        var full = With([]);
        var frame = full.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
        full[frame + 11] = 0x11;
        Assert.False(IsTile(full, isRgb: true));
        Assert.True(IsTile(full));
        (full[frame + 10], full[frame + 13], full[frame + 16]) = ((byte)'R', (byte)'G', (byte)'B');
        Assert.True(IsTile(full, isRgb: true));
    }
}
