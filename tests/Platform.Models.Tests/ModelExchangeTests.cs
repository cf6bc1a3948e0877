using System.IO.Compression;
using System.Text;
using Platform.Tests.Shared;

namespace Platform.Models.Tests;

public class ModelExchangeTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly byte[] _onnx = new OnnxBuilder().Floats("scale", 1, 2, 3, 4).Floats("shift", 5, 6, 7, 8).Raw("big", 2, [200_000], ManifestBuilder.Bytes(200_000, 4)).Build();
    private ModelManager _manager = null!;

    private string Target => _folder.Combine("target", "x")[..^2];

    private string Package => _folder.Combine("m.platform-model");

    public async Task InitializeAsync()
    {
        var manifests = _folder.Combine("manifests", "x")[..^2];
        File.WriteAllBytes(Path.Combine(manifests, "m.onnx"), _onnx);
        File.WriteAllBytes(Path.Combine(manifests, "w.data"), ManifestBuilder.Bytes(1000, 1));
        ManifestBuilder.Json("m", ManifestBuilder.File("m.onnx", source: "m.onnx"), ManifestBuilder.File("data/w.data", source: "w.data")).Save(manifests);
        _manager = Managers.Make(_folder.Combine("store", "x")[..^2], manifests);
        await _manager.DownloadAsync("m", null, default);
        await using var package = File.Create(Package);
        await _manager.ExportPackageAsync("m", package, default);
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task ImportAsync_ExportedPackage_IsTheSameModel()
    {
        var target = Managers.Make(Target, Target);

        Assert.Equal("m", await ImportAsync(target, Package));

        using var from = await _manager.GetAsync("m", null, default);
        using var to = await target.GetAsync("M", null, default);
        Assert.Equal(from.Digest, to.Digest);
        Assert.Equal(from.Manifest.Json, to.Manifest.Json, static (a, b) => a.Span.SequenceEqual(b.Span));
        Assert.Equal(_onnx, File.ReadAllBytes(to.Path!));
        Assert.Equal(ModelFault.Exists, (await Assert.ThrowsAsync<ModelException>(() => ImportAsync(target, Package))).Fault);
        Assert.Equal("m", await target.ImportAsync(Package, null, null, null, replace: true, null, default));
    }

    [Theory]
    [InlineData("../evil", "climbs out of its folder or has no usable name: ../evil")]
    [InlineData("/etc/evil", "climbs out of its folder or has no usable name: /etc/evil")]
    [InlineData("files/../../evil", "files/../../evil")]
    [InlineData("files\\..\\evil", "files\\..\\evil")]
    [InlineData("files/more", "has files/more, which belongs to nothing")]
    [InlineData("MANIFEST.json", "has MANIFEST.json, which belongs to nothing")]
    public async Task ImportAsync_PackageWithForeignMember_IsRefusedByNameAndNothingRemains(string member, string said)
    {
        using (var zip = ZipFile.Open(Package, ZipArchiveMode.Update)) zip.CreateEntry(member);
        await AssertRefusedAsync(said);
    }

    [Fact]
    public async Task ImportAsync_PackageWithMemberTwice_IsRefused()
    {
        using (var zip = ZipFile.Open(Package, ZipArchiveMode.Update)) zip.CreateEntry("manifest.json");
        await AssertRefusedAsync("two members called manifest.json");
    }

    [Fact]
    public async Task ImportAsync_PackageDamagedAnywhere_IsRefusedAndNothingRemains()
    {
        var whole = File.ReadAllBytes(Package);
        var target = Managers.Make(Target, Target);
        var refused = 0;
        for (var at = 40; at < whole.Length; at += whole.Length / 40)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= 0x20;
            File.WriteAllBytes(Package, damaged);
            try
            {
                // A date in the zip's directory may be damaged without harm.
                await ImportAsync(target, Package);
                using (var model = await target.GetAsync("m", null, default)) Assert.Equal(_onnx, File.ReadAllBytes(model.Path!));
                await target.ClearAsync("m", default);
            }
            catch (ModelException)
            {
                refused++;
            }
            File.WriteAllBytes(Package, whole[..at]);
            await Assert.ThrowsAsync<ModelException>(() => ImportAsync(target, Package));
        }
        Assert.True(refused > 35);
        Assert.Empty(target.Store.List());
        Assert.Equal(0, target.Store.GetBytes());
        Assert.Empty(Directory.GetFileSystemEntries(target.Store.Folder.Temporary));
    }

    [Fact]
    public async Task ImportAsync_PackageThatInflatesBeyondItsWord_IsRefused()
    {
        var bomb = _folder.Combine("bomb.zip");
        var manifest = ManifestBuilder.Json("m", ManifestBuilder.File("m.onnx")).ToJsonString();
        using (var zip = ZipFile.Open(bomb, ZipArchiveMode.Create))
        {
            Add("model.json", $$"""{"schema":1,"name":"m","version":"1.0","manifestSha256":"{{BlobDigest.OfText(manifest)}}","files":[{"path":"m.onnx","sha256":"{{new string('0', 64)}}","bytes":50000000}]}""");
            Add("manifest.json", manifest);
            using var stream = zip.CreateEntry("files/m.onnx", CompressionLevel.Optimal).Open();
            stream.Write(new byte[50_000_000]);

            void Add(string name, string text)
            {
                using var member = zip.CreateEntry(name).Open();
                member.Write(Encoding.UTF8.GetBytes(text));
            }
        }
        var target = Managers.Make(Target, Target, change: static options => options.CapacityBytes = 1_000_000);

        Assert.Equal(ModelFault.NoRoom, (await Assert.ThrowsAsync<ModelException>(() => ImportAsync(target, bomb))).Fault);
        Assert.Equal(ModelFault.DigestMismatch, (await Assert.ThrowsAsync<ModelException>(() => ImportAsync(Managers.Make(Target, Target), bomb))).Fault);
        Assert.Equal(0, target.Store.GetBytes());
    }

    [Fact]
    public async Task ImportAsync_OnnxFile_IsDescribedByItsGraphOrTheCatalogue()
    {
        var path = _folder.Combine("own.onnx");
        File.WriteAllBytes(path, _onnx);
        var target = Managers.Make(Target, Target);

        await target.ImportAsync(path, null, "own", null, false, null, default);

        using var model = await target.GetAsync("own", null, default);
        Assert.Equal(("x", "N,4", "y"), (model.Manifest.Inputs[0].Name, string.Join(',', model.Manifest.Inputs[0].Shape), model.Manifest.Outputs[0].Name));
        Assert.Equal("m.onnx", _manager.TryFindManifest("M")!.Runs);
        Assert.Null(_manager.TryFindManifest("own"));
        Assert.Equal(("own", true, false), (target.TryFindManifest("OWN")!.Name, target.IsHere("Own"), _manager.IsHere("own")));
        await _manager.ImportAsync(path, null, "M", null, replace: true, null, default);
        var known = _manager.Find("m");
        Assert.Equal("model.onnx", _manager.TryFindManifest("M")!.Runs);
        Assert.Equal(("m", ModelState.Stored, "import", "model.onnx"), (known.Manifest.Name, known.State, known.Stored!.From, known.Manifest.Runs));
    }

    [Fact]
    public async Task ImportAsync_NoOnnx_IsRefused()
    {
        var path = _folder.Combine("own.onnx");
        File.WriteAllText(path, "hello");
        var target = Managers.Make(Target, Target);

        Assert.Contains("no ONNX model", (await Assert.ThrowsAsync<ModelException>(() => target.ImportAsync(path, null, "own", null, false, null, default))).Message, StringComparison.Ordinal);
        Assert.Equal(0, target.Store.GetBytes());
    }

    [Fact]
    public async Task ImportAsync_RuntimeRefuses_NothingRemains()
    {
        var runtime = new CopyingOptimiser { Refuses = "The model uses the operator Boom, which is not known." };
        var target = Managers.Make(Target, Target, runtime);

        Assert.Contains("Boom", (await Assert.ThrowsAsync<ModelException>(() => ImportAsync(target, Package))).Message, StringComparison.Ordinal);
        Assert.Equal(0, target.Store.GetBytes());
        Assert.Empty(target.Store.List());
    }

    [Fact]
    public async Task GetPathAsync_ImportedWithoutARuntime_IsProvenOnceBeforeItIsOpened()
    {
        await ImportAsync(Managers.Make(Target, Target), Package);
        var runtime = new CopyingOptimiser();
        var target = Managers.Make(Target, Target, runtime);
        using var model = await target.GetAsync("m", null, default);

        await target.GetPathAsync(model, default);
        await target.GetPathAsync(model, default);

        Assert.Equal(1, runtime.Proven);
    }

    [Theory]
    [InlineData(WeightFormat.Safetensors)]
    [InlineData(WeightFormat.Hdf5)]
    [InlineData(WeightFormat.Torch)]
    [InlineData(WeightFormat.Pickle)]
    public async Task ImportAsync_ExportedWeights_GiveTheSameGraph(WeightFormat format)
    {
        var path = _folder.Combine("w." + format.ToName());
        await using (var file = File.Create(path)) await _manager.ExportWeightsAsync("m", format, file, default);

        Assert.Equal("m2", await _manager.ImportAsync(path, null, "m2", "m", false, null, default));

        using var model = await _manager.GetAsync("m2", null, default);
        Assert.Equal(_onnx, File.ReadAllBytes(model.Path!));
    }

    [Fact]
    public async Task ImportAsync_KilledAgainAndAgain_IsWholeOrAbsent()
    {
        var large = _folder.Combine("large.onnx");
        File.WriteAllBytes(large, new OnnxBuilder().Raw("big", 2, [20_000_000], ManifestBuilder.Bytes(20_000_000, 4)).Build());
        await _manager.ImportAsync(large, null, "large", null, false, null, default);
        var package = _folder.Combine("large.platform-model");
        await using (var file = File.Create(package)) await _manager.ExportPackageAsync("large", file, default);
        var target = Managers.Make(Target, Target);
        for (var round = 0; round < Child.Kills; round++)
        {
            await using var child = Child.Start("import", Target, package);
            await child.WaitForLineAsync("begun");
            for (var i = 0; i < round % 10 * 9; i++) await child.ReadLineAsync();
            await child.KillAsync();
            using var seen = await target.Store.TryGetAsync("large", default);
            if (seen is not null) Assert.Equal(seen.Files[0].Sha256, BlobDigest.Of(File.ReadAllBytes(seen.Path!)));
            Assert.DoesNotContain(await target.VerifyAsync(null, false, null, default), static finding => finding.Problem != StoreProblem.Orphaned);
        }
        await target.VerifyAsync(null, true, null, default);
        Assert.Empty(await target.VerifyAsync(null, false, null, default));
        await target.ImportAsync(package, null, null, null, replace: true, null, default);
        Assert.Single(target.Store.List());
    }

    private static Task<string> ImportAsync(ModelManager target, string path) => target.ImportAsync(path, null, null, null, replace: false, null, default);

    private async Task AssertRefusedAsync(string said)
    {
        var target = Managers.Make(Target, Target);
        var refused = await Assert.ThrowsAsync<ModelException>(() => ImportAsync(target, Package));
        Assert.Equal(ModelFault.Invalid, refused.Fault);
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        Assert.Empty(target.Store.List());
        Assert.Equal(0, target.Store.GetBytes());
        Assert.False(File.Exists(_folder.Combine("evil")));
    }
}
