using Cli.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Cli.Tests.Doctor;

/// <summary><c>platform doctor</c>: the examination itself is tested with ImageApi and a real Orthanc; here, how it is asked for and told.</summary>
public sealed class DoctorCommandTests
{
    private const string Sick = """
        {"origin":"pacs1","findings":[{"name":"search","result":"yes","detail":"5 studies in 12 ms"},{"name":"frame as [x]","result":"no","detail":"answered 500"}],
         "problems":["Single frames do not come as they should."],"profile":{"frameAccept":"*/*","instanceAccept":"application/dicom","hasFrames":false,"parallelism":4}}
        """;

    [Fact]
    public async Task Doctor_ProblemsWereFound_ShowsThemAndExitsWith1()
    {
        var asked = "";
        await using var server = await ScriptedServer.StartAsync(context =>
        {
            asked = $"{context.Request.Method} {context.Request.Path}";
            return context.Response.WriteAsync(Sick);
        });
        var run = await Run.CommandAsync("doctor", "pacs1", "--server", server.Address);
        Assert.Equal((1, "", "POST /api/origins/pacs1/examine"), (run.ExitCode, run.Error, asked));
        Assert.Matches("search +yes +5 studies in 12 ms", run.Output);
        Assert.Contains("frame as [x]", run.Output, StringComparison.Ordinal);
        Assert.Contains("- Single frames do not come as they should.", run.Output, StringComparison.Ordinal);
        Assert.Contains("whole instances", run.Output, StringComparison.Ordinal);
        var json = await Run.CommandAsync("doctor", "pacs1", "--json", "--server", server.Address);
        Assert.Equal("pacs1", json.Json.GetProperty("origin").GetString());
    }

    [Fact]
    public async Task Doctor_NoSuchOrigin_SaysSo()
    {
        await using var server = await ScriptedServer.StartAsync(static context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return context.Response.WriteAsJsonAsync(new { title = "Not found", detail = "There is no such origin." });
        });
        var run = await Run.CommandAsync("doctor", "nosuch", "--server", server.Address);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("There is no such origin", run.Error, StringComparison.Ordinal);
    }
}
