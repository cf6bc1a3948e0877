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
            await File.WriteAllBytesAsync(source, frame.IsSigned ? Raise(pixels, frame) : pixels);
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

    private static byte[] Raise(byte[] pixels, FrameDescription frame)
    {
        var raised = pixels.ToArray();
        var half = 1 << (frame.BitsStored - 1);
        for (var i = 0; i < raised.Length; i += frame.BytesPerSample)
        {
            if (frame.BytesPerSample == 1) raised[i] = (byte)((sbyte)raised[i] + half);
            else BinaryPrimitives.WriteUInt16LittleEndian(raised.AsSpan(i), (ushort)(BinaryPrimitives.ReadInt16LittleEndian(raised.AsSpan(i)) + half));
        }
        return raised;
    }

    /// <summary>Decodes a stream of one component into its raw samples, of three into interleaved ones.</summary>
    public static async Task<byte[]> ExpandAsync(byte[] stream, bool isColour, int reduce = 0)
    {
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
