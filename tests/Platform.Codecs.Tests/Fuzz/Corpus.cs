using System.Buffers;
using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Platform.Codecs.Deflated;
using Platform.Codecs.Gif;
using Platform.Codecs.Htj2k;
using Platform.Codecs.Jpeg;
using Platform.Codecs.Jpeg2000;
using Platform.Codecs.JpegLossless;
using Platform.Codecs.JpegLs;
using Platform.Codecs.Png;
using Platform.Codecs.Rle;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests.Fuzz;

/// <summary>Decodes a stream; the bytes that it should have written.</summary>
internal delegate long Decode(byte[] stream, FrameDescription frame, IBufferWriter<byte> pixels, DecodeOptions options, CancellationToken cancellationToken);

/// <summary>A good stream to break.</summary>
internal sealed record Sample(string Name, FrameDescription Frame, byte[] Stream, Decode Decode);

/// <summary>Small good streams of every format, in the ways that it can be written: by our encoders and by others'.</summary>
internal static class Corpus
{
    private static readonly FrameDescription Grey = new(29, 37, 1, 16, 12, false, false, Photometric.Monochrome2);
    private static readonly FrameDescription Colour = new(29, 37, 3, 8, 8, false, false, Photometric.Rgb);

    public static async Task<List<Sample>> MakeAsync()
    {
        var samples = new List<Sample>();
        var (grey, colour) = (Pixels(Grey), Pixels(Colour));
        Add("rle", Grey, Encode(new RleFrameEncoder(), Grey, grey), new RleFrameDecoder());
        Add("rle colour", Colour, Encode(new RleFrameEncoder(), Colour, colour), new RleFrameDecoder());
        Add("deflated", Grey, Deflate(grey), new DeflatedFrameDecoder());
        Add("jpeg-ls", Grey, Encode(new JpegLsFrameEncoder(), Grey, grey), new JpegLsFrameDecoder());
        Add("jpeg-ls colour", Colour, Encode(new JpegLsFrameEncoder(), Colour, colour), new JpegLsFrameDecoder());
        Add("htj2k", Grey, Encode(new Htj2kFrameEncoder(), Grey, grey), new Htj2kFrameDecoder());
        Add("htj2k colour", Colour, Encode(new Htj2kFrameEncoder(), Colour, colour), new Htj2kFrameDecoder());
        Add("htj2k tiles", Colour, await OpenJph.CompressAsync(colour, Colour, "-reversible", "true", "-prog_order", "PCRL", "-tile_size", "{16,16}", "-precincts", "{16,16}", "-block_size", "{8,8}"), new Htj2kFrameDecoder());
        Add("htj2k lossy", Grey, await OpenJph.CompressAsync(grey, Grey, "-qstep", "0.01", "-block_size", "{16,16}"), new Htj2kFrameDecoder());
        foreach (var options in new[] { "-n 4", "-n 4 -M 63 -b 16,16", "-n 4 -M 1 -r 10,1 -SOP -EPH", "-n 3 -I -r 4", "-t 16,16 -p CPRL -c [16,16] -n 3", "-n 4 -POC T0=0,0,1,2,3,LRCP/T0=2,0,1,4,3,RPCL" })
        {
            Add($"jpeg2000 {options}", Grey, await Jpeg2000Tests.EncodeAsync(Grey, grey, options), new Jpeg2000FrameDecoder());
        }
        Add("jpeg2000 colour", Colour, await Jpeg2000Tests.EncodeAsync(Colour, colour, "-n 4", ".jp2"), new Jpeg2000FrameDecoder());
        Add("jpeg lossless", JpegLosslessTests.Frame, await JpegLosslessTests.EncodeAsync(1), new JpegLosslessFrameDecoder());
        Add("jpeg lossless 6", JpegLosslessTests.Frame, await JpegLosslessTests.EncodeAsync(6), new JpegLosslessFrameDecoder());
        foreach (var options in new[] { "-baseline -sample 2x2", "-progressive", "-restart 1 -sample 2x1", "-optimize -sample 1x1,1x1,1x1 -rgb", "-grayscale -progressive -restart 2" })
        {
            var frame = options.Contains("gray") ? Colour with { SamplesPerPixel = 1, Photometric = Photometric.Monochrome2 } : Colour;
            Add($"jpeg {options}", frame, await CompressJpegAsync(colour, Colour, options), new JpegFrameDecoder());
        }
        foreach (var (frame, pixels) in new[] { (Grey with { BitsStored = 16 }, grey), (Colour, colour) })
        {
            samples.Add(new Sample($"png {frame.SamplesPerPixel}", frame, Encode(new PngFrameEncoder(), frame, pixels),
                static (stream, _, pixels, options, cancellationToken) => PngDecoder.Decode(new ReadOnlySequence<byte>(stream), pixels, options, cancellationToken).ByteLength));
        }
        samples.Add(new Sample("gif", Grey, WriteGif(Pixels(Grey with { BitsAllocated = 8, BitsStored = 8 }), Grey.Columns, Grey.Rows),
            static (stream, _, pixels, options, cancellationToken) => GifDecoder.Decode(new ReadOnlySequence<byte>(stream), pixels, options, cancellationToken).ByteLength));
        samples.Add(new Sample("htj2k ends", Grey, samples.First(s => s.Name == "htj2k").Stream, static (stream, _, _, _, _) =>
        {
            Assert.InRange(Htj2kStream.ReadResolutionEnds(new ReadOnlySequence<byte>(stream)).Length, 0, 33);
            return 0;
        }));
        return samples;

        void Add(string name, FrameDescription frame, byte[] stream, IFrameDecoder decoder) => samples.Add(new Sample(name, frame, stream,
            (bytes, frame, pixels, options, cancellationToken) => decoder.Decode(new ReadOnlySequence<byte>(bytes), frame, pixels, options, cancellationToken).ByteLength));
    }

