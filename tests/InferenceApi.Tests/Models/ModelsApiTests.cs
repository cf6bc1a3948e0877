using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using InferenceApi.Tests.Support;
using Platform.Tests.Shared;

namespace InferenceApi.Tests.Models;

public sealed class ModelsApiTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly InferenceServer _server;
    private readonly HttpClient _client;

    public ModelsApiTests()
    {
        _server = new InferenceServer(("InferenceApi:Models:Path", _folder.Path), ("InferenceApi:Batching:MeasureFor", "00:00:00"), ("InferenceApi:Models:MinFreeBytes", "0"));
        _client = _server.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Status_NothingStored_ListsWhatShipsAndWhatCanBeFetched()
    {
        var status = await GetAsync("status");

        var tissue = ModelOf(status, "ct-tissue");
        Assert.Equal(("absent", true, "segmentation"), ((string)tissue["state"]!, (bool)tissue["runs"]!, (string)tissue["task"]!));
        Assert.Equal("hounsfield", (string)tissue["inputs"]![0]!["unit"]!);
        var midas = ModelOf(status, "MiDaS_small");
        Assert.False((bool)midas["runs"]!);
        Assert.NotNull((string?)midas["runsAfter"]);
        Assert.Empty(status["problems"]!.AsArray());
        Assert.Equal(0, (int)(await GetAsync("cache/info"))["models"]!);
    }

    [Fact]
    public async Task Download_WithEvents_TellsProgressAndThatItIsDone()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/models/download") { Content = Json("""{"model":"CT-Tissue"}""") };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var response = await _client.SendAsync(request);
        var events = await response.Content.ReadAsStringAsync();

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.EndsWith("event: done\ndata: {\"model\":\"ct-tissue\"}\n\n", events, StringComparison.Ordinal);
        var info = await GetAsync("cache/info");
        Assert.Equal((1, "ok", "onnx"), ((int)info["models"]!, (string)info["health"]!, (string)info["formats"]![0]!["format"]!));
        var stored = ModelOf(await GetAsync("status"), "ct-tissue");
        Assert.Equal(("stored", "shipped"), ((string)stored["state"]!, (string)stored["stored"]!["from"]!));
        var again = await PostAsync("download", """{"model":"ct-tissue"}""");
        Assert.Equal((string)stored["stored"]!["digest"]!, (string)again["stored"]!["digest"]!);
    }

    [Fact]
    public async Task Download_NobodyWaits_ComesAllTheSame()
    {
        using var accepted = await _client.PostAsync("/api/models/download", Json("""{"model":"ct-tissue","wait":false}"""));
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((string)ModelOf(await GetAsync("status"), "ct-tissue")["state"]! != "stored") await Task.Delay(20, patience.Token);
        Assert.Empty((await GetAsync("status"))["failures"]!.AsArray());
    }

    [Fact]
    public async Task Download_ThatFails_TellsWhyAsAnEvent()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "catalogue"));
        File.WriteAllText(Path.Combine(_folder.Path, "catalogue", "far.json"), """
            { "schema": 1, "name": "far", "version": "1", "task": "other", "licence": "MIT", "files": [ { "path": "m.onnx", "urls": ["http://192.0.2.1/m.onnx"] } ], "runs": "m.onnx",
              "inputs": [ { "name": "x", "element": "float32", "shape": [1], "unit": "any" } ], "outputs": [ { "name": "y", "element": "float32", "shape": [1], "unit": "any" } ] }
            """);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/models/download") { Content = Json("""{"model":"far"}""") };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var response = await _client.SendAsync(request);
        var events = await response.Content.ReadAsStringAsync();

        Assert.Contains("event: failed\n", events, StringComparison.Ordinal);
        Assert.Contains("http://192.0.2.1/m.onnx is not allowed", events, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("package", "ct-tissue-")]
    [InlineData("safetensors", "ct-tissue.safetensors")]
    public async Task Export_Format_IsAFileThatImportTakes(string format, string fileName)
    {
        await PostAsync("download", """{"model":"ct-tissue"}""");
        using var exported = await _client.PostAsync("/api/models/cache/export", Json($$"""{"model":"ct-tissue","format":"{{format}}"}"""));
        Assert.Equal(HttpStatusCode.OK, exported.StatusCode);
        Assert.StartsWith(fileName, exported.Content.Headers.ContentDisposition!.FileName!.Trim('"'), StringComparison.Ordinal);
        var bytes = await exported.Content.ReadAsByteArrayAsync();
        Assert.Equal(bytes.Length, exported.Content.Headers.ContentLength);
        if (format == "package") await PostAsync("cache/clear", """{"confirm":true,"model":"ct-tissue"}""");

        using var imported = await ImportAsync(bytes, $"fileName={exported.Content.Headers.ContentDisposition.FileName!.Trim('"')}" + (format == "package" ? "" : "&name=mine&graphOf=ct-tissue"));

        Assert.True(imported.StatusCode == HttpStatusCode.Created, await imported.Content.ReadAsStringAsync());
        var model = (await imported.Content.ReadFromJsonAsync<JsonObject>())!;
        Assert.Equal((format == "package" ? "ct-tissue" : "mine", "stored", "import"), ((string)model["name"]!, (string)model["state"]!, (string)model["stored"]!["from"]!));
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder.Path, "tmp")));
    }

    [Fact]
    public async Task Clear_WithoutConfirmation_SaysWhatWouldGo()
    {
        await PostAsync("download", """{"model":"ct-tissue"}""");

        using var unsure = await _client.PostAsync("/api/models/cache/clear", Json("{}"));
        var problem = (await unsure.Content.ReadFromJsonAsync<JsonObject>())!;
        Assert.Equal((HttpStatusCode.BadRequest, "urn:platform:problem:confirmation-required", 1), (unsure.StatusCode, (string)problem["type"]!, (int)problem["models"]!));
        Assert.Equal(1, (int)(await GetAsync("cache/info"))["models"]!);
        var cleared = await PostAsync("cache/clear", """{"confirm":true}""");
        Assert.Equal("ct-tissue", (string)Assert.Single(cleared["removed"]!.AsArray())!);
        Assert.Equal(0, (long)(await GetAsync("cache/info"))["bytes"]!);
        using var absent = await _client.DeleteAsync(new Uri("/api/models/ct-tissue", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, absent.StatusCode);
    }

    [Fact]
    public async Task Verify_DamagedModel_IsMended()
    {
        await PostAsync("download", """{"model":"ct-tissue"}""");
        var blob = Directory.GetFiles(Path.Combine(_folder.Path, "blobs-1"), "*", SearchOption.AllDirectories).Single();
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(blob, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var bytes = File.ReadAllBytes(blob);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(blob, bytes);

        Assert.Equal("damaged", (string)(await PostAsync("verify", "{}"))["findings"]![0]!["problem"]!);
        Assert.Equal("fetched", (string)(await PostAsync("verify", """{"repair":true}"""))["findings"]![0]!["repair"]!);
        Assert.True((bool)(await PostAsync("verify", "{}"))["sound"]!);
    }

    [Theory]
    [InlineData("fileName=evil.onnx&name=evil", "hello", 422, "no ONNX model")]
    [InlineData("fileName=evil.zip", "hello", 422, "no zip")]
    [InlineData("fileName=evil.exe&name=evil", "hello", 422, "can be imported")]
    [InlineData("fileName=evil.pkl&name=evil&graphOf=ct-tissue", "cposix\nsystem\n.", 422, "posix.system")]
    [InlineData("fileName=own.onnx&name=..%2Fevil", "hello", 422, "A model's name has")]
    public async Task Import_BadFile_IsRefusedByNameAndNothingRemains(string query, string body, int status, string said)
    {
        await PostAsync("download", """{"model":"ct-tissue"}""");
        var before = (long)(await GetAsync("cache/info"))["bytes"]!;

        using var refused = await ImportAsync(Encoding.ASCII.GetBytes(body), query);

        Assert.Equal(status, (int)refused.StatusCode);
        Assert.Contains(said, (string)(await refused.Content.ReadFromJsonAsync<JsonObject>())!["detail"]!, StringComparison.Ordinal);
        var info = await GetAsync("cache/info");
        Assert.Equal((1, before), ((int)info["models"]!, (long)info["bytes"]!));
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder.Path, "tmp")));
    }

    [RuntimeFact]
    public async Task Import_OwnModel_IsOpenedInAChildProcessFirst()
    {
        var good = OnnxModelBuilder.Scale(3);
        using (var taken = await ImportAsync(good, "fileName=own.onnx&name=own")) Assert.True(taken.StatusCode == HttpStatusCode.Created, await taken.Content.ReadAsStringAsync());

        // The operator becomes one that nobody knows.
        var unknown = (byte[])good.Clone();
        var at = unknown.AsSpan().IndexOf("Mul"u8);
        Assert.True(at > 0);
        "Mux"u8.CopyTo(unknown.AsSpan(at));
        using var refused = await ImportAsync(unknown, "fileName=bad.onnx&name=bad");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Contains("Mux", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(1, (int)(await GetAsync("cache/info"))["models"]!);
        using var alive = await _client.GetAsync(new Uri("/health", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
    }

    [RuntimeFact]
    public async Task Optimize_Model_IsTriedInAChildProcessAndKeptOnlyWhenWorthIt()
    {
        await PostAsync("download", """{"model":"ct-tissue"}""");

        var answer = await PostAsync("cache/optimize", """{"model":"ct-tissue"}""");

        var kept = (bool)answer["kept"]!;
        Assert.Equal(kept, (long)(await GetAsync("cache/info"))["optimizedBytes"]! > 0);
    }

    [Theory]
    [InlineData("download", """{"model":"nobody"}""", 404)]
    [InlineData("download", """{}""", 400)]
    [InlineData("download", """{"model":5}""", 400)]
    [InlineData("download", """{"model":"x","more":1}""", 400)]
    [InlineData("download", """[""", 400)]
    [InlineData("verify", """{"model":"nobody"}""", 404)]
    [InlineData("cache/export", """{"model":"nobody"}""", 404)]
    [InlineData("cache/export", """{"model":"ct-tissue","format":"exe"}""", 422)]
    [InlineData("cache/optimize", """{"model":"ct-tissue"}""", 404)]
    public async Task Post_WrongRequest_IsAProblem(string path, string body, int status)
    {
        using var response = await _client.PostAsync("/api/models/" + path, Json(body));

        Assert.Equal((status, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType));
    }

    [Fact]
    public async Task Post_FormOfAnotherSite_IsRefused()
    {
        using var form = await _client.PostAsync("/api/models/cache/clear", new FormUrlEncodedContent([new("confirm", "true")]));
        Assert.Equal(HttpStatusCode.BadRequest, form.StatusCode);
        using var upload = await _client.PostAsync("/api/models/cache/import?fileName=a.onnx&name=a", new MultipartFormDataContent { { new ByteArrayContent([1]), "file", "a.onnx" } });
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, upload.StatusCode);
    }

    private static JsonObject ModelOf(JsonObject status, string name) => status["models"]!.AsArray().First(model => (string)model!["name"]! == name)!.AsObject();

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private async Task<JsonObject> GetAsync(string path) => (await _client.GetFromJsonAsync<JsonObject>("/api/models/" + path))!;

    private async Task<JsonObject> PostAsync(string path, string body)
    {
        using var response = await _client.PostAsync("/api/models/" + path, Json(body));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync<JsonObject>())!;
    }

    private Task<HttpResponseMessage> ImportAsync(byte[] bytes, string query)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return _client.PostAsync("/api/models/cache/import?" + query, content);
    }
}
