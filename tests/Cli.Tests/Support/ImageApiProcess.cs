using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Platform.Tests.Shared;

namespace Cli.Tests.Support;

/// <summary>The real ImageApi in a process of its own, with an empty store, on a port that the system chose.</summary>
public sealed partial class ImageApiProcess : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly StringBuilder _log = new();
    private Process? _process;

    /// <summary>Where it listens.</summary>
    public string Address { get; private set; } = "";

    /// <summary>The folder of its store.</summary>
    public string StorePath => _folder.Combine("store");

    public static async Task<ImageApiProcess> StartAsync()
    {
        var service = new ImageApiProcess();
        await service.RunAsync("http://127.0.0.1:0");
        return service;
    }

    /// <summary>As a power failure would: at once, whatever it is doing.</summary>
    public async Task KillAsync()
    {
        _process!.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>Starts again with the same store at the same address.</summary>
    public Task RestartAsync() => RunAsync(Address);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _folder.Dispose();
    }

    private async Task RunAsync(string address)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Platform.sln"))) root = root.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");

        // Built the same way as these tests: bin/Debug/net10.0 or its like.
        var flavour = Path.GetRelativePath(Path.Combine(root.FullName, "tests", "Cli.Tests"), AppContext.BaseDirectory);
        var folder = Path.Combine(root.FullName, "ImageApi");
        var start = new ProcessStartInfo("dotnet", [Path.Combine(folder, flavour, "ImageApi.dll")]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ASPNETCORE_URLS"] = address;
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        start.Environment["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information";
        start.Environment["ImageApi__Store__Path"] = StorePath;
        start.Environment["ImageApi__Catalog__Path"] = _folder.Combine("catalog.db");
        start.Environment["TieredCache__Disk__Path"] = _folder.Combine("cache");

        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.Exited += (_, _) => listening.TrySetException(new InvalidOperationException($"ImageApi ended: {_log}"));
        _process.ErrorDataReceived += (_, line) => _log.AppendLine(line.Data);
        _process.OutputDataReceived += (_, line) =>
        {
            _log.AppendLine(line.Data);
            if (line.Data is not null && Listening().Match(line.Data) is { Success: true } match) listening.TrySetResult(match.Groups[1].Value);
        };
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Address = await listening.Task.WaitAsync(TimeSpan.FromSeconds(60));

        using var http = new HttpClient();
        for (var i = 0; i < 300; i++)
        {
            using var answer = await http.GetAsync(Address + "/health");
            if (answer.IsSuccessStatusCode) return;
            await Task.Delay(100);
        }

        throw new InvalidOperationException($"ImageApi does not become ready: {_log}");
    }

    [GeneratedRegex("Now listening on: (http://127.0.0.1:[0-9]+)")]
    private static partial Regex Listening();
}
