using System.Buffers;
using Platform.Codecs;
using Platform.Dicom;
using Platform.Dicom.Pixels;

namespace PerfTests.Codecs;

/// <summary>A grey frame of 16 bits allocated: its pixels as decoders give them.</summary>
internal sealed record CodecFrame(FrameDescription Description, byte[] Pixels)
{
    /// <summary>The first frames of the folder's native files of one component and 16 bits.</summary>
    public static async Task<List<CodecFrame>> ReadAsync(string folder, int most, CancellationToken cancellationToken)
    {
        var frames = new List<CodecFrame>();
        foreach (var path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            if (frames.Count == most) break;
            if (Path.GetFileName(path) == "MANIFEST.tsv") continue;
            using var file = DicomFile.Read(path);
            if (file.TransferSyntax.IsEncapsulated || !PixelDescription.TryRead(file.Dataset, out var p) || p is not { SamplesPerPixel: 1, BitsAllocated: 16 }) continue;
            using var source = DicomSource.Open(path);
            if (await FrameIndex.ReadAsync(source, file, cancellationToken) is not { } index) continue;
            var stored = new ArrayBufferWriter<byte>();
            await index.ReadFrameAsync(source, 0, stored, cancellationToken);
            var description = new FrameDescription(p.Rows, p.Columns, 1, 16, p.BitsStored, p.IsSigned, false, Photometric.Monochrome2);
            var pixels = new ArrayBufferWriter<byte>();
            FrameDecoders.For(FrameDecoders.NativeUid)!.Decode(new ReadOnlySequence<byte>(stored.WrittenMemory), description, pixels, new DecodeOptions(), cancellationToken);
            frames.Add(new CodecFrame(description, pixels.WrittenSpan.ToArray()));
        }
        return frames.Count > 0 ? frames : throw new InvalidDataException("The folder holds no grey native frame of 16 bits.");
    }
}
