using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using InferenceApi.Tests.Support;
using Platform.Tests.Shared;

namespace InferenceApi.Tests.OpenInference;

public class OpenInferenceApiTests
{
    [Fact]
    public async Task GetServer_Metadata_NamesTheExtension()
    {
        await using var server = new InferenceServer();
        using var client = server.CreateClient();

        var metadata = await client.GetFromJsonAsync<JsonElement>("/v2");

        Assert.Equal("platform-inference", metadata.GetProperty("name").GetString());
        Assert.Equal("binary_tensor_data", metadata.GetProperty("extensions")[0].GetString());
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2/health/live")).StatusCode);
    }

    [RuntimeFact]
    public async Task GetModel_NotLoaded_IsDescribedByItsManifest()
    {
        using var models = new ModelFolder().AddScale();
        await using var server = new InferenceServer(("InferenceApi:Models:Path", models.Path));
        using var client = server.CreateClient();

        var metadata = await client.GetFromJsonAsync<JsonElement>("/v2/models/SCALE/versions/1");

        Assert.Equal("scale", metadata.GetProperty("name").GetString());
        var input = metadata.GetProperty("inputs")[0];
        Assert.Equal(("x", "FP32", "[-1,4]"), (input.GetProperty("name").GetString(), input.GetProperty("datatype").GetString(), input.GetProperty("shape").GetRawText()));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2/models/scale/ready")).StatusCode);
        Assert.Equal(0, (await client.GetFromJsonAsync<JsonElement>("/api/sessions")).GetProperty("loads").GetInt32());
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/v2/models/scale/versions/2")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/v2/models/none/ready")).StatusCode);
    }

    [RuntimeTheory]
    [InlineData("[1, 2, 3, 4, 5, 6, 7, 8]")]
    [InlineData("[[1, 2, 3, 4], [5, 6, 7, 8]]")]
    public async Task Infer_JsonTensors_GivesJsonTensors(string data)
    {
        using var models = new ModelFolder().AddScale(factor: 2.5f);
        await using var server = new InferenceServer(("InferenceApi:Models:Path", models.Path));
        using var client = server.CreateClient();

        // Values may stand before what they are.
        using var answer = await client.PostAsync("/v2/models/scale/infer", Json($$$"""{"id":"7","inputs":[{"data":{{{data}}},"name":"x","shape":[2,4],"datatype":"FP32"}],"outputs":[{"name":"y"}]}"""));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var json = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(("scale", "1", "7"), (json.GetProperty("model_name").GetString(), json.GetProperty("model_version").GetString(), json.GetProperty("id").GetString()));
        var output = json.GetProperty("outputs")[0];
        Assert.Equal(("y", "FP32", "[2,4]"), (output.GetProperty("name").GetString(), output.GetProperty("datatype").GetString(), output.GetProperty("shape").GetRawText()));
        Assert.Equal([2.5, 5, 7.5, 10, 12.5, 15, 17.5, 20], output.GetProperty("data").EnumerateArray().Select(static value => value.GetDouble()));
    }

    [RuntimeFact]
    public async Task Infer_BinaryTensors_GivesBinaryTensors()
    {
        using var models = new ModelFolder().Add("two", new OnnxModelBuilder().Input("a", OnnxModelBuilder.Float, "N").Input("b", OnnxModelBuilder.UInt8, "N")
            .Output("sum", OnnxModelBuilder.Float, "N").Output("same", OnnxModelBuilder.UInt8, "N")
            .Node("Cast", ["b"], ["c"], ("to", 1L)).Node("Add", ["a", "c"], ["sum"]).Node("Identity", ["b"], ["same"]).Build(),
            ["a float32 N", "b uint8 N"], ["sum float32 N", "same uint8 N"]);
        await using var server = new InferenceServer(("InferenceApi:Models:Path", models.Path));
        using var client = server.CreateClient();
        var header = Encoding.UTF8.GetBytes("""
            {"inputs":[{"name":"b","shape":[3],"datatype":"UINT8","parameters":{"binary_data_size":3}},{"name":"a","shape":[3],"datatype":"FP32","parameters":{"binary_data_size":12}}],
             "outputs":[{"name":"same","parameters":{"binary_data":false}},{"name":"sum"}],"parameters":{"binary_data_output":true}}
            """);

        using var answer = await client.PostAsync("/v2/models/two/infer", Binary(header, [1, 2, 3, .. Floats(0.5f, 1.5f, 2.5f)]));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var body = await answer.Content.ReadAsByteArrayAsync();
        var length = int.Parse(answer.Headers.GetValues("Inference-Header-Content-Length").Single());
        var outputs = JsonDocument.Parse(body.AsMemory(0, length)).RootElement.GetProperty("outputs");
        Assert.Equal(("same", "[1,2,3]"), (outputs[0].GetProperty("name").GetString(), outputs[0].GetProperty("data").GetRawText()));
        Assert.Equal(("sum", 12), (outputs[1].GetProperty("name").GetString(), outputs[1].GetProperty("parameters").GetProperty("binary_data_size").GetInt32()));
        Assert.Equal(Floats(1.5f, 3.5f, 5.5f), body[length..]);
    }

    [RuntimeTheory]
    [InlineData("", 400, "bad-request")]
    [InlineData("[]", 400, "bad-request")]
    [InlineData("{\"inputs\":[", 400, "bad-request")]
    [InlineData("{}", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32"}]}""", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"z","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}""", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3]}]}""", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4,5]}]}""", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,"4"]}]}""", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":{"a":1}}]}""", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,5],"datatype":"FP32","data":[1,2,3,4,5]}]}""", 400, "invalid-tensor")]
    [InlineData("""{"inputs":[{"name":"x","shape":[4],"datatype":"FP32","data":[1,2,3,4]}]}""", 400, "invalid-tensor")]
    [InlineData("""{"inputs":[{"name":"x","shape":[0,4],"datatype":"FP32","data":[]}]}""", 400, "invalid-tensor")]
    [InlineData("""{"inputs":[{"name":"x","shape":[-1,4],"datatype":"FP32","data":[1,2,3,4]}]}""", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"x","shape":[9223372036854775807,4],"datatype":"FP32","data":[1,2,3,4]}]}""", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"x","shape":[400000000,4],"datatype":"FP32","data":[1,2,3,4]}]}""", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,4],"datatype":"INT32","data":[1,2,3,4]}]}""", 400, "invalid-tensor")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,4],"datatype":"BYTES","data":["a","b","c","d"]}]}""", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,1e999]}]}""", 400, "not-finite")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]},{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}""", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}],"outputs":[{"name":"z"}]}""", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":16}}]}""", 400, "bad-request")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]} more""", 400, "bad-request")]
    public async Task Infer_BadRequest_IsAProblemThatNamesIt(string json, int status, string type)
    {
        using var models = new ModelFolder().AddScale();
        await using var server = new InferenceServer(("InferenceApi:Models:Path", models.Path), ("InferenceApi:Batching:MeasureFor", "00:00:00"));
        using var client = server.CreateClient();

        using var answer = await client.PostAsync("/v2/models/scale/infer", Json(json));

        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == (int)answer.StatusCode, text);
        var problem = JsonNode.Parse(text)!;
        Assert.Equal($"urn:platform:problem:{type}", (string?)problem["type"]);
        Assert.Equal((string?)problem["detail"], (string?)problem["error"]);
        // It still serves.
        using var good = await client.PostAsync("/v2/models/scale/infer", Json("""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}"""));
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        Assert.Equal(0, (await client.GetFromJsonAsync<JsonElement>("/api/sessions")).GetProperty("memory").GetProperty("predictions").GetInt64());
    }

    [RuntimeTheory]
    [InlineData("100", "", 400)]
    [InlineData("-1", "", 400)]
    [InlineData("x", "", 400)]
    [InlineData(null, "0000", 400)]
    [InlineData(null, "0000803f0000803f0000803f0000803f00", 400)]
    [InlineData(null, "0000803f0000803f0000803f0000c07f", 400)]
    [InlineData(null, "0000803f0000803f0000803f0000803f", 200)]
    public async Task Infer_BadBinary_IsAProblem(string? length, string values, int status)
    {
        using var models = new ModelFolder().AddScale();
        await using var server = new InferenceServer(("InferenceApi:Models:Path", models.Path), ("InferenceApi:Batching:MeasureFor", "00:00:00"));
        using var client = server.CreateClient();
        var header = """{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":16}}]}"""u8.ToArray();
        using var content = Binary(header, Convert.FromHexString(values));
        if (length is not null)
        {
            content.Headers.Remove("Inference-Header-Content-Length");
            content.Headers.TryAddWithoutValidation("Inference-Header-Content-Length", length);
        }

        using var answer = await client.PostAsync("/v2/models/scale/infer", content);

        Assert.True(status == (int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    [RuntimeFact]
    public async Task Infer_BodiesBeyondTheBounds_Are413()
    {
        using var models = new ModelFolder().AddScale();
        await using var server = new InferenceServer(("InferenceApi:Models:Path", models.Path), ("InferenceApi:OpenInference:MaxJsonBytes", "2048"), ("InferenceApi:OpenInference:MaxBodyBytes", "4096"));
        using var client = server.CreateClient();

        using var large = await client.PostAsync("/v2/models/scale/infer", Json(new string(' ', 5000) + "{}"));
        using var json = await client.PostAsync("/v2/models/scale/infer", Json(new string(' ', 3000) + "{}"));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, json.StatusCode);
    }

    [RuntimeFact]
    public async Task Infer_OutputIsNoNumber_JsonRefusesAndBinaryGives()
    {
        using var models = new ModelFolder().Add("log", new OnnxModelBuilder().Input("x", OnnxModelBuilder.Float, "N").Output("y", OnnxModelBuilder.Float, "N").Node("Log", ["x"], ["y"]).Build(), ["x float32 N"], ["y float32 N"]);
        await using var server = new InferenceServer(("InferenceApi:Models:Path", models.Path));
        using var client = server.CreateClient();

        using var json = await client.PostAsync("/v2/models/log/infer", Json("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[-1]}]}"""));
        using var binary = await client.PostAsync("/v2/models/log/infer", Json("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[-1]}],"parameters":{"binary_data_output":true}}"""));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, json.StatusCode);
        Assert.True(float.IsNaN(BitConverter.ToSingle((await binary.Content.ReadAsByteArrayAsync())[^4..])));
    }

    [RuntimeTheory]
    [InlineData("none", 422)]
    [InlineData("unknown", 422)]
    [InlineData("absurd", 422)]
    [InlineData("strings", 422)]
    [InlineData("missing", 404)]
    public async Task Infer_BadModel_IsAProblemAndOthersAreServed(string model, int status)
    {
        using var models = new ModelFolder().AddScale()
            .Add("none", "not a model"u8.ToArray(), ["x float32 N,4"], ["y float32 N,4"])
            .Add("unknown", new OnnxModelBuilder().Input("x", OnnxModelBuilder.Float, "N", 4).Output("y", OnnxModelBuilder.Float, "N", 4).Node("Frobnicate", ["x"], ["y"]).Build(), ["x float32 N,4"], ["y float32 N,4"])
            .Add("absurd", new OnnxModelBuilder().Input("x", OnnxModelBuilder.Float, "N", 1L << 40).Output("y", OnnxModelBuilder.Float, "N", 1L << 40).Node("Identity", ["x"], ["y"]).Build(), ["x float32 N,4"], ["y float32 N,4"])
            .Add("strings", new OnnxModelBuilder().Input("x", OnnxModelBuilder.String, "N").Output("y", OnnxModelBuilder.String, "N").Node("Identity", ["x"], ["y"]).Build(), ["x uint8 N"], ["y uint8 N"]);
        await using var server = new InferenceServer(("InferenceApi:Models:Path", models.Path));
        using var client = server.CreateClient();
        const string Request = """{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}""";

        using var answer = await client.PostAsync($"/v2/models/{model}/infer", Json(Request));
        using var again = await client.PostAsync($"/v2/models/{model}/infer", Json(Request));
        using var other = await client.PostAsync("/v2/models/scale/infer", Json(Request));

        Assert.True(status == (int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
        Assert.Equal(answer.StatusCode, again.StatusCode);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        if (status == 422) Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync($"/v2/models/{model}/ready")).StatusCode);
    }

    [RuntimeFact]
    public async Task Infer_TimeoutParameter_Is504AndTheModelIsFreeAgain()
    {
        using var models = new ModelFolder().Add("work", OnnxModelBuilder.Work(768, 300), ["x float32 N,768"], ["y float32 N,768"]);
        await using var server = new InferenceServer(("InferenceApi:Models:Path", models.Path), ("InferenceApi:Batching:MeasureFor", "00:00:00"));
        using var client = server.CreateClient();
        var values = string.Join(',', Enumerable.Repeat("1", 768));
        var many = string.Join(',', Enumerable.Repeat("1", 192 * 768)); // seconds of work, if nobody ended it

        using var late = await client.PostAsync("/v2/models/work/infer", Json($$$"""{"inputs":[{"name":"x","shape":[192,768],"datatype":"FP32","data":[{{{many}}}]}],"parameters":{"timeout":100}}"""));
        using var good = await client.PostAsync("/v2/models/work/infer", Json($$$"""{"inputs":[{"name":"x","shape":[1,768],"datatype":"FP32","data":[{{{values}}}]}]}"""));

        Assert.Equal(HttpStatusCode.GatewayTimeout, late.StatusCode);
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
    }

    [RuntimeFact]
    public async Task Infer_MoreThanMayWait_Is503WithRetryAfterAndNoneIsLost()
    {
        using var models = new ModelFolder().Add("work", OnnxModelBuilder.Work(512, 400), ["x float32 N,512"], ["y float32 N,512"]);
        await using var server = new InferenceServer(("InferenceApi:Models:Path", models.Path), ("InferenceApi:Batching:MeasureFor", "00:00:00"), ("InferenceApi:Batching:QueueCapacity", "2"));
        using var client = server.CreateClient();
        var request = $$$"""{"inputs":[{"name":"x","shape":[1,512],"datatype":"FP32","data":[{{{string.Join(',', Enumerable.Repeat("1", 512))}}}]}]}""";

        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => client.PostAsync("/v2/models/work/infer", Json(request))));

        Assert.Contains(answers, static answer => answer.StatusCode == HttpStatusCode.OK);
        var refused = answers.Where(static answer => answer.StatusCode != HttpStatusCode.OK).ToList();
        Assert.NotEmpty(refused);
        Assert.All(refused, static answer =>
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.True(answer.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        });
        Assert.Equal(0, (await client.GetFromJsonAsync<JsonElement>("/api/sessions")).GetProperty("memory").GetProperty("predictions").GetInt64());
        foreach (var answer in answers) answer.Dispose();
    }

    private static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    private static ByteArrayContent Binary(byte[] header, byte[] values) => new([.. header, .. values])
    {
        Headers = { { "Inference-Header-Content-Length", header.Length.ToString() }, { "Content-Type", "application/octet-stream" } },
    };

    private static byte[] Floats(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];
}
