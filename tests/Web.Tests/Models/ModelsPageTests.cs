using System.Net;
using System.Text.RegularExpressions;
using Platform.Tests.Shared;
using Web.Tests.Support;

namespace Web.Tests.Models;

/// <summary>The models' page over the real InferenceApi with a store of its own, as a browser without scripts uses it.</summary>
public sealed partial class ModelsPageTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private ServiceProcess _inferenceApi = null!, _web = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        var home = _folder.Combine("home", "x")[..^2];
        _inferenceApi = await ServiceProcess.StartAsync("InferenceApi", new Dictionary<string, string?> { ["InferenceApi__Models__Path"] = _folder.Combine("models", "x")[..^2], ["HOME"] = home, ["ConnectionStrings__cache"] = null });
        _web = await ServiceProcess.StartAsync("Web", new Dictionary<string, string?> { ["services__inference-api__http__0"] = _inferenceApi.Origin, ["HOME"] = home });
        _http = new HttpClient { BaseAddress = _web.Address };
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _web.DisposeAsync();
        await _inferenceApi.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Page_GetPinVerifyRemove_DoesWhatItSays()
    {
        var page = await GetAsync("/models");
        Assert.Contains("ct-tissue", page, StringComparison.Ordinal);
        Assert.Contains("not here", RowOf(page, "ct-tissue"), StringComparison.Ordinal);

        await PostAsync("/models/get", page, ("model", "ct-tissue"));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!RowOf(page = await GetAsync("/models/list"), "ct-tissue").Contains("✓ here", StringComparison.Ordinal)) await Task.Delay(50, patience.Token);

        Assert.Contains("ct-tissue is pinned", await PostAsync("/models/pin", page, ("model", "ct-tissue")), StringComparison.Ordinal);
        Assert.Contains("Every byte is what it should be", await PostAsync("/models/verify", page), StringComparison.Ordinal);
        page = await GetAsync("/models?remove=ct-tissue");
        Assert.Contains("Remove ct-tissue?", page, StringComparison.Ordinal);
        page = await PostAsync("/models/remove", page, ("model", "ct-tissue"));
        Assert.Contains("ct-tissue was removed", page, StringComparison.Ordinal);
        Assert.Contains("not here", RowOf(page, "ct-tissue"), StringComparison.Ordinal);

        using var unknown = await SendAsync("/models/remove", page, ("model", "nobody"));
        Assert.Equal(HttpStatusCode.BadRequest, unknown.StatusCode);
        Assert.Contains("nobody is not in the store", WebUtility.HtmlDecode(await unknown.Content.ReadAsStringAsync()), StringComparison.Ordinal);
        using var forged = await _http.PostAsync("/models/remove", new FormUrlEncodedContent([new("model", "ct-tissue")]));
        Assert.Equal(HttpStatusCode.BadRequest, forged.StatusCode);
    }

    private async Task<string> GetAsync(string address) => WebUtility.HtmlDecode(await _http.GetStringAsync(address));

    private async Task<string> PostAsync(string address, string page, params (string Name, string Value)[] fields)
    {
        using var response = await SendAsync(address, page, fields);
        var text = WebUtility.HtmlDecode(await response.Content.ReadAsStringAsync());
        Assert.True(response.IsSuccessStatusCode, text);
        return text;
    }

    private Task<HttpResponseMessage> SendAsync(string address, string page, params (string Name, string Value)[] fields) =>
        _http.PostAsync(address, new FormUrlEncodedContent([new("__token", Token().Match(page).Groups[1].Value), .. fields.Select(static field => new KeyValuePair<string, string>(field.Name, field.Value))]));

    private static string RowOf(string page, string model) => page[page.IndexOf($"<th scope=\"row\">{model} ", StringComparison.Ordinal)..] is var row ? row[..row.IndexOf("</tr>", StringComparison.Ordinal)] : "";

    [GeneratedRegex("name=\"__token\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
