using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using ImageApi.Catalog;
using ImageApi.Frames;
using ImageApi.HttpCaching;
using ImageApi.Manifest;
using Platform.TieredCache;

namespace ImageApi.Preview;

/// <summary>One frame of a series.</summary>
internal readonly record struct SeriesFrame(InstanceEntry Instance, int FrameIndex);

/// <summary>The frames of a series in the manifest's order, and the one that a viewer opens on.</summary>
internal sealed record FrameOrder(IReadOnlyList<SeriesFrame> Frames, int Opening);

/// <summary>In which order the frames of a series are shown: the manifest's, read out of it once.</summary>
internal sealed class SeriesFrames(ManifestService manifests)
{
    private const int GenerationItems = 32;

    private readonly Lock _lock = new();
    private Dictionary<Digest256, FrameOrder> _newer = [], _older = [];

    public async ValueTask<FrameOrder> GetAsync(SeriesEntry series, CancellationToken cancellationToken)
    {
        lock (_lock)
            if (_newer.TryGetValue(series.Content, out var known) || _older.TryGetValue(series.Content, out known)) return known;
        var order = await ReadAsync(series, cancellationToken);
        lock (_lock)
        {
            if (_newer.Count >= GenerationItems) (_older, _newer) = (_newer, []);
            _newer[series.Content] = order;
        }
        return order;
    }

    private async ValueTask<FrameOrder> ReadAsync(SeriesEntry series, CancellationToken cancellationToken)
    {
        await using var lease = await manifests.GetAsync(series, ContentCoding.Identity, cancellationToken);
        using var copy = new LeasedBytes();
        var bytes = await copy.ReadAsync(lease, int.MaxValue, cancellationToken);
        var document = Read(bytes);
        var frames = new List<SeriesFrame>(document.Frames.Count);
        foreach (var frame in document.Frames)
        {
            if (!series.TryGetInstance(frame.Instance, out var instance)) throw new InvalidDataException("A manifest names an instance that its series lacks.");
            frames.Add(new SeriesFrame(instance, frame.Frame - 1));
        }
        return new FrameOrder(frames, document.Geometry is { IsVolume: true } ? frames.Count / 2 : 0);
    }

    private static OrderDocument Read(ReadOnlySequence<byte> bytes)
    {
        var json = new Utf8JsonReader(bytes);
        return JsonSerializer.Deserialize(ref json, OrderJson.Default.OrderDocument) ?? throw new InvalidDataException("A manifest is empty.");
    }

    internal sealed record OrderDocument(IReadOnlyList<OrderFrame> Frames, OrderGeometry? Geometry);

    internal sealed record OrderFrame(string Instance, int Frame);

    internal sealed record OrderGeometry(bool? IsVolume);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SeriesFrames.OrderDocument))]
internal sealed partial class OrderJson : JsonSerializerContext;
