using System.Buffers;
using Platform.Codecs.Rle;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

public sealed class RleTests
{
    public static TheoryData<int, int, int, int, bool> Shapes() => new()
    {
        { 1, 1, 1, 8, false }, { 3, 5, 1, 8, false }, { 64, 300, 1, 8, true }, { 7, 129, 1, 16, false },
        { 33, 31, 1, 16, true }, { 5, 257, 3, 8, false }, { 4, 9, 3, 16, false }, { 6, 6, 1, 32, false }, { 9, 13, 1, 1, false },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Encode_AnyPixels_DecodesToTheSame(int rows, int columns, int samples, int bits, bool isSigned)
    {
        var frame = new FrameDescription(rows, columns, samples, bits, bits, isSigned, false, samples == 3 ? Photometric.Rgb : Photometric.Monochrome2);
        foreach (var seed in Enumerable.Range(1, 20))
        {
            var pixels = Pixels((int)frame.ByteLength, seed);
            var stream = new ArrayBufferWriter<byte>();
            new RleFrameEncoder().Encode(pixels, frame, stream, null, CancellationToken.None);
            Assert.Equal(0, stream.WrittenCount % 2);
            var decoded = new ArrayBufferWriter<byte>();
            new RleFrameDecoder().Decode(Split(stream.WrittenMemory, seed), frame, decoded, new DecodeOptions(), CancellationToken.None);
            Assert.True(pixels.AsSpan().SequenceEqual(decoded.WrittenSpan));
        }
    }

    [ToolTheory("dcmdrle", "gdcmconv")]
    [InlineData(3, 5, 1, 8, "dcmdrle")]
    [InlineData(33, 31, 1, 16, "dcmdrle")]
    [InlineData(33, 31, 1, 16, "gdcmconv -w")]
    [InlineData(5, 257, 3, 8, "dcmdrle")]
    [InlineData(5, 257, 3, 8, "gdcmconv -w")]
    public async Task Encode_AnyPixels_DecodesElsewhere(int rows, int columns, int samples, int bits, string tool)
    {
        var frame = new FrameDescription(rows, columns, samples, bits, bits, false, false, samples == 3 ? Photometric.Rgb : Photometric.Monochrome2);
        var pixels = Pixels((int)frame.ByteLength, 11);
        var stream = new ArrayBufferWriter<byte>();
        new RleFrameEncoder().Encode(pixels, frame, stream, null, CancellationToken.None);
        var others = await JpegLsTests.DecodeElsewhereAsync(stream.WrittenSpan.ToArray(), "1.2.840.10008.1.2.5", frame, tool);
        Assert.Equal(pixels, others.AsSpan(0, pixels.Length).ToArray());    // the rest is padding to an even length
    }

    [Fact]
    public void Decode_EveryTruncation_ThrowsAndWritesNothing()
    {
        var frame = new FrameDescription(16, 16, 1, 16, 16, false, false, Photometric.Monochrome2);
        var stream = new ArrayBufferWriter<byte>();
        new RleFrameEncoder().Encode(Pixels(512, 3), frame, stream, null, CancellationToken.None);
        for (var length = 0; length < stream.WrittenCount - 1; length++) // the last byte may be padding
        {
            var decoded = new ArrayBufferWriter<byte>();
            Assert.Throws<InvalidFrameException>(() =>
                new RleFrameDecoder().Decode(new ReadOnlySequence<byte>(stream.WrittenMemory[..length]), frame, decoded, new DecodeOptions(), CancellationToken.None));
            Assert.Equal(0, decoded.WrittenCount);
        }
    }

    [Fact]
    public void Decode_FrameBeyondTheLimit_ThrowsBeforeItAllocates()
    {
        var frame = new FrameDescription(65535, 65535, 1, 16, 16, false, false, Photometric.Monochrome2);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidFrameException>(() =>
            new RleFrameDecoder().Decode(new ReadOnlySequence<byte>(new byte[64]), frame, new ArrayBufferWriter<byte>(), new DecodeOptions(), CancellationToken.None));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 100_000);
    }

    /// <summary>Runs and noise, as a seed says.</summary>
    internal static byte[] Pixels(int length, int seed)
    {
        var random = new Random(seed);
        var pixels = new byte[length];
        for (var at = 0; at < length;)
        {
            var run = Math.Min(random.Next(1, 300), length - at);
            if (random.Next(2) == 0) random.NextBytes(pixels.AsSpan(at, run));
            else pixels.AsSpan(at, run).Fill((byte)random.Next(256));
            at += run;
        }
        return pixels;
    }

    /// <summary>The bytes in several pieces, as they come from a network.</summary>
    internal static ReadOnlySequence<byte> Split(ReadOnlyMemory<byte> bytes, int seed)
    {
        var cut = new Random(seed).Next(bytes.Length + 1);
        var first = new Segment(bytes[..cut], 0);
        var last = first.Append(bytes[cut..]);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
