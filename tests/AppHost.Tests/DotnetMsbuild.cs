using System.Diagnostics;
using System.Text.Json;

namespace AppHost.Tests;

/// <summary>Asks MSBuild what a project evaluates to, without building it.</summary>
internal static class DotnetMsbuild
{
    public static async Task<JsonElement> EvaluateAsync(string project, string arguments, params (string Name, string Value)[] environment)
    {
        var (code, output) = await RunAsync(project, arguments, environment);
        Assert.True(code == 0, output);
        return JsonDocument.Parse(output).RootElement;
    }

    public static async Task<(int Code, string Output)> RunAsync(string project, string arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", $"msbuild \"{project}\" -nologo {arguments}") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    public static string[] Identities(this JsonElement evaluation, string item) =>
        [.. evaluation.GetProperty("Items").GetProperty(item).EnumerateArray().Select(entry => entry.GetProperty("Identity").GetString()!)];

    public static string Property(this JsonElement evaluation, string name) => evaluation.GetProperty("Properties").GetProperty(name).GetString()!;
}
