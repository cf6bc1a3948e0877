using System.Net.Http.Headers;
using Microsoft.Playwright;
using Platform.Dicom;
using Platform.Tests.Shared;
using Web.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Web.Tests.Pages;

/// <summary>Studies that arrive while someone looks at the list.</summary>
[Collection(StackCollection.Name)]
public sealed class ArrivalsTests(StackFixture stack)
{
    private const string Root = "1.2.826.0.1.3680043.10.1.791";

    [BrowserFact]
    public async Task Study_Arrives_IsToldWithoutMovingAnything_AndShownOnDemand()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await OpenAndListenAsync(recorded, "/");
        var before = await page.Locator("tr[data-study]").First.GetAttributeAsync("data-study");
        var place = await page.Locator("tr[data-study]").First.BoundingBoxAsync();

        await StoreAsync(Root + ".1", "ARRIVING^ANNA");

        var notice = page.Locator(".arrivals");
        await Expect(notice).ToHaveTextAsync("1 new study");
        await Expect(page.Locator("#studies-status")).ToHaveTextAsync("1 new study");
        Assert.Equal(before, await page.Locator("tr[data-study]").First.GetAttributeAsync("data-study"));
        Assert.Equal(place!.Y, (await page.Locator("tr[data-study]").First.BoundingBoxAsync())!.Y);

        await notice.ClickAsync();
        var row = page.Locator($"tr[data-study='{Root}.1']");
        await Expect(row).ToBeVisibleAsync();
        await Expect(row).ToHaveClassAsync("is-new");
        await Expect(row.Locator(".row-link")).ToBeFocusedAsync();
        await Expect(notice).ToBeHiddenAsync();
        await Expect(row.Locator("img.thumb")).ToHaveCountAsync(1);
        Assert.Empty(recorded.Complaints);
    }

    [BrowserFact]
    public async Task Study_ThatIsNotSearchedFor_IsNotTold_AndOneThatIsAppearsWhereNothingWas()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await OpenAndListenAsync(recorded, "/");
        await page.FillAsync("#text", "berta-of-the-test");
        await Expect(page.Locator(".state h2")).ToHaveTextAsync("No study matches");

        var looked = page.WaitForResponseAsync(static response => response.Url.Contains("/studies?", StringComparison.Ordinal) && response.Request.Method == "GET");
        await StoreAsync(Root + ".2", "OTHER^OTTO");
        await looked;
        await Expect(page.Locator(".arrivals")).ToBeHiddenAsync();

        await StoreAsync(Root + ".3", "BERTA-OF-THE-TEST^B");
        await Expect(page.Locator($"tr[data-study='{Root}.3']")).ToBeVisibleAsync();
        await Expect(page.Locator(".arrivals")).ToBeHiddenAsync();
    }

    private static async Task OpenAndListenAsync(RecordedPage recorded, string path)
    {
        var listening = recorded.Page.WaitForResponseAsync(static response => response.Url.EndsWith("/api/events", StringComparison.Ordinal));
        await recorded.GoAsync(path);
        Assert.Equal(200, (await listening).Status);
    }

    private async Task StoreAsync(string study, string name)
    {
        var file = new DicomBuilder { StudyUid = study, SeriesUid = study + ".1", InstanceUid = study + ".1.1", Modality = "CT", Rows = 32, Columns = 32 }
            .With(DicomTags.PatientName, name)
            .With(DicomTags.StudyDate, "20991231") // the newest: on the first page
            .Build();
        using var content = new MultipartContent("related", "arrivals");
        content.Headers.ContentType!.Parameters.Add(new NameValueHeaderValue("type", "\"application/dicom\""));
        var part = new ByteArrayContent(file);
        part.Headers.ContentType = new MediaTypeHeaderValue("application/dicom");
        content.Add(part);
        using var http = new HttpClient { BaseAddress = stack.ImageApi.Address };
        using var answer = await http.PostAsync("dicomweb/studies", content);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
    }
}
