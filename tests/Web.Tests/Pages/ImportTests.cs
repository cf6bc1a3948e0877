using Microsoft.Playwright;
using Web.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Web.Tests.Pages;

[Collection(StackCollection.Name)]
public sealed class ImportTests(StackFixture stack)
{
    private const string DropFiles = """
        async (files) => {
          const transfer = new DataTransfer();
          for (const { name, base64 } of files) {
            const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
            transfer.items.add(new File([bytes], name));
          }
          for (const type of ['dragenter', 'dragover', 'drop']) {
            document.body.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }));
          }
        }
        """;

    [BrowserFact]
    public async Task Drop_Files_StoresThemAndShowsTheStudy()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await recorded.GoAsync("/");
        await page.FillAsync("#text", "dropped dana");
        await Expect(page.Locator(".state h2")).ToHaveTextAsync("No study matches");

        await page.EvaluateAsync(DropFiles, new[]
        {
            File("first.dcm", SyntheticStudies.NewInstance(0)), File("second.dcm", SyntheticStudies.NewInstance(1)),
            File("notes.txt", "not an image"u8.ToArray()), File("cut.dcm", SyntheticStudies.NewInstance(2)[..400]),
        });

        await Expect(page.Locator("#imports-title")).ToHaveTextAsync("2 files stored, 2 failed");
        await Expect(page.Locator("tr[data-study]")).ToHaveCountAsync(1);
        await Expect(page.Locator("tr[data-study] td.number").Last).ToContainTextAsync("2");
        await page.ClickAsync(".imports summary");
        await Expect(page.Locator(".imports-failures li")).ToHaveCountAsync(2);
        await Expect(page.Locator(".imports-failures")).ToContainTextAsync("Not a DICOM file");
        Assert.Empty(recorded.ForeignRequests);
    }

    [BrowserFact]
    public async Task Choose_ImageServerOutOfReach_SaysWhyEveryFileFailed()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await recorded.GoAsync("/");
        await page.RouteAsync("**/dicomweb/studies", route => route.AbortAsync("connectionrefused"));

        var chooser = await page.RunAndWaitForFileChooserAsync(() => page.ClickAsync(".site-actions [data-import-files]"));
        await chooser.SetFilesAsync(new FilePayload { Name = "a.dcm", MimeType = "application/dicom", Buffer = SyntheticStudies.NewInstance(3) });

        await Expect(page.Locator("#imports-title")).ToHaveTextAsync("0 files stored, 1 failed");
        await Expect(page.Locator(".imports-failures")).ToContainTextAsync("cannot be reached");
    }

    [BrowserFact]
    public async Task Cancel_RunningImport_StopsAndSaysSo()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await recorded.GoAsync("/");
        await page.RouteAsync("**/dicomweb/studies", _ => Task.CompletedTask); // never answered

        var chooser = await page.RunAndWaitForFileChooserAsync(() => page.ClickAsync(".site-actions [data-import-files]"));
        await chooser.SetFilesAsync(new FilePayload { Name = "a.dcm", MimeType = "application/dicom", Buffer = SyntheticStudies.NewInstance(4) });
        await Expect(page.Locator("#imports-title")).ToHaveTextAsync("Importing 1 file");
        await page.ClickAsync(".imports button");

        await Expect(page.Locator("#imports-title")).ToHaveTextAsync("Import cancelled, 0 files stored");
        await page.ClickAsync(".imports button");
        await Expect(page.Locator(".imports")).ToBeHiddenAsync();
    }

    private static object File(string name, byte[] content) => new { name, base64 = Convert.ToBase64String(content) };
}
