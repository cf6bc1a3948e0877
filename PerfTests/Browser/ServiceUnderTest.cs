using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace PerfTests.Browser;

/// <summary>ImageApi or Web as built beside this program, in a process of its own; stopped with it.</summary>
internal sealed class ServiceUnderTest : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Queue<string> _lastLines = new();

    private ServiceUnderTest(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    public Uri Address { get; }

    public string Origin => Address.GetLeftPart(UriPartial.Authority);

    public static async Task<ServiceUnderTest> StartAsync(string project, string host, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var address = new Uri($"http://{host}:{FreePort()}/");
        var folder = Path.Combine(Repository(), project);
        // The same configuration and framework as this program's own.
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var program = Path.Combine(folder, "bin", output.Parent!.Name, output.Name, project + ".dll");
        if (!File.Exists(program)) throw new FileNotFoundException($"{project} is not built as this program is ({output.Parent.Name}): build the solution first.", program);
        var start = new ProcessStartInfo("dotnet", [program])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ASPNETCORE_URLS"] = address.GetLeftPart(UriPartial.Authority);
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        start.Environment["Security__ListenBeyondLoopback"] = IPAddress.IsLoopback(IPAddress.Parse(host)) ? "false" : "true";
        foreach (var (name, value) in environment) start.Environment[name] = value;

        var service = new ServiceUnderTest(Process.Start(start) ?? throw new InvalidOperationException($"{project} does not start."), address);
        service._process.OutputDataReceived += (_, line) => service.Keep(line.Data);
        service._process.ErrorDataReceived += (_, line) => service.Keep(line.Data);
        service._process.BeginOutputReadLine();
        service._process.BeginErrorReadLine();
        await service.WaitAsync(project, cancellationToken);
        return service;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task WaitAsync(string project, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = Address };
        for (var tries = 0; ; tries++)
        {
            try
            {
                using var answer = await http.GetAsync("health", cancellationToken);
                if (answer.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                // Not there yet.
            }

            if (_process.HasExited || tries == 600)
            {
                lock (_lastLines) throw new InvalidOperationException($"{project} is not ready:\n{string.Join('\n', _lastLines)}");
            }

            await Task.Delay(50, cancellationToken);
        }
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_lastLines)
        {
            _lastLines.Enqueue(line);
            if (_lastLines.Count > 50) _lastLines.Dequeue();
        }
    }

    private static string Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Platform.sln"))) return folder.FullName;
        }

        throw new InvalidOperationException("This program does not lie in the repository: it runs the services built there.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
