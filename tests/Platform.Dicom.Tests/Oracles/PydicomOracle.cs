using System.Diagnostics;
using System.Text.Json;
using Platform.Tests.Shared;

namespace Platform.Dicom.Tests.Oracles;

/// <summary>What pydicom reads from the test data, asked once for all files of a folder.</summary>
public sealed class PydicomOracle : IDisposable
{
    private readonly SemaphoreSlim _once = new(1);
    private readonly Dictionary<string, JsonElement> _files = new(StringComparer.Ordinal);
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);

    /// <summary>The elements of a file below the test data, by path of tags and items.</summary>
    internal async Task<IReadOnlyList<OracleElement>> ElementsOfAsync(string folder, string file)
    {
        await _once.WaitAsync();
        try
        {
            if (_folders.Add(folder)) await RunAsync(TestData.GetFiles(folder));
        }
        finally
        {
            _once.Release();
        }
        var document = _files[TestData.GetPath(Path.Combine(folder, file))];
        if (document.TryGetProperty("error", out var error)) throw new InvalidOperationException(error.GetString());
        return [.. document.GetProperty("elements").EnumerateArray().Select(OracleElement.From)];
    }

    public void Dispose() => _once.Dispose();

    private async Task RunAsync(IReadOnlyList<string> files)
    {
        var start = new ProcessStartInfo(ToolPath.Find("pydicom")!) { RedirectStandardOutput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Oracles", "pydicom_elements.py"));
        foreach (var file in files) start.ArgumentList.Add(file);
        using var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var document = JsonDocument.Parse(line).RootElement;
            _files[document.GetProperty("file").GetString()!] = document;
        }
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}

/// <summary>One element as pydicom sees it.</summary>
/// <param name="Path">"GGGGEEEE" or "GGGGEEEE[item]GGGGEEEE".</param>
/// <param name="Vr">The VR in the file, null in implicit VR.</param>
/// <param name="Length">Bytes as stored; items of a sequence.</param>
/// <param name="Sha1">Of the bytes as stored, null for a sequence, empty where pydicom does not keep them.</param>
/// <param name="Values">As text, null where bytes say it all.</param>
internal sealed record OracleElement(string Path, string? Vr, long Length, string? Sha1, string[]? Values)
{
    internal static OracleElement From(JsonElement row) => new(
        row[0].GetString()!, row[1].GetString(), row[2].GetInt64(), row[3].GetString(),
        row[4].ValueKind == JsonValueKind.Null ? null : [.. row[4].EnumerateArray().Select(value => value.GetString()!)]);
}
