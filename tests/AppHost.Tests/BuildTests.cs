using Platform.Tests.Shared;

namespace AppHost.Tests;

/// <summary>Projects that the host builds itself: what it says of their errors, and what it does when their sources change.</summary>
public class BuildTests
{
    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk.Web">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
          </PropertyGroup>
        </Project>
        """;

    [Fact]
    public async Task Build_Sources_ErrorsAreSaidAndChangesReachTheRunningService()
    {
        using var folder = new TempFolder();
        var project = folder.Combine("Built.csproj");
        await File.WriteAllTextAsync(project, Project);
        var source = folder.Combine("Program.cs");
        await File.WriteAllTextAsync(source, Program("first"));
        await using var run = await TestHostRun.UpAsync("built-here", ("TEST_PROJECT", project), ("DOTNET_ENVIRONMENT", "Development"));
        Assert.Equal("first", await run.GetAsync("built", "/"));

        await File.WriteAllTextAsync(source, Program("broken").Replace(';', ' '));
        await run.SaysAsync("does not compile: the running process stays");
        Assert.Contains("error CS1002", run.Output, StringComparison.Ordinal);
        Assert.Equal("first", await run.GetAsync("built", "/"));

        await File.WriteAllTextAsync(source, Program("second"));
        await run.UntilAsync(async () => await run.GetAsync("built", "/") == "second", "the changed service");
        await run.EndAsync();
        Assert.Empty(run.Left());
    }

    [Fact]
    public async Task Build_ProjectWithErrors_SaysThemAndWhoWaitsForIt()
    {
        using var folder = new TempFolder();
        var project = folder.Combine("Built.csproj");
        await File.WriteAllTextAsync(project, Project);
        await File.WriteAllTextAsync(folder.Combine("Program.cs"), "this is no program");

        await using var run = TestHostRun.Start("built-here", ("TEST_PROJECT", project));

        await run.SaysAsync($"cannot start: {project} does not build");
        Assert.Contains("error CS", run.Output, StringComparison.Ordinal);
        await run.SaysAsync("after     waiting               for built");
        Assert.DoesNotContain("after starts", run.Output, StringComparison.Ordinal);
        await run.EndAsync();
        Assert.Empty(run.Left());
    }

    private static string Program(string answer) => $$"""
        var app = WebApplication.Create(args);
        app.MapGet("/", () => "{{answer}}");
        app.Run();
        """;
}
