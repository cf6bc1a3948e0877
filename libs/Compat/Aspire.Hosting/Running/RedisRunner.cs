using System.Net.Sockets;
using System.Text;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Running;

/// <summary>
/// A Redis server of this run: <c>redis-server</c> from the PATH, else a container, else none. Its configuration, with the password,
/// goes through standard input, so that it stands in no file and in no list of processes.
/// </summary>
internal sealed class RedisRunner(RedisResource resource, RunContext context) : Runner(resource, context)
{
    private const string Image = "redis:8.6";

    private string? _folder;

    protected override bool IsQuiet => true;

    protected override async Task<ProcessCommand?> PrepareAsync(CancellationToken cancellationToken)
    {
        var password = await resource.PasswordParameter!.GetValueAsync(cancellationToken);
        // A cache: bounded, the least used goes first, nothing on disk.
        var common = $"requirepass {password}\nsave \"\"\nappendonly no\nmaxmemory 256mb\nmaxmemory-policy allkeys-lfu\nloglevel warning\n";
        if (Executables.Find("redis-server") is { } server)
        {
            _folder ??= Directory.CreateTempSubdirectory("platform-redis-").FullName;
            return new ProcessCommand(server, ["-"], _folder)
            {
                Input = $"{common}bind 127.0.0.1\nport {resource.PrimaryEndpoint.Port}\ndir {_folder}\ndaemonize no\n",
            };
        }
        if (Executables.Find("docker") is { } docker && await AnswersAsync(docker, cancellationToken))
        {
            Context.Terminal.Say($"runs in a container of {Image}; the first time it is pulled", Name);
            string[] arguments = ["run", "--rm", "--interactive", "--publish", $"127.0.0.1:{resource.PrimaryEndpoint.Port}:6379", Image, "redis-server", "-"];
            return new ProcessCommand(docker, arguments, Path.GetTempPath()) { Input = $"{common}port 6379\n" };
        }
        resource.IsLeftOut = true;
        LeaveOut("no redis-server on the PATH and no Docker that answers; the services run without it");
        return null;
    }

    protected override async Task<string?> ProbeAsync(CancellationToken cancellationToken)
    {
        var endpoint = resource.PrimaryEndpoint;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(endpoint.Host, endpoint.Port, timeout.Token);
            var stream = client.GetStream();
            var password = await resource.PasswordParameter!.GetValueAsync(cancellationToken);
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"AUTH {password}\r\nPING\r\n"), timeout.Token);
            using var answers = new StreamReader(stream, Encoding.ASCII, false, 128);
            var authenticated = await answers.ReadLineAsync(timeout.Token);
            var ping = await answers.ReadLineAsync(timeout.Token);
            return (authenticated, ping) is ("+OK", "+PONG") ? null : $"redis answers {authenticated ?? "nothing"}";
        }
        catch (Exception exception) when (exception is SocketException or IOException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return $"{endpoint.Host}:{endpoint.Port} does not answer";
        }
    }

    protected override void CleanUp()
    {
        if (_folder is not null)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private async Task<bool> AnswersAsync(string docker, CancellationToken cancellationToken)
    {
        var child = await Context.Launcher.StartAsync(new ProcessCommand(docker, ["info", "--format", "{{.ServerVersion}}"], Path.GetTempPath()), _ => { });
        await Task.WhenAny(child.Exited, Task.Delay(TimeSpan.FromSeconds(3), Context.Time, cancellationToken));
        if (child.Exited.IsCompleted)
        {
            return await child.Exited == 0;
        }
        await child.StopAsync(new CancellationToken(canceled: true));
        cancellationToken.ThrowIfCancellationRequested();
        return false;
    }
}
