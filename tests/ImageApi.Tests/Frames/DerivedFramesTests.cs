using System.Buffers;
using System.Diagnostics;
using System.Net;
using ImageApi.Tests.Preview;
using ImageApi.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Platform.Codecs;
using Platform.Codecs.Htj2k;
using Platform.Dicom;
using Platform.Tests.Shared;
using FrameDescription = Platform.Codecs.FrameDescription;

namespace ImageApi.Tests.Frames;

/// <summary>Frames in other forms than they are stored in: the pixels are the same, whoever asks, however often.</summary>
public sealed class DerivedFramesTests
{
    public const string Rpcl = "image/jphc;transfer-syntax=1.2.840.10008.1.2.4.202", Htj2k = "image/jphc;transfer-syntax=1.2.840.10008.1.2.4.201",
        JpegLs = "image/jls;transfer-syntax=1.2.840.10008.1.2.4.80", Raw = "application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1";

    [Theory]
    [InlineData(Rpcl)]
    [InlineData(Htj2k)]
    [InlineData(JpegLs)]
    [InlineData(Raw)]
    public async Task GetFrames_AnyForm_DecodesToTheStoredPixels(string accept)
    {
        var builders = Images().ToArray();
        await using var host = await ImageApiHost.StartAsync(folder => Save(folder, builders));
        foreach (var builder in builders)
        {
            using var response = await host.SendAsync($"{SyntheticStudies.UrlOf(builder)}/frames/1", ("Accept", accept));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(accept, response.Header("Content-Type"));
            Assert.Equal("bytes", response.Header("Accept-Ranges"));
            var bytes = await response.Content.ReadAsByteArrayAsync();
            Assert.Equal(bytes.Length, response.Content.Headers.ContentLength);
            if (accept == Raw && !builder.TransferSyntax.IsEncapsulated) Assert.Equal(builder.NativeFrame(0), bytes);
            else Assert.Equal(Expected(builder), Decode(accept[(accept.LastIndexOf('=') + 1)..], bytes, builder));
        }
    }

    [Fact]
    public async Task GetFrames_RangesOfADerivedFrame_JoinToTheWhole()
    {
        var image = Image(1, 16, 12, isSigned: false, 1, "MONOCHROME2");
        await using var host = await ImageApiHost.StartAsync(folder => Save(folder, image));
        var path = $"{SyntheticStudies.UrlOf(image)}/frames/1";
        using var whole = await host.SendAsync(path, ("Accept", Rpcl));
        var bytes = await whole.Content.ReadAsByteArrayAsync();
        var tag = whole.Header("ETag")!;
        var joined = new List<byte>();
        foreach (var (first, last) in new[] { (0, 99), (100, 1023), (1024, bytes.Length + 1000) })
        {
            using var part = await host.SendAsync(path, ("Accept", Rpcl), ("Range", $"bytes={first}-{last}"), ("If-Range", tag));
            Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
            Assert.Equal($"bytes {first}-{Math.Min(last, bytes.Length - 1)}/{bytes.Length}", part.Header("Content-Range"));
            joined.AddRange(await part.Content.ReadAsByteArrayAsync());
        }
        Assert.Equal(bytes, joined);
        using var beyond = await host.SendAsync(path, ("Accept", Rpcl), ("Range", $"bytes={bytes.Length}-"));
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
        using var other = await host.SendAsync(path, ("Accept", Rpcl), ("Range", "bytes=5-"), ("If-Range", "\"other\""));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        using var stored = await host.SendAsync(path, ("Accept", Raw));
        Assert.NotEqual(tag, stored.Header("ETag"));
    }

    [Fact]
    public async Task GetFrames_SeveralAsMultipart_HasQuotedTransferSyntaxes()
    {
        var image = new DicomBuilder { Frames = 3, Rows = 64, Columns = 64, Pixel = (frame, row, column) => (uint)((frame * 977 + row * 31 + column) & 0xFFF) };
        await using var host = await ImageApiHost.StartAsync(folder => Save(folder, image));
        using var response = await host.SendAsync($"{SyntheticStudies.UrlOf(image)}/frames/3,1", ("Accept", "multipart/related; type=\"image/jphc\"; transfer-syntax=1.2.840.10008.1.2.4.202"));
        var parts = await MultipartParts.ReadAsync(response);
        Assert.Equal(2, parts.Count);
        Assert.All(parts, part => Assert.Equal("image/jphc;transfer-syntax=\"1.2.840.10008.1.2.4.202\"", part.Headers["Content-Type"]));
        Assert.Equal(image.NativeFrame(2), Decode("1.2.840.10008.1.2.4.202", parts[0].Body, image));
        Assert.Equal(image.NativeFrame(0), Decode("1.2.840.10008.1.2.4.202", parts[1].Body, image));
    }

