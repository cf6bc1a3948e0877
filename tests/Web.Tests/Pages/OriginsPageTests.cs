using System.Net;
using System.Text.Json.Nodes;
using Web.Origins;
using Web.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Web.Tests.Pages;

/// <summary>The origins' page over the real services.</summary>
[Collection(StackCollection.Name)]
public sealed class OriginsPageTests(StackFixture stack)
{
    [Fact]
    public async Task Get_OriginsOfTheConfiguration_AreReadOnly()
    {
        using var http = Client();
        var page = WebUtility.HtmlDecode(await http.GetStringAsync("/origins"));
        Assert.Contains("set by configuration", page);
        Assert.Contains("the store", page);
        Assert.DoesNotContain("/origins?edit=tests", page);
    }

    [Fact]
    public async Task Save_WhatCannotBe_KeepsWhatWasEnteredButNoSecret()
    {
        using var http = Client();
        var (token, cookie) = await CachePageTests.TokenAsync(http, "/origins?add=http");
        using var answer = await http.SendAsync(CachePageTests.Form("/origins/save", cookie,
            ("__token", token), ("new", "yes"), ("kind", "http"), ("name", "bad"), ("url", "ftp://files.example/"), ("username", "u5er"), ("password", "s3cret!"), ("tryTimeout", "20 s"), ("maxConcurrency", "3")));
        var page = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("Url is no http or https address", page);
        Assert.Contains("value=\"ftp://files.example/\"", page);
        Assert.Contains("value=\"20 s\"", page);
        Assert.DoesNotContain("s3cret!", page);
        Assert.DoesNotContain("u5er", page);
        Assert.DoesNotContain("/origins?edit=bad", page);
    }

    [Fact]
    public async Task Get_DoneWithWordsOfAnyone_DoesNotRepeatThem()
    {
        using var http = Client();
        Assert.DoesNotContain("evil", await http.GetStringAsync("/origins?done=added&name=<b>evil</b>"));
        Assert.DoesNotContain("class=\"notice good\"", await http.GetStringAsync("/cache?done=cleared-1-x"));
    }

    [BrowserFact]
    public async Task Add_Edit_Remove_InTheBrowser()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await recorded.GoAsync("/origins");
        await page.ClickAsync("text=a PACS (DICOMweb)");
        await page.FillAsync("#origin-name", "pacs9");
        await page.FillAsync("#origin-url", "http://127.0.0.1:9/dicom-web");
        await page.FillAsync("#origin-username", "reader");
        await page.FillAsync("#origin-password", "s3cret!");
        await page.ClickAsync(".editor button.primary");
        await Expect(page.Locator(".notice.good")).ToContainTextAsync("Origin pacs9 was added");
        var row = page.Locator("tr:has(th:has-text(\"pacs9\"))");
        await Expect(row.Locator("[data-label=Where]")).ToHaveTextAsync("http://127.0.0.1:9/dicom-web");

        await page.ClickAsync("[aria-label=\"Edit pacs9\"]");
        await Expect(page.Locator("#origin-username")).ToHaveValueAsync("");
        await Expect(page.Locator("#origin-password")).ToHaveAttributeAsync("placeholder", "set; leave empty to keep it");
        Assert.DoesNotContain("s3cret!", await page.ContentAsync());
        await page.ClickAsync(".editor summary");
        await page.FillAsync("#origin-maxConcurrency", "3");
        await page.FillAsync("#origin-freshness-ttl", "2 h");
        await page.ClickAsync(".editor button.primary");
        await Expect(page.Locator(".notice.good")).ToContainTextAsync("Origin pacs9 was changed");
        await page.ClickAsync("[aria-label=\"Edit pacs9\"]");
        await Expect(page.Locator("#origin-maxConcurrency")).ToHaveValueAsync("3");
        await Expect(page.Locator("#origin-freshness-ttl")).ToHaveValueAsync("2 h");

        await page.ClickAsync("[aria-label=\"Remove pacs9\"]");
        await Expect(page.Locator(".question")).ToContainTextAsync("cached value");
        await page.ClickAsync(".question button.danger");
        await Expect(page.Locator(".notice.good")).ToContainTextAsync("Origin pacs9 was removed");
        await Expect(row).ToHaveCountAsync(0);
        Assert.Empty(recorded.Complaints);
    }

    [Fact]
    public void Read_FieldsOfAnotherKind_AreNotTaken()
    {
        var (settings, wrong) = OriginForm.Read("folder", null, static name => name switch { "path" => "/images", "url" => "https://a.example/", "password" => "x", _ => null });
        Assert.Empty(wrong);
        Assert.Equal("""{"kind":"folder","path":"/images"}""", settings.ToJsonString());
    }

    [Fact]
    public void Read_WhatTheFormDoesNotShow_Stays()
    {
        var before = JsonNode.Parse("""{"kind":"http","url":"https://a.example/","methods":["PUT"],"freshness":{"ttl":"01:00:00","negativeTtl":"00:00:05"}}""")!.AsObject();
        var (settings, wrong) = OriginForm.Read("http", before, static name => name switch { "url" => "https://b.example/", "freshness.ttl" => "", "freshness.negativeTtl" => "9 s", "retries" => "many", _ => null });
        Assert.Equal(["retries"], wrong.Keys);
        Assert.Equal("PUT", settings["methods"]![0]!.ToString());
        Assert.Equal("""{"negativeTtl":"00:00:09"}""", settings["freshness"]!.ToJsonString());
        Assert.False(settings.ContainsKey("password"));
    }

    private HttpClient Client() => new(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = stack.Web.Address };
}
