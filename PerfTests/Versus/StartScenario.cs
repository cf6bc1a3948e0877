using System.Diagnostics;
using System.Net.Sockets;
using PerfTests.Client;
using PerfTests.Measuring;
using static PerfTests.Versus.VersusRun;

namespace PerfTests.Versus;

/// <summary>From starting a process to its first good answer to a health request.</summary>
internal static class StartScenario
{
    public const string Name = "start";

    /// <param name="Target">Whose start it is.</param>
    /// <param name="Command">A shell command that becomes the server (it is run with <c>exec</c>).</param>
    /// <param name="HealthUrl">What answers 2xx once the server is ready.</param>
    internal sealed record Program(string Target, string Command, string HealthUrl);

    public static void Run(VersusRun run, IReadOnlyList<Program> programs, TimeSpan patience)
    {
        run.Interleave(Name, programs, (program, _) =>
        {
            using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", ExecOf(program.Command)]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.OutputDataReceived += static (_, _) => { };
            process.ErrorDataReceived += static (_, _) => { };
            var started = Clock.Now;
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            try
            {
                var ready = WaitUntilReady(program.HealthUrl, started, patience, process, run.CancellationToken);
                run.Add(Name, program.Target, "time to ready", "ms", Conditions(), ready / 1e6, 1);
            }
            finally
            {
                Stop(process);
            }
        });
    }

    /// <summary>Environment assignments stay before exec: <c>A=1 server</c> becomes <c>A=1 exec server</c>.</summary>
    internal static string ExecOf(string command)
    {
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var assignments = words.TakeWhile(word => word.IndexOf('=') > 0 && word[..word.IndexOf('=')].All(c => char.IsAsciiLetterOrDigit(c) || c == '_')).ToArray();
        return assignments.Length == 0 ? "exec " + command : $"export {string.Join(' ', assignments)}; exec {string.Join(' ', words[assignments.Length..])}";
    }

    private static long WaitUntilReady(string url, long started, TimeSpan patience, Process process, CancellationToken cancellationToken)
    {
        var endpoint = Endpoint.Parse(url);
        var request = Request.Get(endpoint, "", ["Connection: close"]);
        using var connection = new HttpConnection(endpoint, TimeSpan.FromSeconds(5));
        while (Clock.Now - started < patience.TotalMilliseconds * 1e6)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (process.HasExited) throw new InvalidOperationException($"The server ended with exit code {process.ExitCode} before it was ready.");
            try
            {
                if (connection.Send(request.Bytes).Status is >= 200 and < 300) return Clock.Now - started;
            }
            catch (Exception exception) when (exception is SocketException or IOException)
            {
                // Not there yet.
            }

            Clock.WaitUntil(Clock.Now + 2_000_000);
        }

        throw new TimeoutException($"The server was not ready within {patience.TotalSeconds} s.");
    }

    private static void Stop(Process process)
    {
        if (process.HasExited) return;
        using (var kill = Process.Start("kill", ["-TERM", $"{process.Id}"])) kill.WaitForExit();
        if (!process.WaitForExit(5000)) process.Kill(entireProcessTree: true);
        process.WaitForExit();
    }
}
