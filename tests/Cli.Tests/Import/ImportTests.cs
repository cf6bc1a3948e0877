using System.Text.Json;
using Cli.Tests.Support;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace Cli.Tests.Import;

/// <summary><c>platform import</c> against the real ImageApi.</summary>
public sealed class ImportTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private ImageApiProcess _server = null!;

    public async Task InitializeAsync() => _server = await ImageApiProcess.StartAsync();

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Import_FolderOfInstances_StoresThemAll()
    {
        Save(23);
        var run = await Run.CommandAsync("import", _folder.Path, "--server", _server.Address, "--batch", "5", "--fresh", "--json");
        Assert.Equal((0, 23L, 0L), (run.ExitCode, run.Number("stored"), run.Number("notDicom")));
        Assert.Equal(23, await CountAsync());

        var again = await Run.CommandAsync("import", _folder.Path, "--server", _server.Address, "--fresh");
        Assert.Equal(0, again.ExitCode);
        Assert.Contains("On the server already: 23 instances.", again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_MixedFolder_CountsWhatIsNoInstanceAndNamesWhatFails()
    {
        Save(3);
        var broken = new DicomBuilder { InstanceUid = "2.25.1000.1.900" }.Build();
        await File.WriteAllBytesAsync(_folder.Combine("deep", "er", "broken.dcm"), broken[..(broken.Length - 100)]);
        await File.WriteAllTextAsync(_folder.Combine("deep", "notes.txt"), "no image");
        await File.WriteAllBytesAsync(_folder.Combine("empty.dcm"), []);
        await File.WriteAllBytesAsync(_folder.Combine("DICOMDIR"), new DicomBuilder { SopClassUid = "1.2.840.10008.1.3.10" }.Build());

        var run = await Run.ImportAsync(_server.Address, [_folder.Path]);
        Assert.Equal((1, 3L, 3L), (run.ExitCode, run.Number("stored"), run.Number("notDicom")));
        var failure = Assert.Single(run.Json.GetProperty("failures").EnumerateArray());
        Assert.EndsWith("broken.dcm", failure.GetProperty("path").GetString(), StringComparison.Ordinal);
        Assert.Contains("broken or cut short", failure.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_TwoFilesOfOneInstance_StoresOneAndNamesTheOther()
    {
        new DicomBuilder().Save(_folder.Combine("a.dcm"));
        new DicomBuilder().With(DicomTags.PatientID, "OTHER").Save(_folder.Combine("b.dcm"));
        new DicomBuilder().Save(_folder.Combine("c.dcm"));
        new DicomBuilder { InstanceUid = "2.25.1000.1.2" }.Save(_folder.Combine("d.dcm"));

        var run = await Run.ImportAsync(_server.Address, [_folder.Path]);
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(4, run.Number("stored") + run.Number("wasStored") + run.Json.GetProperty("failures").GetArrayLength());
        Assert.Contains("other content", run.Json.GetProperty("failures")[0].GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(2, await CountAsync());
    }

    [Fact]
    public async Task Import_Again_SendsOnlyWhatIsNewOrChanged()
    {
        Save(12);
        var journal = _folder.Combine("journal", "j");
        var images = _folder.Combine("images");
        Assert.Equal(0, (await Run.ImportAsync(_server.Address, [images], o => o with { JournalPath = journal })).ExitCode);
        new DicomBuilder { InstanceUid = "2.25.1000.1.500" }.Save(_folder.Combine("images", "new.dcm"));
        File.SetLastWriteTimeUtc(_folder.Combine("images", "0003.dcm"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        var run = await Run.ImportAsync(_server.Address, [images], o => o with { JournalPath = journal });
        Assert.Equal((0, 1L, 1L, 11L), (run.ExitCode, run.Number("stored"), run.Number("wasStored"), run.Number("sentBefore")));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(journal));
        Assert.DoesNotContain("0003", await File.ReadAllTextAsync(journal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_ServerKilledMidway_GoesOnWhereItWas()
    {
        const int Count = 400;
        Save(Count);
        var images = _folder.Combine("images");
        var journal = _folder.Combine("journal", "j");
        var first = Run.ImportAsync(_server.Address, [images], o => o with { JournalPath = journal, BatchFiles = 4, Connections = 2, Retries = 1 });
        while (!first.IsCompleted && (!File.Exists(journal) || new FileInfo(journal).Length < 2000)) await Task.Delay(2);
        await _server.KillAsync();
        var broken = await first;
        Assert.Equal(2, broken.ExitCode);
        Assert.Contains("dotnet run --project AppHost", broken.Error, StringComparison.Ordinal);
        Assert.False(broken.Json.GetProperty("complete").GetBoolean());

        await _server.RestartAsync();
        var second = await Run.ImportAsync(_server.Address, [images], o => o with { JournalPath = journal });
        Assert.Equal(0, second.ExitCode);
        Assert.Equal(Count, second.Number("stored") + second.Number("wasStored") + second.Number("sentBefore"));
        Assert.True(second.Number("sentBefore") >= 16, $"only {second.Number("sentBefore")} were left out");
        Assert.Equal(Count, await CountAsync());
    }

    [DataFact("mr-series")]
    public async Task Import_RealSeries_IsStored()
    {
        var run = await Run.ImportAsync(_server.Address, [TestData.GetPath("mr-series")]);
        Assert.Equal((0, (long)TestData.GetFiles("mr-series").Count(path => path.EndsWith(".dcm", StringComparison.Ordinal))), (run.ExitCode, run.Number("stored")));
    }

    private void Save(int count)
    {
        for (var i = 1; i <= count; i++) new DicomBuilder { InstanceUid = $"2.25.1000.1.{i}", InstanceNumber = i }.Save(_folder.Combine("images", $"{i:D4}.dcm"));
    }

    private async Task<int> CountAsync()
    {
        using var http = new HttpClient();
        using var answer = JsonDocument.Parse(await http.GetStringAsync($"{_server.Address}/dicomweb/instances?limit=5000"));
        return answer.RootElement.GetArrayLength();
    }
}
