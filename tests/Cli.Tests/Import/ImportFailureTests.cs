using Cli.Tests.Support;
using Microsoft.AspNetCore.Http;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace Cli.Tests.Import;

/// <summary>What an import does when the server is not well.</summary>
public sealed class ImportFailureTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Import_NoServer_SaysWhatToDo()
    {
        Save(1);
        var run = await Run.CommandAsync("import", _folder.Path, "--server", "http://127.0.0.1:1");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("No server answers at http://127.0.0.1:1", run.Error, StringComparison.Ordinal);
        Assert.Contains("dotnet run --project AppHost", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_ServerIsNoDicomWeb_SaysSo()
    {
        Save(1);
        await using var server = await ScriptedServer.StartAsync(context =>
        {
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        var run = await Run.ImportAsync(server.Address, [_folder.Path]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("address of an ImageApi", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_BusyServer_IsAskedAgain()
    {
        Save(3);
        var requests = 0;
        await using var server = await ScriptedServer.StartAsync(async context =>
        {
            if (context.Request.Method == "GET") return;
            if (Interlocked.Increment(ref requests) <= 2)
            {
                context.Response.StatusCode = 503;
                return;
            }

            await StoreAsync(context);
        });
        var run = await Run.ImportAsync(server.Address, [_folder.Path]);
        Assert.Equal((0, 3L, 3), (run.ExitCode, run.Number("stored"), requests));
    }

    [Fact]
    public async Task Import_ConnectionThatBreaksMidway_IsTriedAgain()
    {
        Save(3);
        var requests = 0;
        await using var server = await ScriptedServer.StartAsync(async context =>
        {
            if (context.Request.Method == "GET") return;
            if (Interlocked.Increment(ref requests) == 1)
            {
                await context.Request.Body.ReadExactlyAsync(new byte[300]);
                context.Abort();
                return;
            }

            await StoreAsync(context);
        });
        var run = await Run.ImportAsync(server.Address, [_folder.Path]);
        Assert.Equal((0, 3L), (run.ExitCode, run.Number("stored")));
    }

    [Fact]
    public async Task Import_ServerThatStopsTaking_IsGivenUp()
    {
        Save(1, bytes: 20 << 20);
        await using var server = await ScriptedServer.StartAsync(async context =>
        {
            // A body that is not read fills the connection; nothing tells the server when its client leaves.
            if (context.Request.Method == "POST") await Task.Delay(2000);
        });
        var run = await Run.ImportAsync(server.Address, [_folder.Path], o => o with { StallTimeout = TimeSpan.FromMilliseconds(300), Retries = 1 });
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("stopped taking data", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_FullDisk_StopsAndSaysSo()
    {
        Save(5);
        await using var server = await ScriptedServer.StartAsync(context =>
        {
            if (context.Request.Method == "POST") context.Response.StatusCode = 507;
            return Task.CompletedTask;
        });
        var run = await Run.ImportAsync(server.Address, [_folder.Path]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("disk is full", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_BatchRefusedAsAWhole_IsSentFileByFile()
    {
        Save(3);
        await using var server = await ScriptedServer.StartAsync(async context =>
        {
            if (context.Request.Method == "GET") return;
            var uids = await ReadUidsAsync(context);
            if (uids.Contains("2.25.1000.1.2"))
            {
                context.Response.StatusCode = 400;
                context.Response.ContentType = "application/problem+json";
                await context.Response.WriteAsync("""{"title":"Bad","detail":"Part 2 is not to our liking."}""");
                return;
            }

            await AnswerAsync(context, uids);
        });
        var run = await Run.ImportAsync(server.Address, [_folder.Path]);
        Assert.Equal((1, 2L), (run.ExitCode, run.Number("stored")));
        var failure = Assert.Single(run.Json.GetProperty("failures").EnumerateArray());
        Assert.EndsWith("0002.dcm", failure.GetProperty("path").GetString(), StringComparison.Ordinal);
        Assert.Equal("Part 2 is not to our liking.", failure.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Import_FileThatVanishesBeforeItIsSent_FailsAlone()
    {
        Save(3);
        var requests = 0;
        await using var server = await ScriptedServer.StartAsync(async context =>
        {
            if (context.Request.Method == "GET") return;
            var uids = await ReadUidsAsync(context);
            if (Interlocked.Increment(ref requests) == 1) File.Delete(_folder.Combine("0002.dcm"));
            await AnswerAsync(context, uids);
        });
        var run = await Run.ImportAsync(server.Address, [_folder.Path], o => o with { BatchFiles = 1, Connections = 1 });
        Assert.Equal((1, 2L), (run.ExitCode, run.Number("stored")));
        Assert.EndsWith("0002.dcm", Assert.Single(run.Json.GetProperty("failures").EnumerateArray()).GetProperty("path").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_ServerThatLostWhatItHad_IsSentItAgain()
    {
        Save(2);
        var isEmpty = false;
        await using var server = await ScriptedServer.StartAsync(async context =>
        {
            if (context.Request.Path.Value!.EndsWith("/instances", StringComparison.Ordinal) && !isEmpty && context.Request.Query["offset"] == "0")
                await context.Response.WriteAsync("""[{"00080018":{"vr":"UI","Value":["2.25.1000.1.1"]}},{"00080018":{"vr":"UI","Value":["2.25.1000.1.2"]}}]""");
            else if (context.Request.Method == "POST")
                await StoreAsync(context);
            else
                await context.Response.WriteAsync("[]");
        });
        var journal = _folder.Combine("..", Path.GetFileName(_folder.Path) + ".journal");
        Assert.Equal(2, (await Run.ImportAsync(server.Address, [_folder.Path], o => o with { JournalPath = journal })).Number("stored"));
        Assert.Equal(2, (await Run.ImportAsync(server.Address, [_folder.Path], o => o with { JournalPath = journal })).Number("sentBefore"));
        Assert.Equal(2, (await Run.ImportAsync(server.Address, [_folder.Path], o => o with { JournalPath = journal, IsFresh = true })).Number("stored"));
        isEmpty = true;
        Assert.Equal(2, (await Run.ImportAsync(server.Address, [_folder.Path], o => o with { JournalPath = journal })).Number("stored"));
        File.Delete(journal);
    }

    [Fact]
    public async Task Import_Interrupted_SaysHowToGoOn()
    {
        Save(4);
        using var interrupt = new CancellationTokenSource();
        await using var server = await ScriptedServer.StartAsync(async context =>
        {
            if (context.Request.Method == "GET") return;
            await interrupt.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        var run = await Run.ImportAsync(server.Address, [_folder.Path], cancellationToken: interrupt.Token);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("goes on where this one stopped", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_LargeFiles_AreStreamed()
    {
        Save(3, bytes: 16 << 20);
        await using var server = await ScriptedServer.StartAsync(async context =>
        {
            if (context.Request.Method == "GET") return;
            await context.Request.Body.CopyToAsync(Stream.Null);
            await AnswerAsync(context, ["2.25.1000.1.1", "2.25.1000.1.2", "2.25.1000.1.3"]);
        });
        var before = GC.GetTotalAllocatedBytes();
        var run = await Run.ImportAsync(server.Address, [_folder.Path], o => o with { BatchBytes = 1 << 30 });
        Assert.Equal((0, 3L), (run.ExitCode, run.Number("stored")));
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 16 << 20);
    }

    [Theory]
    [InlineData("import")]
    [InlineData("import", "/no/such/folder")]
    [InlineData("import", "/tmp", "--server", "ftp://x")]
    [InlineData("import", "/tmp", "--connections", "0")]
    [InlineData("import", "/tmp", "--batch", "many")]
    [InlineData("export")]
    public async Task CommandLine_WrongArguments_AreToldWithoutTheWholeHelp(params string[] args)
    {
        var run = await Run.CommandAsync(args);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--help` shows how it is used.", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Theory]
    [InlineData("", "import ~/studies")]
    [InlineData("import", "Exit codes")]
    [InlineData("verify", "--content")]
    public async Task CommandLine_Help_HasExamples(string command, string expected)
    {
        var run = await Run.CommandAsync(command.Length == 0 ? [] : [command, "--help"]);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Examples:", run.Output, StringComparison.Ordinal);
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
    }

    private void Save(int count, int bytes = 0)
    {
        for (var i = 1; i <= count; i++)
        {
            var builder = new DicomBuilder { InstanceUid = $"2.25.1000.1.{i}", InstanceNumber = i };
            if (bytes > 0) builder.With(dataset => dataset.Set(DicomTags.PixelData, DicomVr.OW, new byte[bytes]));
            builder.Save(_folder.Combine($"{i:D4}.dcm"));
        }
    }

    private static async Task StoreAsync(HttpContext context) => await AnswerAsync(context, await ReadUidsAsync(context));

    /// <summary>The SOP Instance UIDs of the parts, as their file meta information gives them.</summary>
    private static async Task<string[]> ReadUidsAsync(HttpContext context)
    {
        Assert.StartsWith("multipart/related; type=\"application/dicom\"; boundary=", context.Request.ContentType, StringComparison.Ordinal);
        var boundary = context.Request.ContentType!.Split("boundary=")[1];
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var parts = System.Text.Encoding.Latin1.GetString(body.GetBuffer(), 0, (int)body.Length).Split("\r\n--" + boundary);
        Assert.Equal(("", "--\r\n"), (parts[0], parts[^1]));
        return [.. parts[1..^1].Select(part =>
        {
            const string Head = "\r\nContent-Type: application/dicom\r\n\r\n";
            Assert.StartsWith(Head, part, StringComparison.Ordinal);
            using var file = DicomFile.Read((ReadOnlyMemory<byte>)System.Text.Encoding.Latin1.GetBytes(part[Head.Length..]));
            return file.Dataset.GetString(DicomTags.SOPInstanceUID)!;
        })];
    }

    private static Task AnswerAsync(HttpContext context, IEnumerable<string> uids)
    {
        context.Response.ContentType = "application/dicom+json";
        var items = uids.Select(uid => "{\"00081155\":{\"vr\":\"UI\",\"Value\":[\"" + uid + "\"]},\"00081190\":{\"vr\":\"UR\",\"Value\":[\"http://x/dicomweb/studies/2.25.1000/series/1/instances/2\"]}}");
        return context.Response.WriteAsync("{\"00081199\":{\"vr\":\"SQ\",\"Value\":[" + string.Join(',', items) + "]}}");
    }
}
