using System.Net;
using System.Text.Json;
using ImageApi.Tests.Store;
using ImageApi.Tests.Support;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Catalog;

public sealed class CatalogApiTests
{
    [Fact]
    public async Task Verify_AllIsWell_SaysSoAndCountsTheBytesRead()
    {
        await using var host = await ImageApiHost.StartAsync(data => Save(data, 1));
        using var stored = await host.Client.StowAsync(StoreApiTests.Instance(2));
        var lines = await VerifyAsync(host, content: true);
        var summary = Assert.Single(lines);
        Assert.Equal("summary", summary.GetProperty("type").GetString());
        Assert.Equal(2, summary.GetProperty("checked").GetInt32());
        Assert.Equal(0, summary.GetProperty("problems").GetInt32());
        Assert.Equal(StoreApiTests.Instance(2).Length, summary.GetProperty("bytes").GetInt64());
    }

    [ToolFact("touch")]
    public async Task Verify_EveryKindOfTrouble_IsToldByItsKindAndChangesNothing()
    {
        // Comparing is put off, so that the service does not find out by itself.
        await using var host = await ImageApiHost.StartAsync(data =>
        {
            Save(data, 1);
            Save(data, 2);
            Save(data, 3);
            new DicomBuilder { InstanceUid = "2.25.1000.1.4", InstanceNumber = 4 }.With(DicomTags.PatientID, "SOMEBODY-ELSE").Save(Path.Combine(data, "4.dcm"));
            new DicomBuilder { InstanceUid = "2.25.1000.1.3", Rows = 20 }.Save(Path.Combine(data, "other3.dcm"));
        }, ("ImageApi:Catalog:SettleTime", "00:01:00"), ("ImageApi:Catalog:ReconcileInterval", "1.00:00:00"));
        using var stored = await host.Client.StowAsync(StoreApiTests.Instance(9));
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        var data = Path.Combine(host.Folder.Path, "data");
        File.Delete(Path.Combine(data, "1.dcm"));
        await File.AppendAllTextAsync(Path.Combine(data, "2.dcm"), "more");
        Save(data, 5);
        await DamageAsync(Assert.Single(Directory.EnumerateFiles(Path.Combine(host.Folder.Path, "store"), "*.dcm", SearchOption.AllDirectories)));

        var lines = await VerifyAsync(host, content: true);

        var kinds = lines.Where(line => line.GetProperty("type").GetString() == "problem")
            .Select(line => $"{line.GetProperty("kind").GetString()} {(line.TryGetProperty("instance", out var uid) ? uid.GetString() : null)}".Trim()).Order(StringComparer.Ordinal);
        Assert.Equal(["changed 2.25.1000.1.2", "conflict 2.25.1000.1.3", "damaged 2.25.1000.1.9", "missing 2.25.1000.1.1", "not-indexed", "several-patients"], kinds);
        Assert.Equal(6, lines[^1].GetProperty("problems").GetInt32());
        using var found = await host.SendAsync("/dicomweb/instances?limit=1");
        Assert.Equal("5", found.Header("X-Total-Count"));
    }

    private static async Task<List<JsonElement>> VerifyAsync(ImageApiHost host, bool content)
    {
        using var response = await host.Client.PostAsync($"/api/catalog/verify?content={(content ? "true" : "false")}", null);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.MediaType);
        var text = await response.Content.ReadAsStringAsync();
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    /// <summary>Changes one byte and puts the time back to the nanosecond, as a failing disk would.</summary>
    private static async Task DamageAsync(string path)
    {
        using var folder = new TempFolder();
        var reference = folder.Combine("time");
        await RunAsync("touch", "-r", path, reference);
        await using (var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Seek(-1, SeekOrigin.End);
            var last = file.ReadByte();
            file.Seek(-1, SeekOrigin.End);
            file.WriteByte((byte)(last ^ 1));
        }
        await RunAsync("touch", "-r", reference, path);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    private static void Save(string data, int number) => new DicomBuilder { InstanceUid = $"2.25.1000.1.{number}", InstanceNumber = number }.Save(Path.Combine(data, $"{number}.dcm"));
}
