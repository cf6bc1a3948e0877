using System.Buffers;
using System.Net;
using ImageApi.Tests.Support;
using Platform.Codecs;
using Platform.Codecs.Png;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Rendered;

[Collection(StudiesCollection.Name)]
public sealed class RenderedApiTests(StudiesFixture studies)
{
    private readonly ImageApiHost _host = studies.Host;

    // The builder's window is 128/256, which leaves 0 to 255 as they are (PS3.3 C.11.2.1.2).
    private static byte Grey(int frame, int row, int column) => (byte)Math.Min(255, frame * 131 + row * 17 + column * 5);

    [Theory]
    [InlineData("native")]
    [InlineData("big")]
    [InlineData("deflated")]
    [InlineData("rle")]
    public async Task GetRendered_OneFrame_IsTheWindowedPixels(string form)
    {
        var builder = form switch { "native" => SyntheticStudies.Native, "big" => SyntheticStudies.BigEndian, "deflated" => SyntheticStudies.Deflated, _ => SyntheticStudies.Rle };
        var (info, pixels) = await PngAsync($"{SyntheticStudies.UrlOf(builder)}/frames/2/rendered");
        Assert.Equal(new PictureInfo(12, 16, 1, 8), info);
        for (var row = 0; row < 16; row++)
            for (var column = 0; column < 12; column++)
                Assert.Equal(Grey(1, row, column), pixels[row * 12 + column]);
    }

