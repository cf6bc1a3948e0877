using System.Buffers;
using System.CommandLine;
using System.Diagnostics;
using Platform.Codecs;
using Platform.Codecs.Jpeg;
using Platform.Codecs.WebP;
using Platform.Imaging;

namespace PerfTests.Pictures;

/// <summary><c>pictures</c>: how many bytes WebP saves against JPEG that looks as good (<see cref="Ssim"/>), over a folder of photos.</summary>
internal static class PicturesCommand
{
    private const long MaxPixels = 100_000_000;
    private const int SmallestSide = 100;

    public static Command Create()
    {
        var folder = new Option<DirectoryInfo>("--folder") { Required = true, Description = "A folder of JPEG, PNG and GIF files; those below 100 pixels are left out." };
        var quality = new Option<int>("--quality") { Description = "WebP's quality.", DefaultValueFactory = _ => 85 };
        var effort = new Option<int>("--effort") { Description = "WebP's effort, 0 to 6.", DefaultValueFactory = _ => 4 };
        var cjpeg = new Option<string?>("--cjpeg") { Description = "A program such as cjpeg, to compare with its JPEG (optimised Huffman codes, 4:2:0) beside ours." };
        var command = new Command("pictures", "Bytes of WebP against JPEG of equal SSIM; needs dwebp.") { folder, quality, effort, cjpeg };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var options = new WebpOptions { Quality = parse.GetValue(quality), Effort = parse.GetValue(effort) };
            Console.WriteLine($"WebP q{options.Quality} effort {options.Effort}; the least JPEG whose SSIM is not lower");
            Console.WriteLine();
            Console.WriteLine("| picture | pixels | WebP | SSIM | our JPEG | WebP saves | its JPEG | WebP saves |");
            Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
            long webpTotal = 0, oursTotal = 0, theirsTotal = 0;
            foreach (var file in parse.GetValue(folder)!.EnumerateFiles().OrderBy(static file => file.Name, StringComparer.Ordinal))
            {
                var bytes = await File.ReadAllBytesAsync(file.FullName, cancellationToken);
                if (PictureFile.KindOf(bytes) is null) continue;
                using var picture = PictureFile.Decode(bytes, MaxPixels, cancellationToken);
                if (Math.Min(picture.Width, picture.Height) < SmallestSide) continue;
                var pixels = ToRgb(picture);
                var (webp, ssim) = await EncodeWebpAsync(picture, pixels, options, cancellationToken);
                var (ours, oursQuality) = Least(quality => EncodeJpeg(picture, quality), pixels, picture, ssim);
                var theirs = parse.GetValue(cjpeg) is { } program ? Least(quality => EncodeBy(program, pixels, picture, quality), pixels, picture, ssim) : default;
                (webpTotal, oursTotal, theirsTotal) = (webpTotal + webp.Length, oursTotal + ours, theirsTotal + theirs.Bytes);
                Console.WriteLine($"| {file.Name} | {picture.Width} x {picture.Height} | {webp.Length} | {ssim:F4} | {ours} (q{oursQuality}) | {Saved(webp.Length, ours)} | {(theirs.Bytes > 0 ? $"{theirs.Bytes} (q{theirs.Quality})" : "")} | {Saved(webp.Length, theirs.Bytes)} |");
            }
            Console.WriteLine($"| all | | {webpTotal} | | {oursTotal} | {Saved(webpTotal, oursTotal)} | {(theirsTotal > 0 ? theirsTotal : "")} | {Saved(webpTotal, theirsTotal)} |");
            return 0;
        });
        return command;
    }

    private static string Saved(long webp, long other) => other > 0 ? $"{100.0 * (other - webp) / other:F0} %" : "";

    private static async Task<(byte[] File, double Ssim)> EncodeWebpAsync(Picture picture, byte[] pixels, WebpOptions options, CancellationToken cancellationToken)
    {
        var to = new ArrayBufferWriter<byte>();
        WebpEncoder.Encode(picture.Pixels, picture.Width, picture.Height, picture.Channels, options, to, cancellationToken);
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}");
        try
        {
            await File.WriteAllBytesAsync(path, to.WrittenMemory, cancellationToken);
            using var process = Process.Start("dwebp", ["-quiet", "-ppm", path, "-o", path + ".ppm"]);
            await process.WaitForExitAsync(cancellationToken);
            var decoded = (await File.ReadAllBytesAsync(path + ".ppm", cancellationToken))[^pixels.Length..];
            return (to.WrittenSpan.ToArray(), Ssim.Of(pixels, decoded, picture.Width, picture.Height));
        }
        finally
        {
            File.Delete(path);
            File.Delete(path + ".ppm");
        }
    }

    /// <summary>The lowest quality at which a JPEG looks as good. SSIM grows with quality but for noise, so halving finds it.</summary>
    private static (long Bytes, int Quality) Least(Func<int, byte[]> encode, byte[] pixels, Picture picture, double ssim)
    {
        var (low, high) = (1, 100);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Ssim.Of(pixels, DecodeJpeg(encode(middle)), picture.Width, picture.Height) >= ssim) high = middle;
            else low = middle + 1;
        }
        return (encode(low).Length, low);
    }

    private static byte[] EncodeJpeg(Picture picture, int quality)
    {
        var to = new ArrayBufferWriter<byte>();
        new JpegFrameEncoder().Encode(picture.Pixels, picture.Width, picture.Height, picture.Channels, quality, to, CancellationToken.None);
        return to.WrittenSpan.ToArray();
    }

    private static byte[] EncodeBy(string program, byte[] pixels, Picture picture, int quality)
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.ppm");
        try
        {
            using (var file = File.Create(path))
            {
                file.Write(System.Text.Encoding.ASCII.GetBytes($"P6\n{picture.Width} {picture.Height}\n255\n"));
                file.Write(pixels);
            }
            using var process = Process.Start(program, ["-optimize", "-quality", $"{quality}", "-outfile", path + ".jpg", path]);
            process.WaitForExit();
            return File.ReadAllBytes(path + ".jpg");
        }
        finally
        {
            File.Delete(path);
            File.Delete(path + ".jpg");
        }
    }

    private static byte[] DecodeJpeg(byte[] file)
    {
        var to = new ArrayBufferWriter<byte>();
        var info = JpegDecoder.Decode(new ReadOnlySequence<byte>(file), to, new DecodeOptions(), CancellationToken.None);
        return info.Channels == 3 ? to.WrittenSpan.ToArray() : [.. to.WrittenSpan.ToArray().SelectMany(static grey => new[] { grey, grey, grey })];
    }

    private static byte[] ToRgb(Picture picture) => picture.Channels == 3 ? picture.Pixels.ToArray() : [.. picture.Pixels.ToArray().SelectMany(static grey => new[] { grey, grey, grey })];
}
