using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Platform.Codecs.Jpeg2000;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>JPEG 2000 Part 1 of streams that OpenJPEG makes, in every way it can. Real files are in <see cref="OracleTests"/>.</summary>
public sealed class Jpeg2000Tests
{
    [ToolTheory("opj_compress")]
    [InlineData("")]
    [InlineData("-M 1")]                                            // bypass
    [InlineData("-M 2")]                                            // contexts reset
    [InlineData("-M 4")]                                            // every pass ends its segment
    [InlineData("-M 8")]                                            // vertically causal
    [InlineData("-M 32")]                                           // segmentation symbols
    [InlineData("-M 5")]
    [InlineData("-M 63")]
    [InlineData("-b 4,1024 -n 3")]
    [InlineData("-b 1024,4")]
    [InlineData("-b 16,32 -c [64,64],[32,32],[32,32]")]
    [InlineData("-p LRCP -r 40,20,10,1")]
    [InlineData("-p RLCP -r 40,10,1 -SOP -EPH")]
    [InlineData("-p RPCL -r 20,1 -t 50,37")]
    [InlineData("-p PCRL -r 20,1 -M 1")]
    [InlineData("-p CPRL -n 1")]
    [InlineData("-t 40,40 -T 3,2 -d 11,13 -n 3")]
    [InlineData("-TP R")]
    [InlineData("-PLT -TLM")]
    [InlineData("-POC T0=0,0,1,6,3,LRCP/T0=3,0,1,6,3,RPCL")]
    public async Task Decode_ReversibleStream_GivesThePixels(string options)
    {
        foreach (var (samples, bits, signed) in new[] { (1, 8, false), (1, 12, false), (1, 16, true), (3, 8, false) })
        {
            var (frame, pixels) = JpegLsTests.Make(93, 121, samples, bits > 8 ? 16 : 8, bits, signed, "steps");
            var encoded = await EncodeAsync(frame, pixels, options);
            var decoded = new ArrayBufferWriter<byte>();
            new Jpeg2000FrameDecoder().Decode(new ReadOnlySequence<byte>(encoded), frame, decoded, new DecodeOptions(), CancellationToken.None);
            Assert.True(decoded.WrittenSpan.SequenceEqual(pixels), $"{samples} x {bits} bits: {options}");
        }
    }

    [ToolFact("opj_compress")]
    public async Task Decode_Jp2Boxes_GivesThePixels()
    {
        var (frame, pixels) = JpegLsTests.Make(40, 52, 1, 8, 8, false, "smooth");
        var encoded = await EncodeAsync(frame, pixels, "", ".jp2");
        var decoded = new ArrayBufferWriter<byte>();
        new Jpeg2000FrameDecoder().Decode(new ReadOnlySequence<byte>(encoded), frame, decoded, new DecodeOptions(), CancellationToken.None);
        Assert.Equal(pixels, decoded.WrittenSpan.ToArray());
    }

    [ToolTheory("opj_compress", "opj_decompress")]
    [InlineData("-I -r 8", 0)]
    [InlineData("-I -r 8 -M 1", 1)]
    [InlineData("-r 6", 0)]
    [InlineData("-p RPCL", 2)]
    public async Task Decode_LossyOrReduced_IsWithinOneOfOpenJpeg(string options, int reduce)
    {
        var (frame, pixels) = JpegLsTests.Make(93, 121, 1, 16, 12, false, "smooth");
        var encoded = await EncodeAsync(frame, pixels, options);
        using var folder = new TempFolder();
        var (stream, raw) = (folder.Combine("a.j2k"), folder.Combine("a.rawl"));
        await File.WriteAllBytesAsync(stream, encoded);
        await RunAsync("opj_decompress", ["-i", stream, "-o", raw, "-r", reduce.ToString(CultureInfo.InvariantCulture)]);
        var expected = await File.ReadAllBytesAsync(raw);
        var decoded = new ArrayBufferWriter<byte>();
        var produced = new Jpeg2000FrameDecoder().Decode(new ReadOnlySequence<byte>(encoded), frame, decoded, new DecodeOptions { ReduceLevels = reduce }, CancellationToken.None);
        Assert.Equal((93 + (1 << reduce) - 1) >> reduce, produced.Rows);
        Assert.Equal(expected.Length, decoded.WrittenCount);
        for (var i = 0; i < expected.Length; i += 2)
            Assert.InRange(Math.Abs(BitConverter.ToUInt16(decoded.WrittenSpan[i..]) - BitConverter.ToUInt16(expected, i)), 0, 1);
    }

    internal static async Task<byte[]> EncodeAsync(FrameDescription frame, byte[] pixels, string options, string extension = ".j2k")
    {
        using var folder = new TempFolder();
        var (source, target) = (folder.Combine(frame.SamplesPerPixel == 3 ? "a.ppm" : "a.rawl"), folder.Combine("a" + extension));
        string[] shape = [];
        if (frame.SamplesPerPixel == 3) await File.WriteAllBytesAsync(source, [.. Encoding.ASCII.GetBytes($"P6\n{frame.Columns} {frame.Rows}\n255\n"), .. pixels]);
        else
        {
            await File.WriteAllBytesAsync(source, pixels);
            shape = ["-F", $"{frame.Columns},{frame.Rows},1,{frame.BitsStored},{(frame.IsSigned ? 's' : 'u')}"];
        }
        await RunAsync("opj_compress", ["-i", source, "-o", target, .. shape, .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        return await File.ReadAllBytesAsync(target);
    }

    private static async Task RunAsync(string tool, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{tool} {string.Join(' ', arguments)}: {errors} {await output}");
    }
}
