using System.Buffers;
using Platform.TieredCache.S3;
using Platform.Tests.Shared;
using Platform.Tests.Shared.Faults;
using Platform.Tests.Shared.S3;

namespace Platform.TieredCache.Tests.Remote;

/// <summary>The tier in an object store, with a real server behind a proxy that misbehaves.</summary>
public sealed class ObjectTierTests : IAsyncLifetime
{
    private const string Bucket = "cache";

    private static readonly EntryPolicy Shared = EntryPolicy.SharedDocument;

    /// <summary>Long enough for a busy machine, short enough to wait for a few times.</summary>
    private static readonly TimeSpan Brief = TimeSpan.FromMilliseconds(400);

    private readonly List<TieredCache> _nodes = [];
    private S3Server _server = null!;
    private FaultProxy _proxy = null!;

    public async Task InitializeAsync()
    {
        if (ToolPath.Find("s3rver") is null) return;   // the tests skip themselves
        _server = await S3Server.StartAsync(Bucket);
        _proxy = FaultProxy.Start(_server.Port);
    }

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync();
        if (_server is null) return;
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
    }

    [ToolTheory("s3rver")]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(3_000_000)]
    public async Task GetOrCreateAsync_WhatAnotherNodeMade_IsReadFromTheStore(int length)
    {
        var key = TestValues.Key(1);
        await MakeAsync(Node(), key, length);
        await using var lease = await Node().GetOrCreateAsync(key, 0, Shared, TestValues.NeverCalled, default);
        Assert.Equal(CacheTier.Object, lease.Outcome.Tier);
        Assert.True(lease.Outcome.IsHit);
        Assert.Equal("application/octet-stream", lease.Header.MediaType);
        Assert.True(lease.TryGetBytes(out var bytes) && TestValues.Matches(key, bytes) && bytes.Length == length);
    }

    [ToolFact("s3rver")]
    public async Task GetOrCreateAsync_AStoredObjectWithAFlippedBit_IsMadeAnewAndStoredAnew()
    {
        var key = TestValues.Key(1);
        await MakeAsync(Node(), key, 10_000);
        foreach (var at in new[] { 2, 10, 30, 100, 5_000, 10_200 })
        {
            var file = Assert.Single(_server.FilesOf(Bucket), path => path.Contains("/v1/", StringComparison.Ordinal));
            var stored = await File.ReadAllBytesAsync(file);
            stored[at] ^= 0x40;
            await File.WriteAllBytesAsync(file, stored);
            var node = Node();
            await MakeAsync(node, key, 10_000, CacheTier.Origin);
            Assert.Equal(1, Row(node).Corruptions);
            await AssertReadSoonAsync(key);
        }
    }

    [ToolTheory("s3rver")]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(300)]
    [InlineData(9_999)]
    public async Task GetOrCreateAsync_AStoredObjectCutShort_IsMadeAnew(int length)
    {
        var key = TestValues.Key(1);
        await MakeAsync(Node(), key, 10_000);
        var file = Assert.Single(_server.FilesOf(Bucket), path => path.Contains("/v1/", StringComparison.Ordinal));
        await File.WriteAllBytesAsync(file, (await File.ReadAllBytesAsync(file))[..length]);
        await MakeAsync(Node(), key, 10_000, CacheTier.Origin);
    }

    [ToolFact("s3rver")]
    public async Task GetOrCreateAsync_AnObjectOfAnotherKey_IsNotServed()
    {
        var (key, other) = (TestValues.Key(1), TestValues.Key(2));
        await MakeAsync(Node(), key, 1000);
        var file = Assert.Single(_server.FilesOf(Bucket), path => path.Contains("/v1/", StringComparison.Ordinal));
        File.Copy(file, file.Replace(ObjectTier.NameOf(key), ObjectTier.NameOf(other), StringComparison.Ordinal));
        await MakeAsync(Node(), other, 1000, CacheTier.Origin);
    }

    [ToolFact("s3rver")]
    public async Task GetOrCreateAsync_AValueBeyondItsTtl_IsMadeAnew()
    {
        var key = TestValues.Key(1);
        await MakeAsync(Node(static options => options.Ttl = TimeSpan.FromMilliseconds(1)), key, 1000);
        await Task.Delay(5);
        await MakeAsync(Node(), key, 1000, CacheTier.Origin);
    }

    [ToolFact("s3rver")]
    public async Task GetOrCreateAsync_TooLargeOrNotToBeShared_IsNotStored()
    {
        var node = Node(static options => options.MaxValueBytes = 2000);
        await MakeAsync(node, TestValues.Key(1), 2001);
        var local = TestValues.Key(2);
        await using (await node.GetOrCreateAsync(local, 100, EntryPolicy.Derived, TestValues.Maker(local), default)) { }
        await SettledAsync(node);
        Assert.DoesNotContain(_server.FilesOf(Bucket), path => path.Contains("/v1/", StringComparison.Ordinal));
    }

    [ToolFact("s3rver")]
    public async Task InvalidateAsync_ATag_HidesWhatWasStoredBeforeFromAllNodesAndNotWhatIsMadeAfter()
    {
        var (key, tag) = (TestValues.Key(1), CacheTag.Of("test", "study"));
        static void Hasty(ObjectTierOptions options) => options.Timeout = Brief;
        var node = Node(Hasty);
        await MakeAsync(node, key, 1000, CacheTier.Origin, tag);
        await node.InvalidateAsync(tag, default);
        for (var round = 0; ; round++)
        {
            // Stored again at once, and by the store's clock perhaps in the same second: made anew until it is surely younger.
            await using var lease = await Node(Hasty).GetOrCreateAsync(key, 1000, Shared, TestValues.Maker(key, true, tag), default);
            Assert.True(round > 0 || lease.Outcome.Tier == CacheTier.Origin);
            if (lease.Outcome.Tier == CacheTier.Object) break;
            Assert.True(round < 100, "It is never believed again.");
            await Task.Delay(100);
        }
    }

    [ToolTheory("s3rver")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ClearAsync_EverythingOrAKind_HidesWhatWasStoredBefore(bool everything)
    {
        var key = TestValues.Key(1);
        var node = Node();
        await MakeAsync(node, key, 1000);
        await node.ClearAsync(everything ? CacheScope.All : CacheScope.Kind(key.Kind), default);
        await MakeAsync(Node(), key, 1000, CacheTier.Origin);
    }

    [ToolFact("s3rver")]
    public async Task RemoveAsync_AKey_RemovesTheObject()
    {
        var key = TestValues.Key(1);
        var node = Node();
        await MakeAsync(node, key, 1000);
        await node.RemoveAsync(key, default);
        Assert.DoesNotContain(_server.FilesOf(Bucket), path => path.Contains("/v1/", StringComparison.Ordinal));
        await MakeAsync(Node(), key, 1000, CacheTier.Origin);
    }

    [ToolFact("s3rver")]
    public async Task RemoveAsync_WhileTheValueIsBeingStored_LeavesNoObject()
    {
        var key = TestValues.Key(1);
        var node = Node();
        await MakeAsync(node, TestValues.Key(2), 10);   // connected
        _proxy.ToServer.IsStalled = true;
        await using (await node.GetOrCreateAsync(key, 1000, EntryPolicy.SharedDocument, (length, writer, token) =>
        {
            _proxy.ToServer.IsStalled = true;
            return TestValues.Maker(key)(length, writer, token);
        }, default).AsTask().WaitAsync(ReleaseLookup())) { }
        var removing = node.RemoveAsync(key, default);
        _proxy.Heal();
        await removing;
        await SettledAsync(node);
        await MakeAsync(Node(), key, 1000, CacheTier.Origin);

        // The look-up before the making has to get through, the write after it not.
        TimeSpan ReleaseLookup()
        {
            _proxy.ToServer.IsStalled = false;
            return TimeSpan.FromSeconds(10);
        }
    }

    [ToolFact("s3rver")]
    public async Task GetOrCreateAsync_TheStoreHangs_CostsItsDeadlineAFewTimesAndThenNothing()
    {
        var node = Node(static options => (options.Timeout, options.BreakDuration) = (Brief, TimeSpan.FromMinutes(1)));
        _proxy.ToClient.IsStalled = true;
        for (var i = 0; i < 3; i++) await MakeAsync(node, TestValues.Key(i), 100, CacheTier.Origin, settle: false);
        await SettledAsync(node);
        Assert.True(node.Objects!.IsBroken);
        var asked = _proxy.ToServer.Bytes;
        for (var i = 10; i < 200; i++) await MakeAsync(node, TestValues.Key(i), 100, CacheTier.Origin, settle: false);
        Assert.Equal(asked, _proxy.ToServer.Bytes);
    }

    [ToolTheory("s3rver")]
    [InlineData("reset")]
    [InlineData("flip")]
    [InlineData("cut")]
    [InlineData("slow")]
    [InlineData("away")]
    public async Task GetOrCreateAsync_TheStoreMisbehavesUnderLoad_NoRequestFailsAndNoByteIsWrong(string fault)
    {
        var first = Node();
        for (var i = 0; i < 20; i++) await MakeAsync(first, TestValues.Key(i), 20_000);
        switch (fault)
        {
            case "reset": _proxy.ToClient.ResetAfterBytes = 30_000; break;
            case "flip": _proxy.ToClient.FlipEveryBytes = 7_001; break;
            case "cut": _proxy.ToClient.CloseAfterBytes = 25_000; break;
            case "slow": _proxy.ToClient.Delay = TimeSpan.FromSeconds(2); break;
            default: _proxy.NewConnections = NewConnections.Reset; break;
        }
        _proxy.ResetConnections();
        var node = Node(static options => (options.Timeout, options.BreakDuration) = (Brief, TimeSpan.FromMilliseconds(50)));
        await Parallel.ForEachAsync(Enumerable.Range(0, 60), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, token) =>
        {
            var key = TestValues.Key(i % 20);
            await using var lease = await node.GetOrCreateAsync(key, 20_000, Shared, TestValues.Maker(key), token);
            Assert.True(lease.TryGetBytes(out var bytes) && bytes.Length == 20_000 && TestValues.Matches(key, bytes));
        });
        _proxy.Heal();
        _proxy.ResetConnections();
        for (var waited = 0; ; waited++)
        {
            // Back in use when it is well again.
            var key = TestValues.Key(waited % 20);
            await using var lease = await Node().GetOrCreateAsync(key, 20_000, Shared, TestValues.Maker(key), default);
            if (lease.Outcome.Tier == CacheTier.Object) break;
            Assert.True(waited < 100, "The store is not used again.");
            await Task.Delay(50);
        }
    }

    [ToolFact("s3rver")]
    public async Task InvalidateAsync_WhileTheStoreIsAway_IsOwedAndNothingIsReadUntilItWasTold()
    {
        var (key, tag) = (TestValues.Key(1), CacheTag.Of("test", "study"));
        await MakeAsync(Node(), key, 1000, CacheTier.Origin, tag);
        var node = Node(static options => options.BreakDuration = TimeSpan.FromMilliseconds(10));
        _proxy.NewConnections = NewConnections.Reset;
        await node.InvalidateAsync(tag, default);
        _proxy.Heal();
        for (var i = 0; i < 20; i++)
        {
            await MakeAsync(node, key, 1000, CacheTier.Origin, tag);
            await node.ClearAsync(CacheScope.Tier(CacheTier.Memory), default);
            if (_server.FilesOf(Bucket).Any(path => path.Contains("/e1/", StringComparison.Ordinal))) break;
            await Task.Delay(20);
        }
        Assert.Single(_server.FilesOf(Bucket), path => path.Contains("/e1/tag-", StringComparison.Ordinal));
    }

    /// <summary>The server answers a put before it has written all of it, and the machine may be busy: not at the first look, then.</summary>
    private async Task AssertReadSoonAsync(CacheKey key)
    {
        for (var waited = 0; ; waited++)
        {
            await using var lease = await Node().GetOrCreateAsync(key, 10_000, Shared, TestValues.Maker(key), default);
            if (lease.Outcome.Tier == CacheTier.Object) return;
            Assert.True(waited < 100, "It is not read from the store.");
            await Task.Delay(50);
        }
    }

    private TieredCache Node(Action<ObjectTierOptions>? change = null)
    {
        var options = new TieredCacheOptions
        {
            Memory = { CapacityBytes = 16 << 20, PoisonReleasedMemory = true },
            Objects = { Timeout = TimeSpan.FromSeconds(5), InvalidationsAreSeenWithin = TimeSpan.Zero },
        };
        change?.Invoke(options.Objects);
        var store = new S3ObjectStore(new S3StoreOptions
        {
            Bucket = Bucket,
            ServiceUrl = $"http://127.0.0.1:{_proxy.Port}",
            AccessKey = S3Server.AccessKey,
            SecretKey = S3Server.SecretKey,
        });
        var node = new TieredCache(options, objects: store);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Asks for a value, makes it if it has to be made, and waits until it has been stored.</summary>
    private static async Task MakeAsync(TieredCache node, CacheKey key, int length, CacheTier? from = null, CacheTag? tag = null, bool settle = true)
    {
        await using (var lease = await node.GetOrCreateAsync(key, length, Shared, TestValues.Maker(key, true, tag is { } one ? [one] : []), default))
        {
            if (from is { } tier) Assert.Equal(tier, lease.Outcome.Tier);
            Assert.True(lease.TryGetBytes(out var bytes) && bytes.Length == length && TestValues.Matches(key, bytes));
        }
        if (settle) await SettledAsync(node);
    }

    private static async Task SettledAsync(TieredCache node)
    {
        for (var waited = 0; node.Objects!.PendingWrites > 0; waited++)
        {
            Assert.True(waited < 1000, "Writes behind the answer do not end.");
            await Task.Delay(10);
        }
    }

    private static TierStatistics Row(TieredCache node) => node.GetStatistics().Tiers.Single(row => row.Tier == CacheTier.Object);
}
