using System.Net;
using ImageApi.Tests.Support;
using Platform.Tests.Shared;
using Platform.Tests.Shared.Faults;

namespace ImageApi.Tests.Store;

/// <summary>A real disk that is full: a small file system in memory. Skips itself where mounting is not permitted.</summary>
public sealed class DiskFullTests
{
    [SmallDiskFact]
    public async Task Store_DiskIsFull_AnswersStorageFullAndLosesNothing()
    {
        using var disk = new SmallDisk(megabytes: 6);
        var store = disk.Path;
        await using var host = await ImageApiHost.StartAsync(_ => { }, ("ImageApi:Store:Path", store), ("ImageApi:Store:ReservedBytes", "0"));
        var stored = new Dictionary<int, byte[]>();
        HttpResponseMessage? full = null;
        for (var number = 1; full is null && number < 100; number++)
        {
            var bytes = Large(number);
            var response = await host.Client.StowAsync(bytes);
            if (response.StatusCode == HttpStatusCode.OK) stored[number] = bytes;
            else full = response;
        }
        Assert.NotNull(full);
        await ProblemAnswer.AssertAsync(full, HttpStatusCode.InsufficientStorage);
        Assert.NotEmpty(stored);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(store, ".incoming")));
        foreach (var (number, bytes) in stored)
        {
            using var response = await host.SendAsync($"/dicomweb/studies/2.25.1000/series/2.25.1000.1/instances/2.25.1000.1.{number}", ("Accept", "application/dicom;transfer-syntax=*"));
            Assert.Equal(bytes, await response.Content.ReadAsByteArrayAsync());
        }
    }

    private static byte[] Large(int number) => new DicomBuilder { Rows = 512, Columns = 512, InstanceUid = $"2.25.1000.1.{number}", InstanceNumber = number }.Build();
}
