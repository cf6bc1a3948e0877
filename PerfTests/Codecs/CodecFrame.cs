using System.Buffers;
using System.Runtime.InteropServices;
using Platform.Codecs;
using Platform.Dicom;
using Platform.Dicom.Pixels;

namespace PerfTests.Codecs;

/// <summary>A frame: its pixels as decoders give them.</summary>
internal sealed record CodecFrame(FrameDescription Description, byte[] Pixels)
{
    /// <summary>The first frames of the folder's native files of one component and 16 bits.</summary>
    public static Task<List<CodecFrame>> ReadGreyAsync(string folder, int most, CancellationToken cancellationToken) =>
        ReadAsync(folder, most, 1, (file, p) => !file.TransferSyntax.IsEncapsulated && p is { SamplesPerPixel: 1, BitsAllocated: 16 }, cancellationToken);

    /// <summary>The first frames of each of the folder's files of colour with 8 bits that we decode.</summary>
    public static Task<List<CodecFrame>> ReadColourAsync(string folder, int most, CancellationToken cancellationToken) =>
        ReadAsync(folder, most, most, (file, p) => p is { SamplesPerPixel: 3, BitsAllocated: 8 } && DecoderOf(file) is not null, cancellationToken);

    private static async Task<List<CodecFrame>> ReadAsync(string folder, int most, int perFile, Func<DicomFile, PixelDescription, bool> isWanted, CancellationToken cancellationToken)
    {
        var frames = new List<CodecFrame>();
        foreach (var path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            if (Path.GetFileName(path) == "MANIFEST.tsv") continue;
            using var file = DicomFile.Read(path);
            if (!PixelDescription.TryRead(file.Dataset, out var p) || !isWanted(file, p)) continue;
            using var source = DicomSource.Open(path);
            if (await FrameIndex.ReadAsync(source, file, cancellationToken) is not { } index) continue;
            var photometric = p.SamplesPerPixel == 1 ? Photometric.Monochrome2 : p.Photometric == "RGB" ? Photometric.Rgb : Photometric.YbrFull422;
            var description = new FrameDescription(p.Rows, p.Columns, p.SamplesPerPixel, p.BitsAllocated, p.BitsStored, p.IsSigned, p.IsPlanar, photometric);
            for (var i = 0; i < Math.Min(perFile, index.FrameCount) && frames.Count < most; i++)
            {
                var stored = new ArrayBufferWriter<byte>();
                await index.ReadFrameAsync(source, i, stored, cancellationToken);
                var pixels = new ArrayBufferWriter<byte>();
                var produced = DecoderOf(file)!.Decode(new ReadOnlySequence<byte>(stored.WrittenMemory), description, pixels, new DecodeOptions(), cancellationToken);
                frames.Add(new CodecFrame(produced, pixels.WrittenSpan.ToArray()));
            }
            if (frames.Count == most) break;
        }
        return frames.Count > 0 ? frames : throw new InvalidDataException($"The folder {Path.GetFileName(folder)} holds no such frame.");
    }

    private static IFrameDecoder? DecoderOf(DicomFile file) => FrameDecoders.For(file.TransferSyntax.IsEncapsulated ? file.TransferSyntax.Uid : FrameDecoders.NativeUid);

    /// <summary>The frame in 8 bits, from its smallest to its largest value.</summary>
    public CodecFrame ToEightBits()
    {
        var samples = MemoryMarshal.Cast<byte, ushort>(Pixels);
        var values = new int[samples.Length];
        for (var i = 0; i < values.Length; i++) values[i] = Description.IsSigned ? (short)samples[i] : samples[i];
        int least = values.Min(), range = Math.Max(1, values.Max() - least);
        return new CodecFrame(Description with { BitsAllocated = 8, BitsStored = 8, IsSigned = false }, [.. values.Select(v => (byte)((v - least) * 255L / range))]);
    }
}
