using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using ImageApi.Tests.Support;
using Microsoft.AspNetCore.Http;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Origins.Dicomweb;

/// <summary><c>/dicomweb/{origin}</c>, and the merging of several origins under <c>/dicomweb</c>.</summary>
[Collection(OrthancCollection.Name)]
public sealed class OriginScopeTests(OrthancFixture fixture)
{
    [ToolFact("Orthanc")]
    public async Task KnownResources_UnderAnOrigin_AreThatOriginsAlone()
    {
        // A local copy of one study, under another name; the PACS has both studies.
        await using var api = await ImageApiHost.StartAsync(folder => SyntheticStudies.Other.With(DicomTags.PatientName, "LOCAL^COPY").Save(Path.Combine(folder, "other.dcm")),
            ("ImageApi:Origins:pacs1:Kind", "dicomweb"), ("ImageApi:Origins:pacs1:Url", fixture.Orthanc.DicomwebUrl), ("ImageApi:Search:OriginTimeout", "00:00:30"));
        Assert.Equal([SyntheticStudies.Study, SyntheticStudies.OtherStudy], await StudiesAsync(api, "/dicomweb/studies"));
        Assert.Equal([SyntheticStudies.Study, SyntheticStudies.OtherStudy], await StudiesAsync(api, "/dicomweb/pacs1/studies"));
        Assert.Equal([SyntheticStudies.OtherStudy], await StudiesAsync(api, "/dicomweb/test/studies"));
        Assert.Empty(await StudiesAsync(api, "/dicomweb/store/studies"));

        // The first origin in order wins: the folder.
        Assert.Equal("LOCAL^COPY", (await MetadataAsync(api, "/dicomweb")).Value("00100010"));
        Assert.Equal("LOCAL^COPY", (await MetadataAsync(api, "/dicomweb/test")).Value("00100010"));
        Assert.Equal("MÜLLER^HANS", (await MetadataAsync(api, "/dicomweb/pacs1")).Value("00100010"));
        using var absent = await api.SendAsync($"/dicomweb/test{SyntheticStudies.SeriesPath()["/dicomweb".Length..]}/metadata");
        Assert.Equal(HttpStatusCode.NotFound, absent.StatusCode);
        using var frame = await api.SendAsync($"/dicomweb/pacs1{DicomwebOriginTests.PathOf(SyntheticStudies.Slice(1))["/dicomweb".Length..]}/frames/1", ("Accept", "application/octet-stream"));
        Assert.Equal(SyntheticStudies.Slice(1).NativeFrame(0), await frame.Content.ReadAsByteArrayAsync());
        using var nowhere = await api.SendAsync("/dicomweb/nosuch/studies");
        Assert.Equal(HttpStatusCode.NotFound, nowhere.StatusCode);
    }

    [ToolFact("Orthanc")]
    public async Task Search_OverSeveralOrigins_IsOneListInOrder_WithPagesThatDoNotOverlap()
    {
        await using var orthanc = await OrthancServer.StartAsync();
        for (var i = 0; i < 12; i += 2) await orthanc.StoreAsync(Numbered(i).Build());
        await using var api = await ImageApiHost.StartAsync(folder =>
        {
            for (var i = 1; i < 12; i += 2) Numbered(i).Save(Path.Combine(folder, $"{i}.dcm"));
            Numbered(4).Save(Path.Combine(folder, "too.dcm"));   // in both
        }, ("ImageApi:Origins:pacs1:Kind", "dicomweb"), ("ImageApi:Origins:pacs1:Url", orthanc.DicomwebUrl), ("ImageApi:Search:OriginTimeout", "00:00:30"));

        var expected = Enumerable.Range(0, 12).OrderByDescending(i => i).Select(i => $"2.25.77.{i}").ToArray();   // newest first
        Assert.Equal(expected, await StudiesAsync(api, "/dicomweb/studies", sort: false));
        var pages = new List<string>();
        for (var offset = 0; offset < 12; offset += 5)
        {
            using var answer = await api.SendAsync($"/dicomweb/studies?limit=5&offset={offset}");
            Assert.Equal("12", answer.Header("X-Total-Count"));
            pages.AddRange((await answer.JsonAsync()).EnumerateArray().Select(row => row.Value("0020000D")!));
        }
        Assert.Equal(expected, pages);
        Assert.Equal(expected.Reverse(), await StudiesAsync(api, "/dicomweb/studies?orderby=StudyDate", sort: false));
        Assert.Equal(["2.25.77.3", "2.25.77.4"], await StudiesAsync(api, "/dicomweb/studies?StudyDate=20240103-20240104"));
        Assert.Equal(["2.25.77.6", "2.25.77.7"], await StudiesAsync(api, "/dicomweb/studies?StudyInstanceUID=2.25.77.6,2.25.77.7"));
        Assert.Equal(["2.25.77.8"], await StudiesAsync(api, "/dicomweb/studies?PatientName=N8*"));
        Assert.Equal(["2.25.77.8"], await StudiesAsync(api, "/dicomweb/studies?search=n8"));
        using var same = await api.SendAsync("/dicomweb/studies");
        using var again = await api.SendAsync("/dicomweb/studies", ("If-None-Match", same.Header("ETag")!));
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
    }

