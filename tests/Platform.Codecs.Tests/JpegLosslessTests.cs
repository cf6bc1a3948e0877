using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using Platform.Codecs.JpegLossless;
using Platform.Dicom;
using Platform.Dicom.Pixels;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>Synthetic images that DCMTK encodes, with every predictor.</summary>
public sealed class JpegLosslessTests
{
    internal static readonly FrameDescription Frame = new(40, 52, 1, 16, 16, false, false, Photometric.Monochrome2);

    [ToolTheory("dcmcjpeg")]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public async Task Decode_EveryPredictor_GivesThePixels(int predictor)
    {
        var encoded = await EncodeAsync(predictor);
        var decoded = new ArrayBufferWriter<byte>();
        new JpegLosslessFrameDecoder().Decode(new ReadOnlySequence<byte>(encoded), Frame, decoded, new DecodeOptions(), CancellationToken.None);
        for (var row = 0; row < Frame.Rows; row++)
        {
            for (var column = 0; column < Frame.Columns; column++)
            {
                Assert.Equal(Pixel(0, row, column) & 0xFFFF, BinaryPrimitives.ReadUInt16LittleEndian(decoded.WrittenSpan[(2 * (row * Frame.Columns + column))..]));
            }
        }
    }

    // Smooth in places, wild in others, and the full range of differences.
    private static uint Pixel(int frame, int row, int column) => row % 9 == 8 ? (uint)(column * 7919 % 65536) : (uint)(1000 + row * 13 + column * 5 + column % 3);

    internal static async Task<byte[]> EncodeAsync(int predictor)
    {
        using var folder = new TempFolder();
        var (native, compressed) = (folder.Combine("native.dcm"), folder.Combine("compressed.dcm"));
        new DicomBuilder { Rows = Frame.Rows, Columns = Frame.Columns, Pixel = Pixel }.With(DicomTags.BitsStored, 16).With(DicomTags.HighBit, 15).With(DicomTags.PixelRepresentation, 0).Save(native);
        using var process = Process.Start(new ProcessStartInfo("dcmcjpeg", ["+el", "+sv", $"{predictor}", native, compressed]) { RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors);
        using var file = DicomFile.Read(compressed);
        using var source = DicomSource.Open(compressed);
        var index = await FrameIndex.ReadAsync(source, file);
        var encoded = new ArrayBufferWriter<byte>();
        await index!.ReadFrameAsync(source, 0, encoded);
        return encoded.WrittenSpan.ToArray();
    }
}
