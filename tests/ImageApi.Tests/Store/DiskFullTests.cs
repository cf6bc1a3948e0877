using System.Diagnostics;
using System.Net;
using ImageApi.Tests.Support;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Store;

/// <summary>A real disk that is full: a small file system in memory. Skips itself where mounting is not permitted.</summary>
public sealed class DiskFullTests
{
    [SmallDiskFact]
    public async Task Store_DiskIsFull_AnswersStorageFullAndLosesNothing()
    {
        using var folder = new TempFolder();
        var store = folder.Combine("small", "x")[..^2];
        Run("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", store);
        try
        {
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
        finally
        {
            Run("umount", "-l", store);
        }
    }

    private static byte[] Large(int number) => new DicomBuilder { Rows = 512, Columns = 512, InstanceUid = $"2.25.1000.1.{number}", InstanceNumber = number }.Build();

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class SmallDiskFactAttribute : FactAttribute
    {
        public override string? Skip
        {
            get => base.Skip ?? (CanMount.Value ? null : "needs the right to mount a tmpfs");
            set => base.Skip = value;
        }

        private static readonly Lazy<bool> CanMount = new(() =>
        {
            if (!OperatingSystem.IsLinux() || ToolPath.Find("mount") is null) return false;
            using var folder = new TempFolder();
            if (Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.Path) != 0) return false;
            Run("umount", folder.Path);
            return true;
        });
    }
}
