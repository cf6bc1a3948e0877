using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using InferenceApi.Segmentation;
using InferenceApi.Tests.Support;
using Platform.Codecs.Jpeg;
using Platform.Imaging;
using Platform.Tests.Shared;

namespace InferenceApi.Tests.Segmentation;

public sealed class SegmentationApiTests(ImagesFixture images) : IClassFixture<ImagesFixture>, IDisposable
{
    private readonly ModelFolder _models = new ModelFolder().AddBright();

    [RuntimeFact]
    public async Task Segment_CtFrame_FindsTissueByHounsfieldUnits()
    {
        await using var server = Server();
        using var client = server.CreateClient();

        using var answer = await client.PostAsync(Frame("ct-tissue", CtImages.Native), null);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("platform; fwd=miss; detail=computed", answer.Headers.GetValues("Cache-Status").Single());
        var result = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(("ct-tissue", 64, 64), (result.GetProperty("model").GetString(), result.GetProperty("width").GetInt32(), result.GetProperty("height").GetInt32()));
        var labels = Decode(result);
        Assert.Equal(("bone", "soft tissue", "air"), (labels[31, 31], labels[31, 15], labels[2, 2]));
        var bone = result.GetProperty("labels").EnumerateArray().Single(static label => label.GetProperty("name").GetString() == "bone");
        Assert.Equal(bone.GetProperty("pixels").GetInt32() * 0.4, bone.GetProperty("areaMm2").GetDouble(), 3);
        Assert.InRange(bone.GetProperty("pixels").GetInt32(), 100, 160);   // a disc of radius 6, cleaned up
    }

    /// <summary>The same pixels in another transfer syntax: known without a run.</summary>
    [RuntimeFact]
    public async Task Segment_SamePixelsEncodedOtherwise_HitsWithoutARun()
    {
        await using var server = Server();
        using var client = server.CreateClient();
        var first = await (await client.PostAsync(Frame("ct-tissue", CtImages.Native), null)).Content.ReadAsStringAsync();
        var runs = await LoadsAsync(client);

        foreach (var other in (string[])[CtImages.Rle, CtImages.BigEndian, CtImages.Native])
        {
            using var answer = await client.PostAsync(Frame("ct-tissue", other), null);
            Assert.Equal("platform; hit; detail=memory", answer.Headers.GetValues("Cache-Status").Single());
            Assert.Equal(first, await answer.Content.ReadAsStringAsync());
        }

        Assert.Equal(runs, await LoadsAsync(client));
        var stats = await client.GetFromJsonAsync<JsonElement>("/api/cache/stats");
        Assert.Equal((1, 300, 3, 1, 0.75), (stats.GetProperty("size").GetInt32(), stats.GetProperty("ttl_seconds").GetInt32(), stats.GetProperty("hits").GetInt32(), stats.GetProperty("misses").GetInt32(), stats.GetProperty("hit_rate").GetDouble()));
        Assert.Equal(1, stats.GetProperty("entries").GetArrayLength());
    }

