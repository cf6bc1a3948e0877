using System.Diagnostics;
using PerfTests.Client;

namespace PerfTests.Peers;

/// <summary>A peer's process: started, waited for, stopped with this one.</summary>
internal static class PeerProcess
{
    public static async Task<int> RunAsync(ProcessStartInfo start, string healthUrl, string logPath, string ready, CancellationToken cancellationToken)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        await using var log = new StreamWriter(logPath) { AutoFlush = true };
        var gate = new Lock();
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} does not start.");
        process.OutputDataReceived += Write;
        process.ErrorDataReceived += Write;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await WaitAsync(process, healthUrl, cancellationToken);
            Console.WriteLine($"{ready}, process {process.Id}");
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        finally
        {
            if (!process.HasExited)
            {
                using (var kill = Process.Start("kill", ["-TERM", $"{process.Id}"])) await kill.WaitForExitAsync(CancellationToken.None);
                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
                try
                {
                    await process.WaitForExitAsync(patience.Token);
                }
                catch (OperationCanceledException)
                {
                    process.Kill(entireProcessTree: true);
                }
            }
        }

        void Write(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is null) return;
            lock (gate) log.WriteLine(line.Data);
        }
    }

    private static async Task WaitAsync(Process process, string healthUrl, CancellationToken cancellationToken)
    {
        var endpoint = Endpoint.Parse(healthUrl);
        using var connection = new HttpConnection(endpoint, TimeSpan.FromSeconds(5));
        var request = Request.Get(endpoint, "", ["Connection: close"]);
        while (true)
        {
            if (process.HasExited) throw new InvalidOperationException($"The peer ended with exit code {process.ExitCode}; its log says why.");
            try
            {
                connection.Send(request.Bytes);
                return;
            }
            catch (Exception exception) when (exception is IOException or System.Net.Sockets.SocketException)
            {
                await Task.Delay(20, cancellationToken);
            }
        }
    }
}
