using System.Diagnostics;

namespace Platform.Models.Tests;

/// <summary>Another process, to be killed: this assembly, started with the name of what it is to do. It tells lines on its output.</summary>
internal sealed class Child : IAsyncDisposable
{
    private readonly Process _process;

    private Child(Process process) => _process = process;

    /// <summary>How often a test kills: ten times, fifty in eng/soak.sh.</summary>
    public static int Kills { get; } = Environment.GetEnvironmentVariable("PLATFORM_SOAK_FACTOR") is null ? 10 : 50;

    /// <summary>What a child can do, by name; each runs until it is done or killed.</summary>
    private static Task RunAsync(string name, string[] arguments) => name switch
    {
        "download" => Work.DownloadAsync(arguments[0], arguments[1], arguments[2]),
        "import" => Work.ImportAsync(arguments[0], arguments[1]),
        "hold" => Work.HoldAsync(arguments[0], arguments[1]),
        _ => throw new ArgumentException($"A child does not know how to {name}."),
    };

    public static async Task Main(string[] args)
    {
        if (args.Length > 0) await RunAsync(args[0], args[1..]);
    }

    public static Child Start(string name, params string[] arguments)
        => new(Process.Start(new ProcessStartInfo("dotnet", ["exec", typeof(Child).Assembly.Location, name, .. arguments]) { RedirectStandardOutput = true, RedirectStandardInput = true })!);

    /// <summary>What it says next; null when it has ended and said everything.</summary>
    public async Task<string?> ReadLineAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await _process.StandardOutput.ReadLineAsync(patience.Token);
    }

    /// <summary>Waits until it says so; fails when it ends first.</summary>
    public async Task WaitForLineAsync(string line)
    {
        while (await ReadLineAsync() is { } said)
            if (said == line) return;
        throw new InvalidOperationException($"The child ended without saying '{line}'.");
    }

    /// <summary>Ends it at once, as kill -9 does.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }
}
