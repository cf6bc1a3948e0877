using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Web.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Web.Tests.Pages;

/// <summary>The page of pictures over the real services: without scripts, in the grid, large, added, replaced, deleted.</summary>
[Collection(StackCollection.Name)]
public sealed class PicturesPageTests(StackFixture stack)
{
    [Fact]
    public async Task Get_WithoutScripts_ListsPicturesWithTheirPlaceholders()
    {
        var id = await AddAsync("without scripts & such.png", 64, 40);
        using var http = new HttpClient();
        var page = await http.GetStringAsync($"{stack.Web.Origin}/pictures");
        Assert.Matches($"""<a href="{Regex.Escape(stack.ImageApi.Origin)}/images/{id}\?v=[0-9a-f]{"{16}"}" data-picture="{id}" """, page);
        Assert.Matches("""<img class="picture-placeholder" src="data:image/(webp|jpeg);base64,[A-Za-z0-9+/&#x;=]{40,1200}" alt(="")? width="64" height="40"( /)?>""", page);
        Assert.Contains("""alt="without scripts &amp; such.png" width="64" height="40" loading="lazy" """, page);
        Assert.DoesNotContain("style=", page);
    }

    [BrowserFact]
    public async Task Page_Grid_ShowsPicturesWithoutShiftAndOnlyItsOwnCode()
    {
        await AddAsync("grid.png", 640, 360);
        await using var page = await stack.OpenAsync();
        await page.Page.AddInitScriptAsync("window.shift = 0; new PerformanceObserver(list => { for (const e of list.getEntries()) window.shift += e.value; }).observe({ type: 'layout-shift', buffered: true });");
        await page.Page.GotoAsync($"{stack.Web.Origin}/pictures");
        var picture = page.Page.GetByRole(AriaRole.Img, new() { Name = "grid.png" });
        await Expect(picture).ToHaveJSPropertyAsync("complete", true);
        Assert.Equal(384, await picture.EvaluateAsync<int>("image => image.naturalWidth"));
        Assert.True(await page.Page.EvaluateAsync<double>("window.shift") < 0.01);
        Assert.DoesNotContain(await page.Page.EvaluateAsync<string[]>("performance.getEntriesByType('resource').map(e => e.name)"), static name => Regex.IsMatch(name, "viewer|cornerstone|niivue|openseadragon", RegexOptions.IgnoreCase));
    }

    [BrowserFact]
    public async Task Page_Lightbox_LeadsThroughThePicturesByKeysAndBack()
    {
        await AddAsync("second.png", 300, 200);
        await AddAsync("first.png", 200, 300);
        await using var page = await stack.OpenAsync();
        await page.Page.GotoAsync($"{stack.Web.Origin}/pictures");
        await page.Page.GetByRole(AriaRole.Link, new() { Name = "first.png" }).First.FocusAsync();
        await page.Page.Keyboard.PressAsync("Enter");
        var dialog = page.Page.GetByRole(AriaRole.Dialog, new() { Name = "first.png" });
        await Expect(dialog).ToBeVisibleAsync();
        await Expect(page.Page.Locator("#lightbox-full[data-loaded]")).ToHaveJSPropertyAsync("naturalHeight", 300);
        await page.Page.Keyboard.PressAsync("ArrowRight");
        await Expect(page.Page.GetByRole(AriaRole.Dialog, new() { Name = "second.png" })).ToBeVisibleAsync();
        await Expect(page.Page.Locator("#lightbox-status")).ToContainTextAsync("second.png, 300 × 200");
        await Expect(page.Page.Locator("#lightbox-full[data-loaded]")).ToHaveJSPropertyAsync("naturalWidth", 300);
        var violations = await page.Page.RunAxe();
        Assert.True(violations.Violations.Length == 0, string.Join("; ", violations.Violations.Select(static violation => $"{violation.Id}: {violation.Nodes[0].Html}")));
        await page.Page.Keyboard.PressAsync("Escape");
        await Expect(dialog).Not.ToBeVisibleAsync();
        await Expect(page.Page.GetByRole(AriaRole.Link, new() { Name = "second.png" }).First).ToBeFocusedAsync();
    }

