using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Aspire.Hosting.Running;

/// <summary>A process that the host started, with everything that it started in turn.</summary>
internal sealed partial class ChildProcess
{
    /// <summary>Longer lines are cut into pieces: a service that never ends its line takes no memory here.</summary>
    private const int MaxLineCharacters = 8192;

    private const int Sigterm = 15;
    private const int Sigkill = 9;

    private readonly Process _process;
    private readonly bool _ownGroup;
    private readonly Task _output;

    public ChildProcess(Process process, bool ownGroup, string input, Action<string> line)
    {
        _process = process;
        _ownGroup = ownGroup;
        _output = Task.WhenAll(FeedAsync(process.StandardInput, input), ReadLinesAsync(process.StandardOutput, line), ReadLinesAsync(process.StandardError, line));
        Exited = ExitAsync();
    }

    public int Id => _process.Id;

    /// <summary>The exit code, when the process has ended and its last words are read.</summary>
    public Task<int> Exited { get; }

    /// <summary>Asks the process to end, and kills its whole group when <paramref name="deadline"/> comes or when it left something running.</summary>
    public async Task StopAsync(CancellationToken deadline)
    {
        Signal(Sigterm);
        try
        {
            await Exited.WaitAsync(deadline);
        }
        catch (OperationCanceledException)
        {
            Signal(Sigkill);
            await Exited;
        }
    }

    private async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync();
        var exitCode = _process.ExitCode;
        if (_ownGroup)
        {
            // What the process started and left behind; the group's id stays reserved while it has members.
            _ = Kill(-Id, Sigkill);
        }
        await Task.WhenAny(_output, Task.Delay(TimeSpan.FromMilliseconds(200)));
        return exitCode;
    }

    private void Signal(int signal)
    {
        if (_process.HasExited)
        {
            return;
        }
        if (OperatingSystem.IsWindows())
        {
            _process.Kill(entireProcessTree: true);
        }
        else if (_ownGroup)
        {
            _ = Kill(-Id, signal);
        }
        else if (signal == Sigkill)
        {
            _process.Kill(entireProcessTree: true);
        }
        else
        {
            _ = Kill(Id, signal);
        }
    }

    private static async Task FeedAsync(StreamWriter to, string input)
    {
        try
        {
            await using (to)
            {
                await to.WriteAsync(input);
            }
        }
        catch (IOException)
        {
            // It ended before it read; its exit code says more.
        }
    }

    private static async Task ReadLinesAsync(StreamReader from, Action<string> line)
    {
        var buffer = new char[1024];
        var rest = new StringBuilder();
        int count;
        while ((count = await from.ReadAsync(buffer)) > 0)
        {
            foreach (var character in buffer.AsSpan(0, count))
            {
                if (character == '\n' || rest.Length == MaxLineCharacters)
                {
                    line(rest.ToString().TrimEnd('\r'));
                    rest.Clear();
                }
                if (character != '\n')
                {
                    rest.Append(character);
                }
            }
        }
        if (rest.Length > 0)
        {
            line(rest.ToString());
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
