using System.Diagnostics.Metrics;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

public class CacheMetricsTests
{
    [Fact]
    public async Task Meter_UseOfTheCache_GivesTheseInstrumentsAndTags()
    {
        using var meters = new MeterFactory();
        await using var cache = new TieredCache(new TieredCacheOptions { Memory = { CapacityBytes = 2 << 20 } }, meters: meters);
        var seen = new SortedSet<string>();
        var instruments = new SortedSet<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (!ReferenceEquals(instrument.Meter, meters.Created)) return;
                instruments.Add($"{instrument.Name} [{instrument.Unit}]");
                listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, tags, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, tags, value > 0 ? 1 : 0));
        listener.Start();

        for (var i = 0; i < 12; i++) await (await cache.GetOrCreateAsync(Key(i), 256 << 10, EntryPolicy.Relayed, Maker(Key(i)), default)).DisposeAsync();
        await (await cache.GetOrCreateAsync(Key(11), 0, EntryPolicy.Relayed, NeverCalled, default)).DisposeAsync();
        listener.RecordObservableInstruments();

        Assert.Equal("Platform.TieredCache", meters.Created!.Name);
        Assert.Equal(
        [
            "platform.cache.corruptions [{entry}]", "platform.cache.entries [{entry}]", "platform.cache.evictions [{entry}]",
            "platform.cache.expirations [{entry}]", "platform.cache.fetch.duration [s]", "platform.cache.requests [{request}]", "platform.cache.size [By]",
        ], instruments);
        Assert.Equal(
        [
            "platform.cache.corruptions kind=frame tier=memory 0",
            "platform.cache.entries kind=frame tier=memory 7",
            "platform.cache.evictions kind=frame tier=memory 5",
            "platform.cache.expirations kind=frame tier=memory 0",
            "platform.cache.fetch.duration kind=frame tier=origin 1",
            "platform.cache.requests kind=frame result=hit tier=memory 1",
            "platform.cache.requests kind=frame result=miss tier=memory 12",
            "platform.cache.requests kind=frame result=miss tier=origin 12",
            $"platform.cache.size kind=frame tier=memory {7 * ((256 << 10) + MemoryTier.EntryOverheadBytes)}",
        ], seen);

        void Add(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags, long value)
        {
            var names = tags.ToArray().Select(tag =>
            {
                Assert.StartsWith("platform.cache.", tag.Key);
                return $"{tag.Key["platform.cache.".Length..]}={tag.Value}";
            }).Order();
            seen.Add($"{instrument.Name} {string.Join(' ', names)} {value}");
        }
    }

    [Fact]
    public void NameOf_EveryValue_IsPinned()
    {
        Assert.Equal(["memory", "redis", "disk", "object", "origin"], Enum.GetValues<CacheTier>().Select(CacheMetrics.NameOf));
        Assert.Equal(["hit", "miss", "coalesced", "bypass", "error"], Enum.GetValues<CacheResult>().Select(CacheMetrics.NameOf));
        Assert.Equal(["frame", "metadata", "thumbnail", "rendered", "tile", "file", "manifest", "frame_index", "model", "result"],
            Enum.GetValues<EntryKind>().Select(CacheMetrics.NameOf));
    }

    private sealed class MeterFactory : IMeterFactory
    {
        public Meter? Created { get; private set; }

        public Meter Create(MeterOptions options) => Created = new Meter(options);

        public void Dispose() => Created?.Dispose();
    }
}
