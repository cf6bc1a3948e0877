using System.Collections.Concurrent;
using System.Diagnostics;

namespace Aspire.Hosting.Running;

/// <summary>
/// Starts every child process from one thread that lives as long as the host. On Linux a child gets a session of its own, so that
/// a Ctrl+C in the terminal reaches the host alone and a whole group can be signalled, and SIGTERM when the host dies, even by
/// kill -9. The kernel sends that signal when the <em>thread</em> that started the child ends, hence the one thread.
/// </summary>
internal sealed class ProcessLauncher : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly string? _ownSession = OperatingSystem.IsLinux() ? Executables.Find("setsid") : null;
    private readonly string? _deathSignal = OperatingSystem.IsLinux() ? Executables.Find("setpriv") : null;

    public ProcessLauncher()
    {
        new Thread(() =>
        {
            foreach (var action in _work.GetConsumingEnumerable())
            {
                action();
            }
        })
        { IsBackground = true, Name = "process launcher" }.Start();
    }

    /// <summary>Starts the command; its output goes to <paramref name="line"/>, line by line, and its input is <paramref name="input"/>, then ends.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The program cannot be started.</exception>
    public Task<ChildProcess> StartAsync(ProcessCommand command, Action<string> line)
    {
        var started = new TaskCompletionSource<ChildProcess>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                var process = new Process { StartInfo = StartInfo(command) };
                process.Start();
                started.SetResult(new ChildProcess(process, ownGroup: _ownSession is not null, command.Input, line));
            }
            catch (Exception exception)
            {
                started.SetException(exception);
            }
        });
        return started.Task;
    }

    public void Dispose() => _work.CompleteAdding();

    private ProcessStartInfo StartInfo(ProcessCommand command)
    {
        string[] full =
        [
            .. _ownSession is null ? (IEnumerable<string>)[] : [_ownSession],
            .. _deathSignal is null ? (IEnumerable<string>)[] : [_deathSignal, "--pdeathsig", "TERM", "--"],
            command.FileName,
            .. command.Arguments,
        ];
        var start = new ProcessStartInfo(full[0], full.Skip(1))
        {
            WorkingDirectory = command.WorkingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var name in command.Unset)
        {
            start.Environment.Remove(name);
        }
        foreach (var (name, value) in command.Environment)
        {
            start.Environment[name] = value;
        }
        return start;
    }
}

/// <summary>One process to start: the host's environment without <see cref="Unset"/>, with <see cref="Environment"/>.</summary>
internal sealed record ProcessCommand(string FileName, IReadOnlyList<string> Arguments, string WorkingDirectory)
{
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<string> Unset { get; init; } = [];

    public string Input { get; init; } = string.Empty;
}
