using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImageApi.Origins;
using ImageApi.Tests.Support;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Origins;

/// <summary>Origins that are added, changed and removed while the service runs.</summary>
public sealed class OriginAdministrationTests : IAsyncLifetime
{
    private const string Address = "/api/origins";
    private readonly TempFolder _folder = new();
    private ImageApiHost _host = null!;

    public async Task InitializeAsync() => _host = await StartAsync();

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Add_Origin_IsThereAtOnceAndAfterARestart()
    {
        using var response = await SendAsync(HttpMethod.Post, Address, new { name = "pacs1", kind = "s3", bucket = "scans", prefix = "a/", serviceUrl = "https://store.invalid:9000/", maxConcurrency = 3, accessKey = "reader", secretKey = "s3cret!" });
        Assert.Equal((HttpStatusCode.Created, "/api/origins/pacs1"), (response.StatusCode, response.Header("Location")));
        await AssertThereAsync();
        await _host.DisposeAsync();
        _host = await StartAsync();
        await AssertThereAsync();

        async Task AssertThereAsync()
        {
            var pacs = await FindAsync("pacs1");
            Assert.Equal(("s3", "s3://scans/a/ at https://store.invalid:9000/", true), (pacs.GetProperty("kind").GetString(), pacs.GetProperty("address").GetString(), pacs.GetProperty("isEditable").GetBoolean()));
            Assert.Equal(3, (await DetailsAsync("pacs1")).GetProperty("settings").GetProperty("maxConcurrency").GetInt32());
        }
    }