    /// <summary>Other people's decoders read what the API gives.</summary>
    [ToolTheory("ojph_expand", "opj_decompress")]
    [InlineData(8, 8)]
    [InlineData(16, 12)]
    [InlineData(16, 16)]
    public async Task GetFrames_AsHtj2k_IsReadByOthers(int allocated, int stored)
    {
        var image = Image(1, allocated, stored, isSigned: false, 1, "MONOCHROME2");
        await using var host = await ImageApiHost.StartAsync(folder => Save(folder, image));
        using var response = await host.SendAsync($"{SyntheticStudies.UrlOf(image)}/frames/1", ("Accept", Rpcl));
        var stream = host.Folder.Combine("frame.j2c");
        await File.WriteAllBytesAsync(stream, await response.Content.ReadAsByteArrayAsync());
        foreach (var tool in new[] { "ojph_expand", "opj_decompress" })
        {
            var target = host.Folder.Combine(tool + ".pgm");
            using var process = Process.Start(new ProcessStartInfo(ToolPath.Find(tool)!, ["-i", stream, "-o", target]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var errors = await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, $"{tool}: {errors}");
            Assert.Equal(image.NativeFrame(0), ReadPgm(await File.ReadAllBytesAsync(target), allocated / 8, image));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GetFrames_EncoderThatLies_IsNeverServedNorKept(bool stammers)
    {
        var image = Image(1, 16, 12, isSigned: false, 1, "MONOCHROME2");
        var encoder = new TestEncoder { Lies = !stammers, Stammers = stammers };
        using var folder = Folder(image);
        await using var host = await ImageApiHost.StartAgainAsync(folder, encoder.Replace);
        var path = $"{SyntheticStudies.UrlOf(image)}/frames/1";
        using (var refused = await host.SendAsync(path, ("Accept", Rpcl)))
            await ProblemAnswer.AssertAsync(refused, HttpStatusCode.NotAcceptable, "urn:platform:problem:not-acceptable");
        using (var stored = await host.SendAsync(path, ("Accept", Rpcl + ", application/octet-stream;q=0.5")))
        {
            Assert.Equal("application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1", stored.Header("Content-Type"));
            Assert.Equal(image.NativeFrame(0), await stored.Content.ReadAsByteArrayAsync());
        }
        using (var jls = await host.SendAsync(path, ("Accept", JpegLs)))
            Assert.Equal(HttpStatusCode.OK, jls.StatusCode);
        using (var preview = await host.SendAsync($"/api/series/{image.SeriesUid}/preview"))
            Assert.Equal(0, Assert.Single(await PreviewStream.ReadAllAsync(preview)).Kind);
        Assert.Equal(3, encoder.Calls);   // nothing was kept, so each made it again
        encoder.Lies = encoder.Stammers = false;
        using var good = await host.SendAsync(path, ("Accept", Rpcl));
        Assert.Equal(image.NativeFrame(0), Decode("1.2.840.10008.1.2.4.202", await good.Content.ReadAsByteArrayAsync(), image));
    }

    [Fact]
    public async Task GetFrames_ManyAskAndSomeLeave_IsEncodedOnceForThoseWhoStay()
    {
        var image = Image(1, 16, 12, isSigned: false, 1, "MONOCHROME2");
        var encoder = new TestEncoder();
        encoder.Gate.Reset();
        using var folder = Folder(image);
        await using var host = await ImageApiHost.StartAgainAsync(folder, encoder.Replace);
        var path = $"{SyntheticStudies.UrlOf(image)}/frames/1";
        using var leaving = new CancellationTokenSource();
        var stayers = Enumerable.Range(0, 8).Select(_ => host.SendAsync(path, ("Accept", Rpcl))).ToArray();
        var leavers = Enumerable.Range(0, 4).Select(_ => AskAsync(host, path, leaving.Token)).ToArray();
        await UntilAsync(() => encoder.Calls == 1);
        await leaving.CancelAsync();
        await Task.WhenAll(leavers);
        encoder.Gate.Set();
        foreach (var response in await Task.WhenAll(stayers))
        {
            Assert.Equal(image.NativeFrame(0), Decode("1.2.840.10008.1.2.4.202", await response.Content.ReadAsByteArrayAsync(), image));
            response.Dispose();
        }
        Assert.Equal(1, encoder.Calls);
        Assert.Equal(0, encoder.Cancelled);
    }

    [Fact]
    public async Task GetFrames_TheOnlyOneWhoAskedLeaves_StopsTheWork()
    {
        var image = Image(1, 16, 12, isSigned: false, 1, "MONOCHROME2");
        var encoder = new TestEncoder();
        encoder.Gate.Reset();
        using var folder = Folder(image);
        await using var host = await ImageApiHost.StartAgainAsync(folder, encoder.Replace);
        using var leaving = new CancellationTokenSource();
        var asking = AskAsync(host, $"{SyntheticStudies.UrlOf(image)}/frames/1", leaving.Token);
        await UntilAsync(() => encoder.Calls == 1);
        await leaving.CancelAsync();
        await asking;
        await UntilAsync(() => encoder.Cancelled == 1);
        encoder.Gate.Set();
        using var again = await host.SendAsync($"{SyntheticStudies.UrlOf(image)}/frames/1", ("Accept", Rpcl));
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task GetFrames_AfterARestart_EncodesNothingAgain()
    {
        DicomBuilder[] slices = [.. Enumerable.Range(1, 5).Select(number => Image(number, 16, 12, isSigned: false, 1, "MONOCHROME2"))];
        using var folder = Folder(slices);
        var preview = $"/api/series/{slices[0].SeriesUid}/preview";
        var before = new TestEncoder();
        byte[] first;
        await using (var host = await ImageApiHost.StartAgainAsync(folder, before.Replace))
        {
            using var response = await host.SendAsync(preview);
            first = await response.Content.ReadAsByteArrayAsync();
            await host.Services.GetRequiredService<Platform.TieredCache.TieredCache>().FlushAsync(CancellationToken.None);
        }
        Assert.Equal(slices.Length, before.Calls);

        var after = new TestEncoder();
        await using var again = await ImageApiHost.StartAgainAsync(folder, after.Replace);
        using var second = await again.SendAsync(preview);
        Assert.Equal(first, await second.Content.ReadAsByteArrayAsync());
        foreach (var slice in slices)
        {
            using var frame = await again.SendAsync($"{SyntheticStudies.UrlOf(slice)}/frames/1", ("Accept", Rpcl));
            Assert.Equal("platform; hit; detail=disk", frame.Header("Cache-Status"));
            Assert.NotNull(frame.Header("Platform-Pixel-Digest"));
        }
        Assert.Equal(0, after.Calls);
    }

    [Fact]
    public async Task GetFrames_LargerThanTheBound_IsAProblemInOtherFormsOnly()
    {
        var image = Image(1, 16, 12, isSigned: false, 1, "MONOCHROME2", rows: 200, columns: 200);
        await using var host = await ImageApiHost.StartAsync(folder => Save(folder, image), ("ImageApi:Frames:MaxFrameBytes", "65536"));
        var path = $"{SyntheticStudies.UrlOf(image)}/frames/1";
        using var derived = await host.SendAsync(path, ("Accept", Rpcl));
        await ProblemAnswer.AssertAsync(derived, HttpStatusCode.UnprocessableEntity);
        using var stored = await host.SendAsync(path, ("Accept", Raw));
        Assert.Equal(image.NativeFrame(0), await stored.Content.ReadAsByteArrayAsync());
        using var head = await host.SendAsync(HttpMethod.Head, path, ("Accept", Raw));
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Null(head.Header("Platform-Pixel-Digest"));
    }

    [Fact]
    public async Task GetFrames_SamplesBeyondTheBitsStored_AreNotDroppedInSilence()
    {
        // RLE of 16 bits, a data set that tells of 12: cleared as PS3.5 8.1.1 has it. HTJ2K of 16 bits that says 12: a contradiction.
        var honest = Image(1, 16, 16, isSigned: false, 1, "MONOCHROME2");
        var stream = new ArrayBufferWriter<byte>();
        new Htj2kFrameEncoder().Encode(honest.NativeFrame(0), Describe(honest), stream, null, CancellationToken.None);
        var lying = Image(1, 16, 12, isSigned: false, 1, "MONOCHROME2", DicomTransferSyntax.FromUid("1.2.840.10008.1.2.4.201"), compressed: _ => stream.WrittenSpan.ToArray());
        await using var host = await ImageApiHost.StartAsync(folder => Save(folder, lying));
        var path = $"{SyntheticStudies.UrlOf(lying)}/frames/1";
        using var derived = await host.SendAsync(path, ("Accept", Rpcl));
        await ProblemAnswer.AssertAsync(derived, HttpStatusCode.UnprocessableEntity, "urn:platform:problem:broken-frame");
        using var stored = await host.SendAsync(path, ("Accept", Htj2k));
        Assert.Equal(stream.WrittenSpan.ToArray(), (await stored.Content.ReadAsByteArrayAsync())[..stream.WrittenCount]);
    }

    internal static IEnumerable<DicomBuilder> Images()
    {
        yield return Image(1, 16, 12, isSigned: false, 1, "MONOCHROME2");
        yield return Image(2, 16, 16, isSigned: true, 1, "MONOCHROME2");
        yield return Image(3, 8, 8, isSigned: false, 1, "MONOCHROME1");
        yield return Image(4, 8, 8, isSigned: false, 3, "RGB");
        yield return Image(5, 16, 12, isSigned: true, 1, "MONOCHROME2");
        yield return Image(6, 16, 16, isSigned: false, 1, "MONOCHROME2", DicomTransferSyntax.RleLossless);
    }

    internal static DicomBuilder Image(int number, int allocated, int stored, bool isSigned, int samples, string photometric, DicomTransferSyntax? syntax = null,
        int rows = 96, int columns = 120, Func<int, byte[]>? compressed = null, int? instance = null) => new DicomBuilder
        {
            InstanceUid = $"2.25.1000.1.{instance ?? number}",
            InstanceNumber = instance ?? number,
            Rows = rows,
            Columns = columns,
            CompressedFrame = compressed,
            BitsAllocated = allocated,
            SamplesPerPixel = samples,
            TransferSyntax = syntax ?? DicomTransferSyntax.ExplicitVrLittleEndian,
            Pixel = (_, row, column) => (uint)((row * 631 + column * number + ((row * 7919 + column * 104729) % 61)) & ((1 << stored) - 1 - (isSigned ? 0 : 40))),
        }.With(DicomTags.BitsStored, stored).With(DicomTags.HighBit, stored - 1).With(DicomTags.PixelRepresentation, isSigned ? 1 : 0).With(DicomTags.PhotometricInterpretation, photometric);

    private static TempFolder Folder(params DicomBuilder[] builders)
    {
        var folder = new TempFolder();
        Save(folder.Combine("data", "x")[..^2], builders);
        return folder;
    }

    private static async Task AskAsync(ImageApiHost host, string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", Rpcl);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.Client.SendAsync(request, cancellationToken));
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        for (var waited = 0; !isSo(); waited++)
        {
            Assert.True(waited < 1000, "It was not so within 20 s.");
            await Task.Delay(20);
        }
    }

    private static byte[] ReadPgm(byte[] file, int bytesPerSample, DicomBuilder image)
    {
        var pixels = file[^(image.Rows * image.Columns * bytesPerSample)..];
        if (bytesPerSample == 2)
            for (var i = 0; i < pixels.Length; i += 2) (pixels[i], pixels[i + 1]) = (pixels[i + 1], pixels[i]);
        return pixels;
    }

    internal static void Save(string folder, params DicomBuilder[] builders)
    {
        foreach (var builder in builders) builder.Save(Path.Combine(folder, $"{builder.InstanceUid}.dcm"));
    }

    internal static FrameDescription Describe(DicomBuilder builder)
    {
        var dataset = builder.ToDataset();
        return Platform.Imaging.FramePresentation.Read(dataset, 0).Frame;
    }

    /// <summary>The pixels as decoders give them.</summary>
    internal static byte[] Expected(DicomBuilder builder)
    {
        var pixels = new ArrayBufferWriter<byte>();
        FrameDecoders.For(FrameDecoders.NativeUid)!.Decode(new ReadOnlySequence<byte>(builder.NativeFrame(0)), Describe(builder), pixels, new DecodeOptions(), CancellationToken.None);
        return pixels.WrittenSpan.ToArray();
    }

    internal static byte[] Decode(string syntax, byte[] encoded, DicomBuilder builder)
    {
        var pixels = new ArrayBufferWriter<byte>();
        FrameDecoders.For(syntax)!.Decode(new ReadOnlySequence<byte>(encoded), Describe(builder), pixels, new DecodeOptions(), CancellationToken.None);
        return pixels.WrittenSpan.ToArray();
    }
}
