using Platform.Tests.Shared;

namespace Platform.Models.Tests;

public class ModelStoreTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string StorePath => _folder.Combine("store", "x")[..^2];

    private string Manifests => _folder.Combine("manifests", "x")[..^2];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void GetInfo_StoreThatIsNotThereYet_TellsTheRoomOfItsDisk()
    {
        var store = Path.Combine(_folder.Path, "not", "yet");
        var info = Managers.Make(store, _folder.Path).GetInfo();
        Assert.False(Directory.Exists(store));
        Assert.InRange(info.FreeBytes, 1, long.MaxValue);
    }

    [Fact]
    public async Task GetAsync_ModelsThatShareAFile_KeepItOnce()
    {
        var (shared, a, b) = (ManifestBuilder.Bytes(500_000, 1), ManifestBuilder.Bytes(1000, 2), ManifestBuilder.Bytes(1000, 3));
        Ship("a", ("model.onnx", a), ("weights/w.data", shared));
        Ship("b", ("model.onnx", b), ("weights/w.data", shared));
        var manager = Managers.Make(StorePath, Manifests);
        using (var first = await manager.GetAsync("a", null, default))
        using (var second = await manager.GetAsync("b", null, default))
        {
            Assert.NotEqual(first.Digest, second.Digest);
            Assert.Equal(shared, File.ReadAllBytes(Path.Combine(second.Folder, "weights", "w.data")));
        }
        Assert.Equal(502_000, manager.Store.GetBytes());
        Assert.Equal(3, manager.GetInfo().Files);

        var (removed, freed) = await manager.ClearAsync("a", default);

        Assert.Equal(["a"], removed.ToArray());
        Assert.Equal(1000, freed);
        using var left = await manager.Store.TryGetAsync("b", default);
        Assert.Equal(shared, File.ReadAllBytes(Path.Combine(left!.Folder, "weights", "w.data")));
        Assert.Empty(await manager.VerifyAsync(null, false, null, default));
    }

    [Fact]
    public async Task GetAsync_BeyondTheBound_LetsTheLeastRecentlyUsedGoButNotThePinnedOrHeld()
    {
        foreach (var name in (string[])["a", "b", "c", "d"]) Ship(name, ("model.onnx", ManifestBuilder.Bytes(100_000, name[0])));
        var manager = Managers.Make(StorePath, Manifests, change: static options => options.CapacityBytes = 300_000);
        foreach (var name in (string[])["a", "b", "c"])
        {
            (await manager.GetAsync(name, null, default)).Dispose();
            File.SetLastWriteTimeUtc(manager.Store.Folder.EntryPath(name), new DateTime(2026, 1, name[0] - 'a' + 1, 0, 0, 0, DateTimeKind.Utc));
        }
        await manager.Store.SetPinnedAsync("a", true, default);
        using (var held = await manager.Store.TryGetAsync("b", default))
        {
            File.SetLastWriteTimeUtc(manager.Store.Folder.EntryPath("b"), new DateTime(2026, 1, 2, 0, 0, 0, DateTimeKind.Utc));

            (await manager.GetAsync("d", null, default)).Dispose();

            Assert.Equal(["a", "b", "d"], manager.Store.List().Select(static model => model.Name));
            Assert.True(File.Exists(held!.Path));
        }
        Assert.True(manager.Store.GetBytes() <= 300_000);
        await manager.Store.SetPinnedAsync("b", true, default);
        await manager.Store.SetPinnedAsync("d", true, default);
        Assert.Equal(ModelFault.NoRoom, (await Assert.ThrowsAsync<ModelException>(() => manager.GetAsync("c", null, default))).Fault);
    }

    [Fact]
    public async Task RemoveAsync_HeldByAnotherProcess_IsRefusedUntilThatDies()
    {
        Ship("m", ("model.onnx", ManifestBuilder.Bytes(1000, 1)));
        var manager = Managers.Make(StorePath, Manifests);
        await manager.DownloadAsync("m", null, default);
        await using (var child = Child.Start("hold", StorePath, "m"))
        {
            await child.WaitForLineAsync("held");
            Assert.True(manager.Store.List()[0].InUse);
            Assert.Equal(ModelFault.Busy, (await Assert.ThrowsAsync<ModelException>(() => manager.ClearAsync("m", default))).Fault);
            Assert.Single(manager.Store.List());
        }
        Assert.Equal(["m"], (await manager.ClearAsync("m", default)).Removed.ToArray());
        Assert.Equal(0, manager.Store.GetBytes());
    }

    [Fact]
    public async Task VerifyAsync_DamagedFile_IsFoundMendedAndNeverServed()
    {
        var bytes = ManifestBuilder.Bytes(100_000, 1);
        Ship("m", ("model.onnx", bytes));
        var manager = Managers.Make(StorePath, Manifests);
        await manager.DownloadAsync("m", null, default);
        Damage(manager, "m");

        Assert.Null(await new ModelStore(new ModelStoreOptions { Path = StorePath }).TryGetAsync("m", default));
        var found = Assert.Single(await manager.VerifyAsync(null, false, null, default));
        Assert.Equal((StoreProblem.Damaged, "m", "model.onnx", StoreRepair.None), (found.Problem, found.Model, found.Item, found.Repair));
        var mended = Assert.Single(await manager.VerifyAsync(null, true, null, default));
        Assert.Equal(StoreRepair.Fetched, mended.Repair);

        Assert.Empty(await manager.VerifyAsync(null, false, null, default));
        using var model = await manager.Store.TryGetAsync("m", default);
        Assert.Equal(bytes, File.ReadAllBytes(model!.Path!));
    }

    [Fact]
    public async Task GetAsync_DamagedFileWithoutRepair_IsBroughtAnew()
    {
        var bytes = ManifestBuilder.Bytes(100_000, 1);
        Ship("m", ("model.onnx", bytes));
        await Managers.Make(StorePath, Manifests).DownloadAsync("m", null, default);
        var manager = Managers.Make(StorePath, Manifests);
        Damage(manager, "m");

        using var model = await manager.GetAsync("m", null, default);

        Assert.Equal(bytes, File.ReadAllBytes(model.Path!));
    }

    [Theory]
    [InlineData(WeightFormat.Safetensors)]
    [InlineData(WeightFormat.Pickle)]
    public async Task VerifyAsync_DamagedFileKeptInAnotherFormat_IsRebuiltByteForByteWithoutItsSource(WeightFormat format)
    {
        var onnx = new OnnxBuilder().Floats("scale", 1, 2, 3, 4).Floats("shift", 5, 6, 7, 8).Build();
        Ship("m", ("model.onnx", onnx));
        var manager = Managers.Make(StorePath, Manifests);
        await manager.DownloadAsync("m", null, default);
        Assert.True(await manager.KeepFormatAsync("m", format, default) > 0);
        Assert.Equal(["onnx", format.ToName()], manager.Store.List()[0].Formats.Select(static kept => kept.Format));
        Directory.Delete(Manifests, recursive: true);
        Damage(manager, "m");

        var mended = Assert.Single(await manager.VerifyAsync("m", true, null, default));

        Assert.Equal(StoreRepair.Rebuilt, mended.Repair);
        using var model = await new ModelStore(new ModelStoreOptions { Path = StorePath }).TryGetAsync("m", default);
        Assert.Equal(onnx, File.ReadAllBytes(model!.Path!));
    }

    [Fact]
    public async Task VerifyAsync_OrphansAndUnreadableEntries_AreRemovedOthersStay()
    {
        Ship("m", ("model.onnx", ManifestBuilder.Bytes(1000, 1)));
        var manager = Managers.Make(StorePath, Manifests);
        await manager.DownloadAsync("m", null, default);
        var folder = manager.Store.Folder;
        Directory.CreateDirectory(Path.Combine(folder.Blobs, "ab"));
        File.WriteAllText(Path.Combine(folder.Blobs, "ab", "cd"), "nobody's");
        File.WriteAllText(Path.Combine(folder.Temporary, "left"), "half");
        File.WriteAllText(Path.Combine(folder.Models, "evil.json"), "{\"name\":\"evil\"}");
        Directory.CreateDirectory(folder.TreePath(new string('0', 64)));

        Assert.Equal(4, (await manager.VerifyAsync(null, false, null, default)).Length);
        var repaired = await manager.VerifyAsync(null, true, null, default);

        Assert.Equal(4, repaired.Count(static finding => finding.Repair == StoreRepair.Removed));
        Assert.Empty(await manager.VerifyAsync(null, false, null, default));
        Assert.Equal("m", Assert.Single(manager.Store.List()).Name);
    }

    [Fact]
    public async Task GetAsync_NewVersionInTheCatalogue_ReplacesTheOldOneWhenNobodyHoldsIt()
    {
        Ship("m", ("model.onnx", ManifestBuilder.Bytes(1000, 1)));
        await Managers.Make(StorePath, Manifests).DownloadAsync("m", null, default);
        var newer = ManifestBuilder.Bytes(2000, 2);
        Ship("m", ("model.onnx", newer));
        var manager = Managers.Make(StorePath, Manifests);
        Assert.Equal(ModelState.Outdated, manager.Find("m").State);

        using var model = await manager.GetAsync("m", null, default);

        Assert.Equal(newer, File.ReadAllBytes(model.Path!));
        Assert.Equal(ModelState.Stored, manager.Find("m").State);
        Assert.Equal(2000, manager.Store.GetBytes());
    }

    [Fact]
    public async Task OptimiseAsync_WorthKeeping_IsOpenedNextTimeUntilItIsDamaged()
    {
        Ship("m", ("model.onnx", ManifestBuilder.Bytes(1000, 1)));
        var optimiser = new CopyingOptimiser();
        var manager = Managers.Make(StorePath, Manifests, optimiser);
        await manager.DownloadAsync("m", null, default);

        Assert.True(await manager.OptimiseAsync("m", default));

        using (var model = await manager.GetAsync("m", null, default))
        {
            var (path, isOptimised) = await manager.GetPathAsync(model, default);
            Assert.True(isOptimised);
            Assert.Equal("optimised", File.ReadAllText(path));
            Assert.False((await Managers.Make(StorePath, Manifests, new CopyingOptimiser { Key = "another device" }).GetPathAsync(model, default)).IsOptimised);
            File.WriteAllText(path, "0ptimised");
            Assert.Equal((model.Path, false), await Managers.Make(StorePath, Manifests, optimiser).GetPathAsync(model, default));
        }
        optimiser.IsFaster = false;
        Assert.False(await manager.OptimiseAsync("m", default));
        await manager.ClearAsync("m", default);
        Assert.Equal(0, manager.Store.GetBytes());
    }

    private void Ship(string name, params (string Path, byte[] Bytes)[] files)
    {
        foreach (var (path, bytes) in files) File.WriteAllBytes(_folder.Combine("manifests", name, path.Replace('/', '-')), bytes);
        ManifestBuilder.Json(name, [.. files.Select(file => ManifestBuilder.File(file.Path, BlobDigest.Of(file.Bytes), file.Bytes.Length, $"{name}/{file.Path.Replace('/', '-')}"))]).Save(Manifests);
    }

    /// <summary>Flips a byte, as a disk does.</summary>
    private static void Damage(ModelManager manager, string name)
    {
        var path = manager.Store.Folder.BlobPath(manager.Store.List().First(model => model.Name == name).Files[0].Sha256);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        var one = new byte[1];
        RandomAccess.Read(file, one, 60);
        RandomAccess.Write(file, [(byte)(one[0] ^ 1)], 60);
    }
}

/// <summary>A runtime that writes a word.</summary>
internal sealed class CopyingOptimiser : IModelOptimiser
{
    public string Key { get; init; } = "test 1 cpu";

    public bool IsFaster { get; set; } = true;

    public string? Refuses { get; set; }

    public int Proven { get; private set; }

    public Task ProveAsync(ModelManifest manifest, string path, CancellationToken cancellationToken)
    {
        Proven++;
        Assert.True(File.Exists(path));
        return Refuses is null ? Task.CompletedTask : throw new ModelException(ModelFault.Invalid, Refuses);
    }

    public async Task<string?> OptimiseAsync(StoredModel model, string to, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(to + ".ort", "optimised", cancellationToken);
        return IsFaster ? to + ".ort" : null;
    }
}
