using System.Globalization;
using Platform.Tests.Shared;
using Platform.Tests.Shared.Faults;

namespace Platform.Models.Tests;

public class ModelDownloadTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly ByteServer _server = new();
    private readonly byte[] _model = ManifestBuilder.Bytes(3_000_000, 7);

    private string Store => _folder.Combine("store", "x")[..^2];

    private string Manifests => _folder.Combine("manifests", "x")[..^2];

    private string Digest => BlobDigest.Of(_model);

    public Task InitializeAsync()
    {
        _server.Files["m.onnx"] = _model;
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task GetAsync_FirstAndSecondStart_FetchesOnceAndThenNothing()
    {
        Catalogue(ManifestBuilder.File("m.onnx", Digest, _model.Length, urls: _server.Url("m.onnx")));
        var told = new List<ModelProgress>();

        using (var model = await Managers.Make(Store, Manifests).GetAsync("M", new Direct<ModelProgress>(told.Add), default))
        {
            Assert.Equal(_model, File.ReadAllBytes(model.Path!));
            Assert.Equal(("m", Digest, _model.Length), (model.Name, model.Files[0].Sha256, model.Bytes));
        }
        using (var again = await Managers.Make(Store, Manifests).GetAsync("m", null, default)) Assert.Equal(_model, File.ReadAllBytes(again.Path!));

        Assert.Equal(_model.Length, _server.BodyBytes);
        Assert.Single(_server.Requests);
        Assert.Equal((ModelStage.Done, _model.Length), (told[^1].Stage, told[^1].Fetched));
        Assert.Contains(told, progress => progress is { Stage: ModelStage.Fetching, BytesTotal: 3_000_000 } && progress.BytesDone < _model.Length);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(Store, "blobs-1")));
    }

    [Fact]
    public async Task GetAsync_ManyAsk_OneDownload()
    {
        Catalogue(ManifestBuilder.File("m.onnx", urls: _server.Url("m.onnx")));
        var (one, other) = (Managers.Make(Store, Manifests), Managers.Make(Store, Manifests));   // as two processes

        var all = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? one : other).GetAsync("m", null, default)));

        Assert.Single(_server.Requests);
        foreach (var model in all) model.Dispose();
    }

    [Fact]
    public async Task DownloadAsync_ConnectionBreaks_GoesOnWhereItWas()
    {
        Catalogue(ManifestBuilder.File("m.onnx", Digest, urls: _server.Url("m.onnx")));
        await using var proxy = FaultProxy.Start(_server.Port);
        proxy.ToClient.CloseAfterBytes = 1_000_000;   // of each connection
        Catalogue(ManifestBuilder.File("m.onnx", urls: $"http://127.0.0.1:{proxy.Port}/m.onnx"));

        using var model = await Managers.Make(Store, Manifests).GetAsync("m", null, default);

        Assert.Equal(_model, File.ReadAllBytes(model.Path!));
        Assert.Equal(4, _server.Requests.Count);
        Assert.All(_server.Requests.Skip(1), static request => Assert.Contains("If-Range: \"v1\"", request, StringComparison.Ordinal));
        Assert.InRange(proxy.ToClient.Bytes, _model.Length, _model.Length + 4 * 65536);
    }

    [Fact]
    public async Task DownloadAsync_FileChangesMeanwhile_IsNeverSpliced()
    {
        Catalogue(ManifestBuilder.File("m.onnx", urls: _server.Url("m.onnx")));
        var changed = ManifestBuilder.Bytes(2_000_000, 8);
        _server.Instead = (_, _) =>
        {
            _server.Instead = null;
            (_server.Files["m.onnx"], _server.EntityTag) = (changed, "\"v2\"");
            return ByteServer.Response("200 OK", "Content-Length: 3000000\r\nETag: \"v1\"\r\n", _model.AsSpan(0, 1_500_000));   // and breaks off
        };

        using var model = await Managers.Make(Store, Manifests).GetAsync("m", null, default);

        Assert.Equal(changed, File.ReadAllBytes(model.Path!));
    }

    [Fact]
    public async Task DownloadAsync_Mirrors_AreTriedInOrderAndGoneOnWith()
    {
        _server.Instead = (path, header) => path switch
        {
            "gone" => ByteServer.Response("404 Not Found", "Content-Length: 0\r\n", []),
            "half" when !header.Contains("Range", StringComparison.Ordinal) => ByteServer.Response("200 OK", "Content-Length: 3000000\r\n", _model.AsSpan(0, 2_000_000)),
            "half" => ByteServer.Response("503 Service Unavailable", "Content-Length: 0\r\n", []),
            _ => null,
        };
        Catalogue(ManifestBuilder.File("m.onnx", Digest, urls: [_server.Url("gone"), _server.Url("half"), _server.Url("m.onnx")]));

        using var model = await Managers.Make(Store, Manifests).GetAsync("m", null, default);

        Assert.Equal(_model, File.ReadAllBytes(model.Path!));
        Assert.Equal(1_000_000, _server.BodyBytes);
        Assert.DoesNotContain("If-Range", _server.Requests[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task DownloadAsync_WrongBytes_AreRefusedAndNothingRemains()
    {
        Catalogue(ManifestBuilder.File("m.onnx", new string('a', 64), urls: _server.Url("m.onnx")));
        var manager = Managers.Make(Store, Manifests);

        var refused = await Assert.ThrowsAsync<ModelException>(() => manager.DownloadAsync("m", null, default));

        Assert.Equal(ModelFault.DigestMismatch, refused.Fault);
        Assert.Contains(new string('a', 64), refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, manager.Store.GetBytes());
        Assert.Empty(manager.Store.List());
        Assert.Null(await manager.Store.TryGetAsync("m", default));
    }

    [Fact]
    public async Task DownloadAsync_FirstMirrorHasOtherBytes_SecondServes()
    {
        _server.Files["other"] = ManifestBuilder.Bytes(3_000_000, 9);
        Catalogue(ManifestBuilder.File("m.onnx", Digest, urls: [_server.Url("other"), _server.Url("m.onnx")]));

        using var model = await Managers.Make(Store, Manifests).GetAsync("m", null, default);

        Assert.Equal(_model, File.ReadAllBytes(model.Path!));
    }

    [Fact]
    public async Task DownloadAsync_NoDigest_IsPinnedAtFirstUseAndEnforced()
    {
        Catalogue(ManifestBuilder.File("m.onnx", urls: _server.Url("m.onnx")));
        var manager = Managers.Make(Store, Manifests);
        await manager.DownloadAsync("m", null, default);
        await manager.ClearAsync("m", default);
        (_server.Files["m.onnx"], _server.EntityTag) = (ManifestBuilder.Bytes(3_000_000, 10), "\"v2\"");

        var refused = await Assert.ThrowsAsync<ModelException>(() => manager.DownloadAsync("m", null, default));
        Assert.Equal(ModelFault.DigestMismatch, refused.Fault);
        Assert.Contains("pinned at the first download", refused.Message, StringComparison.Ordinal);

        manager.Store.ForgetPins(manager.Catalogue.Find("m")!);
        await manager.DownloadAsync("m", null, default);
        Assert.Single(manager.Store.List());
    }

    [Fact]
    public async Task DownloadAsync_ManyAddressesLie_EachIsNamed()
    {
        _server.Instead = (path, _) => path switch
        {
            "long" => ByteServer.Response("200 OK", "Content-Length: 999999999\r\n", new byte[10]),
            "coded" => ByteServer.Response("200 OK", "Content-Length: 10\r\nContent-Encoding: gzip\r\n", new byte[10]),
            "loop" => ByteServer.Response("302 Found", "Location: /loop\r\nContent-Length: 0\r\n", []),
            "away" => ByteServer.Response("302 Found", "Location: http://192.0.2.1/x\r\nContent-Length: 0\r\n", []),
            _ => null,
        };
        Catalogue(ManifestBuilder.File("m.onnx", Digest, _model.Length, urls: [_server.Url("long"), _server.Url("coded"), _server.Url("loop"), _server.Url("away"), "http://192.0.2.1/x"]));

        var refused = await Assert.ThrowsAsync<ModelException>(() => Managers.Make(Store, Manifests).DownloadAsync("m", null, default));

        foreach (var said in (string[])["999999999 bytes; 3000000 are expected", "content coding", "redirects more than 5 times", "http://192.0.2.1/x is not allowed"]) Assert.Contains(said, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DownloadAsync_Redirect_IsFollowedToAnAllowedAddress()
    {
        _server.Instead = (path, _) => path == "moved" ? ByteServer.Response("302 Found", "Location: /m.onnx\r\nContent-Length: 0\r\n", []) : null;
        Catalogue(ManifestBuilder.File("m.onnx", Digest, urls: _server.Url("moved")));

        using var model = await Managers.Make(Store, Manifests).GetAsync("m", null, default);

        Assert.Equal(_model, File.ReadAllBytes(model.Path!));
    }

    [Fact]
    public async Task DownloadAsync_ServerSendsMoreThanAllowed_Stops()
    {
        _server.Instead = (_, _) => ByteServer.Response("200 OK", "", _model);   // no length: until it closes
        Catalogue(ManifestBuilder.File("m.onnx", urls: _server.Url("m.onnx")));

        var refused = await Assert.ThrowsAsync<ModelException>(() => Managers.Make(Store, Manifests, fetch: static options => options.MaxFileBytes = 1_000_000).DownloadAsync("m", null, default));

        Assert.Equal(ModelFault.Unreachable, refused.Fault);
    }

    [Fact]
    public async Task DownloadAsync_LastWaiterLeaves_StopsAndIsGoneOnWithLater()
    {
        Catalogue(ManifestBuilder.File("m.onnx", Digest, urls: _server.Url("m.onnx")));
        await using var proxy = FaultProxy.Start(_server.Port);
        Catalogue(ManifestBuilder.File("m.onnx", Digest, urls: $"http://127.0.0.1:{proxy.Port}/m.onnx"));
        proxy.ToClient.BytesPerSecond = 2_000_000;
        var manager = Managers.Make(Store, Manifests);
        using var leaving = new CancellationTokenSource();
        var fetched = 0L;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => manager.DownloadAsync("m", new Direct<ModelProgress>(progress =>
        {
            if ((fetched = progress.Fetched) > 1_000_000) leaving.Cancel();
        }), leaving.Token));
        proxy.ToClient.BytesPerSecond = 0;
        var more = 0L;
        await manager.DownloadAsync("m", new Direct<ModelProgress>(progress => more = progress.Fetched), default);

        Assert.InRange(more, 1, _model.Length - 1_000_000);
    }

    [Fact]
    public async Task DownloadAsync_StoreTooSmall_IsRefusedBeforeAnythingComes()
    {
        Catalogue(ManifestBuilder.File("m.onnx", Digest, _model.Length, urls: _server.Url("m.onnx")));
        var manager = Managers.Make(Store, Manifests, change: static options => options.CapacityBytes = 1_000_000);

        var refused = await Assert.ThrowsAsync<ModelException>(() => manager.DownloadAsync("m", null, default));

        Assert.Equal(ModelFault.NoRoom, refused.Fault);
        Assert.Equal(0, manager.Store.GetBytes());
    }

    [SmallDiskFact]
    public async Task DownloadAsync_DiskTooSmall_IsRefusedWhetherItsLengthIsKnownOrNot()
    {
        using var disk = new SmallDisk(2);
        Catalogue(ManifestBuilder.File("m.onnx", Digest, _model.Length, urls: _server.Url("m.onnx")));
        Assert.Equal(ModelFault.NoRoom, (await Assert.ThrowsAsync<ModelException>(() => Managers.Make(disk.Path, Manifests).DownloadAsync("m", null, default))).Fault);
        Assert.Equal(0, new ModelStore(new ModelStoreOptions { Path = disk.Path }).GetBytes());

        _server.Instead = (_, _) => ByteServer.Response("200 OK", "", _model);
        Catalogue(ManifestBuilder.File("m.onnx", Digest, urls: _server.Url("m.onnx")));
        Assert.Equal(ModelFault.NoRoom, (await Assert.ThrowsAsync<ModelException>(() => Managers.Make(disk.Path, Manifests).DownloadAsync("m", null, default))).Fault);
        Assert.Equal(0, new ModelStore(new ModelStoreOptions { Path = disk.Path }).GetBytes());
    }

    [Fact]
    public async Task DownloadAsync_KilledAgainAndAgain_LosesLessThanAMegabyteEachAndIsNeverSeenHalf()
    {
        var large = ManifestBuilder.Bytes(Child.Kills * 1_500_000 + 10_000_000, 12);
        _server.Files["large"] = large;
        await using var proxy = FaultProxy.Start(_server.Port);
        Catalogue(ManifestBuilder.File("m.onnx", BlobDigest.Of(large), urls: $"http://127.0.0.1:{proxy.Port}/large"));
        proxy.ToClient.BytesPerSecond = 8_000_000;
        var store = new ModelStore(new ModelStoreOptions { Path = Store });

        for (var round = 1; round <= Child.Kills; round++)
        {
            await using var child = Child.Start("download", Store, Manifests, "m");
            while (await child.ReadLineAsync() is { } line && !(line.StartsWith("at ", StringComparison.Ordinal) && long.Parse(line[3..], CultureInfo.InvariantCulture) > round * 1_500_000)) { }
            proxy.ToClient.IsStalled = true;   // it must not be done before it is dead
            await child.KillAsync();
            proxy.ToClient.IsStalled = false;
            Assert.Null(await store.TryGetAsync("m", default));
            Assert.Empty(store.List());
        }
        proxy.ToClient.BytesPerSecond = 0;
        await using (var last = Child.Start("download", Store, Manifests, "m"))
            while (await last.ReadLineAsync() is { } line && !line.StartsWith("done", StringComparison.Ordinal)) { }

        using var model = await store.TryGetAsync("m", default);
        Assert.Equal(BlobDigest.Of(large), BlobDigest.Of(File.ReadAllBytes(model!.Path!)));
        Assert.Equal(Child.Kills + 1, _server.Requests.Count);
        // What each had under way in buffers of the system, the proxy and the child was sent and lost.
        var begins = _server.Requests.Select(static request => request.Split("Range: bytes=") is [_, var range, ..] ? long.Parse(range.Split('-')[0], CultureInfo.InvariantCulture) : 0).ToArray();
        for (var round = 1; round <= Child.Kills; round++) Assert.True(begins[round] > round * 1_500_000 - 1_000_000, $"round {round} began at {begins[round]}");
    }

    private void Catalogue(params System.Text.Json.Nodes.JsonObject[] files) => ManifestBuilder.Json("m", files).Save(Manifests);
}
