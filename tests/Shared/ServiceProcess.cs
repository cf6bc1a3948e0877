using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Platform.Tests.Shared;

/// <summary>A service of the Platform, as built, in a process of its own on a free port of the loopback; killed when disposed.</summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    private const int MaxLines = 2000;
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();

    private ServiceProcess(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    /// <summary>Where it listens, with a slash at the end.</summary>
    public Uri Address { get; }

    /// <summary>The address without the slash at the end, as configuration and script want it.</summary>
    public string Origin => Address.GetLeftPart(UriPartial.Authority);

    /// <summary>What it has written so far, for the message of a test that failed.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>Starts <paramref name="project"/> (its folder's name) and waits until <c>/health</c> says that it is ready.</summary>
    public static async Task<ServiceProcess> StartAsync(string project, IReadOnlyDictionary<string, string?> environment, int? port = null)
    {
        var address = new Uri($"http://127.0.0.1:{port ?? FreePort()}/");
        var folder = Path.Combine(Repository.Root, project);
        var start = new ProcessStartInfo("dotnet", [Path.Combine(folder, "bin", Repository.Flavour, project + ".dll")])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ASPNETCORE_URLS"] = address.GetLeftPart(UriPartial.Authority);
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        foreach (var (name, value) in environment) start.Environment[name] = value;

        var service = new ServiceProcess(new Process { StartInfo = start }, address);
        await service.RunAsync();
        return service;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task RunAsync()
    {
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        using var http = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(2) };
        using var timeout = new CancellationTokenSource(ReadyTimeout);
        while (!await IsReadyAsync(http))
        {
            if (_process.HasExited || timeout.IsCancellationRequested)
            {
                await DisposeAsync();
                throw new InvalidOperationException($"{_process.StartInfo.ArgumentList[0]} did not become ready:\n{Output}");
            }

            await Task.Delay(20);
        }
    }

    private static async Task<bool> IsReadyAsync(HttpClient http)
    {
        try
        {
            using var answer = await http.GetAsync("health");
            return answer.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        _output.Enqueue(line);
        if (_output.Count > MaxLines) _output.TryDequeue(out _);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
