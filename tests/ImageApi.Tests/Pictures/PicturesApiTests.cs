using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using ImageApi.Tests.Support;
using Platform.Codecs;
using Platform.Codecs.Jpeg;
using Platform.Codecs.Png;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Pictures;

public sealed class PicturesApiTests : IAsyncLifetime
{
    private ImageApiHost _host = null!;

    public async Task InitializeAsync() => _host = await StartAsync();

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Post_Png_IsServedInEverySizeAndFormat()
    {
        var pixels = Gradient(600, 400);
        var picture = await PostAsync(_host, Png(600, 400, pixels));
        Assert.Equal((600, 400), (picture.GetProperty("width").GetInt32(), picture.GetProperty("height").GetInt32()));
        var id = picture.GetProperty("id").GetString();

        var (info, full) = await PngAsync($"/images/{id}");
        Assert.Equal(new PictureInfo(600, 400, 3, 8), info);
        Assert.Equal(pixels, full);
        Assert.Equal(new PictureInfo(384, 256, 3, 8), (await PngAsync($"/images/{id}?size=thumbnail")).Info);
        Assert.Equal(new PictureInfo(24, 16, 3, 8), (await PngAsync($"/images/{id}?size=placeholder")).Info);
        foreach (var type in new[] { "image/jpeg", "image/png" }.Concat(Platform.Codecs.WebP.WebpEncoder.IsAvailable ? ["image/webp"] : []))
        {
            using var response = await _host.SendAsync($"/images/{id}?size=thumbnail", ("Accept", type));
            Assert.Equal(type, response.Header("Content-Type"));
            Assert.Contains("Accept", response.Header("Vary"));
        }
        using var head = await _host.SendAsync(HttpMethod.Head, $"/images/{id}");
        Assert.Equal("image/jpeg", head.Header("Content-Type"));
        Assert.True(head.Content.Headers.ContentLength > 1000);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        using var range = await _host.SendAsync($"/images/{id}", ("Range", "bytes=0-1"));
        Assert.Equal([0xFF, 0xD8], await range.Content.ReadAsByteArrayAsync());
        using var other = await _host.SendAsync($"/images/{id}?size=huge");
        await ProblemAnswer.AssertAsync(other, HttpStatusCode.BadRequest, "urn:platform:problem:invalid-parameter");
        using var avif = await _host.SendAsync($"/images/{id}", ("Accept", "image/avif"));
        await ProblemAnswer.AssertAsync(avif, HttpStatusCode.NotAcceptable);
    }