    [BrowserFact]
    public async Task Page_AddReplaceDelete_AsksAndSaysWhatHappened()
    {
        await using var page = await stack.OpenAsync();
        await page.Page.GotoAsync($"{stack.Web.Origin}/pictures");
        await page.Page.SetInputFilesAsync("#files", [File("added.png", await PngAsync(80, 50)), File("words.png", "These are words."u8.ToArray())]);
        await Expect(page.Page.Locator("#uploads-title")).ToHaveTextAsync("1 added, 1 not");
        await Expect(page.Page.Locator(".upload[data-state=failed] .upload-state")).ToContainTextAsync("JPEG, PNG or GIF");
        var link = page.Page.GetByRole(AriaRole.Link, new() { Name = "added.png" }).First;
        await Expect(link).ToBeVisibleAsync();
        await page.Page.Locator(".uploads").GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();

        await link.ClickAsync();
        await page.Page.SetInputFilesAsync("#replacement", File("newer.png", await PngAsync(90, 70)));
        await Expect(page.Page.Locator("#question-text")).ToContainTextAsync("cannot be brought back");
        await page.Page.Locator("#question-yes").ClickAsync();
        await Expect(page.Page.GetByRole(AriaRole.Dialog, new() { Name = "newer.png" })).ToBeVisibleAsync();
        await Expect(page.Page.Locator("#lightbox-full[data-loaded]")).ToHaveJSPropertyAsync("naturalWidth", 90);

        // Somebody else replaces it before it is deleted: what was not seen is not deleted.
        var id = await page.Page.Locator("a[data-name='newer.png']").First.GetAttributeAsync("data-picture");
        using (var http = new HttpClient { BaseAddress = new Uri(stack.ImageApi.Origin) })
        using (var answer = await http.PutAsync($"/images/{id}", new ByteArrayContent(await PngAsync(33, 44))))
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await page.Page.Locator("[data-delete]").ClickAsync();
        await page.Page.Locator("#question-yes").ClickAsync();
        await Expect(page.Page.Locator("#question-problem")).ToContainTextAsync("changed this picture meanwhile");
        await page.Page.Locator("#question-no").ClickAsync();
        await page.Page.ReloadAsync();
        await page.Page.GetByRole(AriaRole.Link, new() { Name = "newer.png" }).First.ClickAsync();
        await page.Page.Locator("[data-delete]").ClickAsync();
        await page.Page.Locator("#question-yes").ClickAsync();
        await Expect(page.Page.Locator($"a[data-picture='{id}']")).ToHaveCountAsync(0);
        await Expect(page.Page.Locator("#pictures-status")).ToContainTextAsync("was deleted");
    }

    [BrowserTheory]
    [InlineData(1280, ColorScheme.Dark)]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Light)]
    public async Task Page_AnySize_HasNoAxeViolationAndFits(int width, ColorScheme scheme)
    {
        await AddAsync("axe.png", 400, 300);
        await using var page = await stack.OpenAsync(options => (options.ViewportSize, options.ColorScheme) = (new() { Width = width, Height = 844 }, scheme));
        await page.Page.GotoAsync($"{stack.Web.Origin}/pictures");
        await Expect(page.Page.GetByRole(AriaRole.Img, new() { Name = "axe.png" }).First).ToHaveJSPropertyAsync("complete", true);
        var violations = await page.Page.RunAxe();
        Assert.True(violations.Violations.Length == 0, string.Join("; ", violations.Violations.Select(static violation => $"{violation.Id}: {violation.Nodes[0].Html}")));
        Assert.True(await page.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= width);
    }

    private async Task<string> AddAsync(string name, int width, int height)
    {
        using var http = new HttpClient { BaseAddress = new Uri(stack.ImageApi.Origin) };
        using var form = new MultipartFormDataContent { { new ByteArrayContent(await PngAsync(width, height)), "file", name } };
        using var answer = await http.PostAsync("/images", form);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }

    private static FilePayload File(string name, byte[] bytes) => new() { Name = name, MimeType = "image/png", Buffer = bytes };

    /// <summary>A PNG of one colour, made by hand: grey rows without filter.</summary>
    private static async Task<byte[]> PngAsync(int width, int height)
    {
        using var raw = new MemoryStream();
        await using (var zlib = new System.IO.Compression.ZLibStream(raw, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
        {
            var row = new byte[width + 1];
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++) row[x + 1] = (byte)(60 + 150 * (x + y) / (width + height));
                await zlib.WriteAsync(row);
            }
        }
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, .. Chunk("IHDR", [.. Number(width), .. Number(height), 8, 0, 0, 0, 0]), .. Chunk("IDAT", raw.ToArray()), .. Chunk("IEND", [])];

        static byte[] Chunk(string type, byte[] data)
        {
            byte[] body = [.. System.Text.Encoding.ASCII.GetBytes(type), .. data];
            return [.. Number(data.Length), .. body, .. Number((int)Crc(body))];
        }

        static byte[] Number(int value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

        static uint Crc(byte[] bytes)
        {
            var crc = uint.MaxValue;
            foreach (var value in bytes)
            {
                crc ^= value;
                for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
            }
            return ~crc;
        }
    }
}
