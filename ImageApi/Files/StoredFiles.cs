using ImageApi.HttpCaching;
using ImageApi.Origins;
using ImageApi.Problems;
using Microsoft.AspNetCore.StaticFiles;
using Platform.TieredCache;

namespace ImageApi.Files;

/// <summary>
/// Files of origins that do not speak HTTP: a value of the tiered cache per version, read while it arrives. Of an origin on this machine they are read
/// where they lie. A range far beyond what has arrived becomes a request of its own.
/// </summary>
internal sealed class StoredFiles(ITieredCache cache, EntityResponse entities)
{
    private const long FollowBytes = 4 << 20;

    private static readonly EntryPolicy Policy = EntryPolicy.For(EntryKind.File);
    private static readonly FileExtensionContentTypeProvider MediaTypes = new() { Mappings = { [".dcm"] = "application/dicom", [".nii"] = "application/octet-stream" } };

    public async Task SendAsync(HttpContext context, IFileOrigin origin, string pathAndQuery)
    {
        var cancellationToken = context.RequestAborted;
        var query = pathAndQuery.IndexOf('?');
        var item = new OriginItem(Uri.UnescapeDataString(query < 0 ? pathAndQuery : pathAndQuery[..query]));
        if (!origin.Serves(item) || await origin.GetVersionAsync(item, cancellationToken) is not { } version)
        {
            await Problem.NotFound("There is no such file.").ExecuteAsync(context);
            return;
        }

        var key = new CacheKey(OriginVersion.ContentOf(origin.Name, item.Path, version.Value), EntryKind.File, RecipeId.AsStored, 0);
        var mediaType = MediaTypes.TryGetContentType(item.Path, out var known) ? known : "application/octet-stream";
        var entity = new Entity(EntityTags.Of(key, mediaType), mediaType, Freshness.Revalidate) { AcceptsRanges = true, Vary = "Origin" };
        if (!await entities.BeginAsync(context, entity)) return;
        if (origin.Traits.HasFlag(OriginTraits.Local))
        {
            await SendDirectlyAsync(context, entity, origin, item, version, cancellationToken);
            return;
        }

        var lease = await cache.GetOrCreateAsync(key, (origin, item, version, mediaType), Policy, static (state, to, token) => FetchAsync(state.origin, state.item, state.version, state.mediaType, to, token), cancellationToken);
        await using (lease)
        {
            CacheStatus.Write(context, lease.Outcome, origin.Name);
            if (lease.Header.Length is { } length && RangeHeader.Resolve(context.Request.Headers.Range, length, out var offset, out _) == RangeOutcome.Partial && offset > lease.AvailableBytes + FollowBytes)
                await SendDirectlyAsync(context, entity, origin, item, version, cancellationToken);
            else
                await EntityResponse.SendAsync(context, entity, lease);
        }
    }

    private static async Task FetchAsync(IFileOrigin origin, OriginItem item, OriginVersion version, string mediaType, EntryWriter to, CancellationToken cancellationToken)
    {
        await using var read = await origin.OpenAsync(item, version, null, cancellationToken);
        to.Start(new EntryHeader(mediaType) { Length = read.Length, Tags = [CacheTag.Of("origin", origin.Name)] });
        await read.CopyToAsync(to, cancellationToken);
    }

    private static async Task SendDirectlyAsync(HttpContext context, Entity entity, IFileOrigin origin, OriginItem item, OriginVersion version, CancellationToken cancellationToken)
    {
        // The length is known once the item is open; a range of it is opened in its place.
        ByteRange? range = null;
        var read = await origin.OpenAsync(item, version, new ByteRange(0, 1), cancellationToken);
        long length;
        await using (read) length = read.TotalLength;
        if (await EntityResponse.ResolveAsync(context, entity, length) is not { } wanted) return;
        range = new ByteRange(wanted.Offset, wanted.Count);
        if (wanted.Count == 0) return;
        await using var part = await origin.OpenAsync(item, version, range, cancellationToken);
        await context.Response.StartAsync(cancellationToken);
        await part.CopyToAsync(context.Response.BodyWriter, cancellationToken);
    }
}