    [Fact]
    public async Task Add_Credentials_AreNeverSentBackAndKeptForTheOwnerOnly()
    {
        string[] secrets = ["acc3ss", "s3cret!"];
        using var added = await SendAsync(HttpMethod.Post, Address, new { name = "one", kind = "s3", bucket = "scans", serviceUrl = "https://store.invalid/", accessKey = secrets[0], secretKey = secrets[1] });
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        foreach (var text in new[] { await added.Content.ReadAsStringAsync(), await _host.Client.GetStringAsync(Address), await _host.Client.GetStringAsync(Address + "/one") })
            foreach (var secret in secrets)
                Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        Assert.Equal(["accessKey", "secretKey"], (await DetailsAsync("one")).GetProperty("secrets").EnumerateArray().Select(name => name.GetString()));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder.Path, "origins.json")));
    }

    [Fact]
    public void Show_Credentials_AreNamedAndNotShown()
    {
        var origin = new OriginOptions { Kind = "http", Url = "https://files.example/", Username = "u5er", Password = "s3cret!", BearerToken = "t0ken", AccessKey = "acc3ss", SecretKey = "k3y" };
        origin.Headers["X-Key"] = "h3ader";
        var (settings, secrets) = OriginDocument.Show(origin);
        var text = settings.ToJsonString() + secrets.ToJsonString();
        foreach (var secret in new[] { "u5er", "s3cret!", "t0ken", "acc3ss", "k3y", "h3ader" }) Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        Assert.Equal(["username", "password", "bearerToken", "accessKey", "secretKey", "headers:X-Key"], secrets.Select(name => name!.GetValue<string>()));
    }

    [Fact]
    public async Task Replace_WithoutCredentials_KeepsThemAtTheSameAddressOnly()
    {
        using var added = await SendAsync(HttpMethod.Post, Address, new { name = "one", kind = "s3", bucket = "a", serviceUrl = "https://store.invalid/", accessKey = "acc3ss", secretKey = "s3cret!" });
        using var kept = await SendAsync(HttpMethod.Put, Address + "/one", new { kind = "s3", bucket = "b", serviceUrl = "https://store.invalid/" });
        Assert.Equal(["accessKey", "secretKey"], (await kept.JsonAsync()).GetProperty("secrets").EnumerateArray().Select(name => name.GetString()));

        // Else whoever may change an origin could have its credentials sent to a server of his own.
        foreach (var elsewhere in new[] { "https://evil.invalid/", "http://store.invalid/", "https://store.invalid:8443/" })
        {
            using var moved = await SendAsync(HttpMethod.Put, Address + "/one", new { kind = "s3", bucket = "b", serviceUrl = elsewhere, allowPlainHttp = true });
            var problem = await ProblemAnswer.AssertAsync(moved, HttpStatusCode.BadRequest, "urn:platform:problem:invalid-settings");
            Assert.Contains("credentials", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        using var removed = await SendAsync(HttpMethod.Put, Address + "/one", new { kind = "s3", bucket = "b", serviceUrl = "https://other.invalid/", accessKey = "", secretKey = (string?)null });
        Assert.Empty((await removed.JsonAsync()).GetProperty("secrets").EnumerateArray());
    }

    [Fact]
    public async Task Remove_Origin_IsGone()
    {
        using var added = await SendAsync(HttpMethod.Post, Address, new { name = "gone", kind = "folder", path = _folder.Path });
        using var removed = await SendAsync(HttpMethod.Delete, Address + "/gone", null);
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        Assert.DoesNotContain("gone", await NamesAsync());
        using var again = await SendAsync(HttpMethod.Delete, Address + "/gone", null);
        await ProblemAnswer.AssertAsync(again, HttpStatusCode.NotFound);
        Assert.False(File.Exists(Path.Combine(_folder.Path, "origins.json")));
    }

    [Theory]
    [InlineData("store")]
    [InlineData("test")]
    public async Task Change_OriginOfTheConfiguration_IsRefused(string name)
    {
        using var replaced = await SendAsync(HttpMethod.Put, $"{Address}/{name}", new { kind = "folder", path = "/tmp" });
        await ProblemAnswer.AssertAsync(replaced, HttpStatusCode.Conflict, "urn:platform:problem:origin-conflict");
        using var removed = await SendAsync(HttpMethod.Delete, $"{Address}/{name}", null);
        await ProblemAnswer.AssertAsync(removed, HttpStatusCode.Conflict, "urn:platform:problem:origin-conflict");
        using var added = await SendAsync(HttpMethod.Post, Address, new { name, kind = "folder", path = "/tmp" });
        await ProblemAnswer.AssertAsync(added, HttpStatusCode.Conflict, "urn:platform:problem:origin-conflict");
        Assert.False((await FindAsync(name)).GetProperty("isEditable").GetBoolean());
    }

    [Theory]
    [InlineData("""{"kind":"http","url":"https://a.example/"}""", "'name'")]
    [InlineData("""{"name":"a b","kind":"http","url":"https://a.example/"}""", "a name is")]
    [InlineData("""{"name":"studies","kind":"http","url":"https://a.example/"}""", "meaning of its own")]
    [InlineData("""{"name":"x","kind":"ftp","url":"https://a.example/"}""", "'ftp' is not known")]
    [InlineData("""{"name":"x","kind":"http","url":"file:///etc/passwd"}""", "Url is no http")]
    [InlineData("""{"name":"x","kind":"http","url":"https://u:p@a.example/"}""", "Url holds credentials")]
    [InlineData("""{"name":"x","kind":"http"}""", "Url is missing")]
    [InlineData("""{"name":"x","kind":"folder"}""", "Path is missing")]
    [InlineData("""{"name":"x","kind":"http","url":"https://a.example/","colour":"red"}""", "not understood")]
    [InlineData("""{"name":"x","kind":"http","url":"https://a.example/","retries":"many"}""", "$.retries")]
    [InlineData("""{"name":"x","kind":"http","url":["https://a.example/"]}""", "$.url")]
    [InlineData("""{"name":"x","kind":"s3"}""", "Bucket is missing")]
    public async Task Add_WhatCannotBe_SaysWhyAndChangesNothing(string document, string said)
    {
        using var response = await _host.Client.PostAsync(Address, new StringContent(document, null, "application/json"));
        var problem = await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadRequest, "urn:platform:problem:invalid-settings");
        Assert.Contains(said, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(["store", "test"], await NamesAsync());
    }

    [Theory]
    [InlineData("GET", "/api/origins/test")]
    [InlineData("POST", "/api/origins")]
    [InlineData("PUT", "/api/origins/test")]
    [InlineData("DELETE", "/api/origins/test")]
    public async Task Send_FromAPageOfAnotherSite_IsRefused(string method, string path)
    {
        using var response = await _host.SendAsync(new HttpMethod(method), path, ("Sec-Fetch-Site", "cross-site"));
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.Forbidden, "urn:platform:problem:administration-refused");
    }

    [Fact]
    public async Task Start_NameInFileAndConfiguration_TheConfigurationWins()
    {
        using var added = await SendAsync(HttpMethod.Post, Address, new { name = "both", kind = "folder", path = "/from/the/page" });
        await _host.DisposeAsync();
        _host = await StartAsync(("ImageApi:Origins:both:Path", _folder.Path));
        var both = await FindAsync("both");
        Assert.Equal((_folder.Path, false), (both.GetProperty("address").GetString(), both.GetProperty("isEditable").GetBoolean()));
    }

    [Fact]
    public async Task Add_FolderWithStudies_IsSearchedAtOnceAndForgottenWhenItGoes()
    {
        var (one, two) = (_folder.Combine("one", "a.dcm"), _folder.Combine("two", "a.dcm"));
        new DicomBuilder { StudyUid = "2.25.1", SeriesUid = "2.25.1.1", InstanceUid = "2.25.1.1.1" }.Save(one);
        new DicomBuilder { StudyUid = "2.25.2", SeriesUid = "2.25.2.1", InstanceUid = "2.25.2.1.1" }.Save(two);

        using var added = await SendAsync(HttpMethod.Post, Address, new { name = "scans", kind = "folder", path = Path.GetDirectoryName(one) });
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        await UntilStudiesAre("2.25.1");
        Assert.Equal(HttpStatusCode.OK, (await _host.SendAsync("/dicomweb/studies/2.25.1/series/2.25.1.1/instances/2.25.1.1.1/frames/1")).StatusCode);

        // Watched from then on, as a configured one is.
        new DicomBuilder { StudyUid = "2.25.3", SeriesUid = "2.25.3.1", InstanceUid = "2.25.3.1.1" }.Save(Path.Combine(Path.GetDirectoryName(one)!, "b.dcm"));
        await UntilStudiesAre("2.25.1", "2.25.3");

        using var moved = await SendAsync(HttpMethod.Put, Address + "/scans", new { kind = "folder", path = Path.GetDirectoryName(two) });
        Assert.Equal(HttpStatusCode.OK, moved.StatusCode);
        await UntilStudiesAre("2.25.2");

        using var removed = await SendAsync(HttpMethod.Delete, Address + "/scans", null);
        await UntilStudiesAre();
        Assert.Equal(HttpStatusCode.NotFound, (await _host.SendAsync("/dicomweb/studies/2.25.2/series/2.25.2.1/instances/2.25.2.1.1/frames/1")).StatusCode);
    }

    private async Task UntilStudiesAre(params string[] expected)
    {
        string[] found = [];
        for (var tries = 0; tries < 300; tries++)
        {
            found = [.. (await (await _host.SendAsync("/dicomweb/studies")).JsonAsync()).EnumerateArray().Select(study => study.Value("0020000D")!).Order(StringComparer.Ordinal)];
            if (found.SequenceEqual(expected)) return;
            await Task.Delay(50);
        }
        Assert.Fail($"After 15 s there are the studies {string.Join(", ", found)}.");
    }

    [Fact]
    public void Read_HeaderWithoutValue_StaysAsItWas()
    {
        var before = new OriginOptions { Kind = "http", Url = "https://a.example/" };
        before.Headers["X-Key"] = "old";
        before.Headers["X-Gone"] = "old";
        var after = OriginDocument.Read(JsonNode.Parse("""{"kind":"http","url":"https://a.example/","headers":{"X-Key":null,"X-New":"new","X-Never":null}}""")!.AsObject(), before, out var wrong);
        Assert.Null(wrong);
        Assert.Equal([("X-Key", "old"), ("X-New", "new")], after!.Headers.Select(field => (field.Key, field.Value)).Order());
    }

    private Task<ImageApiHost> StartAsync(params (string, string)[] settings) => ImageApiHost.StartAsync(static _ => { }, [("ImageApi:Settings:Path", _folder.Path), .. settings]);

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        return await _host.Client.SendAsync(request);
    }

    private async Task<JsonElement> ListAsync() => (await (await _host.SendAsync(Address)).JsonAsync()).GetProperty("origins");

    private async Task<IEnumerable<string?>> NamesAsync() => (await ListAsync()).EnumerateArray().Select(origin => origin.GetProperty("name").GetString());

    private async Task<JsonElement> FindAsync(string name) => (await ListAsync()).EnumerateArray().Single(origin => origin.GetProperty("name").GetString() == name);

    private async Task<JsonElement> DetailsAsync(string name) => await (await _host.SendAsync($"{Address}/{name}")).JsonAsync();
}