    [Fact]
    public async Task GetRendered_AnotherWindow_DecidesTheGreys()
    {
        var (_, pixels) = await PngAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(1))}/rendered?window=100,2,linear-exact");
        Assert.Equal([.. Enumerable.Range(0, 16 * 12).Select(i => Math.Clamp((i / 12 * 17 + i % 12 * 5 - 100) / 2.0 + 0.5, 0, 1) * 255 + 0.5).Select(v => (byte)v)], pixels);
    }

    [Fact]
    public async Task GetRendered_ViewportWithMirroredSource_ShowsThatPart()
    {
        var (info, pixels) = await PngAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(1))}/rendered?viewport=4,4,2,3,-4,4");
        Assert.Equal((4, 4), (info.Width, info.Height));
        for (var row = 0; row < 4; row++)
            for (var column = 0; column < 4; column++)
                Assert.Equal(Grey(0, 3 + row, 2 + 3 - column), pixels[row * 4 + column]);
    }

    // The absolute values of the corner count; numbers may have fractions, and each may be left out (PS3.18 8.3.5.1.3).
    [Theory]
    [InlineData("4,4,-2,-3,4,4", 2, 3, 4, 4, false, false)]
    [InlineData("4,4,1.6,3.2,4.1,3.9", 2, 3, 4, 4, false, false)]
    [InlineData("12,3,,13", 0, 13, 12, 3, false, false)]
    [InlineData("3,16,9", 9, 0, 3, 16, false, false)]
    [InlineData("12,16,,,,-16", 0, 0, 12, 16, false, true)]
    [InlineData("12,16,,,-100,", 0, 0, 12, 16, true, false)]
    public async Task GetRendered_ViewportForms_ShowTheRegion(string viewport, int left, int top, int width, int height, bool isFlippedAcross, bool isFlippedDown)
    {
        var (info, pixels) = await PngAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(1))}/rendered?viewport={viewport}");
        Assert.Equal((width, height), (info.Width, info.Height));
        for (var row = 0; row < height; row++)
            for (var column = 0; column < width; column++)
                Assert.Equal(Grey(0, top + (isFlippedDown ? height - 1 - row : row), left + (isFlippedAcross ? width - 1 - column : column)), pixels[row * width + column]);
    }

    [Theory]
    [InlineData("viewport=64,64,0,0,4,4")]
    [InlineData("annotation=patient")]
    public async Task GetThumbnail_WhatThumbnailsDoNotTake_IsAProblem(string query)
    {
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(1))}/thumbnail?{query}");
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadRequest, "urn:platform:problem:invalid-parameter");
    }

    [ToolTheory("dwebp")]
    [InlineData("rendered", "Accept: image/webp", "")]
    [InlineData("thumbnail", "Accept: image/avif,image/webp,image/apng,*/*;q=0.8", "")]
    [InlineData("rendered", "Accept: image/jpeg", "?accept=image/webp")]
    public async Task GetRendered_WebpAskedFor_IsWebp(string resource, string header, string query)
    {
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(4))}/{resource}{query}", ("Accept", header["Accept: ".Length..]));
        Assert.Equal("image/webp", response.Header("Content-Type"));
        Assert.Contains("Accept", response.Header("Vary"));
        var bytes = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal("RIFF"u8.ToArray(), bytes[..4]);
        Assert.Equal("WEBPVP8 "u8.ToArray(), bytes[8..16]);
        Assert.Equal((12, 16), (bytes[26] | (bytes[27] & 0x3F) << 8, bytes[28] | (bytes[29] & 0x3F) << 8));
    }

    [Fact]
    public async Task GetRendered_Annotated_IsWrittenIntoThePictureAndPrivate()
    {
        var path = $"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(2))}/rendered?viewport=300,400";
        var (info, plain) = await PngAsync(path);
        var (_, patient) = await PngAsync(path + "&annotation=patient");
        var (_, technique) = await PngAsync(path + "&annotation=technique");
        var (_, both) = await PngAsync(path + "&annotation=patient,technique");
        // The patient's lines are at the top, the others at the bottom; in between the picture is as it was.
        Assert.True(Changed(patient, 0, 60) > 300);
        Assert.Equal(0, Changed(patient, 60, 400));
        Assert.Equal(0, Changed(technique, 0, 340));
        Assert.True(Changed(technique, 340, 400) > 300);
        Assert.Equal(Changed(patient, 0, 400) + Changed(technique, 0, 400), Changed(both, 0, 400));

        using var response = await _host.SendAsync(path + "&annotation=patient", ("Accept", "image/png"));
        Assert.Equal("private, max-age=3600, must-revalidate", response.Header("Cache-Control"));
        Assert.Null(response.Header("CDN-Cache-Control"));
        using var unchanged = await _host.SendAsync(path + "&annotation=patient", ("Accept", "image/png"), ("If-None-Match", response.Header("ETag")!));
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        Assert.StartsWith("private", unchanged.Header("Cache-Control"));

        int Changed(byte[] pixels, int from, int to) => Enumerable.Range(from * info.Width, (to - from) * info.Width).Count(i => pixels[i] != plain[i]);
    }

    [Theory]
    [InlineData("annotation=")]
    [InlineData("annotation=name")]
    [InlineData("annotation=patient,")]
    public async Task GetRendered_AnnotationThatIsNone_IsAProblem(string query)
    {
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(1))}/rendered?{query}");
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadRequest, "urn:platform:problem:invalid-parameter");
    }

    [ToolTheory("/usr/lib/python3/dist-packages/PIL/__init__.py")]
    [InlineData("image/jpeg")]
    [InlineData("image/png")]
    [InlineData("image/webp")]
    public async Task GetRendered_ProfileAskedFor_CarriesOneThatOthersRead(string type)
    {
        using var folder = new TempFolder();
        foreach (var wish in new[] { "yes", "srgb", "no" })
        {
            using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(1))}/rendered?iccprofile={wish}", ("Accept", type));
            Assert.Equal(type, response.Header("Content-Type"));
            await File.WriteAllBytesAsync(folder.Combine("picture"), await response.Content.ReadAsByteArrayAsync());
            using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("/usr/bin/python3", ["-c",
                "import sys, io; from PIL import Image, ImageCms; i = Image.open(sys.argv[1]); i.load(); p = i.info.get('icc_profile'); print(i.size[0], i.size[1], ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(p))).strip() if p else 'none')",
                folder.Combine("picture")])
            { RedirectStandardOutput = true })!;
            Assert.Equal(wish == "no" ? "12 16 none" : "12 16 sRGB", (await process.StandardOutput.ReadToEndAsync()).Trim());
            await process.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task GetRendered_NoWindowStored_AllSlicesOfASeriesLookAlike()
    {
        const string study = "2.25.4000", series = "2.25.4000.1";
        DicomBuilder Slice(int number) => new DicomBuilder
        {
            StudyUid = study,
            SeriesUid = series,
            InstanceUid = $"{series}.{number}",
            InstanceNumber = number,
            Pixel = (_, row, column) => (uint)(number * 1000 + row * 17 + column * 5),
        }.With(dataset =>
        {
            dataset.Remove(DicomTags.WindowCenter);
            dataset.Remove(DicomTags.WindowWidth);
        });
        await using var host = await ImageApiHost.StartAsync(folder =>
        {
            for (var number = 1; number <= 3; number++) Slice(number).Save(Path.Combine(folder, $"{number}.dcm"));
        });

        // The middle slice decides: 2000 to 2310. So the first one is black, the last one white, whichever is asked for first.
        var first = await GreysAsync(1);
        var middle = await GreysAsync(2);
        var last = await GreysAsync(3);
        Assert.All(first, grey => Assert.Equal(0, grey));
        Assert.Equal((0, 255), (middle.Min(), middle.Max()));
        Assert.All(last, grey => Assert.Equal(255, grey));

        async Task<byte[]> GreysAsync(int number)
        {
            using var response = await host.SendAsync($"{SyntheticStudies.UrlOf(Slice(number))}/rendered", ("Accept", "image/png"));
            var pixels = new ArrayBufferWriter<byte>();
            PngDecoder.Decode(new ReadOnlySequence<byte>(await response.Content.ReadAsByteArrayAsync()), pixels, new DecodeOptions(), CancellationToken.None);
            return pixels.WrittenSpan.ToArray();
        }
    }

    [Fact]
    public async Task GetRendered_Viewport_KeepsTheShape()
    {
        var (info, _) = await PngAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(1))}/rendered?viewport=300,64");
        Assert.Equal((48, 64), (info.Width, info.Height));
    }

    [Fact]
    public async Task GetThumbnail_SmallFrame_IsNotEnlarged()
    {
        var (info, _) = await PngAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(1))}/thumbnail");
        Assert.Equal((12, 16), (info.Width, info.Height));
    }

    [Fact]
    public async Task GetThumbnail_OfASeries_IsItsMiddleSlice()
    {
        var series = await BytesAsync($"{SyntheticStudies.SeriesPath()}/thumbnail");
        var middle = await BytesAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(3))}/thumbnail");
        Assert.Equal(middle, series);
        Assert.Equal(series, await BytesAsync($"/dicomweb/studies/{SyntheticStudies.Study}/thumbnail"));
        Assert.Equal(await BytesAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Native)}/frames/4/thumbnail"), await BytesAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Native)}/thumbnail"));
    }

    [Fact]
    public async Task GetRendered_NoAccept_IsJpegKeptForAnHour()
    {
        var path = $"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(2))}/rendered";
        using var first = await _host.SendAsync(path);
        Assert.Equal("image/jpeg", first.Header("Content-Type"));
        Assert.Equal("public, max-age=3600, must-revalidate", first.Header("Cache-Control"));
        Assert.Equal(first.Content.Headers.ContentLength, (await first.Content.ReadAsByteArrayAsync()).Length);
        using var again = await _host.SendAsync(path);
        Assert.Equal("platform; hit; detail=memory", again.Header("Cache-Status"));
        using var unchanged = await _host.SendAsync(path, ("If-None-Match", first.Header("ETag")!));
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        using var other = await _host.SendAsync(path + "?quality=50");
        Assert.NotEqual(first.Header("ETag"), other.Header("ETag"));
        Assert.True(other.Content.Headers.ContentLength < first.Content.Headers.ContentLength);
        using var stale = await _host.SendAsync(path + "?v=0123456789abcdef");
        await ProblemAnswer.AssertAsync(stale, HttpStatusCode.NotFound, "urn:platform:problem:stale-version");
    }

    [Fact]
    public async Task GetRendered_Head_SaysTheLengthOnly()
    {
        var path = $"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(2))}/rendered?quality=80";
        using var head = await _host.SendAsync(HttpMethod.Head, path);
        Assert.Equal((await BytesAsync(path, "image/jpeg")).Length, head.Content.Headers.ContentLength);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("window=1")]
    [InlineData("window=1,0")]
    [InlineData("window=1,2,cubic")]
    [InlineData("window=1,nan")]
    [InlineData("viewport=0,1")]
    [InlineData("viewport=10")]
    [InlineData("viewport=99999,1")]
    [InlineData("window=1,2")]
    [InlineData("viewport=4,4,x")]
    [InlineData("viewport=4,4,0,0,0,1")]
    [InlineData("viewport=4,4,0,0,1,1,1")]
    [InlineData("viewport=4,4,12,0")]
    [InlineData("viewport=4,4,0,16.5")]
    [InlineData("quality=0")]
    [InlineData("quality=x")]
    [InlineData("iccprofile=adobergb")]
    public async Task GetRendered_InvalidParameter_IsAProblem(string query)
    {
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(1))}/rendered?{query}");
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadRequest, "urn:platform:problem:invalid-parameter");
    }

    [Theory]
    [InlineData("/frames/8/rendered", HttpStatusCode.NotFound, "urn:platform:problem:frame-not-found")]
    [InlineData("/frames/1,2/rendered", HttpStatusCode.BadRequest, "urn:platform:problem:invalid-frame-list")]
    [InlineData("/frames/0/thumbnail", HttpStatusCode.NotFound, "urn:platform:problem:frame-not-found")]
    public async Task GetRendered_NoSuchFrame_IsAProblem(string tail, HttpStatusCode status, string type)
    {
        using var response = await _host.SendAsync(SyntheticStudies.UrlOf(SyntheticStudies.Native) + tail);
        await ProblemAnswer.AssertAsync(response, status, type);
    }

    [Fact]
    public async Task GetRendered_WhatCannotBeShown_SaysWhy()
    {
        using var report = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Report)}/rendered");
        await ProblemAnswer.AssertAsync(report, HttpStatusCode.NotFound, "urn:platform:problem:not-found");
        // The synthetic JPEG-LS stream is none.
        using var broken = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.JpegLs)}/rendered");
        await ProblemAnswer.AssertAsync(broken, HttpStatusCode.UnprocessableEntity, "urn:platform:problem:broken-frame");
        using var gif = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(1))}/rendered", ("Accept", "image/gif"));
        await ProblemAnswer.AssertAsync(gif, HttpStatusCode.NotAcceptable, "urn:platform:problem:not-acceptable");
    }

    [DataFact("dicom-zoo")]
    public async Task GetThumbnail_EveryRealFile_IsAPictureOrAnHonestProblem()
    {
        await using var host = await ImageApiHost.StartOverAsync(TestData.GetPath("dicom-zoo"));
        var pictures = 0;
        foreach (var instance in (await (await host.SendAsync("/dicomweb/instances?limit=500")).JsonAsync()).EnumerateArray())
        {
            var path = $"/dicomweb/studies/{instance.Value("0020000D")}/series/{instance.Value("0020000E")}/instances/{instance.Value("00080018")}/thumbnail";
            using var response = await host.SendAsync(path, ("Accept", "image/png"));
            if (response.IsSuccessStatusCode)
            {
                var pixels = new ArrayBufferWriter<byte>();
                var info = PngDecoder.Decode(new ReadOnlySequence<byte>(await response.Content.ReadAsByteArrayAsync()), pixels, new DecodeOptions(), CancellationToken.None);
                Assert.InRange(Math.Max(info.Width, info.Height), 1, 128);
                pictures++;
            }
            else
            {
                Assert.InRange((int)response.StatusCode, 400, 499);
            }
        }

        Assert.InRange(pictures, 80, 200);
    }

    private async Task<(PictureInfo Info, byte[] Pixels)> PngAsync(string path)
    {
        var pixels = new ArrayBufferWriter<byte>();
        var info = PngDecoder.Decode(new ReadOnlySequence<byte>(await BytesAsync(path)), pixels, new DecodeOptions(), CancellationToken.None);
        return (info, pixels.WrittenSpan.ToArray());
    }

    private async Task<byte[]> BytesAsync(string path, string accept = "image/png")
    {
        using var response = await _host.SendAsync(path, ("Accept", accept));
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        return await response.Content.ReadAsByteArrayAsync();
    }
}
