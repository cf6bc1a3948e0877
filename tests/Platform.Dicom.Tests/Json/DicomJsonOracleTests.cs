using System.Diagnostics;
using Platform.Dicom.Json;
using Platform.Tests.Shared;
using Xunit.Abstractions;

namespace Platform.Dicom.Tests.Json;

/// <summary>The JSON of real files against what other implementations make of them; compare_json.py says what counts as equal.</summary>
public sealed class DicomJsonOracleTests(ITestOutputHelper log)
{
    [ToolFact("pydicom", Data = "dicom-zoo")]
    public async Task Write_RealFiles_AgreeWithPydicom() => await CompareAsync("pydicom", atLeast: 150);

    [ToolFact("pydicom", "dcm2json", Data = "dicom-zoo")]
    public async Task Write_RealFiles_AgreeWithDcm2json() => await CompareAsync("dcm2json", atLeast: 70);

    private async Task CompareAsync(string oracle, int atLeast)
    {
        using var folder = new TempFolder();
        foreach (var path in TestData.GetFiles("dicom-zoo").Concat(TestData.GetFiles("ct-series-a").Take(2)).Concat(TestData.GetFiles("mr-series").Take(2)))
        {
            using var file = DicomFile.Read(path);
            await File.WriteAllBytesAsync(folder.Combine(Path.GetFileName(path) + ".json"), DicomJsonWriter.ToUtf8(file.Dataset));
            await File.WriteAllTextAsync(folder.Combine(Path.GetFileName(path) + ".path"), path);
        }

        var script = Path.Combine(AppContext.BaseDirectory, "Json", "compare_json.py");
        using var process = Process.Start(new ProcessStartInfo(ToolPath.Find("pydicom")!, [script, oracle, folder.Path]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var lines = (await process.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);

        foreach (var line in lines) log.WriteLine(line);
        Assert.DoesNotContain(lines, line => line[0] != '#');
        var compared = int.Parse(lines.Single(line => line.EndsWith(" compared", StringComparison.Ordinal)).Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(compared >= atLeast, $"only {compared} files were compared");
    }
}