    [ToolFact("Orthanc")]
    public async Task Search_AnOriginThatIsSlow_IsLeftOutAndSaidSo()
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        await using var api = await ImageApiHost.StartAsync(folder => Numbered(1).Save(Path.Combine(folder, "1.dcm")),
            ("ImageApi:Origins:pacs1:Kind", "dicomweb"), ("ImageApi:Origins:pacs1:Url", proxy.Url), ("ImageApi:Search:OriginTimeout", "00:00:00.300"));
        proxy.Interfere = static async context =>
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return true;
        };
        using var slow = await api.SendAsync("/dicomweb/studies");
        Assert.Equal(HttpStatusCode.OK, slow.StatusCode);
        Assert.Contains("299 platform \"Origin pacs1 did not answer in time", slow.Header("Warning"), StringComparison.Ordinal);
        Assert.Equal(["2.25.77.1"], (await slow.JsonAsync()).EnumerateArray().Select(row => row.Value("0020000D")!));
        proxy.Interfere = null;
        await DicomwebOriginTests.WaitAsync(async () => (await StudiesAsync(api, "/dicomweb/studies")).Length, count => count == 3);
    }

    [ToolFact("Orthanc")]
    public async Task UnknownResources_UnderAnOrigin_PassThroughUntouched()
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url);
        (string, string, string) seen = default;
        proxy.Interfere = async context =>
        {
            if (!context.Request.Path.Value!.Contains("/worklist", StringComparison.Ordinal)) return false;
            seen = (context.Request.Headers.Accept.ToString(), context.Request.Headers.Cookie.ToString(), context.Request.Headers["X-Client"].ToString());
            context.Response.StatusCode = 418;
            context.Response.Headers["X-Pacs"] = "yes";
            context.Response.Headers["X-Hop"] = "dropped";
            context.Response.Headers.Connection = "X-Hop";
            context.Response.Headers.SetCookie = "session=1";
            context.Response.Headers.Location = $"{proxy.Url}/worklist/2";
            context.Response.ContentType = "text/odd; x=y";
            await context.Response.WriteAsync("the PACS's own words");
            return true;
        };
        using var answer = await api.SendAsync("/dicomweb/pacs1/worklist/a%2Fb?x=%20y", ("Accept", "text/odd"), ("Cookie", "ours=1"), ("X-Client", "c"));
        Assert.Equal(418, (int)answer.StatusCode);
        Assert.Equal("the PACS's own words", await answer.Content.ReadAsStringAsync());
        Assert.Equal("text/odd; x=y", answer.Header("Content-Type"));
        Assert.Equal("yes", answer.Header("X-Pacs"));
        Assert.Null(answer.Header("X-Hop"));
        Assert.Null(answer.Header("Set-Cookie"));
        Assert.Equal("/dicomweb/pacs1/worklist/2", answer.Header("Location"));
        Assert.Equal("GET /dicom-web/worklist/a%2Fb?x=%20y", proxy.Requests.Last());
        Assert.Equal(("text/odd", "", "c"), seen);

        // A search with a key that only the PACS knows goes to it as it is.
        proxy.Clear();
        Assert.Single(await StudiesAsync(api, "/dicomweb/pacs1/studies?vendor=its-own&StudyInstanceUID=" + SyntheticStudies.Study));
        Assert.Contains("vendor=its-own", proxy.Requests.Last(), StringComparison.Ordinal);
    }

    [ToolTheory("Orthanc")]
    [InlineData("../system")]
    [InlineData("..%2fsystem")]
    [InlineData("%2e%2e/system")]
    [InlineData("studies/../../system")]
    [InlineData("/127.0.0.1:1/x")]
    [InlineData("http://127.0.0.1:1/x")]
    public async Task Paths_ThatWouldLeadOutOfTheOrigin_DoNot(string path)
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url);
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, api.Address.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET /dicomweb/pacs1/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(client.GetStream());
        var answer = await reader.ReadToEndAsync();
        Assert.DoesNotContain("ApiVersion", answer, StringComparison.Ordinal);
        Assert.All(proxy.Requests, request => Assert.StartsWith("GET /dicom-web/", request, StringComparison.Ordinal));
    }

    [ToolFact("Orthanc")]
    public async Task UnsafeMethods_GoThroughOnlyWhereConfigured_AndWhatTheyChangeIsSeenAtOnce()
    {
        await using var orthanc = await OrthancServer.StartAsync();
        await orthanc.StoreAsync(SyntheticStudies.Slice(1).Build());
        await using (var closed = await OrthancFixture.StartApiAsync(orthanc.DicomwebUrl))
        {
            using var refused = await closed.Client.PostAsync("/dicomweb/pacs1/studies", Stow(SyntheticStudies.Slice(2).Build()));
            Assert.Equal(HttpStatusCode.MethodNotAllowed, refused.StatusCode);
            Assert.Equal("GET, HEAD, OPTIONS", refused.Header("Allow"));
        }

        await using var api = await OrthancFixture.StartApiAsync(orthanc.DicomwebUrl, ("ImageApi:Origins:pacs1:Methods:0", "POST"));
        Assert.Single(JsonNode.Parse(await api.Client.GetStringAsync(SyntheticStudies.SeriesPath() + "/metadata"))!.AsArray());
        using var stored = await api.Client.PostAsync("/dicomweb/pacs1/studies", Stow(SyntheticStudies.Slice(2).Build()));
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        Assert.Equal(2, JsonNode.Parse(await api.Client.GetStringAsync(SyntheticStudies.SeriesPath() + "/metadata"))!.AsArray().Count);
        Assert.Empty(await StudiesAsync(api, "/dicomweb/store/studies"));
    }

    [ToolFact("Orthanc")]
    public async Task Representations_ThatWeDoNotMake_ComeFromThePacs()
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url);
        var path = DicomwebOriginTests.PathOf(SyntheticStudies.Slice(1)) + "/frames/1";
        proxy.Interfere = static async context =>
        {
            if (context.Request.Headers.Accept != "image/exotic") return false;
            context.Response.ContentType = "image/exotic";
            await context.Response.WriteAsync("made by the PACS");
            return true;
        };
        using var answer = await api.SendAsync(path, ("Accept", "image/exotic"));
        Assert.Equal("made by the PACS", await answer.Content.ReadAsStringAsync());
        Assert.Contains("fwd=bypass", answer.Header("Cache-Status"), StringComparison.Ordinal);
    }

    private static DicomBuilder Numbered(int i) => new DicomBuilder { StudyUid = $"2.25.77.{i}", SeriesUid = $"2.25.77.{i}.1", InstanceUid = $"2.25.77.{i}.1.1" }
        .With(DicomTags.StudyDate, $"202401{i:00}").With(DicomTags.PatientName, $"N{i}^TEST").With(DicomTags.PatientID, $"P-{i:00}");

    private static MultipartContent Stow(byte[] file)
    {
        var part = new ByteArrayContent(file);
        part.Headers.ContentType = new MediaTypeHeaderValue("application/dicom");
        var content = new MultipartContent("related", "stow") { part };
        content.Headers.ContentType!.Parameters.Add(new NameValueHeaderValue("type", "\"application/dicom\""));
        return content;
    }

    private static async Task<string[]> StudiesAsync(ImageApiHost api, string path, bool sort = true)
    {
        using var answer = await api.SendAsync(path);
        var uids = (await answer.JsonAsync()).EnumerateArray().Select(row => row.Value("0020000D")!);
        return [.. sort ? uids.Order(StringComparer.Ordinal) : uids];
    }

    private static async Task<System.Text.Json.JsonElement> MetadataAsync(ImageApiHost api, string root) =>
        (await (await api.SendAsync($"{root}/studies/{SyntheticStudies.OtherStudy}/series/{SyntheticStudies.OtherSeries}/metadata")).JsonAsync())[0];
}
