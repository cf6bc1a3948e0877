using System.Net;
using ImageApi.Tests.Store;
using Platform.Tests.Shared;
using ServiceProcess = ImageApi.Tests.Store.ServiceProcess;

namespace ImageApi.Tests.Catalog;

public sealed class CatalogKillTests
{
    [Fact]
    public async Task Index_KilledWhileIndexing_IsWholeAfterTheNextStart()
    {
        using var folder = new TempFolder();
        for (var i = 1; i <= 1500; i++) new DicomBuilder { Rows = 4, Columns = 4, InstanceUid = $"2.25.1000.1.{i}", InstanceNumber = i }.Save(folder.Combine("data", $"{i}.dcm"));
        (string, string)[] settings = [("ImageApi:Store:Path", folder.Combine("store")), ("ImageApi:Origins:data:Path", folder.Combine("data", "x")[..^2])];
        for (var round = 0; round < 3; round++)
        {
            await using var service = await ServiceProcess.StartAsync(settings);
            for (var waited = 0; await CountAsync(service) < 100 + (round * 100); waited++)
            {
                Assert.True(waited < 600, "Nothing was indexed.");
                await Task.Delay(5);
            }
            await service.KillAsync();
        }

        await using var last = await ServiceProcess.StartAsync(settings);
        for (var waited = 0; await CountAsync(last) < 1500; waited++)
        {
            Assert.True(waited < 1200, "Not everything was indexed.");
            await Task.Delay(50);
        }
        using var verified = await last.Client.PostAsync("/api/catalog/verify", null);
        Assert.Equal(HttpStatusCode.OK, verified.StatusCode);
        var lines = (await verified.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("\"problems\":0", lines[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(folder.Combine("store", ".catalog", "catalog.db.damaged-1")));
    }

    private static async Task<int> CountAsync(ServiceProcess service)
    {
        using var response = await service.Client.GetAsync("/dicomweb/instances?limit=1");
        return int.Parse(response.Headers.GetValues("X-Total-Count").Single(), System.Globalization.CultureInfo.InvariantCulture);
    }
}
