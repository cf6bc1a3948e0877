using System.Collections.Concurrent;
using System.Net;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Store;

/// <summary>The promise of storing: what was acknowledged is there after a kill, whole; what was not is there whole or not at all.</summary>
public sealed class StoreKillTests
{
    [Fact]
    public async Task Store_KilledInTheMiddle_KeepsEverythingAcknowledgedAndNothingHalf()
    {
        using var folder = new TempFolder();
        var settings = ("ImageApi:Store:Path", folder.Combine("store"));
        var acknowledged = new ConcurrentDictionary<int, byte[]>();
        for (var round = 0; round < 3; round++)
        {
            await using var service = await ServiceProcess.StartAsync(settings);
            using var stop = new CancellationTokenSource();
            var first = round * 100_000;
            var senders = Enumerable.Range(0, 3).Select(sender => SendAsync(service, first + (sender * 10_000), acknowledged, stop.Token)).ToArray();
            for (var waited = 0; acknowledged.Keys.Count(number => number >= first) < 40; waited++)
            {
                Assert.True(waited < 1200, "Nothing was stored in 60 s.");
                await Task.Delay(50);
            }
            await service.KillAsync();
            await stop.CancelAsync();
            await Task.WhenAll(senders);
        }

        await using var again = await ServiceProcess.StartAsync(settings);
        Assert.Empty(Directory.EnumerateFiles(folder.Combine("store", ".incoming", "x")[..^2]));
        foreach (var (number, bytes) in acknowledged)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/dicomweb/studies/2.25.1000/series/2.25.1000.1/instances/2.25.1000.1.{number}");
            request.Headers.TryAddWithoutValidation("Accept", "application/dicom;transfer-syntax=*");
            using var response = await again.Client.SendAsync(request);
            Assert.True(response.StatusCode == HttpStatusCode.OK, $"{number}: {response.StatusCode}");
            Assert.Equal(bytes, await response.Content.ReadAsByteArrayAsync());
        }

        // Every file of the store is whole: as long as it was made, and with the digest that its name tells.
        foreach (var file in Directory.EnumerateFiles(folder.Combine("store"), "*.dcm", SearchOption.AllDirectories))
        {
            var digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(file)));
            Assert.Contains(digest, file, StringComparison.Ordinal);
        }

        var verified = await (await again.Client.PostAsync("/api/catalog/verify?content=true", null)).Content.ReadAsStringAsync();
        Assert.Contains("\"summary\"", verified, StringComparison.Ordinal);
        Assert.DoesNotContain("\"damaged\"", verified, StringComparison.Ordinal);
        Assert.DoesNotContain("\"missing\"", verified, StringComparison.Ordinal);
    }

    private static async Task SendAsync(ServiceProcess service, int first, ConcurrentDictionary<int, byte[]> acknowledged, CancellationToken cancellationToken)
    {
        try
        {
            for (var number = first; ; number += 5)
            {
                var instances = Enumerable.Range(number, 5).Select(i => (i, Bytes: new DicomBuilder { Rows = 128, Columns = 128, InstanceUid = $"2.25.1000.1.{i}", InstanceNumber = i }.Build())).ToArray();
                using var response = await service.Client.PostBodyAsync(null, StowRequest.Compose(instances.Select(instance => instance.Bytes)),
                    $"multipart/related; type=\"application/dicom\"; boundary={StowRequest.Boundary}", cancellationToken);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                foreach (var (i, bytes) in instances) acknowledged[i] = bytes;
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            // Killed: what this request sent was not acknowledged.
        }
    }
}
