using System.Buffers;
using Platform.Codecs.Htj2k;
using Platform.Codecs.Jpeg2000;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>
/// The two refinement passes, which OpenJPH's encoder never makes: any bytes are a refinement, so blocks get random ones, and must
/// decode to what OpenJPH and OpenJPEG see in them.
/// </summary>
public sealed class Htj2kRefinementTests
{
    private const int LowestPlane = 3, CodedBits = 7;

    [ToolTheory("ojph_expand", "opj_decompress")]
    [InlineData(64, 64, 1, false)]
    [InlineData(64, 64, 2, false)]
    [InlineData(64, 64, 3, false)]
    [InlineData(64, 64, 3, true)]
    [InlineData(37, 29, 3, false)]
    [InlineData(37, 29, 2, true)]
    [InlineData(3, 61, 3, false)]
    [InlineData(61, 3, 3, false)]
    public async Task Decode_RandomRefinement_EqualsIndependentDecoders(int rows, int columns, int passes, bool isCausal)
    {
        var frame = new FrameDescription(rows, columns, 1, 16, 16, false, false, Photometric.Monochrome2);
        for (var seed = 0; seed < 6; seed++)
        {
            var stream = Make(frame, passes, isCausal, new Random(seed));
            var decoded = Htj2kDecoderTests.Decode(stream, frame, out _, new DecodeOptions());
            Htj2kDecoderTests.AssertSame(await OpenJph.ExpandAsync(stream, false), decoded, frame);
            using var folder = new TempFolder();
            await File.WriteAllBytesAsync(folder.Combine("frame.j2k"), stream);
            await OpenJph.RunAsync("opj_decompress", ["-i", folder.Combine("frame.j2k"), "-o", folder.Combine("frame.rawl")]);
            Htj2kDecoderTests.AssertSame(await File.ReadAllBytesAsync(folder.Combine("frame.rawl")), decoded, frame);
        }
    }

    /// <summary>One block, no wavelet; the cleanup pass ends at <see cref="LowestPlane"/>.</summary>
    private static unsafe byte[] Make(FrameDescription frame, int passes, bool isCausal, Random random)
    {
        var samples = new int[frame.Rows * 80 + 64];
        for (var y = 0; y < frame.Rows; y++)
        {
            for (var x = 0; x < frame.Columns; x++) samples[80 * y + x] = random.Next(4) == 0 ? random.Next(-(1 << CodedBits) + 1, 1 << CodedBits) : 0;
        }
        var cleanup = new byte[HtBlockEncoder.MaxLength];
        int length;
        fixed (int* s = samples) length = new HtBlockEncoder().Encode(s, 80, frame.Columns, frame.Rows, CodedBits, cleanup);
        var refinement = new byte[passes > 1 ? random.Next(1, 900) : 0];
        random.NextBytes(refinement);
        for (var i = 0; i < refinement.Length; i++) if (refinement[i] == 0xFF) refinement[i] = 0xFE; // what follows 0xFF is bound to rules

        var trees = new TagTrees();
        var header = new byte[100];
        var bits = new PacketBitWriter(header);
        bits.Write(1, 1);
        var (inclusion, planes) = (trees.Add(1, 1), trees.Add(1, 1));
        trees.Set(inclusion, 0, 0);
        trees.Write(ref bits, inclusion, 0, 1);
        trees.Set(planes, 0, CodedBits - 1);
        trees.Write(ref bits, planes, 0, CodedBits);
        bits.Write(passes switch { 1 => 0, 2 => 2, _ => 12 }, passes switch { 1 => 1, 2 => 2, _ => 4 });
        bits.Write(0x7FE, 11); // lengths of 13 bits
        bits.Write(length, 13);
        if (passes > 1) bits.Write(refinement.Length, passes == 3 ? 14 : 13);
        bits.Align();

        int magnitudes = CodedBits + LowestPlane, total = 14 + bits.Length + length + refinement.Length;
        byte[] wide = [0, 0, 0, (byte)frame.Columns], high = [0, 0, 0, (byte)frame.Rows];
        return
        [
            0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0x40, 0, .. wide, .. high, 0, 0, 0, 0, 0, 0, 0, 0, .. wide, .. high, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 15, 1, 1,
            0xFF, 0x50, 0, 8, 0, 2, 0, 0, 0, (byte)Math.Max(magnitudes - 8, 0),
            0xFF, 0x52, 0, 12, 0, 2, 0, 1, 0, 0, 4, 4, (byte)(isCausal ? 0x48 : 0x40), 1,
            0xFF, 0x5C, 0, 4, 0x20, (byte)(magnitudes << 3),
            0xFF, 0x90, 0, 10, 0, 0, 0, 0, (byte)(total >> 8), (byte)total, 0, 1, 0xFF, 0x93,
            .. header[..bits.Length], .. cleanup[..length], .. refinement, 0xFF, 0xD9,
        ];
    }
}
