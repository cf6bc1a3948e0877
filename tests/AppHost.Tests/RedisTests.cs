using System.Net.Sockets;
using System.Text;
using Platform.Tests.Shared;

namespace AppHost.Tests;

public class RedisTests
{
    [ToolFact("redis-server")]
    public async Task Redis_OnThePath_AnswersOnlyWithThePassword()
    {
        await using var run = await TestHostRun.UpAsync("redis");

        var environment = await run.EnvironmentOfAsync("one");
        var password = environment!["CACHE_PASSWORD"]!;
        var (host, port) = (environment["CACHE_HOST"]!, int.Parse(environment["CACHE_PORT"]!));

        Assert.Equal($"{host}:{port},password={password}", environment["ConnectionStrings__cache"]);
        Assert.Equal($"redis://:{password}@{host}:{port}", environment["CACHE_URI"]);
        Assert.Equal("127.0.0.1", host);
        Assert.Matches("^[A-Za-z0-9]{32}$", password);
        Assert.StartsWith("-NOAUTH", await AskAsync(host, port, "PING"));
        Assert.Equal("+OK\r\n+PONG\r\n", await AskAsync(host, port, $"AUTH {password}", "PING"));
        Assert.Contains("allkeys-lfu", await AskAsync(host, port, $"AUTH {password}", "CONFIG GET maxmemory-policy"));
        Assert.DoesNotContain(run.Left(), process => process.Command.Contains(password, StringComparison.Ordinal));
        Assert.DoesNotContain(password, run.Output, StringComparison.Ordinal);
    }

    [ToolFact("redis-server")]
    public async Task Redis_WhenTheHostStops_LeavesNoFolder()
    {
        using var temp = new TempFolder();
        await using var run = await TestHostRun.UpAsync("redis", ("TMPDIR", temp.Path));
        var folder = Assert.Single(Directory.GetDirectories(temp.Path, "platform-redis-*"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        Assert.Empty(Directory.GetFiles(folder));

        await run.EndAsync();

        Assert.False(Directory.Exists(folder));
    }

    [ToolFact("redis-server")]
    public async Task Redis_Killed_StartsAgainAtTheSameAddress()
    {
        await using var run = await TestHostRun.UpAsync("redis");
        var environment = await run.EnvironmentOfAsync("one");
        var port = int.Parse(environment!["CACHE_PORT"]!);

        TestHostRun.Signal(run.Left().Single(process => process.Command.Contains("redis-server", StringComparison.Ordinal)).Id, "KILL");

        await run.SaysAsync("was ended by signal 9");
        await run.UntilAsync(async () => (await TryAskAsync("127.0.0.1", port, $"AUTH {environment["CACHE_PASSWORD"]}", "PING")).EndsWith("+PONG\r\n", StringComparison.Ordinal), "the cache answers again");
    }

    [Fact]
    public async Task Redis_NoneToBeHad_IsLeftOutAndSaidSo()
    {
        await using var run = await TestHostRun.UpAsync("redis", ("PATH", string.Empty));

        await run.SaysAsync("cache   | is left out of this run: no redis-server on the PATH and no Docker that answers");
        Assert.Matches(@"(?m)^  cache\s+left out\s+no redis-server on the PATH", run.Output);
        var environment = await run.EnvironmentOfAsync("one");
        Assert.DoesNotContain(environment!.Keys, name => name.StartsWith("CACHE_", StringComparison.Ordinal) || name.StartsWith("ConnectionStrings", StringComparison.Ordinal));
        await run.EndAsync();
        Assert.Empty(run.Left());
    }

    /// <summary>A <c>docker</c> that checks how it is called and lets the real server answer in the container's place.</summary>
    [ToolFact("redis-server", "bash")]
    public async Task Redis_OnlyDockerToBeHad_RunsAContainerWithThePasswordOnStandardInput()
    {
        using var bin = new TempFolder();
        var docker = bin.Combine("docker");
        await File.WriteAllTextAsync(docker, $$"""
            #!/bin/bash
            if [ "$1" = info ]; then echo 27.0; exit 0; fi
            echo "$@" > {{bin.Path}}/arguments
            [[ "$*" =~ ^"run --rm --interactive --publish 127.0.0.1:"([0-9]+)":6379 redis:8.6 redis-server -"$ ]] || exit 64
            port=${BASH_REMATCH[1]}
            exec {{ToolPath.Find("redis-server")}} - < <({{ToolPath.Find("sed")}} "s/^port 6379/port $port\nbind 127.0.0.1/")
            """);
        File.SetUnixFileMode(docker, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        foreach (var tool in new[] { "setsid", "setpriv" })
        {
            File.CreateSymbolicLink(bin.Combine(tool), ToolPath.Find(tool)!);
        }

        await using var run = await TestHostRun.UpAsync("redis", ("PATH", bin.Path));

        await run.SaysAsync("runs in a container of redis:8.6");
        var environment = await run.EnvironmentOfAsync("one");
        Assert.DoesNotContain(environment!["CACHE_PASSWORD"]!, await File.ReadAllTextAsync(bin.Combine("arguments")), StringComparison.Ordinal);
        Assert.Equal("+OK\r\n+PONG\r\n", await AskAsync("127.0.0.1", int.Parse(environment["CACHE_PORT"]!), $"AUTH {environment["CACHE_PASSWORD"]}", "PING"));
        await run.EndAsync();
        Assert.Empty(run.Left());
    }

    private static async Task<string> TryAskAsync(string host, int port, params string[] commands)
    {
        try
        {
            return await AskAsync(host, port, commands);
        }
        catch (SocketException)
        {
            return string.Empty;
        }
    }

    private static async Task<string> AskAsync(string host, int port, params string[] commands)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host, port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(string.Concat(commands.Select(command => command + "\r\n")) + "QUIT\r\n"));
        using var reader = new StreamReader(client.GetStream());
        var answer = await reader.ReadToEndAsync();
        return answer.EndsWith("+OK\r\n", StringComparison.Ordinal) ? answer[..^5] : answer;
    }
}
