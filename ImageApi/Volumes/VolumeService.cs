using System.Text.Json;
using ImageApi.HttpCaching;
using ImageApi.Origins;
using Microsoft.Extensions.Options;
using Platform.Nifti;
using Platform.TieredCache;

namespace ImageApi.Volumes;

/// <summary>
/// Describes volumes: geometry from the file's first bytes, the range of values from all of them. Either is made once per content, and kept in
/// every tier. Geometry does not wait for values.
/// </summary>
internal sealed class VolumeService(ITieredCache cache, IOptions<VolumesOptions> options, TimeProvider time) : IDisposable
{
    public const string MediaType = "application/json";

    private static readonly RecipeId Geometry = RecipeId.Of("volume-geometry", 1);
    private static readonly RecipeId Values = RecipeId.Of("volume-values", 1);
    private static readonly EntryPolicy Policy = EntryPolicy.For(EntryKind.Metadata);

    private readonly SemaphoreSlim _readers = new(options.Value.MaxConcurrentReads);

    public static CacheKey KeyOf(VolumeFiles files, bool withValues) => new(files.Content, EntryKind.Metadata, withValues ? Values : Geometry, 0);

    /// <summary>The description as JSON. The caller disposes the lease.</summary>
    /// <exception cref="OriginException">The origin failed, or a file is not the version that it was.</exception>
    /// <exception cref="InvalidNiftiException">The file is no volume.</exception>
    public ValueTask<CacheLease> GetAsync(VolumeFiles files, bool withValues, CancellationToken cancellationToken) =>
        cache.GetOrCreateAsync(KeyOf(files, withValues), (Service: this, Files: files, WithValues: withValues), Policy, static async (state, to, token) =>
        {
            var document = await state.Service.MakeAsync(state.Files, state.WithValues, token);
            to.Start(new EntryHeader(MediaType) { Tags = [CacheTags.Origin(state.Files.Origin.Name)] });
            await using var json = new Utf8JsonWriter(to);
            JsonSerializer.Serialize(json, document, VolumesJson.Default.VolumeDocument);
        }, cancellationToken);

    /// <summary>The description, where it is known already.</summary>
    public async ValueTask<VolumeDocument?> TryGetAsync(VolumeFiles files, CancellationToken cancellationToken)
    {
        if (await cache.TryGetAsync(KeyOf(files, withValues: false), cancellationToken) is not { } lease) return null;
        await using (lease)
        {
            await lease.WaitUntilCompleteAsync(cancellationToken);
            if (!lease.TryGetBytes(out var bytes)) return null;
            var reader = new Utf8JsonReader(bytes);
            return JsonSerializer.Deserialize(ref reader, VolumesJson.Default.VolumeDocument);
        }
    }

    public void Dispose() => _readers.Dispose();

    private async Task<VolumeDocument> MakeAsync(VolumeFiles files, bool withValues, CancellationToken cancellationToken)
    {
        if (!withValues) return await DescribeAsync(files, withValues: false, cancellationToken);
        using var limit = new CancellationTokenSource(options.Value.ReadTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        await _readers.WaitAsync(either.Token);
        try
        {
            return await DescribeAsync(files, withValues: true, either.Token);
        }
        finally
        {
            _readers.Release();
        }
    }

    private static async Task<VolumeDocument> DescribeAsync(VolumeFiles files, bool withValues, CancellationToken cancellationToken)
    {
        var isPair = files.Image is not null;
        await using var file = await OriginSource.OpenAsync(files.Origin, files.Item, files.Version, isWhole: withValues && !isPair, cancellationToken);
        await using var image = isPair ? await OriginSource.OpenAsync(files.Origin, files.Image!.Value, files.ImageVersion!.Value, isWhole: withValues, cancellationToken) : null;
        var volume = await NiftiVolume.OpenAsync(file, image, options: null, cancellationToken);
        var values = withValues ? await volume.MeasureAsync(progress: null, cancellationToken) : null;
        return VolumeDocument.Of(
            files with { Bytes = file.Length + (image?.Length ?? 0) }, files.Content.ToShortString(),
            VolumeFiles.FileUrl(files.Origin, files.Item), files.Image is { } item ? VolumeFiles.FileUrl(files.Origin, item) : null, volume, values);
    }
}
