using Cli.Tests.Support;
using Platform.Tests.Shared;

namespace Cli.Tests.Verify;

/// <summary><c>platform verify</c> against the real ImageApi.</summary>
public sealed class VerifyStoreTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private ImageApiProcess _server = null!;

    public async Task InitializeAsync()
    {
        _server = await ImageApiProcess.StartAsync();
        for (var i = 1; i <= 3; i++) new DicomBuilder { InstanceUid = $"2.25.1000.1.{i}", InstanceNumber = i }.Save(_folder.Combine($"{i}.dcm"));
        Assert.Equal(0, (await Run.ImportAsync(_server.Address, [_folder.Path])).ExitCode);
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Verify_WhatWasImported_IsAllThere()
    {
        var run = await Run.CommandAsync("verify", "--content", "--server", _server.Address);
        Assert.True(run.ExitCode == 0, run.Error + run.Output);
        Assert.Contains("All 3 instances", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_FileThatWasDamaged_IsNamed()
    {
        var path = StoredFiles()[0];
        var time = File.GetLastWriteTimeUtc(path);
        var bytes = await File.ReadAllBytesAsync(path);
        bytes[^20] ^= 1;
        File.SetAttributes(path, FileAttributes.Normal);
        await File.WriteAllBytesAsync(path, bytes);
        File.SetLastWriteTimeUtc(path, time);

        var run = await Run.CommandAsync("verify", "--content", "--json", "--server", _server.Address);
        Assert.True(run.ExitCode == 1, run.Error + run.Output);
        Assert.Contains("2.25.1000.1.", run.Output.Split('\n')[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_FileThatIsGone_IsNamed()
    {
        File.Delete(StoredFiles()[0]);
        var run = await Run.CommandAsync("verify", "--server", _server.Address);
        Assert.True(run.ExitCode == 1, run.Error + run.Output);
        Assert.Contains("missing", run.Error, StringComparison.Ordinal);
    }

    private string[] StoredFiles() => Directory.GetFiles(_server.StorePath, "*", SearchOption.AllDirectories).Where(path => new FileInfo(path).Length > 500 && IsDicom(path)).ToArray();

    private static bool IsDicom(string path)
    {
        var bytes = File.ReadAllBytes(path);
        return bytes.Length > 132 && bytes.AsSpan(128, 4).SequenceEqual("DICM"u8);
    }
}
