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
            await using var read = await origin.OpenAsync(item, version, null, cancellationToken);
            await SendDirectlyAsync(context, entity, origin, item, read, cancellationToken);
            return;
        }

        var lease = await cache.GetOrCreateAsync(key, (origin, item, version, mediaType), Policy, static (state, to, token) => FetchAsync(state.origin, state.item, state.version, state.mediaType, to, token), cancellationToken);
        await using (lease)
        {
            CacheStatus.Write(context, lease.Outcome, origin.Name);
            if (lease.Header.Length is { } length && RangeHeader.Resolve(context.Request.Headers.Range, length, out var offset, out var count) == RangeOutcome.Partial && offset > lease.AvailableBytes + FollowBytes)
            {
                await using var far = await origin.OpenAsync(item, version, new ByteRange(offset, count), cancellationToken);
                await SendDirectlyAsync(context, entity, origin, item, far, cancellationToken);
            }
            else
            {
                await EntityResponse.SendAsync(context, entity, lease);
            }
        }
    }

    private static async Task FetchAsync(IFileOrigin origin, OriginItem item, OriginVersion version, string mediaType, EntryWriter to, CancellationToken cancellationToken)
    {
        await using var read = await origin.OpenAsync(item, version, null, cancellationToken);
        to.Start(new EntryHeader(mediaType) { Length = read.Length, Tags = [CacheTag.Of("origin", origin.Name)] });
        await read.CopyToAsync(to, cancellationToken);
    }

    /// <summary>Sends what the request wants of an item without a tier between: from <paramref name="read"/> if that is what it holds, else from a range of the same version.</summary>
    private static async Task SendDirectlyAsync(HttpContext context, Entity entity, IFileOrigin origin, OriginItem item, OriginRead read, CancellationToken cancellationToken)
    {
        if (await EntityResponse.ResolveAsync(context, entity, read.TotalLength) is not { } wanted) return;
        CacheStatus.WriteOrigin(context, origin.Name);
        await context.Response.StartAsync(cancellationToken);
        if (wanted.Offset == read.Offset && wanted.Count == read.Length)
        {
            await read.CopyToAsync(context.Response.BodyWriter, cancellationToken);
            return;
        }

        await using var part = await origin.OpenAsync(item, read.Version, new ByteRange(wanted.Offset, wanted.Count), cancellationToken);
        await part.CopyToAsync(context.Response.BodyWriter, cancellationToken);
    }
}
