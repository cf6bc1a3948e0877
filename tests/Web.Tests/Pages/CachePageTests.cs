using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Web.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Web.Tests.Pages;

/// <summary>The cache's page over the real services: figures, clearing in two steps, settings, a check of the disk.</summary>
[Collection(StackCollection.Name)]
public sealed class CachePageTests(StackFixture stack)
{
    [Fact]
    public async Task Get_WithoutScripts_ShowsFiguresAndForms()
    {
        await LookAtAStudyAsync();
        var page = await GetAsync("/cache");
        Assert.Contains("<h2>Hit rate</h2>", page);
        Assert.Matches("""<th scope="row"><span class="swatch" data-tier="memory" aria-hidden="true"></span>memory</th>""", page);
        Assert.Matches("""<rect x="[0-9.]+" y="[0-9.]+" width="[0-9.]+" height="[0-9.]+" data-tier="(memory|origin)">""", page);
        Assert.Contains("action=\"/cache/clear\"", page);
        Assert.Contains("action=\"/cache/settings\"", page);
        Assert.DoesNotContain("style=", page);
        Assert.DoesNotContain(SyntheticStudies.CtStudy, page);
    }

    [Fact]
    public async Task Get_Figures_IsTheLivePartAlone()
    {
        var part = await GetAsync("/cache/figures");
        Assert.Contains("<h2>Hit rate</h2>", part);
        Assert.DoesNotContain("<html", part);
        Assert.DoesNotMatch("<(a|button|input|select) ", part); // nothing that can have the focus
    }

