using System.Diagnostics;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.RegularExpressions;

namespace AppHost.Tests;

/// <summary>
/// One run of tests/Fixtures/TestHost as a process of its own. Everything that it starts carries a mark in its environment, by which
/// the tests find what is left when it has ended.
/// </summary>
internal sealed partial class TestHostRun : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _mark = $"PLATFORM_TEST_RUN={Guid.NewGuid():N}";
    private readonly List<string> _lines = [];
    private readonly HashSet<(int Id, string StartTime)> _children = [];
    private readonly Process _process;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };

    private TestHostRun(string model, IEnumerable<(string Name, string? Value)> environment, string? under)
    {
        var dotnet = Environment.ProcessPath is { } self && Path.GetFileName(self) == "dotnet" ? self : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        var start = under is null
            ? new ProcessStartInfo(dotnet, [Assembly, model])
            : new ProcessStartInfo(under, ["-qec", $"{dotnet} {Assembly} {model}", "/dev/null"]);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        foreach (var name in new[] { "NO_COLOR", "DOTNET_ENVIRONMENT", "ASPNETCORE_ENVIRONMENT", "DOTNET_LAUNCH_PROFILE", "ASPNETCORE_URLS" })
        {
            start.Environment.Remove(name);
        }
        start.Environment[_mark.Split('=')[0]] = _mark.Split('=')[1];
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public string Output
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    private static string Assembly { get; } = typeof(TestHostRun).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key == "TestHost").Value!;

    public static string RepositoryRoot { get; } = typeof(TestHostRun).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key == "RepositoryRoot").Value!;

    public static TestHostRun Start(string model, params (string Name, string? Value)[] environment) => new(model, environment, under: null);

    /// <summary>The run at a pseudo terminal, which <c>script</c> makes.</summary>
    public static TestHostRun StartAtTerminal(string model, params (string Name, string? Value)[] environment) => new(model, environment, under: "script");

    public static async Task<TestHostRun> UpAsync(string model, params (string Name, string? Value)[] environment)
    {
        var run = Start(model, environment);
        try
        {
            await run.SaysAsync("All up");
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until the output has a line with the text; fails with the whole output when it does not come.</summary>
    public async Task<string> SaysAsync(string text)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var ended = _process.HasExited;
            lock (_lines)
            {
                if (_lines.Find(line => line.Contains(text, StringComparison.Ordinal)) is { } found)
                {
                    return found;
                }
            }
            if (ended || Stopwatch.GetElapsedTime(started) > Patience)
            {
                Assert.Fail($"The host {(ended ? "ended and " : string.Empty)}never said '{text}':\n{Output}");
            }
            await Task.Delay(20);
        }
    }

    public async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
            }
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"Never: {what}\n{Output}");
            await Task.Delay(50);
        }
    }

    /// <summary>A resource's address as the last table gives it.</summary>
    public Uri Address(string resource)
    {
        var row = Output.Split('\n').Last(line => line.TrimStart().StartsWith($"{resource} ", StringComparison.Ordinal) && line.Contains("running", StringComparison.Ordinal) && !line.Contains('|'));
        return new Uri(AnyAddress().Match(row).Value);
    }

    public Task<Dictionary<string, string?>?> EnvironmentOfAsync(string resource) => _http.GetFromJsonAsync<Dictionary<string, string?>>(new Uri(Address(resource), "/environment"));

    public async Task<ServiceProcess> ProcessOfAsync(string resource) => (await _http.GetFromJsonAsync<ServiceProcess>(new Uri(Address(resource), "/process")))!;

    public Task<string> GetAsync(string resource, string path) => _http.GetStringAsync(new Uri(Address(resource), path));

    public async Task PostAsync(string resource, string path, string body = "")
    {
        using var answer = await _http.PostAsync(new Uri(Address(resource), path), new StringContent(body));
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Signals the host and waits for its end; how long that took.</summary>
    public async Task<TimeSpan> EndAsync(string signal = "TERM")
    {
        _ = Left();
        var started = Stopwatch.GetTimestamp();
        Signal(Id, signal);
        using var timeout = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(timeout.Token);
        return Stopwatch.GetElapsedTime(started);
    }

    public int ExitCode => _process.ExitCode;

    public static void Signal(int processId, string signal)
    {
        using var kill = Process.Start("kill", ["-s", signal, $"{processId}"]);
        kill.WaitForExit();
    }

    /// <summary>
    /// The processes of this run that are still there: those with the mark, and those once seen as children of the host
    /// (redis-server writes over its environment).
    /// </summary>
    public IReadOnlyList<(int Id, string Command)> Left()
    {
        var left = new List<(int, string)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id))
            {
                continue;
            }
            try
            {
                // proc(5): id (name) state parent ... start time.
                var state = File.ReadAllText(Path.Combine(folder, "stat")).Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                var identity = (id, state[19]);
                if (state[1] == $"{Id}")
                {
                    _children.Add(identity);
                }
                if (state[0] != "Z" && (_children.Contains(identity) || File.ReadAllText(Path.Combine(folder, "environ")).Split('\0').Contains(_mark)))
                {
                    left.Add((id, File.ReadAllText(Path.Combine(folder, "cmdline")).Replace('\0', ' ')));
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // It ended meanwhile, or is another user's.
            }
        }
        return left;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (id, _) in Left())
        {
            Signal(id, "KILL");
        }
        await _process.WaitForExitAsync();
        _process.Dispose();
        _http.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is not null)
        {
            lock (_lines)
            {
                _lines.Add(line);
            }
        }
    }

    [GeneratedRegex(@"(http://[\w.:]+)|(127\.0\.0\.1:\d+)")]
    private static partial Regex AnyAddress();
}

internal sealed record ServiceProcess(int Id, string Folder);
