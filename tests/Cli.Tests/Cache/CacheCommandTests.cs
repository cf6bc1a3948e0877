using System.Text.Json;
using Cli.Tests.Support;
using Microsoft.AspNetCore.Http;
using Platform.Tests.Shared;

namespace Cli.Tests.Cache;

/// <summary><c>platform cache</c> against the real ImageApi, and against servers that answer as a healthy one does not.</summary>
public sealed class CacheCommandTests(CacheCommandTests.Server server) : IClassFixture<CacheCommandTests.Server>
{
    private readonly string _address = server.Service.Address;

    [Fact]
    public async Task Stats_OfARealServer_ListsItsTiers()
    {
        await GetSomethingAsync();
        var run = await Run.CommandAsync("cache", "stats", "--server", _address);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("requests", run.Output, StringComparison.Ordinal);
        Assert.Matches("memory +", run.Output);
        var kinds = await Run.CommandAsync("cache", "stats", "--kinds", "--server", _address);
        Assert.Contains("metadata", kinds.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stats_AsJson_IsWhatTheServerSays()
    {
        await GetSomethingAsync();
        var run = await Run.CommandAsync("cache", "stats", "--json", "--server", _address);
        Assert.Equal(0, run.ExitCode);
        Assert.True(run.Number("requests") > 0);
        Assert.NotEmpty(run.Json.GetProperty("totals").EnumerateArray());
    }

    [Fact]
    public async Task Settings_ChangedAndReset_HoldOnTheServer()
    {
        var changed = await Run.CommandAsync("cache", "settings", "disk:ttl=48h", "Memory:CapacityBytes=16MiB", "--json", "--server", _address);
        Assert.Equal("", changed.Error);
        Assert.Equal(("2.00:00:00", "16777216"), (Setting(changed, "Disk:Ttl"), Setting(changed, "Memory:CapacityBytes")));

        var back = await Run.CommandAsync("cache", "settings", "Disk:Ttl=default", "--json", "--server", _address);
        Assert.Equal(("1.00:00:00", "16777216"), (Setting(back, "Disk:Ttl"), Setting(back, "Memory:CapacityBytes")));

        var reset = await Run.CommandAsync("cache", "settings", "--reset", "--server", _address);
        Assert.Equal(0, reset.ExitCode);
        Assert.DoesNotContain("set at run time", reset.Output, StringComparison.Ordinal);
        Assert.Matches(@"Disk:Ttl +1 d +1 d", reset.Output);
    }

    [Theory]
    [InlineData("Disk:Ttl=soon", "is no value of Disk:Ttl")]
    [InlineData("Disk:Ttl=0s", "Disk:Ttl: The least is")]
    [InlineData("Disk:Path=/tmp", "There is no setting 'Disk:Path'")]
    [InlineData("Disk:Ttl", "is not name=value")]
    public async Task Settings_ImpossibleValue_SaysWhichAndWhy(string change, string said)
    {
        var run = await Run.CommandAsync("cache", "settings", change, "--server", _address);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scrub_OfARealServer_EndsWell()
    {
        var run = await Run.CommandAsync("cache", "scrub", "--server", _address);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches("^All [0-9,]+ values .* are as they were written", run.Output);
    }

    [Fact]
    public async Task Scrub_FoundDamage_ExitsWithOne()
    {
        var asked = 0;
        await using var scripted = await ScriptedServer.StartAsync(context => Answer(context, Interlocked.Increment(ref asked) < 3
            ? """{"state":"Running","checkedEntries":1,"totalEntries":3,"checkedBytes":10,"totalBytes":30,"corruptions":0}"""
            : """{"state":"Done","checkedEntries":3,"totalEntries":3,"checkedBytes":30,"totalBytes":30,"corruptions":2}"""));
        var run = await Run.CommandAsync("cache", "scrub", "--server", scripted.Address);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("2 of 3 values were damaged", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clear_Unconfirmed_TellsTheFiguresAndClearsNothing()
    {
        List<string> bodies = [];
        await using var scripted = await ClearServerAsync(bodies);
        var run = await Run.CommandAsync("cache", "clear", "--tier", "disk", "--server", scripted.Address);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("This frees 1.2 GB: 3,410 values.", run.Error, StringComparison.Ordinal);
        Assert.Contains("--yes", run.Error, StringComparison.Ordinal);
        Assert.Equal(["""{"tier":"disk","confirm":false}"""], bodies);
    }

    [Fact]
    public async Task Clear_WithYes_ClearsWithoutAsking()
    {
        List<string> bodies = [];
        await using var scripted = await ClearServerAsync(bodies);
        var run = await Run.CommandAsync("cache", "clear", "--series", "1.2.3", "--yes", "--server", scripted.Address);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("Freed 1.2 GB: 3,410 values.", run.Output, StringComparison.Ordinal);
        Assert.Contains("disk: 3,410 values", run.Output, StringComparison.Ordinal);
        Assert.Equal(["""{"series":"1.2.3","confirm":true}"""], bodies);
    }

    [Fact]
    public async Task Clear_TwoScopes_IsRefusedBeforeAnythingIsAsked()
    {
        var run = await Run.CommandAsync("cache", "clear", "--tier", "disk", "--origin", "pacs1", "--yes", "--server", "127.0.0.1:1");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("Name one of", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clear_UnknownKind_SaysWhichThereAre()
    {
        var run = await Run.CommandAsync("cache", "clear", "--kind", "dream", "--server", _address);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("frame, metadata", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stats")]
    [InlineData("clear")]
    [InlineData("scrub")]
    [InlineData("settings")]
    public async Task Command_NoServer_SaysWhatToDo(string command)
    {
        var run = await Run.CommandAsync("cache", command, "--server", "127.0.0.1:1");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("No server answers", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_AnswerThatIsNotOurs_IsAnError()
    {
        await using var scripted = await ScriptedServer.StartAsync(static context => Answer(context, """{"settings":"none"}"""));
        var run = await Run.CommandAsync("cache", "settings", "--server", scripted.Address);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("cannot be read", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("64MiB", "bytes", "67108864")]
    [InlineData("20 GB", "bytes", "20000000000")]
    [InlineData("1.5 kb", "bytes", "1500")]
    [InlineData("123", "bytes", "123")]
    [InlineData("90s", "duration", "00:01:30")]
    [InlineData("15min", "duration", "00:15:00")]
    [InlineData("2d", "duration", "2.00:00:00")]
    [InlineData("1.12:00:00", "duration", "1.12:00:00")]
    [InlineData("250ms", "duration", "00:00:00.2500000")]
    [InlineData("100,000", "items", "100000")]
    [InlineData("9999999999999 TB", "bytes", null)]
    [InlineData("-5MB", "bytes", null)]
    [InlineData("48", "duration", null)]
    [InlineData("-1:00:00", "duration", null)]
    public void Parse_WhatPeopleWrite_IsWhatTheConfigurationHas(string text, string unit, string? expected) => Assert.Equal(expected, Cli.Cache.Figures.Parse(text, unit));

    private static string? Setting(Run run, string name) =>
        run.Json.GetProperty("settings").EnumerateArray().Single(setting => setting.GetProperty("name").GetString() == name).GetProperty("value").GetString();

    private static Task<ScriptedServer> ClearServerAsync(List<string> bodies) => ScriptedServer.StartAsync(async context =>
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        lock (bodies) bodies.Add(body);
        var isConfirmed = JsonDocument.Parse(body).RootElement.GetProperty("confirm").GetBoolean();
        const string figures = "\"entries\":3410,\"bytes\":1200000000,\"tiers\":[{\"tier\":\"Disk\",\"entries\":3410,\"bytes\":1200000000}]";
        if (!isConfirmed) context.Response.StatusCode = 400;
        await Answer(context, isConfirmed ? $"{{{figures}}}" : $"{{\"type\":\"urn:platform:problem:confirmation-required\",\"detail\":\"This frees 1.2 GB: 3,410 values.\",{figures}}}");
    });

    private static Task Answer(HttpContext context, string json)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json);
    }

    private async Task GetSomethingAsync()
    {
        // Every look at a study that has one instance reads and keeps its metadata.
        using var http = new HttpClient();
        for (var i = 0; i < 2; i++) (await http.GetAsync($"{_address}/dicomweb/studies/{Server.Study}/metadata")).EnsureSuccessStatusCode().Dispose();
    }

    /// <summary>A real server that holds one instance.</summary>
    public sealed class Server : IAsyncLifetime
    {
        public const string Study = "2.25.77001";

        public ImageApiProcess Service { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Service = await ImageApiProcess.StartAsync();
            using var folder = new TempFolder();
            new DicomBuilder { StudyUid = Study, SeriesUid = Study + ".1", InstanceUid = Study + ".1.1" }.Save(folder.Combine("a.dcm"));
            var import = await Run.CommandAsync("import", folder.Path, "--server", Service.Address, "--json");
            Assert.Equal(0, import.ExitCode);
        }

        public async Task DisposeAsync() => await Service.DisposeAsync();
    }
}
