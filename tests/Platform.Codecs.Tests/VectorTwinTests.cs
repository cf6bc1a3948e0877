using System.Buffers;
using Platform.Codecs.Jpeg;

namespace Platform.Codecs.Tests;

/// <summary>The vector code of JPEG against its scalar twin: the same bytes, whatever comes in. That of HTJ2K is beside its codec's tests.</summary>
public sealed class VectorTwinTests
{
    [Theory]
    [InlineData(8, 40)]
    [InlineData(8, short.MaxValue)]
    [InlineData(12, 300)]
    [InlineData(12, short.MaxValue)]
    public void InverseDct_AnyBlock_IsTheScalarOne(int precision, int largest)
    {
        var random = new Random(precision + largest);
        var (block, table) = (new short[64], new ushort[64]);
        for (var i = 0; i < 2000; i++)
        {
            for (var k = 0; k < 64; k++)
            {
                block[k] = (short)(random.Next(4) == 0 ? random.Next(-largest, largest + 1) : 0);
                table[k] = (ushort)random.Next(1, largest == short.MaxValue ? 65536 : 64);
            }
            ushort[] vectors = new ushort[8 * 11], scalars = new ushort[8 * 11];
            InverseDct.Transform(block, table, vectors, 11, precision);
            InverseDct.Transform(block, table, scalars, 11, precision, isVectorized: false);
            Assert.Equal(scalars, vectors);

            block.AsSpan(1).Clear();
            InverseDct.TransformFlat(block[0], table[0], vectors, 11, precision);
            InverseDct.Transform(block, table, scalars, 11, precision, isVectorized: false);
            if (largest != short.MaxValue) Assert.Equal(scalars, vectors);  // beyond that the transform's sums overflow
        }
    }

    [Theory]
    [InlineData(2, 2, 8)]
    [InlineData(2, 1, 8)]
    [InlineData(2, 2, 12)]
    [InlineData(2, 1, 12)]
    public void Upsampler_AnyWidth_IsTheScalarOne(int ratioH, int ratioV, int precision)
    {
        var random = new Random(3);
        for (var width = 5; width < 150; width++)
        {
            var component = new JpegComponent { H = 1, V = 1, Width = (width + 1) / 2, Height = 3, BlockColumns = 10, BlockRows = 1 };
            var plane = new ushort[640];
            for (var i = 0; i < plane.Length; i++) plane[i] = (ushort)(random.Next(3) == 0 ? (1 << precision) - 1 : random.Next(1 << precision));
            for (var row = 0; row < 3 * ratioV; row++)
            {
                var vectors = Upsampler.ReadRow(plane, component, ratioH, ratioV, row, new ushort[width], new ushort[width + 1]);
                var scalars = Upsampler.ReadRow(plane, component, ratioH, ratioV, row, new ushort[width], new ushort[width + 1], isVectorized: false);
                Assert.Equal(scalars.ToArray(), vectors.ToArray());
            }
        }
    }

    [Fact]
    public void PixelRows_EveryColour_IsTheScalarOne()
    {
        var random = new Random(4);
        for (var width = 1; width < 70; width++)
        {
            var lines = Enumerable.Range(0, 3).Select(_ => Enumerable.Range(0, width).Select(_ => (ushort)(random.Next(4) switch { 0 => 0, 1 => 255, _ => random.Next(256) })).ToArray()).ToArray();
            byte[] vectors = new byte[3 * width], scalars = new byte[3 * width];
            PixelRows.WriteRgb(lines[0], lines[1], lines[2], vectors, 1, 8);
            PixelRows.WriteRgb(lines[0], lines[1], lines[2], scalars, 1, 8, isVectorized: false);
            Assert.Equal(scalars, vectors);
            PixelRows.Write(lines[0], lines[1], lines[2], vectors, 1);
            PixelRows.Write(lines[0], lines[1], lines[2], scalars, 1, isVectorized: false);
            Assert.Equal(scalars, vectors);
        }
    }

    [Fact]
    public void JpegEncoder_AnyPicture_GivesTheScalarBytes()
    {
        var random = new Random(6);
        for (var n = 0; n < 200; n++)
        {
            var (width, height, channels, quality) = (random.Next(1, 90), random.Next(1, 60), n % 2 == 0 ? 1 : 3, random.Next(1, 101));
            var pixels = new byte[width * height * channels];
            for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(n % 4 < 2 ? random.Next(256) : i / channels % width * 255 / width);
            ArrayBufferWriter<byte> vectors = new(), scalars = new();
            new JpegFrameEncoder().Encode(pixels, width, height, channels, quality, vectors, CancellationToken.None);
            new JpegFrameEncoder(isVectorized: false).Encode(pixels, width, height, channels, quality, scalars, CancellationToken.None);
            Assert.True(scalars.WrittenSpan.SequenceEqual(vectors.WrittenSpan), $"{width} x {height} x {channels}, quality {quality}");
        }
    }

    [Theory]
    [InlineData(8, 5, false)]
    [InlineData(8, 7, true)]
    [InlineData(16, 12, false)]
    [InlineData(16, 12, true)]
    [InlineData(32, 20, false)]
    [InlineData(32, 20, true)]
    public void SampleBits_AnyLength_ClearsOrExtendsEverySample(int allocated, int stored, bool isSigned)
    {
        var random = new Random(5);
        for (var columns = 1; columns < 80; columns++)
        {
            var frame = new FrameDescription(1, columns, 1, allocated, stored, isSigned, false, Photometric.Monochrome2);
            var pixels = new byte[frame.ByteLength];
            random.NextBytes(pixels);
            var expected = new byte[pixels.Length];
            for (var i = 0; i < columns; i++)
            {
                long value = 0;
                for (var b = 0; b < allocated / 8; b++) value |= (long)pixels[i * allocated / 8 + b] << 8 * b;
                value &= (1L << stored) - 1;
                if (isSigned && value >> (stored - 1) != 0) value -= 1L << stored;
                for (var b = 0; b < allocated / 8; b++) expected[i * allocated / 8 + b] = (byte)(value >> 8 * b);
            }
            SampleBits.Normalize(pixels, frame);
            Assert.Equal(expected, pixels);
        }
    }
}
