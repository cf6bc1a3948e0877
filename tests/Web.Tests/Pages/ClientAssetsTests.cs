using System.Text.Json;
using Web.Assets;

namespace Web.Tests.Pages;

public sealed class ClientAssetsTests
{
    private const string Manifest = """
        {
          "_shared.js": { "file": "assets/shared-1.js", "css": ["assets/shared-1.css"], "imports": ["_deep.js"] },
          "_deep.js": { "file": "assets/deep-1.js", "imports": ["_shared.js"] },
          "src/a.ts": { "file": "assets/a-1.js", "isEntry": true, "imports": ["_shared.js", "gone"], "css": ["assets/a-1.css"], "dynamicImports": ["src/later.ts"], "assets": ["assets/w-1.js", "assets/x.wasm"] },
          "src/later.ts": { "file": "assets/later-1.js", "imports": ["src/a.ts", "_own.js"], "dynamicImports": ["src/later.ts"] },
          "_own.js": { "file": "assets/own-1.js" },
          "src/site.css": { "file": "assets/site-1.css", "isEntry": true }
        }
        """;

    [Fact]
    public void Find_Entry_ListsWhatItNeedsOnceAndInOrder()
    {
        var entry = ViteManifest.Parse(System.Text.Encoding.UTF8.GetBytes(Manifest)).Find("src/a.ts");

        Assert.Equal("/dist/assets/a-1.js", entry.Script);
        Assert.Equal(["/dist/assets/deep-1.js", "/dist/assets/shared-1.js"], entry.Imports);
        Assert.Equal(["/dist/assets/shared-1.css", "/dist/assets/a-1.css"], entry.Styles);
        Assert.Equal(["/dist/assets/later-1.js", "/dist/assets/own-1.js", "/dist/assets/w-1.js"], entry.Lazy);
    }

    [Fact]
    public void Find_Stylesheet_IsAStyleWithoutAScript()
    {
        var entry = ViteManifest.Parse(System.Text.Encoding.UTF8.GetBytes(Manifest)).Find("src/site.css");

        Assert.Null(entry.Script);
        Assert.Equal(["/dist/assets/site-1.css"], entry.Styles);
    }

    [Fact]
    public void Find_UnknownSource_IsEmpty() => Assert.Same(AssetEntry.Empty, ViteManifest.Empty.Find("src/a.ts"));

    [Fact]
    public void Parse_NoManifest_Throws() => Assert.Throws<JsonException>(() => ViteManifest.Parse("[]"u8));

    [Theory]
    [InlineData("gzip, deflate, br, zstd", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("br;q=0, gzip", "gzip")]
    [InlineData("br;q=0.1, gzip;q=1", "br")]
    [InlineData("*", "br")]
    [InlineData("*, br;q=0", "gzip")]
    [InlineData("identity", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    [InlineData(";;;", null)]
    public void Negotiate_AcceptEncoding_ChoosesAReadyVariant(string? accepted, string? coding) =>
        Assert.Equal(coding, AssetsApi.Negotiate(new ClientFile("", "", default, "", HasBrotli: true, HasGzip: true, IsImmutable: true), accepted));

    [Fact]
    public void Negotiate_NoVariant_IsNone() =>
        Assert.Null(AssetsApi.Negotiate(new ClientFile("", "", default, "", HasBrotli: false, HasGzip: false, IsImmutable: true), "br"));
}
