using System.Globalization;
using System.Text;
using ImageApi.HttpCaching;
using Platform.TieredCache;

namespace ImageApi.Origins.Dicomweb;

/// <summary>
/// The metadata of series as values of the cache, twice: as a server was asked in one span of freshness (so that all nodes of a Redis ask once), and for good
/// under their own digest (so that a restart asks for nothing).
/// </summary>
internal sealed class SeriesMetadata(string originName, DicomwebClient client, ITieredCache cache, TimeProvider time, TimeSpan freshFor)
{
    /// <summary>The most bytes of one series' metadata.</summary>
    public const int MaxBytes = 64 << 20;

    private static readonly RecipeId Asked = RecipeId.Of("dicomweb-metadata-asked", 1);
    private static readonly RecipeId Kept = RecipeId.Of("dicomweb-metadata", 1);

    private readonly EntryPolicy _askedPolicy = EntryPolicy.Derived with { Remote = true, Ttl = freshFor * 2, MaxDerivedBytes = MaxBytes, MaxMemoryBytes = MaxBytes };
    private static readonly EntryPolicy KeptPolicy = EntryPolicy.For(EntryKind.Metadata) with { MaxDerivedBytes = MaxBytes };

    /// <summary>
    /// Asks the server, unless it or another node did in this span. The lease's header tells when (<see cref="EntryHeader.MadeAt"/>) and the body's digest.
    /// The caller disposes the lease.
    /// </summary>
    /// <param name="series">Which.</param>
    /// <param name="known">The digest of the metadata that are known, with the entity tag that they came with; null where there are none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OriginException">Absent, or the server failed.</exception>
    public async ValueTask<CacheLease> AskAsync(SeriesRef series, (Digest256 Metadata, string EntityTag)? known, CancellationToken cancellationToken)
    {
        var lease = await cache.GetOrCreateAsync(AskedKey(series), (Metadata: this, Series: series, Known: known), _askedPolicy,
            static (state, to, token) => state.Metadata.FetchAsync(state.Series, state.Known, to, token), cancellationToken);
        await lease.WaitUntilCompleteAsync(cancellationToken);
        return lease;
    }

    /// <summary>Forgets what the server was asked in this span: it sent what cannot be read, or is known to have changed.</summary>
    public ValueTask ForgetAsync(SeriesRef series, CancellationToken cancellationToken) => cache.RemoveAsync(AskedKey(series), cancellationToken);

    /// <summary>The metadata of a digest; asks the server again where no tier has them, and refuses others. The caller disposes the lease.</summary>
    /// <exception cref="OriginException">Changed: the server has others now; or it failed.</exception>
    public async ValueTask<CacheLease> GetAsync(SeriesRef series, Digest256 metadata, CancellationToken cancellationToken)
    {
        var lease = await cache.GetOrCreateAsync(KeptKey(series, metadata), (Metadata: this, Series: series, Digest: metadata), KeptPolicy, static async (state, to, token) =>
        {
            await using var asked = await state.Metadata.AskAsync(state.Series, null, token);
            if (asked.Header.BodyDigest != state.Digest) throw new OriginException(OriginFailure.Changed, "The series is not as it was.");
            to.Start(new EntryHeader(DicomwebClient.DicomJson) { Length = asked.Header.Length, Tags = state.Metadata.TagsOf(state.Series) });
            await CopyAsync(asked, to, token);
        }, cancellationToken);
        await lease.WaitUntilCompleteAsync(cancellationToken);
        return lease;
    }

    /// <summary>The metadata of a digest if a tier of this node has them. The caller disposes the lease.</summary>
    public ValueTask<CacheLease?> TryGetAsync(SeriesRef series, Digest256 metadata, CancellationToken cancellationToken) =>
        cache.TryGetAsync(KeptKey(series, metadata), cancellationToken);

    public System.Collections.Immutable.ImmutableArray<CacheTag> TagsOf(SeriesRef series) =>
        [CacheTags.Origin(originName), CacheTags.Study(series.StudyUid), CacheTags.Series(series.SeriesUid)];

    private async Task FetchAsync(SeriesRef series, (Digest256 Metadata, string EntityTag)? known, EntryWriter to, CancellationToken cancellationToken)
    {
        var response = await client.GetAsync(client.UriOf(ItemOf(series) + "/metadata"), DicomwebClient.DicomJson, known?.EntityTag, cancellationToken);
        if (response.StatusCode == System.Net.HttpStatusCode.NotModified)
        {
            response.Dispose();
            if (await TryGetAsync(series, known!.Value.Metadata, cancellationToken) is { } same)
            {
                await using (same)
                {
                    to.Start(new EntryHeader(DicomwebClient.DicomJson) { Tags = TagsOf(series), Extra = Encoding.ASCII.GetBytes(known.Value.EntityTag) });
                    await CopyAsync(same, to, cancellationToken);
                    return;
                }
            }
            response = await client.GetAsync(client.UriOf(ItemOf(series) + "/metadata"), DicomwebClient.DicomJson, null, cancellationToken);
        }

        // Strong ones only: a weak one does not promise the same bytes.
        var entityTag = response.Headers.ETag is { IsWeak: false } tag ? tag.Tag : "";
        await using var part = await DicomwebPart.OpenAsync(response, cancellationToken);
        var first = await part.ReadAsync(cancellationToken);
        if (first.IsEmpty) throw new OriginException(OriginFailure.Absent, "The origin has no such series.") { Status = 204 };
        to.Start(new EntryHeader(DicomwebClient.DicomJson) { Tags = TagsOf(series), Extra = entityTag.Length is > 0 and <= 1024 ? Encoding.ASCII.GetBytes(entityTag) : default });
        await part.CopyToAsync(to, first, part.Length, MaxBytes, cancellationToken);
    }

    private static async Task CopyAsync(CacheLease from, EntryWriter to, CancellationToken cancellationToken)
    {
        await using var stream = await LeaseStream.OpenAsync(from, cancellationToken);
        for (int read; (read = await stream.ReadAsync(to.GetMemory(64 << 10), cancellationToken)) > 0;) to.Advance(read);
    }

    private static string ItemOf(SeriesRef series) => $"studies/{series.StudyUid}/series/{series.SeriesUid}";

    private CacheKey AskedKey(SeriesRef series)
    {
        var span = time.GetUtcNow().UtcTicks / Math.Max(1, freshFor.Ticks);
        return new CacheKey(OriginVersion.ContentOf(originName, ItemOf(series), string.Create(CultureInfo.InvariantCulture, $"asked:{freshFor.Ticks}:{span}")), EntryKind.Metadata, Asked, 0);
    }

    private CacheKey KeptKey(SeriesRef series, Digest256 metadata) =>
        new(OriginVersion.ContentOf(originName, ItemOf(series), $"metadata:{metadata}"), EntryKind.Metadata, Kept, 0);
}
