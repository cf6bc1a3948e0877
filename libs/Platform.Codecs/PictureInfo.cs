namespace Platform.Codecs;

/// <summary>The shape of a picture from a file that describes itself.</summary>
/// <param name="Width">Columns in pixels, at least 1.</param>
/// <param name="Height">Rows in pixels, at least 1.</param>
/// <param name="Channels">1 grey, 2 grey and alpha, 3 red, green, blue, 4 those and alpha. Alpha is not premultiplied.</param>
/// <param name="BitsPerSample">8, or 16 (little endian).</param>
public readonly record struct PictureInfo(int Width, int Height, int Channels, int BitsPerSample)
{
    /// <summary>Bytes of the decoded picture: rows without padding, the samples of a pixel together.</summary>
    public long ByteLength => (long)Width * Height * Channels * (BitsPerSample / 8);
}