    [Fact]
    public async Task List_SeveralPictures_HasPlaceholdersAndPages()
    {
        var names = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            using var form = new MultipartFormDataContent { { new ByteArrayContent(Jpeg(320 + i, 200, Gradient(320 + i, 200))), "file", $"C:\\photos\\Bild {i} ü.jpg" } };
            using var response = await _host.Client.PostAsync("/images", form);
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
            var document = await response.JsonAsync();
            Assert.Equal($"/images/{document.GetProperty("id").GetString()}", response.Header("Location"));
            Assert.Equal($"Bild {i} ü.jpg", document.GetProperty("name").GetString());
            names.Insert(0, document.GetProperty("id").GetString()!);
        }
        var seen = new List<string>();
        for (var next = "/images?limit=2"; next is not null;)
        {
            var page = await (await _host.SendAsync(next)).JsonAsync();
            Assert.Equal(5, page.GetProperty("total").GetInt32());
            foreach (var image in page.GetProperty("images").EnumerateArray())
            {
                seen.Add(image.GetProperty("id").GetString()!);
                var placeholder = image.GetProperty("placeholder").GetString()!;
                Assert.StartsWith("data:image/", placeholder);
                Assert.InRange(placeholder.Length, 60, Platform.Codecs.WebP.WebpEncoder.IsAvailable ? 600 : 1500);
                Assert.Equal(200, image.GetProperty("height").GetInt32());
                Assert.True(image.GetProperty("bytes").GetInt64() > 500);
                foreach (var url in new[] { "url", "thumbnail" })
                {
                    using var response = await _host.SendAsync(image.GetProperty(url).GetString()!);
                    Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                    Assert.Equal("public, max-age=3600, immutable", response.Header("Cache-Control"));
                }
            }
            next = page.TryGetProperty("next", out var more) ? more.GetString() : null;
        }
        Assert.Equal(names, seen);
        using var first = await _host.SendAsync("/images");
        using var unchanged = await _host.SendAsync("/images", ("If-None-Match", first.Header("ETag")!));
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        using var wrong = await _host.SendAsync("/images?limit=0");
        await ProblemAnswer.AssertAsync(wrong, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Put_AnotherFile_ReplacesForEverybody()
    {
        var id = (await PostAsync(_host, Png(40, 30, Gradient(40, 30)))).GetProperty("id").GetString();
        using var before = await _host.SendAsync($"/images/{id}?size=thumbnail");
        Assert.Equal("public, max-age=0, must-revalidate", before.Header("Cache-Control"));
        var oldVersion = (await ListedAsync(_host)).GetProperty("version").GetString();

        using var put = await SendFileAsync(_host, HttpMethod.Put, $"/images/{id}", Png(50, 60, Gradient(50, 60)));
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        using var after = await _host.SendAsync($"/images/{id}?size=thumbnail", ("If-None-Match", before.Header("ETag")!), ("Accept", "image/png"));
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        Assert.Equal((50, 60), Size(await after.Content.ReadAsByteArrayAsync()));
        using var stale = await _host.SendAsync($"/images/{id}?v={oldVersion}");
        var problem = await ProblemAnswer.AssertAsync(stale, HttpStatusCode.NotFound, "urn:platform:problem:stale-version");
        Assert.Equal((await ListedAsync(_host)).GetProperty("version").GetString(), problem.GetProperty("current").GetString());
        using var current = await _host.SendAsync($"/images/{id}?v={problem.GetProperty("current").GetString()}");
        Assert.Equal(HttpStatusCode.OK, current.StatusCode);
    }

    [Fact]
    public async Task PutAndDelete_Conditions_AreObeyed()
    {
        var id = (await PostAsync(_host, Png(40, 30, Gradient(40, 30)))).GetProperty("id").GetString();
        using var jpeg = await _host.SendAsync($"/images/{id}");
        using var png = await _host.SendAsync($"/images/{id}?size=placeholder", ("Accept", "image/png"));
        var (tag, other) = (jpeg.Header("ETag")!, png.Header("ETag")!);
        Assert.NotEqual(tag, other);

        using var wrong = await SendFileAsync(_host, HttpMethod.Put, $"/images/{id}", Png(9, 9, Gradient(9, 9)), ("If-Match", "\"0123456789abcdef\""));
        await ProblemAnswer.AssertAsync(wrong, HttpStatusCode.PreconditionFailed, "urn:platform:problem:precondition-failed");
        using var create = await SendFileAsync(_host, HttpMethod.Put, $"/images/{id}", Png(9, 9, Gradient(9, 9)), ("If-None-Match", "*"));
        await ProblemAnswer.AssertAsync(create, HttpStatusCode.PreconditionFailed);
        using var right = await SendFileAsync(_host, HttpMethod.Put, $"/images/{id}", Png(9, 9, Gradient(9, 9)), ("If-Match", other));
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        // The second of two who saw the same picture must not undo what the first one did.
        using var late = await SendFileAsync(_host, HttpMethod.Put, $"/images/{id}", Png(8, 8, Gradient(8, 8)), ("If-Match", tag));
        await ProblemAnswer.AssertAsync(late, HttpStatusCode.PreconditionFailed);
        using var lateRemoval = await _host.SendAsync(HttpMethod.Delete, $"/images/{id}", ("If-Match", tag));
        await ProblemAnswer.AssertAsync(lateRemoval, HttpStatusCode.PreconditionFailed);

        using var removal = await _host.SendAsync(HttpMethod.Delete, $"/images/{id}");
        Assert.Equal(HttpStatusCode.NoContent, removal.StatusCode);
        using var gone = await _host.SendAsync($"/images/{id}");
        await ProblemAnswer.AssertAsync(gone, HttpStatusCode.NotFound);
        using var again = await _host.SendAsync(HttpMethod.Delete, $"/images/{id}");
        await ProblemAnswer.AssertAsync(again, HttpStatusCode.NotFound);
        using var absent = await SendFileAsync(_host, HttpMethod.Put, $"/images/{id}", Png(9, 9, Gradient(9, 9)));
        await ProblemAnswer.AssertAsync(absent, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Post_WhatCannotBeTaken_SaysWhyAndLeavesNothing()
    {
        foreach (var (kind, file, status, type) in new (string, byte[], HttpStatusCode, string)[]
        {
            ("something else", "<svg xmlns='http://www.w3.org/2000/svg'/>"u8.ToArray(), HttpStatusCode.UnsupportedMediaType, "unsupported-media-type"),
            ("WebP", [.. "RIFF"u8, 26, 0, 0, 0, .. "WEBPVP8L"u8, 13, 0, 0, 0, 0x2F, 0, 0, 0, 0x10, 0x07, 0x10, 0x11, 0x11, 0x88, 0x88, 0xFE, 0x07, 0], HttpStatusCode.UnsupportedMediaType, "unsupported-media-type"),
            ("nothing", [], HttpStatusCode.BadRequest, "bad-request"),
            ("half a JPEG", Jpeg(100, 80, Gradient(100, 80))[..^400], HttpStatusCode.UnprocessableEntity, "broken-picture"),
            ("half a PNG", Png(100, 80, Gradient(100, 80))[..^400], HttpStatusCode.UnprocessableEntity, "broken-picture"),
            ("a GIF of 30,000 x 30,000", [.. "GIF89a"u8, 0x30, 0x75, 0x30, 0x75, 0, 0, 0, 0x2C, 0, 0, 0, 0, 0x30, 0x75, 0x30, 0x75, 0, 2, 0, 0x3B], HttpStatusCode.UnprocessableEntity, "broken-picture"),
            ("a PNG of 30,000 x 30,000", Bomb(), HttpStatusCode.UnprocessableEntity, "broken-picture"),
            ("3 MB", [.. Jpeg(20, 20, Gradient(20, 20)), .. new byte[3 << 20]], HttpStatusCode.RequestEntityTooLarge, "payload-too-large"),
        })
        {
            using (var response = await SendFileAsync(_host, HttpMethod.Post, "/images", file))
                await ProblemAnswer.AssertAsync(response, status, "urn:platform:problem:" + type);
            using var form = new MultipartFormDataContent { { new ByteArrayContent(file), "file", "x.jpg" } };
            using (var response = await _host.Client.PostAsync("/images", form)) Assert.True(status == response.StatusCode, kind);
        }
        Assert.Empty(Directory.GetFiles(Path.Combine(PathOf(_host), ".incoming")));
        Assert.Equal(0, (await (await _host.SendAsync("/images")).JsonAsync()).GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task Post_PageOfAnotherSite_IsRefused()
    {
        using var foreign = await SendFileAsync(_host, HttpMethod.Post, "/images", Png(9, 9, Gradient(9, 9)), ("Origin", "https://elsewhere.example"));
        await ProblemAnswer.AssertAsync(foreign, HttpStatusCode.Forbidden);
        using var ours = await SendFileAsync(_host, HttpMethod.Post, "/images", Png(9, 9, Gradient(9, 9)), ("Origin", "http://localhost:5100"));
        Assert.Equal(HttpStatusCode.Created, ours.StatusCode);
        Assert.Equal("http://localhost:5100", ours.Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Get_ManyAtOnce_MakeItOnce()
    {
        var id = (await PostAsync(_host, Jpeg(1200, 900, Gradient(1200, 900)))).GetProperty("id").GetString();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(async _ =>
        {
            using var response = await _host.SendAsync($"/images/{id}?size=thumbnail");
            return response.Header("Cache-Status")!;
        }));
        Assert.Single(outcomes, static outcome => outcome.Contains("fwd=miss", StringComparison.Ordinal) && !outcome.Contains("collapsed", StringComparison.Ordinal));
    }

    [DataFact("photos")]
    public async Task Get_RealPhotos_TurnedAndWithoutMetadata()
    {
        var turned = (await PostAsync(_host, await File.ReadAllBytesAsync(TestData.GetPath("photos/hopper_orientation_6.jpg")))).GetProperty("id").GetString();
        var upright = (await PostAsync(_host, await File.ReadAllBytesAsync(TestData.GetPath("photos/hopper.jpg")))).GetProperty("id").GetString();
        // The one is the other lying on its side, and both are to be seen upright.
        var (a, b) = ((await PngAsync($"/images/{turned}")).Pixels, (await PngAsync($"/images/{upright}")).Pixels);
        Assert.True(a.Zip(b, static (x, y) => Math.Abs(x - y)).Average() < 6, $"{a.Zip(b, static (x, y) => Math.Abs(x - y)).Average()}");

        foreach (var name in new[] { "exif_gps.jpg", "chelsea.png", "hubble_deep_field.jpg", "hopper.jpg", "pil_sample_cmyk.jpg" })
        {
            var file = await File.ReadAllBytesAsync(TestData.GetPath("photos/" + name));
            var id = (await PostAsync(_host, file)).GetProperty("id").GetString();
            foreach (var accept in new[] { "image/jpeg", "image/png", "image/webp" })
            {
                using var response = await _host.SendAsync($"/images/{id}", ("Accept", accept + ",image/jpeg;q=0.1"));
                var bytes = await response.Content.ReadAsByteArrayAsync();
                Assert.NotEqual(file, bytes);
                foreach (var mark in new[] { "Exif", "GPS", "photoshop", "http://ns.adobe.com", "xpacket", "ICC_PROFILE", "iCCP", "tEXt", "iTXt", "EXIF" })
                    Assert.False(bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(mark)) >= 0, $"{name} as {accept} holds {mark}");
            }
        }
    }

    [Fact]
    public async Task Restart_StoredPictures_AreThere()
    {
        var id = (await PostAsync(_host, Png(40, 30, Gradient(40, 30)))).GetProperty("id").GetString();
        await using var other = await StartAsync(PathOf(_host));
        Assert.Equal(id, (await ListedAsync(other)).GetProperty("id").GetString());
        using var response = await other.SendAsync($"/images/{id}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Get_DamagedFile_IsNotServed()
    {
        var id = (await PostAsync(_host, Png(40, 30, Gradient(40, 30)))).GetProperty("id").GetString()!;
        var path = Path.Combine(PathOf(_host), id[..2], id);
        var bytes = await File.ReadAllBytesAsync(path);
        bytes[^20] ^= 1;
        await File.WriteAllBytesAsync(path, bytes);
        using var response = await _host.SendAsync($"/images/{id}");
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.UnprocessableEntity);
        await File.WriteAllBytesAsync(path, bytes[..2000]);
        using var cut = await _host.SendAsync($"/images/{id}");
        await ProblemAnswer.AssertAsync(cut, HttpStatusCode.NotFound);
        Assert.Equal(0, (await (await _host.SendAsync("/images")).JsonAsync()).GetProperty("total").GetInt32());
    }

    internal static Task<ImageApiHost> StartAsync(string? path = null, params (string, string)[] settings) =>
        ImageApiHost.StartAsync(static _ => { }, [("ImageApi:Prefetch:Enabled", "false"), ("ImageApi:Pictures:MaxFileBytes", "2097152"), .. path is null ? [] : new[] { ("ImageApi:Pictures:Path", path) }, .. settings]);

    internal static string PathOf(ImageApiHost host) => Path.Combine(host.Folder.Path, "store", ".pictures");

    internal static async Task<JsonElement> PostAsync(ImageApiHost host, byte[] file)
    {
        using var response = await SendFileAsync(host, HttpMethod.Post, "/images", file);
        Assert.True(response.StatusCode == HttpStatusCode.Created, await response.Content.ReadAsStringAsync());
        return await response.JsonAsync();
    }

    internal static async Task<HttpResponseMessage> SendFileAsync(ImageApiHost host, HttpMethod method, string path, byte[] file, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new ByteArrayContent(file) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("image/jpeg");
        foreach (var (name, value) in headers) Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return await host.Client.SendAsync(request);
    }

    internal static async Task<JsonElement> ListedAsync(ImageApiHost host) => (await (await host.SendAsync("/images")).JsonAsync()).GetProperty("images")[0];

    internal static byte[] Gradient(int width, int height, int seed = 1) =>
        [.. Enumerable.Range(0, width * height).SelectMany(i => new[] { (byte)(i % width * 255 / width), (byte)(i / width * 255 / height), (byte)(i * seed / 7 % 200) })];

    internal static byte[] Png(int width, int height, byte[] pixels)
    {
        var to = new ArrayBufferWriter<byte>();
        new PngFrameEncoder().Encode(pixels, new FrameDescription(height, width, 3, 8, 8, false, false, Photometric.Rgb), to, null, CancellationToken.None);
        return to.WrittenSpan.ToArray();
    }

    internal static (int Width, int Height) Size(byte[] png) => (PngDecoder.ReadInfo(png).Width, PngDecoder.ReadInfo(png).Height);

    private static byte[] Jpeg(int width, int height, byte[] pixels)
    {
        var to = new ArrayBufferWriter<byte>();
        new JpegFrameEncoder().Encode(pixels, width, height, 3, 90, to, CancellationToken.None);
        return to.WrittenSpan.ToArray();
    }

    // 30,000 x 30,000 grey pixels said in the header, none there.
    private static byte[] Bomb()
    {
        var png = Png(8, 8, Gradient(8, 8));
        byte[] header = [.. "IHDR"u8, 0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 8, 0, 0, 0, 0, 0x43, 0x4C, 0xA7, 0x66];   // with its CRC
        header.CopyTo(png, 12);
        return png;
    }

    private async Task<(PictureInfo Info, byte[] Pixels)> PngAsync(string path)
    {
        using var response = await _host.SendAsync(path, ("Accept", "image/png"));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        var pixels = new ArrayBufferWriter<byte>();
        var info = PngDecoder.Decode(new ReadOnlySequence<byte>(await response.Content.ReadAsByteArrayAsync()), pixels, new DecodeOptions(), CancellationToken.None);
        return (info, pixels.WrittenSpan.ToArray());
    }
}
