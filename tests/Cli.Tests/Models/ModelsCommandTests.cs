using Cli.Tests.Support;
using Platform.Tests.Shared;

namespace Cli.Tests.Models;

public sealed class ModelsCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Store => _folder.Combine("store", "x")[..^2];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task List_NothingStored_ShowsWhatShipsAndWhatCanBeFetched()
    {
        var list = await RunAsync("list", "--json");

        Assert.Equal(0, list.ExitCode);
        var models = list.Json.GetProperty("models").EnumerateArray().ToDictionary(static model => model.GetProperty("name").GetString()!);
        Assert.Equal("absent", models["ct-tissue"].GetProperty("state").GetString());
        Assert.False(models["MiDaS"].GetProperty("runs").GetBoolean());
        Assert.Contains("not here", (await RunAsync("list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Download_VerifyExportImportClear_DoWhatTheySay()
    {
        var download = await RunAsync("download", "CT-tissue");
        Assert.Equal((0, true), (download.ExitCode, download.Output.StartsWith("ct-tissue ", StringComparison.Ordinal)));
        var info = await RunAsync("info", "--json");
        Assert.Equal(("ok", 1), (info.Json.GetProperty("health").GetString(), info.Number("models")));
        Assert.Contains("model.onnx", (await RunAsync("info", "--detailed")).Output, StringComparison.Ordinal);
        Assert.Contains("Every byte", (await RunAsync("verify")).Output, StringComparison.Ordinal);

        var package = _folder.Combine("m.platform-model");
        Assert.Equal(0, (await RunAsync("export", "ct-tissue", "-o", package)).ExitCode);
        var again = await RunAsync("export", "ct-tissue", "-o", package);
        Assert.Equal((2, true), (again.ExitCode, again.Error.Contains("is there already", StringComparison.Ordinal)));

        var unsure = await RunAsync("clear");
        Assert.Equal((2, true), (unsure.ExitCode, unsure.Error.Contains("--yes", StringComparison.Ordinal)));
        Assert.Equal(1, (await RunAsync("info", "--json")).Number("models"));
        Assert.Equal("ct-tissue", (await RunAsync("clear", "--yes", "--json")).Json.GetProperty("removed")[0].GetString());
        Assert.Equal(0, (await RunAsync("info", "--json")).Number("bytes"));

        Assert.Equal("stored", (await RunAsync("import", package, "--json")).Json.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Convert_WeightsThroughEveryFormat_AreTheSameAtTheEnd()
    {
        await RunAsync("download", "ct-tissue");
        var first = _folder.Combine("w.safetensors");
        Assert.Equal(0, (await RunAsync("export", "ct-tissue", "--format", "safetensors", "--output", first)).ExitCode);
        var files = (string[])[first, _folder.Combine("w.pt"), _folder.Combine("w.pkl"), _folder.Combine("x.safetensors")];
        for (var i = 1; i < files.Length; i++)
        {
            var converted = await RunAsync("convert", files[i - 1], files[i]);
            Assert.True(converted.ExitCode == 0, converted.Error);
        }

        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(files[^1]));
    }

    [Fact]
    public async Task Verify_DamagedModel_IsMended()
    {
        await RunAsync("download", "ct-tissue");
        var blob = Directory.GetFiles(Path.Combine(Store, "blobs-1"), "*", SearchOption.AllDirectories).Single();
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(blob, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var bytes = File.ReadAllBytes(blob);
        bytes[^1] ^= 1;
        File.WriteAllBytes(blob, bytes);

        Assert.Equal(1, (await RunAsync("verify")).ExitCode);
        var mended = await RunAsync("verify", "--repair");
        Assert.Equal((0, true), (mended.ExitCode, mended.Output.Contains("fetched again", StringComparison.Ordinal)));
        Assert.Equal(0, (await RunAsync("verify")).ExitCode);
    }

    [Theory]
    [InlineData("There is no model called nobody. Known: ", "export", "nobody")]
    [InlineData("The catalogue has no model called nobody.", "download", "nobody")]
    [InlineData("nobody is not in the store", "clear", "--model", "nobody", "--yes")]
    [InlineData("There is no file", "import", "/nowhere/m.onnx", "--name", "m")]
    [InlineData("Nobody can be asked", "setup")]
    [InlineData("It is not said into what", "convert", "ct-tissue")]
    public async Task AnyCommand_ThatCannotBeDone_SaysWhyAndWhatToDo(string said, params string[] args)
    {
        var run = await RunAsync(args);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
        Assert.True(run.Error.Trim().Split('\n').Length >= 2, run.Error);
    }

    [Fact]
    public async Task Help_Models_HasExamples() => Assert.Contains("platform models verify --repair", (await Run.CommandAsync("models", "--help")).Output, StringComparison.Ordinal);

    private Task<Run> RunAsync(params string[] args) => Run.CommandAsync(["models", .. args, .. args[0] == "optimize" ? Array.Empty<string>() : ["--store", Store]]);
}
