using System.Net;
using System.Net.Sockets;
using Platform.Tests.Shared;

namespace AppHost.Tests;

public class StartTests
{
    [Fact]
    public async Task Start_ServiceWithReference_GetsTheDocumentedVariables()
    {
        await using var run = await TestHostRun.UpAsync("chain");

        var first = run.Address("first-one").OriginalString;
        var environment = await run.EnvironmentOfAsync("second");

        Assert.Equal(first, environment!["services__first-one__http__0"]);
        Assert.Equal(first, environment["FIRST_ONE_HTTP"]);
        Assert.Equal(first, environment["FIRST_ADDRESS"]);
        Assert.StartsWith(run.Address("second").OriginalString + ";http://localhost:", environment["ASPNETCORE_URLS"]);
        Assert.Equal("second", environment["OTEL_SERVICE_NAME"]);
        Assert.Matches("^service.instance.id=.+", environment["OTEL_RESOURCE_ATTRIBUTES"]);
        Assert.Equal("development", environment["DOTNET_LAUNCH_PROFILE"]);
        Assert.Equal("Development", environment["ASPNETCORE_ENVIRONMENT"]);
        Assert.Equal("development", environment["FROM_PROFILE"]);
        Assert.Equal("model", environment["SET_TWICE"]);
        Assert.False(environment.ContainsKey("OTEL_EXPORTER_OTLP_ENDPOINT"));
    }

    [Fact]
    public async Task Start_HostInProductionProfile_StartsServicesWithTheirProductionProfile()
    {
        await using var run = await TestHostRun.UpAsync("one", ("DOTNET_LAUNCH_PROFILE", "production"), ("DOTNET_ENVIRONMENT", "Production"), ("ASPNETCORE_URLS", "http://localhost:1"));

        var environment = await run.EnvironmentOfAsync("one");

        Assert.Equal("Production", environment!["ASPNETCORE_ENVIRONMENT"]);
        Assert.Equal("production", environment["FROM_PROFILE"]);
        Assert.Equal(run.Address("one").OriginalString, environment["ASPNETCORE_URLS"]);
        Assert.False(environment.ContainsKey("OTEL_TRACES_SAMPLER"));
    }

    [Fact]
    public async Task Start_WithoutLaunchProfile_TakesTheHostsEnvironmentAndTheNamedPortVariable()
    {
        await using var run = await TestHostRun.UpAsync("bare", ("DOTNET_ENVIRONMENT", "Staging"), ("ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL", "http://localhost:4318"));

        var environment = await run.EnvironmentOfAsync("bare");

        Assert.Equal("Staging", environment!["DOTNET_ENVIRONMENT"]);
        Assert.Equal($"{run.Address("bare").Port}", environment["PORT"]);
        Assert.False(environment.ContainsKey("FROM_PROFILE"));
        Assert.Equal("http://localhost:4318", environment["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        Assert.Equal("http/protobuf", environment["OTEL_EXPORTER_OTLP_PROTOCOL"]);
    }

    [Fact]
    public async Task Start_Service_RunsInItsProjectsFolder()
    {
        await using var run = await TestHostRun.UpAsync("one");

        Assert.Equal(Path.Combine(TestHostRun.RepositoryRoot, "tests", "Fixtures", "TestService"), (await run.ProcessOfAsync("one")).Folder);
    }

    [Fact]
    public async Task Start_WishedPortIsTaken_GivesTheNextFreeOneAndSaysSo()
    {
        using var squatter = new TcpListener(IPAddress.Loopback, 0);
        squatter.Start();
        var taken = ((IPEndPoint)squatter.LocalEndpoint).Port;

        await using var run = await TestHostRun.UpAsync("one", ("TEST_PORT", $"{taken}"));

        var given = run.Address("one").Port;
        Assert.InRange(given, taken + 1, taken + 50);
        await run.SaysAsync($"port {taken} is taken: one gets {given}");
        Assert.Equal("one", (await run.EnvironmentOfAsync("one"))!["OTEL_SERVICE_NAME"]);
    }

    [Fact]
    public async Task Start_WaitFor_StartsTheConsumerOnlyWhenTheDependencyIsHealthy()
    {
        await using var run = await TestHostRun.UpAsync("chain");

        Assert.True(run.Output.IndexOf("first-one says it is healthy", StringComparison.Ordinal) is >= 0 and var healthy
            && healthy < run.Output.IndexOf("second starts", StringComparison.Ordinal), run.Output);
    }

    [Fact]
    public async Task Start_AllUp_PrintsTheTableWithoutColoursWhenNobodyWatches()
    {
        await using var run = await TestHostRun.UpAsync("chain");

        Assert.Matches(@"(?m)^  resource\s+state\s+ready in\s+address$", run.Output);
        Assert.Matches(@"(?m)^  first-one\s+running\s+[\d.]+ s  http://localhost:\d+$", run.Output);
        Assert.Matches(@"(?m)^second    \| second starts$", run.Output);
        Assert.DoesNotContain('\e', run.Output);
    }

    [ToolFact("script")]
    public async Task Start_AtATerminal_PaintsNamesAndLinks()
    {
        await using var run = TestHostRun.StartAtTerminal("one", ("TERM", "xterm"));

        await run.SaysAsync("All up");

        Assert.Matches(@"\e\[\d+mone\s+\|\e\[0m one starts", run.Output);
        Assert.Matches(@"\e\]8;;http://localhost:\d+\e\\http://localhost", run.Output);
    }

    [ToolFact("script")]
    public async Task Start_AtATerminalWithNoColor_PaintsNothing()
    {
        await using var run = TestHostRun.StartAtTerminal("one", ("TERM", "xterm"), ("NO_COLOR", "1"));

        await run.SaysAsync("All up");

        // The runtime itself sets the terminal's mode (ESC [?1h): colours and links are ours.
        Assert.DoesNotMatch(@"\e\[[\d;]*m|\e\]8", run.Output);
    }

    [Fact]
    public async Task Line_WithControlSequences_ReachesTheTerminalWithoutThem()
    {
        await using var run = await TestHostRun.UpAsync("one");

        await run.PostAsync("one", "/say", "red \e[31malert\e[0m, \e]0;title\a and \e[2Jclear");

        Assert.Equal("one     | red alert, ]0;title and [2Jclear", await run.SaysAsync("alert"));
    }

    [Fact]
    public async Task Line_ThatNeverEnds_ArrivesInPieces()
    {
        await using var run = await TestHostRun.UpAsync("one");

        await run.PostAsync("one", "/say", new string('x', 20_000));

        await run.UntilAsync(() => Task.FromResult(run.Output.Count(character => character == 'x') >= 20_000), "the whole line");
        Assert.True(run.Output.Split('\n').Max(line => line.Length) < 8300);
    }

    [Fact]
    public async Task Start_ProjectIsNotBuilt_SaysSoAndRunsTheRest()
    {
        await using var run = TestHostRun.Start("not-built", ("TEST_PROJECT", Path.Combine(TestHostRun.RepositoryRoot, "tests", "Nowhere", "Nowhere.csproj")));

        await run.SaysAsync("cannot start: there is no project");
        await run.SaysAsync("  one       running");

        Assert.Equal("one", (await run.EnvironmentOfAsync("one"))!["OTEL_SERVICE_NAME"]);
    }
}
