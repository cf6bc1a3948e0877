using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Web.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Web.Tests.Pages;

/// <summary>The viewer's page before its script runs.</summary>
[Collection(StackCollection.Name)]
public sealed class ViewerShellTests(StackFixture stack)
{
    [Fact]
    public async Task Get_Study_CarriesItsSeriesAndPreloadsTheFirstManifest()
    {
        using var http = Client();

        var page = await http.GetStringAsync("/view/" + SyntheticStudies.CtStudy);

        var config = JsonDocument.Parse(Regex.Match(page, "id=\"platform-config\">(.*?)</script>", RegexOptions.Singleline).Groups[1].Value).RootElement;
        Assert.Equal(stack.ImageApi.Origin, config.GetProperty("imageApi").GetString());
        Assert.Equal(SyntheticStudies.CtStudy, config.GetProperty("study").GetString());
        Assert.Equal(SyntheticStudies.CtSeries, config.GetProperty("firstSeries").GetString());
        Assert.Equal(
            [SyntheticStudies.CtSeries, SyntheticStudies.ScoutSeries],
            config.GetProperty("series").EnumerateArray().Select(series => series.GetProperty("uid").GetString()));
        Assert.Contains($"<link rel=\"preload\" as=\"fetch\" href=\"{stack.ImageApi.Origin}/api/series/{SyntheticStudies.CtSeries}/manifest\" crossorigin", page);
        Assert.Contains("<noscript>", page);
    }

    [Fact]
    public async Task Get_Study_KeepsThePatientOutOfTheTitle()
    {
        using var http = Client();

        var page = await http.GetStringAsync("/view/" + SyntheticStudies.CtStudy);

        Assert.Contains("<title>CT 2026-11-18", page);
        Assert.Contains("TESTHEAD, CASEY", page);
    }

    [Theory]
    [InlineData("/view/1.2.3.4.5")]
    [InlineData("/view/not-a-uid")]
    [InlineData("/view/1.2.3%2f..%2fseries")]
    [InlineData("/view/1..2")]
    [InlineData("/view/1.2.3/config")]
    [InlineData("/nothing/here")]
    public async Task Get_WhatIsNotThere_Is404(string path)
    {
        using var http = Client();
        http.DefaultRequestHeaders.Accept.ParseAdd("text/html");

        using var answer = await http.GetAsync(path);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.DoesNotContain("Exception", await answer.Content.ReadAsStringAsync());
    }

    [BrowserFact]
    public async Task Open_WithoutScripts_SaysWhatIsMissing()
    {
        await using var recorded = await stack.OpenAsync(options => options.JavaScriptEnabled = false);

        await recorded.GoAsync("/view/" + SyntheticStudies.CtStudy);

        await Expect(recorded.Page.Locator(".viewer-notice")).ToContainTextAsync("JavaScript");
        await Expect(recorded.Page.Locator(".viewer-patient")).ToHaveTextAsync("TESTHEAD, CASEY");
    }

    [BrowserFact]
    public async Task Open_Study_UsesThePreloadedManifestAndMovesNothing()
    {
        await using var recorded = await stack.OpenAsync();
        await recorded.Page.AddInitScriptAsync("""
            window.layoutShift = 0;
            new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.layoutShift += entry.value; }).observe({ type: 'layout-shift', buffered: true });
            """);

        await recorded.GoAsync("/view/" + SyntheticStudies.CtStudy);
        await recorded.WaitForImageAsync();

        Assert.Single(recorded.Requests, request => request.EndsWith($"{SyntheticStudies.CtSeries}/manifest", StringComparison.Ordinal));
        Assert.True(await recorded.Page.EvaluateAsync<double>("window.layoutShift") < 0.02);
        Assert.Empty(recorded.ForeignRequests);
        Assert.Empty(recorded.Complaints);
    }

    private HttpClient Client() => new() { BaseAddress = stack.Web.Address };
}
