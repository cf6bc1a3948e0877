using Cli.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Cli.Tests.Verify;

public sealed class VerifyTests
{
    private const string Progress = """{"type":"progress","checked":1,"total":2}""" + "\n";
    private const string Problem = """{"type":"problem","kind":"missing","origin":"store","study":"1.2","instance":"1.2.3","detail":"its file is gone"}""" + "\n";

    [Fact]
    public async Task Verify_NothingWrong_SaysSo()
    {
        var run = await VerifyAsync(Progress + """{"type":"summary","checked":2,"problems":0,"bytes":10}""" + "\n");
        Assert.Equal((0, "All 2 instances are as the catalog says.\n"), (run.ExitCode, run.Output.ReplaceLineEndings("\n")));
    }

    [Fact]
    public async Task Verify_Problems_AreNamed()
    {
        var run = await VerifyAsync(Progress + Problem + """{"type":"summary","checked":2,"problems":1}""" + "\n");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("missing 1.2.3: its file is gone", run.Error, StringComparison.Ordinal);
        Assert.Contains("1 problems in 2 instances", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_AsJson_GivesEveryProblemAndTheSummary()
    {
        var run = await VerifyAsync(Progress + Problem + Problem + """{"type":"summary","checked":2,"problems":2}""" + "\n", "--json");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(3, run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Verify_AnswerWithoutSummary_IsNotTakenForSuccess()
    {
        var run = await VerifyAsync(Progress);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("broke off", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_WithContent_AsksForIt()
    {
        string? asked = null;
        await using var server = await ScriptedServer.StartAsync(context =>
        {
            asked = $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}";
            return context.Response.WriteAsync("""{"type":"summary","checked":0,"problems":0}""");
        });
        Assert.Equal(0, (await Run.CommandAsync("verify", "--content", "--server", server.Address)).ExitCode);
        Assert.Equal("POST /api/catalog/verify?content=true", asked);
    }

    [Fact]
    public async Task Verify_NoServer_SaysWhatToDo() => Assert.Equal(2, (await Run.CommandAsync("verify", "--server", "127.0.0.1:1")).ExitCode);

    private static async Task<Run> VerifyAsync(string answer, params string[] args)
    {
        await using var server = await ScriptedServer.StartAsync(context => context.Response.WriteAsync(answer));
        return await Run.CommandAsync(["verify", "--server", server.Address, .. args]);
    }
}
