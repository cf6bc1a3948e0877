using System.Buffers;
using System.Diagnostics;
using Platform.Dicom;
using Platform.Dicom.Pixels;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>
/// Native pixels of real files as pydicom sees them: both byte orders, colour by plane and by pixel, YBR_FULL_422,
/// palettes, samples of one bit that run on from frame to frame, samples with something in their high bits.
/// </summary>
public sealed class NativeTests
{
    private static readonly string[] Prefixes = ["exple__", "expbe__", "implle__"];

    [ToolFact("/usr/lib/python3/dist-packages/pydicom/__init__.py", Data = "dicom-zoo")]
    public async Task Decode_RealFiles_EqualPydicom()
    {
        var files = TestData.GetFiles("dicom-zoo").Where(path => Prefixes.Any(Path.GetFileName(path)!.StartsWith)).ToList();
        using var folder = new TempFolder();
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "native.py"), folder.Path, .. files]) { RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors);

        var compared = 0;
        for (var i = 0; i < files.Count; i++)
        {
            if (!File.Exists(folder.Combine($"{i}.pixels"))) continue;
            using var file = DicomFile.Read(files[i]);
            if (!PixelDescription.TryRead(file.Dataset, out var p) || p.SamplesPerPixel is not (1 or 3)) continue;
            var frame = new FrameDescription(p.Rows, p.Columns, p.SamplesPerPixel, p.BitsAllocated, p.BitsStored, p.IsSigned, p.IsPlanar, OracleTests.Parse(p.Photometric));
            using var source = DicomSource.Open(files[i]);
            var index = await FrameIndex.ReadAsync(source, file);
            var expected = await File.ReadAllBytesAsync(folder.Combine($"{i}.pixels"));
            var length = expected.Length / p.FrameCount;
            for (var n = 0; n < p.FrameCount; n++)
            {
                var (stored, pixels) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
                await index!.ReadFrameAsync(source, n, stored);
                var produced = FrameDecoders.For(FrameDecoders.NativeUid)!.Decode(new ReadOnlySequence<byte>(stored.WrittenMemory), frame, pixels, new DecodeOptions(), CancellationToken.None);
                Assert.False(produced.IsPlanar);
                var theirs = expected.AsSpan(n * length, length).ToArray();
                var ours = frame.BitsAllocated == 1 ? Unpack(pixels.WrittenSpan, length) : pixels.WrittenSpan.ToArray();
                if (frame.BitsAllocated > 1) SampleBits.Normalize(theirs, produced);
                Assert.True(ours.AsSpan().SequenceEqual(theirs), $"{Path.GetFileName(files[i])}, frame {n}");
            }
            compared++;
        }
        Assert.InRange(compared, 30, files.Count);
    }

    private static byte[] Unpack(ReadOnlySpan<byte> packed, int count)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++) bytes[i] = (byte)(packed[i >> 3] >> (i & 7) & 1);
        return bytes;
    }
}
