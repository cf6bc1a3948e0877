using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ImageApi.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Platform.Tests.Shared;
using Platform.TieredCache;

namespace ImageApi.Tests.CacheAdmin;

public sealed class CacheSettingsTests : IAsyncLifetime
{
    private const string Address = "/api/cache/settings";
    private readonly TempFolder _settings = new();
    private ImageApiHost _host = null!;

    public async Task InitializeAsync() => _host = await StartAsync();

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        _settings.Dispose();
    }

    [Fact]
    public async Task Put_SizesAndTimes_HoldAtOnceAndAfterARestart()
    {
        var (_, tag) = await GetAsync(_host);
        using var response = await PutAsync(_host, tag, new Dictionary<string, object?>
        {
            ["Memory:CapacityBytes"] = 8 << 20,
            ["Disk:Ttl"] = "2.00:00:00",
            ["disk:capacityItems"] = "1234",
            ["Kinds:File:NegativeTtl"] = "00:01:00",
        });
        var changed = Values(await response.JsonAsync());
        Assert.NotEqual(tag, response.Header("ETag"));
        Assert.Equal(("8388608", "67108864", true), (changed["Memory:CapacityBytes"].Value, changed["Memory:CapacityBytes"].Configured, changed["Memory:CapacityBytes"].IsSet));
        AssertHolds(_host);

        await _host.DisposeAsync();
        _host = await StartAsync();
        AssertHolds(_host);
        Assert.Equal("1234", Values((await GetAsync(_host)).Json)["Disk:CapacityItems"].Value);

        static void AssertHolds(ImageApiHost host)
        {
            var bounds = host.Services.GetRequiredService<ICacheAdministration>().Bounds;
            Assert.InRange(bounds.MemoryBytes, (8 << 20) - 1, 8 << 20);
            Assert.Equal((TimeSpan.FromDays(2), 1234, TimeSpan.FromMinutes(1)), (bounds.DiskTtl, bounds.DiskItems, bounds.Kinds[EntryKind.File].NegativeTtl));
        }
    }

    [Fact]
    public async Task Put_WithoutASetting_GoesBackToWhatIsConfigured()
    {
        using var first = await PutAsync(_host, (await GetAsync(_host)).Tag, new Dictionary<string, object?> { ["Disk:Ttl"] = "01:00:00", ["Redis:Ttl"] = "01:00:00" });
        using var second = await PutAsync(_host, first.Header("ETag")!, new Dictionary<string, object?> { ["Redis:Ttl"] = "01:00:00", ["Disk:Ttl"] = null });
        var values = Values(await second.JsonAsync());
        Assert.Equal(("1.00:00:00", false), (values["Disk:Ttl"].Value, values["Disk:Ttl"].IsSet));
        Assert.Equal(("01:00:00", true), (values["Redis:Ttl"].Value, values["Redis:Ttl"].IsSet));
        Assert.Equal(TimeSpan.FromDays(1), _host.Services.GetRequiredService<ICacheAdministration>().Bounds.DiskTtl);
    }

    [Theory]
    [InlineData("Memory:CapacityBytes", "a lot")]
    [InlineData("Memory:CapacityBytes", "1024")]
    [InlineData("Disk:CapacityBytes", "-1")]
    [InlineData("Disk:Ttl", "-00:00:01")]
    [InlineData("Disk:Ttl", "00:00:00")]
    [InlineData("Disk:CapacityItems", "1.5")]
    [InlineData("Disk:Path", "/somewhere/else")]
    [InlineData("Kinds:Frame:NoSuch", "1")]
    public async Task Put_ImpossibleValue_IsRefusedByNameAndChangesNothing(string name, string value)
    {
        var (before, tag) = await GetAsync(_host);
        using var response = await PutAsync(_host, tag, new Dictionary<string, object?> { ["Redis:Ttl"] = "03:00:00", [name] = value });
        var problem = await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadRequest, "urn:platform:problem:invalid-settings");
        Assert.True(problem.GetProperty("errors").TryGetProperty(name, out _));
        Assert.False(problem.GetProperty("errors").TryGetProperty("Redis:Ttl", out _));
        Assert.Equal(before.GetRawText(), (await GetAsync(_host)).Json.GetRawText());
        Assert.Empty(Directory.GetFiles(_settings.Path));
    }

    [Fact]
    public async Task Put_OverAnothersChange_IsRefused()
    {
        var (_, tag) = await GetAsync(_host);
        using var first = await PutAsync(_host, tag, new Dictionary<string, object?> { ["Disk:Ttl"] = "01:00:00" });
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using var second = await PutAsync(_host, tag, new Dictionary<string, object?> { ["Disk:Ttl"] = "02:00:00" });
        await ProblemAnswer.AssertAsync(second, HttpStatusCode.PreconditionFailed, "urn:platform:problem:precondition-failed");
        using var third = await PutAsync(_host, null, new Dictionary<string, object?> { ["Disk:Ttl"] = "02:00:00" });
        await ProblemAnswer.AssertAsync(third, (HttpStatusCode)428, "urn:platform:problem:precondition-required");
        Assert.Equal("01:00:00", Values((await GetAsync(_host)).Json)["Disk:Ttl"].Value);
    }

    [Fact]
    public async Task Put_MemoryBeyondWhatWasReserved_SaysThatItTakesARestart()
    {
        using var response = await PutAsync(_host, (await GetAsync(_host)).Tag, new Dictionary<string, object?> { ["Memory:CapacityBytes"] = 256 << 20 });
        Assert.True((await response.JsonAsync()).GetProperty("settings").EnumerateArray().First().GetProperty("takesRestart").GetBoolean());
        await _host.DisposeAsync();
        _host = await StartAsync();
        Assert.InRange(_host.Services.GetRequiredService<ICacheAdministration>().Bounds.MemoryBytes, 255 << 20, 256 << 20);
        Assert.False((await GetAsync(_host)).Json.GetProperty("settings").EnumerateArray().First().GetProperty("takesRestart").GetBoolean());
    }

    [Fact]
    public async Task Start_BrokenSettingsFile_ServesWithWhatIsConfigured()
    {
        await _host.DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(_settings.Path, "cache.json"), "{ half a");
        _host = await StartAsync();
        Assert.Equal("67108864", Values((await GetAsync(_host)).Json)["Memory:CapacityBytes"].Value);
    }

    [Fact]
    public async Task Start_SettingThatIsNotAllowedAnyMore_IsPassedOver()
    {
        await _host.DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(_settings.Path, "cache.json"), """{ "Memory:CapacityBytes": "12", "Disk:Ttl": "06:00:00" }""");
        _host = await StartAsync();
        var values = Values((await GetAsync(_host)).Json);
        Assert.Equal(("67108864", "06:00:00"), (values["Memory:CapacityBytes"].Value, values["Disk:Ttl"].Value));
    }

    private Task<ImageApiHost> StartAsync() => ImageApiHost.StartAsync(static _ => { }, ("ImageApi:Settings:Path", _settings.Path), ("TieredCache:Disk:Ttl", "1.00:00:00"));

    private static async Task<(JsonElement Json, string Tag)> GetAsync(ImageApiHost host)
    {
        using var response = await host.SendAsync(Address);
        return (await response.JsonAsync(), response.Header("ETag")!);
    }

    private static async Task<HttpResponseMessage> PutAsync(ImageApiHost host, string? tag, Dictionary<string, object?> values)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, Address) { Content = JsonContent.Create(values) };
        if (tag is not null) request.Headers.TryAddWithoutValidation("If-Match", tag);
        return await host.Client.SendAsync(request);
    }

    private static Dictionary<string, (string? Value, string? Configured, bool IsSet)> Values(JsonElement settings) => settings.GetProperty("settings").EnumerateArray().ToDictionary(
        setting => setting.GetProperty("name").GetString()!, setting => (Text(setting, "value"), Text(setting, "configured"), setting.GetProperty("isSet").GetBoolean()));

    private static string? Text(JsonElement setting, string name) => setting.TryGetProperty(name, out var value) ? value.GetString() : null;
}
