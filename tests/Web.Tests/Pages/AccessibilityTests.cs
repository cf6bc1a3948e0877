using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Web.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Web.Tests.Pages;

[Collection(StackCollection.Name)]
public sealed class AccessibilityTests(StackFixture stack)
{
    public static TheoryData<string, ColorScheme, int> Pages()
    {
        var data = new TheoryData<string, ColorScheme, int>();
        foreach (var path in new[] { "/", "/?modality=XA", "/view/1.2.3", "/no-such-page", "/cache", "/origins", "/origins?add=http", "/view/" + SyntheticStudies.CtStudy })
            foreach (var scheme in new[] { ColorScheme.Dark, ColorScheme.Light })
                foreach (var width in new[] { 1280, 390 })
                {
                    data.Add(path, scheme, width);
                }

        return data;
    }

    [BrowserTheory]
    [MemberData(nameof(Pages))]
    public async Task Run_Axe_FindsNothing(string path, ColorScheme scheme, int width)
    {
        await using var recorded = await OpenAsync(scheme, width);
        await recorded.GoAsync(path);
        if (path.EndsWith(SyntheticStudies.CtStudy, StringComparison.Ordinal)) await recorded.WaitForImageAsync();

        await AssertNoViolationAsync(recorded.Page);
    }

    [BrowserTheory]
    [InlineData(ColorScheme.Dark)]
    [InlineData(ColorScheme.Light)]
    public async Task Run_AxeOnDialogAndImport_FindsNothing(ColorScheme scheme)
    {
        await using var recorded = await OpenAsync(scheme, 1280);
        var page = recorded.Page;
        await recorded.GoAsync("/");
        var chooser = await page.RunAndWaitForFileChooserAsync(() => page.ClickAsync(".site-actions [data-import-files]"));
        await chooser.SetFilesAsync(new FilePayload { Name = "notes.txt", MimeType = "text/plain", Buffer = "not an image"u8.ToArray() });
        await Expect(page.Locator("#imports-title")).ToHaveTextAsync("0 files stored, 1 failed");
        await page.ClickAsync(".imports summary");
        await AssertNoViolationAsync(page);

        await page.ClickAsync("[data-keys]");
        await Expect(page.Locator("#keys")).ToBeVisibleAsync();
        await AssertNoViolationAsync(page);
    }

    [BrowserTheory]
    [InlineData(ColorScheme.Dark)]
    [InlineData(ColorScheme.Light)]
    public async Task Run_AxeOnUnavailablePages_FindsNothing(ColorScheme scheme)
    {
        await using var web = await stack.StartWebAsync("http://127.0.0.1:9");
        await using var recorded = await OpenAsync(scheme, 1280);
        foreach (var path in new[] { "/", "/view/1.2.3" })
        {
            await recorded.Page.GotoAsync(web.Origin + path);
            await AssertNoViolationAsync(recorded.Page);
        }
    }

    private Task<RecordedPage> OpenAsync(ColorScheme scheme, int width) => stack.OpenAsync(options =>
    {
        options.ColorScheme = scheme;
        options.ViewportSize = new() { Width = width, Height = 800 };
        options.BypassCSP = true; // axe is injected as a script
    });

    private static async Task AssertNoViolationAsync(IPage page)
    {
        var result = await page.RunAxe();
        Assert.True(result.Violations.Length == 0, string.Join('\n', result.Violations.Select(violation =>
            $"{violation.Id}: {violation.Help}: {string.Join(", ", violation.Nodes.Select(node => node.Html))}")));
    }
}
