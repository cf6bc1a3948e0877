using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace InferenceApi.Tests.Hosting;

/// <summary>A clone that could not fetch the native runtime: the service as a process of its own, told to look for it where it is not.</summary>
public partial class MissingRuntimeTests
{
    [Fact]
    public async Task Start_NoRuntime_IsReadyAndSaysWhyItRunsNoModels()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet", [Path.Combine(AppContext.BaseDirectory, "InferenceApi.dll")])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = AppContext.BaseDirectory,
            Environment = { ["ONNXRUNTIME_LIBRARY"] = "/nowhere/libonnxruntime.so.1", ["ASPNETCORE_URLS"] = "http://127.0.0.1:0", ["Logging__LogLevel__Default"] = "Information" },
        };
        using var process = Process.Start(start)!;
        try
        {
            string? address = null;
            while (address is null)
            {
                var line = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
                Assert.NotNull(line);
                if (Listening().Match(line) is { Success: true } match) address = match.Groups[1].Value;
            }
            _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
            using var client = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromSeconds(60) };

            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health")).StatusCode);
            var runtime = (await client.GetFromJsonAsync<JsonElement>("/api/sessions")).GetProperty("runtime");
            Assert.False(runtime.GetProperty("available").GetBoolean());
            Assert.Contains("/nowhere", runtime.GetProperty("reason").GetString(), StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/v2/health/ready")).StatusCode);
            using var refused = await client.PostAsync("/v2/models/ct-tissue/infer", new StringContent("{}"));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal("urn:platform:problem:runtime-missing", (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("type").GetString());
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    [GeneratedRegex(@"listening on: (http://\S+)", RegexOptions.CultureInvariant)]
    private static partial Regex Listening();
}
