using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>OpenJPH's programs: an independent encoder and decoder of high-throughput JPEG 2000.</summary>
internal static class OpenJph
{
    /// <summary>
    /// Encodes a frame. Colour of 8 bits goes by way of PPM, the rest by raw planes. ojph_compress 0.9 reads raw samples as unsigned
    /// ones; signed ones are raised to that, which the level shift undoes, and their stream is then called signed.
    /// </summary>
    public static async Task<byte[]> CompressAsync(byte[] pixels, FrameDescription frame, params string[] arguments)
    {
        using var folder = new TempFolder();
        var target = folder.Combine("frame.j2c");
        var isColour = frame.SamplesPerPixel == 3;
        var source = folder.Combine(isColour ? "frame.ppm" : "frame.raw");
        List<string> all = ["-i", source, "-o", target];
        if (isColour)
        {
            await File.WriteAllBytesAsync(source, [.. Encoding.ASCII.GetBytes($"P6 {frame.Columns} {frame.Rows} 255\n"), .. pixels]);
        }
        else
        {
            await File.WriteAllBytesAsync(source, frame.IsSigned ? Raise(pixels, 1 << (frame.BitsStored - 1), frame.BytesPerSample) : pixels);
            all.AddRange(["-dims", $"{{{frame.Columns},{frame.Rows}}}", "-num_comps", "1", "-signed", "false",
                "-bit_depth", frame.BitsStored.ToString(CultureInfo.InvariantCulture), "-downsamp", "{1,1}"]);
        }
        await RunAsync("ojph_compress", [.. all, .. arguments]);
        var stream = await File.ReadAllBytesAsync(target);
        if (frame.IsSigned) stream[SignAt] |= 0x80;
        return stream;
    }

    // Of the first component in SIZ, which follows SOC.
    private const int SignAt = 2 + 4 + 36;

    private static byte[] Raise(byte[] pixels, int by, int bytesPerSample)
    {
        var raised = pixels.ToArray();
        for (var i = 0; i < raised.Length; i += bytesPerSample)
        {
            if (bytesPerSample == 1) raised[i] = (byte)(raised[i] + by);
            else BinaryPrimitives.WriteUInt16LittleEndian(raised.AsSpan(i), (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(raised.AsSpan(i)) + by));
        }
        return raised;
    }

    /// <summary>
    /// Decodes a stream of one component into its raw samples, of three into interleaved ones. ojph_expand 0.9 writes no negative raw
    /// samples; a signed stream is called unsigned, and its samples are lowered again.
    /// </summary>
    public static async Task<byte[]> ExpandAsync(byte[] stream, bool isColour, int reduce = 0)
    {
        var depth = stream[SignAt];
        if (depth > 0x7F)
        {
            var unsigned = stream.ToArray();
            unsigned[SignAt] &= 0x7F;
            return Raise(await ExpandAsync(unsigned, isColour, reduce), -(1 << (depth & 0x7F)), (depth & 0x7F) > 7 ? 2 : 1);
        }
        using var folder = new TempFolder();
        string source = folder.Combine("frame.j2c"), target = folder.Combine(isColour ? "frame.ppm" : "frame.raw");
        await File.WriteAllBytesAsync(source, stream);
        await RunAsync("ojph_expand", ["-i", source, "-o", target, "-skip_res", $"{reduce},{reduce}"]);
        var bytes = await File.ReadAllBytesAsync(target);
        return isColour ? bytes[HeaderLength(bytes)..] : bytes;
    }

    // Three lines: P6, width and height, the greatest value.
    private static int HeaderLength(byte[] bytes)
    {
        var at = 0;
        for (var lines = 0; lines < 3; at++) if (bytes[at] == '\n') lines++;
        return at;
    }

    internal static async Task RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0 && !errors.Contains("ojph error", StringComparison.Ordinal), $"{program} {string.Join(' ', arguments)}: {errors}{await output}");
    }
}
