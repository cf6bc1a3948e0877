using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>
/// Pixels of real files against DCMTK's, for JPEG 2000 OpenJPEG's, for deflated frames zlib's, over every file of the collection in these transfer syntaxes
/// that they decode. Equal; within one where the wavelet is irreversible, whose arithmetic is anyone's.
/// </summary>
public sealed class OracleTests
{
    private const string Python = "/usr/bin/python3", Jpeg2000Lossy = "1.2.840.10008.1.2.4.91", Htj2kLossy = "1.2.840.10008.1.2.4.203";

    // Its frames are no whole bytes: DCMTK's native pixels run on from frame to frame.
    private const string NotWholeBytes = "rle__seg_binary_1bit_510x510.dcm";

    public static TheoryData<string> Files()
    {
        var data = new TheoryData<string>();
        string[] prefixes = ["rle__", "jpeg50__", "jpeg51__", "jpeg53__", "jpeg55__", "jpeg57__", "jpeg70__", "jls80__", "jls81__", "j2k90__", "j2k91__", "htj2k201__", "htj2k202__", "htj2k203__", "deflframe81__"];
        var names = TestData.GetFiles("dicom-zoo").Select(Path.GetFileName).OfType<string>().Where(name => prefixes.Any(name.StartsWith) && name != NotWholeBytes);
        foreach (var name in names) data.Add(name);
        if (data.Count == 0) data.Add("(no data)");
        return data;
    }

    [ToolTheory("dcmdjpeg", "dcmdrle", "dcmdjpls", "opj_decompress", Data = "dicom-zoo")]
    [MemberData(nameof(Files))]
    public async Task Decode_RealFile_EqualsIndependentDecoder(string name)
    {
        using var folder = new TempFolder();
        var start = new ProcessStartInfo(Python, [Path.Combine(AppContext.BaseDirectory, "oracle.py"), TestData.GetPath("dicom-zoo/" + name), folder.Path])
        { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors);

        var description = JsonSerializer.Deserialize<Description>(await File.ReadAllTextAsync(Path.Combine(folder.Path, "description.json")))!;
        var frame = new FrameDescription(description.Rows, description.Columns, description.SamplesPerPixel, description.BitsAllocated, description.BitsStored,
            description.IsSigned, false, Parse(description.Photometric));
        for (var i = 0; i < description.Frames; i++)
        {
            var encoded = await File.ReadAllBytesAsync(Path.Combine(folder.Path, $"{i}.encoded"));
            var expected = await File.ReadAllBytesAsync(Path.Combine(folder.Path, $"{i}.pixels"));
            var pixels = new ArrayBufferWriter<byte>();
            var produced = FrameDecoders.For(description.Syntax)!.Decode(new ReadOnlySequence<byte>(encoded), frame, pixels, new DecodeOptions(), CancellationToken.None);
            SampleBits.Normalize(expected, produced);
            var difference = Largest(expected, pixels.WrittenSpan, produced);
            Assert.True(difference <= (description.Syntax is Jpeg2000Lossy or Htj2kLossy ? 1 : 0), $"frame {i} of {description.Frames}: largest difference {difference}; {description.Photometric} -> {description.DecodedPhotometric}");
        }
    }

    internal static Photometric Parse(string text) => text switch
    {
        "MONOCHROME1" => Photometric.Monochrome1,
        "MONOCHROME2" => Photometric.Monochrome2,
        "PALETTE COLOR" => Photometric.PaletteColor,
        "RGB" => Photometric.Rgb,
        "YBR_FULL" => Photometric.YbrFull,
        "YBR_FULL_422" => Photometric.YbrFull422,
        "YBR_RCT" => Photometric.YbrRct,
        "YBR_ICT" => Photometric.YbrIct,
        _ => throw new ArgumentException(text),
    };

    private static int Largest(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, in FrameDescription frame)
    {
        Assert.Equal(expected.Length, actual.Length);
        var largest = 0;
        if (frame.BytesPerSample == 2)
        {
            var a = MemoryMarshal.Cast<byte, ushort>(expected);
            var b = MemoryMarshal.Cast<byte, ushort>(actual);
            for (var i = 0; i < a.Length; i++) largest = Math.Max(largest, Math.Abs(a[i] - b[i]));
            return largest;
        }
        for (var i = 0; i < expected.Length; i++) largest = Math.Max(largest, Math.Abs(expected[i] - actual[i]));
        return largest;
    }

    private sealed record Description(string Syntax, int Frames, int Rows, int Columns, int SamplesPerPixel, int BitsAllocated, int BitsStored, bool IsSigned, string Photometric, string DecodedPhotometric);
}