    [RuntimeFact]
    public async Task Segment_SameFileFromAHundredCallers_RunsOnce()
    {
        await using var server = Server();
        using var client = server.CreateClient();
        var file = Jpeg(200, 120);

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            using var answer = await client.PostAsync("/api/segment", Form("bright", file));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            return (Status: answer.Headers.GetValues("Cache-Status").Single(), Body: await answer.Content.ReadAsStringAsync());
        }));

        Assert.Single(answers.Select(static answer => answer.Body).Distinct());
        Assert.Single(answers, static answer => answer.Status == "platform; fwd=miss; detail=computed");
        Assert.Equal(1, (await client.GetFromJsonAsync<JsonElement>("/api/cache/stats")).GetProperty("size").GetInt32() - 1);   // and what is known of the file
    }

    [RuntimeTheory]
    [InlineData("image/webp")]
    [InlineData("image/png")]
    [InlineData("image/jpeg")]
    public async Task Render_AfterSegment_DrawsWithoutARun(string mediaType)
    {
        await using var server = Server();
        using var client = server.CreateClient();
        var file = Jpeg(200, 120);
        (await client.PostAsync("/api/segment", Form("bright", file))).EnsureSuccessStatusCode();

        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/render?opacity=1") { Content = Form("bright", file) };
        request.Headers.Accept.ParseAdd(mediaType);
        using var answer = await client.SendAsync(request);

        Assert.Equal((HttpStatusCode.OK, mediaType), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        Assert.Equal("platform; hit; detail=memory", answer.Headers.GetValues("Cache-Status").Single());
        var bytes = await answer.Content.ReadAsByteArrayAsync();
        if (mediaType == "image/webp")
        {
            Assert.Equal("WEBP"u8.ToArray(), bytes[8..12]);
            return;
        }

        using var picture = PictureFile.Decode(bytes, 1 << 20, CancellationToken.None);
        Assert.Equal((200, 120), (picture.Width, picture.Height));
        Assert.True(picture.Pixels[(60 * 200 + 150) * 3] > 200 && picture.Pixels[(60 * 200 + 150) * 3 + 1] < 60);   // the bright half is red
        Assert.InRange(picture.Pixels[(60 * 200 + 20) * 3], 0, 60);                                                    // the dark one as it was
    }

    [RuntimeFact]
    public async Task Render_CtFrame_IsTheWindowedSliceWithItsLabels()
    {
        await using var server = Server();
        using var client = server.CreateClient();

        using var answer = await client.PostAsync(Frame("ct-tissue", CtImages.Native, "/api/render") + "&format=png&opacity=0.5", null);

        Assert.Equal("image/png", answer.Content.Headers.ContentType!.MediaType);
        using var picture = PictureFile.Decode(await answer.Content.ReadAsByteArrayAsync(), 1 << 20, CancellationToken.None);
        Assert.Equal((64, 64, 3), (picture.Width, picture.Height, picture.Channels));
        Assert.True(picture.Pixels[(31 * 64 + 15) * 3] > picture.Pixels[(31 * 64 + 15) * 3 + 2] + 40);   // soft tissue is reddish
    }

    [RuntimeFact]
    public async Task Clear_Results_AreComputedAgain()
    {
        await using var server = Server();
        using var client = server.CreateClient();
        (await client.PostAsync(Frame("ct-tissue", CtImages.Native), null)).EnsureSuccessStatusCode();

        var cleared = await (await client.PostAsync("/api/cache/clear", null)).Content.ReadFromJsonAsync<JsonElement>();

        Assert.True(cleared.GetProperty("entries").GetInt32() >= 1);
        using var again = await client.PostAsync(Frame("ct-tissue", CtImages.Native), null);
        Assert.Equal("platform; fwd=miss; detail=computed", again.Headers.GetValues("Cache-Status").Single());
    }

    [RuntimeFact]
    public async Task Segment_WhatIsNoPicture_IsAProblemAndNothingRemains()
    {
        await using var server = Server(("InferenceApi:Images:MaxPixels", "100000"));
        using var client = server.CreateClient();
        var bomb = Jpeg(16, 16);
        for (var i = 0; i + 9 < bomb.Length; i++)
        {
            if (bomb[i] == 0xFF && bomb[i + 1] == 0xC0) (bomb[i + 5], bomb[i + 6], bomb[i + 7], bomb[i + 8]) = (0x75, 0x30, 0x75, 0x30);   // 30,000 x 30,000
        }

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await client.PostAsync("/api/segment", Form("bright", "no picture"u8.ToArray()))).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PostAsync("/api/segment", Form("bright", bomb))).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PostAsync("/api/segment", Form("bright", Jpeg(64, 64)[..200]))).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PostAsync("/api/segment", Form("ct-tissue", Jpeg(64, 64)))).StatusCode);   // takes Hounsfield units
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync("/api/segment", Form("none", Jpeg(64, 64)))).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await client.PostAsync("/api/segment?model=bright", null)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await client.PostAsync("/api/segment?model=ct-tissue&study=1&series=2&instance=../../3", null)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync(Frame("ct-tissue", "2.25.1"), null)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await client.PostAsync(Frame("ct-tissue", CtImages.Native, "/api/render") + "&opacity=7", null)).StatusCode);
        var problem = await (await client.PostAsync("/api/segment", Form("bright", bomb))).Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("urn:platform:problem:invalid-picture", problem.GetProperty("type").GetString());
        Assert.Equal(1, (await client.GetFromJsonAsync<JsonElement>("/api/cache/stats")).GetProperty("size").GetInt32());   // what the one whole picture is
    }

    [RuntimeFact]
    public async Task Segment_ImageServiceDown_IsABadGateway()
    {
        await using var server = new InferenceServer(("services:image-api:http:0", "http://127.0.0.1:1"), ("TieredCache:Disk:Path", ""));
        using var client = server.CreateClient();
        Assert.Equal(HttpStatusCode.BadGateway, (await client.PostAsync(Frame("ct-tissue", CtImages.Native), null)).StatusCode);
    }

    public void Dispose() => _models.Dispose();

    private InferenceServer Server(params (string Name, string Value)[] settings) => new(
    [
        ("services:image-api:http:0", images.Origin), ("TieredCache:Disk:Path", ""), ("InferenceApi:Models:Path", _models.Path), .. settings,
    ]);

    private static string Frame(string model, string instance, string path = "/api/segment") => $"{path}?model={model}&study={CtImages.Study}&series={CtImages.Series}&instance={instance}&frame=1";

    private static MultipartFormDataContent Form(string model, byte[] file)
    {
        var part = new ByteArrayContent(file);
        part.Headers.ContentType = new MediaTypeHeaderValue("image/jpeg");
        return new MultipartFormDataContent { { new StringContent(model), "model" }, { part, "file", "x.jpg" } };
    }

    /// <summary>Dark on the left, bright on the right.</summary>
    private static byte[] Jpeg(int width, int height)
    {
        var pixels = new byte[width * height * 3];
        for (var i = 0; i < width * height; i++) pixels.AsSpan(i * 3, 3).Fill(i % width < width / 2 ? (byte)20 : (byte)230);
        var file = new ArrayBufferWriter<byte>();
        new JpegFrameEncoder().Encode(pixels, width, height, 3, 95, file, CancellationToken.None);
        return file.WrittenSpan.ToArray();
    }

    private static async Task<int> LoadsAsync(HttpClient client) => (await client.GetFromJsonAsync<JsonElement>("/api/sessions")).GetProperty("loads").GetInt32();

    private static string[,] Decode(JsonElement result)
    {
        int width = result.GetProperty("width").GetInt32(), height = result.GetProperty("height").GetInt32();
        var names = new string[height, width];
        foreach (var label in result.GetProperty("labels").EnumerateArray())
        {
            var box = label.GetProperty("box").EnumerateArray().Select(static value => value.GetInt32()).ToArray();
            var mask = new byte[width * height];
            RunLengths.Decode([.. label.GetProperty("runs").EnumerateArray().Select(static run => run.GetInt32())], mask, width, new PixelRegion(box[0], box[1], box[2], box[3]), 1);
            for (var i = 0; i < mask.Length; i++) if (mask[i] == 1) names[i / width, i % width] = label.GetProperty("name").GetString()!;
        }

        return names;
    }
}