    [Theory]
    [InlineData("/cache/clear")]
    [InlineData("/cache/scrub")]
    [InlineData("/cache/settings")]
    [InlineData("/origins/save")]
    [InlineData("/origins/remove")]
    public async Task Post_FormThatNoPageOfOursMade_IsRefused(string path)
    {
        using var http = Client();
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("scope", "all"), KeyValuePair.Create("confirm", "yes"), KeyValuePair.Create("name", "x")]);
        using var answer = await http.PostAsync(path, form);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("This form has expired", await answer.Content.ReadAsStringAsync());

        // A page of another site, even with a token that it got hold of.
        var (token, cookie) = await TokenAsync(http, "/cache");
        using var request = Form(path, cookie, ("__token", token), ("scope", "all"));
        request.Headers.Add("Sec-Fetch-Site", "cross-site");
        using var crossSite = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, crossSite.StatusCode);
    }

    [Fact]
    public async Task Post_Clear_AsksWithFiguresAndClearsOnlyWhenConfirmed()
    {
        await LookAtAStudyAsync();
        using var http = Client();
        var (token, cookie) = await TokenAsync(http, "/cache");

        using var asked = await http.SendAsync(Form("/cache/clear", cookie, ("__token", token), ("scope", "kind"), ("value", "Metadata")));
        var question = WebUtility.HtmlDecode(await asked.Content.ReadAsStringAsync());
        Assert.Contains("Clear every metadata value?", question);
        var values = int.Parse(Regex.Match(question, "Clear ([0-9]+) values?</button>").Groups[1].Value);
        Assert.True(values > 0 && await EntriesAsync("Metadata") > 0);

        using var confirmed = await http.SendAsync(Form("/cache/clear", cookie, ("__token", token), ("scope", "kind"), ("value", "Metadata"), ("confirm", "yes")));
        Assert.Equal(HttpStatusCode.SeeOther, confirmed.StatusCode);
        Assert.Contains($"Cleared {values} value", await GetAsync(confirmed.Headers.Location!.OriginalString));
        Assert.Equal(0, await EntriesAsync("Metadata"));
    }

    [Theory]
    [InlineData("tier", "")]
    [InlineData("shelf", "x")]
    [InlineData("tier", "nowhere")]
    public async Task Post_ClearOfNothingThatThereIs_SaysSo(string scope, string value)
    {
        using var http = Client();
        var (token, cookie) = await TokenAsync(http, "/cache");
        using var answer = await http.SendAsync(Form("/cache/clear", cookie, ("__token", token), ("scope", scope), ("value", value)));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("Nothing was changed", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Post_Settings_AreReadInWordsAndHold()
    {
        using var http = Client();
        var (token, cookie) = await TokenAsync(http, "/cache");
        try
        {
            using var wrong = await http.SendAsync(Form("/cache/settings", cookie, ("__token", token), ("set:Disk:Ttl", "soon"), ("set:Disk:CapacityItems", "5000")));
            var page = WebUtility.HtmlDecode(await wrong.Content.ReadAsStringAsync());
            Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
            Assert.Matches("""name="set:Disk:Ttl" value="soon"[^>]*aria-invalid="true" />""", page);
            Assert.Contains("value=\"5000\"", page);

            using var set = await http.SendAsync(Form("/cache/settings", cookie, ("__token", token), ("set:Disk:Ttl", "36 h"), ("set:Disk:CapacityItems", "5,000"), ("set:Kinds:File:NegativeTtl", "1 min")));
            Assert.Equal(HttpStatusCode.SeeOther, set.StatusCode);
            page = await GetAsync("/cache");
            Assert.Contains("name=\"set:Disk:Ttl\" value=\"36 h\"", page);
            Assert.Contains("name=\"set:Disk:CapacityItems\" value=\"5,000\"", page);
            Assert.Contains("name=\"set:Kinds:File:NegativeTtl\" value=\"1 min\"", page);

            using var impossible = await http.SendAsync(Form("/cache/settings", cookie, ("__token", token), ("set:Memory:CapacityBytes", "1 KiB"), ("confirm", "yes")));
            Assert.Contains("The least is 2097152", WebUtility.HtmlDecode(await impossible.Content.ReadAsStringAsync()));
        }
        finally
        {
            using var reset = await http.SendAsync(Form("/cache/settings", cookie, ("__token", token), ("action", "reset")));
            Assert.Equal(HttpStatusCode.SeeOther, reset.StatusCode);
        }
        Assert.DoesNotMatch("name=\"set:Disk:Ttl\" value=\"[^\"]", await GetAsync("/cache"));
    }

    [Fact]
    public async Task Post_SettingsOverAnothersChange_ShowsTheCurrentOnes()
    {
        using var http = Client();
        var (token, cookie) = await TokenAsync(http, "/cache");
        using var answer = await http.SendAsync(Form("/cache/settings", cookie, ("__token", token), ("tag", "\"seen-long-ago\""), ("set:Disk:Ttl", "36 h")));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("changed elsewhere meanwhile", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Get_ImageApiDown_SaysSo()
    {
        await using var web = await stack.StartWebAsync("http://127.0.0.1:9");
        using var http = new HttpClient { BaseAddress = web.Address };
        foreach (var path in new[] { "/cache", "/origins" })
        {
            using var answer = await http.GetAsync(path);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Contains("The image server cannot be reached", await answer.Content.ReadAsStringAsync());
        }
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync("/cache/figures")).StatusCode);
    }

    [BrowserFact]
    public async Task Open_FiguresChangeByThemselvesWithoutComplaint()
    {
        await using var recorded = await stack.OpenAsync();
        await recorded.GoAsync("/cache");
        var requests = recorded.Page.Locator("tr:has(th:has-text(\"memory\")) td[data-label=\"Hits\"]").First;
        await LookAtAStudyAsync();
        var before = long.Parse((await requests.InnerTextAsync()).Replace(",", ""));
        await LookAtAStudyAsync();
        for (var tries = 0; tries < 100 && long.Parse((await requests.InnerTextAsync()).Replace(",", "")) <= before; tries++) await Task.Delay(100);
        Assert.True(long.Parse((await requests.InnerTextAsync()).Replace(",", "")) > before);
        Assert.Empty(recorded.Complaints);
        Assert.Empty(recorded.ForeignRequests);
        Assert.Equal(0, recorded.Preflights);
    }

    [BrowserFact]
    public async Task Clear_WithTheKeyboard_AsksThenClears()
    {
        await LookAtAStudyAsync();
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await recorded.GoAsync("/cache");
        await page.FocusAsync("#clear-scope");
        await page.Keyboard.PressAsync("End"); // an origin
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.TypeAsync("tests");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#question-title")).ToHaveTextAsync("Clear what came from origin tests?");
        await Expect(page.Locator("#question-title")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.Locator(".question a.button")).ToBeFocusedAsync(); // the harmless one first
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".notice.good")).ToContainTextAsync("Cleared");
        Assert.Empty(recorded.Complaints);
    }

    [BrowserFact]
    public async Task Scrub_FromThePage_ShowsItsResult()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await recorded.GoAsync("/cache");
        await page.ClickAsync("text=Start a check");
        await Expect(page.Locator("#scrub-title")).ToHaveTextAsync("The disk is sound");
        Assert.Empty(recorded.Complaints);
    }

    private HttpClient Client() => new(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = stack.Web.Address };

    private async Task<string> GetAsync(string path)
    {
        using var http = Client();
        using var answer = await http.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
    }

    private async Task LookAtAStudyAsync()
    {
        using var http = new HttpClient { BaseAddress = stack.ImageApi.Address };
        for (var i = 0; i < 2; i++) (await http.GetAsync($"dicomweb/studies/{SyntheticStudies.CtStudy}/metadata")).EnsureSuccessStatusCode().Dispose();
    }

    private async Task<long> EntriesAsync(string kind)
    {
        using var http = new HttpClient { BaseAddress = stack.ImageApi.Address };
        var stats = await http.GetFromJsonAsync<JsonElement>("api/cache/stats");
        return stats.GetProperty("tiers").EnumerateArray().Where(row => row.GetProperty("kind").GetString() == kind).Sum(row => row.GetProperty("entries").GetInt64());
    }

    internal static async Task<(string Token, string Cookie)> TokenAsync(HttpClient http, string path)
    {
        using var page = await http.GetAsync(path);
        var token = Regex.Match(await page.Content.ReadAsStringAsync(), "name=\"__token\" value=\"([^\"]+)\"").Groups[1].Value;
        return (token, page.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith("platform-form=", StringComparison.Ordinal)).Split(';')[0]);
    }

    internal static HttpRequestMessage Form(string path, string cookie, params (string Name, string Value)[] fields)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))) };
        request.Headers.Add("Cookie", cookie);
        return request;
    }
}
