using Microsoft.Playwright;
using Web.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Web.Tests.Pages;

[Collection(StackCollection.Name)]
public sealed class StudyListBrowserTests(StackFixture stack)
{
    [BrowserFact]
    public async Task Open_List_AsksNobodyElseAndComplainsOfNothing()
    {
        await using var recorded = await stack.OpenAsync();

        await recorded.GoAsync("/");
        await recorded.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);

        Assert.Empty(recorded.ForeignRequests);
        Assert.Empty(recorded.Complaints);
        Assert.Equal(0, recorded.Preflights);
        // The viewer's code stays where it is until someone is about to open a study.
        Assert.DoesNotContain(recorded.Requests, request => request.Contains("cornerstone", StringComparison.OrdinalIgnoreCase));
    }

    [BrowserFact]
    public async Task Open_Again_AsksForNoAsset()
    {
        await using var recorded = await stack.OpenAsync();
        await recorded.GoAsync("/");
        recorded.Reset();

        await recorded.GoAsync("/?sort=name");

        var sent = recorded.Answers.Where(answer => !answer.FromCache && answer.Url.Contains("/dist/", StringComparison.Ordinal));
        Assert.Empty(sent);
    }

    [BrowserFact]
    public async Task Use_WithoutScripts_SearchesSortsAndPages()
    {
        await using var recorded = await stack.OpenAsync(options => options.JavaScriptEnabled = false);
        var page = recorded.Page;
        await recorded.GoAsync("/");

        await page.FillAsync("#text", "alders");
        await page.ClickAsync("form button:has-text('Search')");
        await Expect(page.Locator("tr[data-study]")).ToHaveCountAsync(SyntheticStudies.FillerCount / 6);
        Assert.DoesNotContain("alders", page.Url, StringComparison.OrdinalIgnoreCase);

        await page.ClickAsync("th.patient a");
        await Expect(page.Locator("tr[data-study]")).ToHaveCountAsync(SyntheticStudies.FillerCount / 6);
        await Expect(page.Locator("th.patient")).ToHaveAttributeAsync("aria-sort", "ascending");
        await Expect(page.Locator("#text")).ToHaveValueAsync("alders");

        await recorded.GoAsync("/");
        await page.ClickAsync("a[rel=next]");
        await Expect(page.Locator(".pager-page")).ToHaveTextAsync("Page 2 of 2");
        await Expect(page.Locator("[data-import-files]").First).ToBeHiddenAsync();
    }

    [BrowserFact]
    public async Task Type_InSearch_NarrowsTheListAndSurvivesReloadAndBack()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await recorded.GoAsync("/");

        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("testhead");
        await Expect(page.Locator("tr[data-study]")).ToHaveCountAsync(1);
        await Expect(page.Locator("#studies-status")).ToHaveTextAsync("1 study");
        Assert.DoesNotContain("testhead", page.Url, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(recorded.Requests, request => request.Contains("testhead", StringComparison.OrdinalIgnoreCase));

        await page.SelectOptionAsync("#modality", "MR");
        await Expect(page.Locator(".state h2")).ToHaveTextAsync("No study matches");
        await page.GoBackAsync();
        await Expect(page.Locator("tr[data-study]")).ToHaveCountAsync(1);
        await Expect(page.Locator("#modality")).ToHaveValueAsync("");
        await page.ReloadAsync();
        await Expect(page.Locator("tr[data-study]")).ToHaveCountAsync(1);
        await Expect(page.Locator("#text")).ToHaveValueAsync("testhead");
    }

    [BrowserFact]
    public async Task Press_Keys_MoveThroughTheListAndOpenAStudy()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await recorded.GoAsync("/");
        var rows = page.Locator(".row-link");

        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(rows.Nth(0)).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(rows.Nth(1)).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("End");
        await Expect(rows.Last).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Home");
        await page.Keyboard.PressAsync("ArrowUp");
        await Expect(page.Locator("#text")).ToBeFocusedAsync();

        await page.Locator("#text").BlurAsync();
        await page.Keyboard.PressAsync("]");
        await Expect(page.Locator(".pager-page")).ToHaveTextAsync("Page 2 of 2");
        await page.Keyboard.PressAsync("[");
        await Expect(page.Locator(".pager-page")).ToHaveTextAsync("Page 1 of 2");
        await page.Keyboard.PressAsync("?");
        await Expect(page.Locator("#keys")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");

        await page.Locator($"a[href='/view/{SyntheticStudies.CtStudy}']").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForURLAsync($"**/view/{SyntheticStudies.CtStudy}");
    }

    [BrowserFact]
    public async Task Click_SortAndClear_KeepFocusInTheList()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await recorded.GoAsync("/");

        await page.ClickAsync("th.description a");
        await Expect(page.Locator("th.description")).ToHaveAttributeAsync("aria-sort", "ascending");
        await Expect(page.Locator("th.description a")).ToBeFocusedAsync();
        await Expect(page.Locator("#sort")).ToHaveValueAsync("description");

        await page.FillAsync("#text", "zzzz");
        await page.ClickAsync("[data-clear]");
        await Expect(page.Locator("tr[data-study]")).ToHaveCountAsync(50);
        await Expect(page.Locator("#text")).ToHaveValueAsync("");
    }

    [BrowserFact]
    public async Task Hover_Study_FetchesItsPreviewsOnceForBothPages()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await recorded.GoAsync("/");
        await page.FillAsync("#text", "testhead");
        await Expect(page.Locator("tr[data-study]")).ToHaveCountAsync(1);

        var previews = page.WaitForResponseAsync(response => response.Url.Contains("/preview", StringComparison.Ordinal));
        await page.HoverAsync("tr[data-study]");
        var prefetched = (await previews).Url;
        await (await previews).FinishedAsync();
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        await page.ClickAsync("tr[data-study]");
        await page.WaitForURLAsync("**/view/**");
        await recorded.WaitForImageAsync();

        Assert.Equal(0, recorded.Preflights);
        var answers = recorded.Answers.Where(answer => answer.Url == prefetched).ToList();
        Assert.Equal(2, answers.Count);
        Assert.InRange(answers[1].WireBytes, 0, RecordedPage.MostHeaderBytes); // "not modified"
        Assert.True(answers[0].WireBytes > answers[1].WireBytes);
    }

    [BrowserFact]
    public async Task Open_At390Pixels_FitsAndShowsCards()
    {
        await using var recorded = await stack.OpenAsync(options => options.ViewportSize = new() { Width = 390, Height = 844 });
        var page = recorded.Page;

        await recorded.GoAsync("/");

        Assert.Equal(0, await page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth"));
        var first = await page.Locator("tr[data-study]").First.BoundingBoxAsync();
        Assert.True(first!.Width <= 390 && first.Height < 200, $"{first.Width} x {first.Height}");
    }
}
