using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Platform.Tests.Shared;

/// <summary>
/// A redis-server of a test's own, on a free loopback port, without persistence; can be killed, frozen, thawed and started
/// again on the same port. Guard the test with <c>[ToolFact("redis-server")]</c>.
/// </summary>
public sealed class RedisServer : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string? _password;
    private Process? _process;

    private RedisServer(int port, string? password) => (Port, _password) = (port, password);

    public int Port { get; }

    public string ConnectionString => $"127.0.0.1:{Port},connectTimeout=1000" + (_password is null ? "" : $",password={_password}");

    public static async Task<RedisServer> StartAsync(string? password = null)
    {
        for (var attempt = 0; ; attempt++)
        {
            var server = new RedisServer(FindFreePort(), password);
            try
            {
                await server.StartAgainAsync();
                return server;
            }
            catch (InvalidOperationException) when (attempt < 5)
            {
                await server.DisposeAsync();      // another process was faster to the port
            }
        }
    }

    /// <summary>Starts it on its port after <see cref="KillAsync"/>; empty, as nothing is saved.</summary>
    public async Task StartAgainAsync()
    {
        var arguments = new List<string> { "--port", $"{Port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", _folder.Path, "--maxmemory", "64mb" };
        if (_password is not null) arguments.AddRange(["--requirepass", _password]);
        _process = Process.Start(new ProcessStartInfo(ToolPath.Find("redis-server")!, arguments) { RedirectStandardOutput = true })!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        for (var waited = 0; waited < 200; waited++)
        {
            if (_process.HasExited) throw new InvalidOperationException("redis-server did not start.");
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(25);
            }
        }

        throw new InvalidOperationException("redis-server does not listen.");
    }

    /// <summary>Ends it at once, as a crash would.</summary>
    public async Task KillAsync()
    {
        if (_process is null) return;
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Freezes it: connections stay open, nothing is answered.</summary>
    public Task FreezeAsync() => SignalAsync("-STOP");

    /// <summary>Lets it go on after <see cref="FreezeAsync"/>.</summary>
    public Task ThawAsync() => SignalAsync("-CONT");

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _folder.Dispose();
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, $"{_process!.Id}"]);
        await kill.WaitForExitAsync();
    }

    private static int FindFreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
