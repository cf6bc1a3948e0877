using System.Buffers;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Platform.Dicom.Pixels;
using Platform.Tests.Shared;

namespace Platform.Dicom.Tests.Pixels;

public sealed class RealFrameTests
{
    [ToolTheory("pydicom", Data = "dicom-zoo")]
    [InlineData("dicom-zoo")]
    [InlineData("wsi-pyramid")]
    [InlineData("pet-with-seg")]
    public async Task ReadFrameAsync_RealFiles_EqualPydicom(string folder)
    {
        var start = new ProcessStartInfo(ToolPath.Find("pydicom")!) { RedirectStandardOutput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Oracles", "pydicom_frames.py"));
        foreach (var path in TestData.GetFiles(folder)) start.ArgumentList.Add(path);
        using var process = Process.Start(start)!;
        var files = 0;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var document = JsonDocument.Parse(line).RootElement;
            var path = document.GetProperty("file").GetString()!;
            string[] expected = [.. document.GetProperty("frames").EnumerateArray().Select(frame => frame.GetString()!)];
            var actual = await FramesAsync(path);
            Assert.Equal([path, .. expected], [path, .. actual]);
            files++;
        }
        await process.WaitForExitAsync();
        Assert.Equal(TestData.GetFiles(folder).Count, files);
    }

    private static async Task<string[]> FramesAsync(string path)
    {
        using var header = DicomFile.Read(path);
        using var whole = header.TransferSyntax.IsDeflated ? DicomFile.Read(path, new DicomReadOptions { StopBeforePixels = false }) : null;
        using var source = whole is null ? DicomSource.Open(path) : DicomSource.FromFile(whole);
        var index = await FrameIndex.ReadAsync(source, whole ?? header);
        var digests = new string[index?.FrameCount ?? 0];
        var pixels = new ArrayBufferWriter<byte>();
        for (var frame = 0; frame < digests.Length; frame++)
        {
            pixels.Clear();
            await index!.ReadFrameAsync(source, frame, pixels);
            digests[frame] = Convert.ToHexStringLower(SHA1.HashData(pixels.WrittenSpan));
        }
        return digests;
    }
}