    private static byte[] Pixels(FrameDescription frame) => JpegLsTests.Make(frame.Rows, frame.Columns, frame.SamplesPerPixel, frame.BitsAllocated, frame.BitsStored, false, "steps").Pixels;

    private static byte[] Encode(IFrameEncoder encoder, FrameDescription frame, byte[] pixels)
    {
        var stream = new ArrayBufferWriter<byte>();
        encoder.Encode(pixels, frame, stream, null, CancellationToken.None);
        return stream.WrittenSpan.ToArray();
    }

    private static byte[] Deflate(byte[] pixels)
    {
        using var stream = new MemoryStream();
        using (var deflate = new DeflateStream(stream, CompressionLevel.Optimal)) deflate.Write(pixels);
        return stream.ToArray();
    }

    // GIF89a with LZW's codes of 9 bits only: the dictionary is emptied before they would grow.
    private static byte[] WriteGif(byte[] indices, int columns, int rows)
    {
        List<byte> file = [.. "GIF89a"u8, (byte)columns, 0, (byte)rows, 0, 0xF7, 0, 0];
        for (var i = 0; i < 256; i++) file.AddRange([(byte)i, (byte)(255 - i), (byte)(i * 7)]);
        file.AddRange([0x21, 0xF9, 4, 1, 0, 0, 200, 0, 0x2C, 0, 0, 0, 0, (byte)columns, 0, (byte)rows, 0, 0, 8]);
        var (data, bits, count) = (new List<byte>(), 0u, 0);
        for (var i = 0; i < indices.Length; i++)
        {
            if (i % 200 == 0) Put(256);
            Put(indices[i]);
        }
        Put(257);
        Put(0);
        foreach (var block in data.Chunk(255)) file.AddRange([(byte)block.Length, .. block]);
        return [.. file, 0, 0x3B];

        void Put(int code)
        {
            bits |= (uint)code << count;
            for (count += 9; count >= 8; count -= 8, bits >>= 8) data.Add((byte)bits);
        }
    }

    /// <summary>Colour as libjpeg-turbo's cjpeg encodes it.</summary>
    internal static async Task<byte[]> CompressJpegAsync(byte[] colour, FrameDescription frame, string options)
    {
        using var folder = new TempFolder();
        var (source, target) = (folder.Combine("a.ppm"), folder.Combine("a.jpg"));
        await File.WriteAllBytesAsync(source, [.. Encoding.ASCII.GetBytes($"P6\n{frame.Columns} {frame.Rows}\n255\n"), .. colour]);
        using var process = Process.Start(new ProcessStartInfo("cjpeg", [.. options.Split(' '), "-outfile", target, source]) { RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors);
        return await File.ReadAllBytesAsync(target);
    }
}
