using ImageApi.Catalog;
using ImageApi.Frames;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Origins;
using ImageApi.Problems;
using Platform.Dicom;
using Platform.TieredCache;

namespace ImageApi.Retrieve;

/// <summary>
/// Sends the value of one element of an instance (PS3.18 10.4.1.1.5), by the path that the metadata's BulkDataURI gives. Pixels in a compressed
/// transfer syntax have no single value: they go out as their frames.
/// </summary>
internal sealed class BulkDataResponse(ITieredCache cache, ICatalog catalog, IOrigins origins, EntityResponse responses, FrameResponse frames)
{
    private static readonly EntryPolicy Policy = EntryPolicy.For(EntryKind.File), LocalPolicy = Policy.WithoutDisk();
    private const int MaxPathLength = 1024;
    private const string PixelData = "7FE00010";

    public async Task ServeAsync(HttpContext context, InstanceEntry instance, string path)
    {
        path = path.ToUpperInvariant();
        if (!IsPath(path))
        {
            await Problem.NotFound("The bulk data path is not one of tags and item numbers.").ExecuteAsync(context);
            return;
        }
        if (path == PixelData && instance.HasPixels && DicomTransferSyntax.FromUid(instance.TransferSyntaxUid).IsEncapsulated)
        {
            await frames.ServeAsync(context, instance, [.. Enumerable.Range(1, instance.FrameCount)]);
            return;
        }
        var freshness = VersionedUrl.Check(context.Request, instance.HeaderContent, Freshness.Hour, out var problem);
        var offer = ContentNegotiation.Choose(context.Request, RetrieveOffers.BulkData);
        if (problem is null && offer is null)
            problem = RetrieveOffers.NotAcceptableBulkData;
        if (problem is not null)
        {
            await problem.ExecuteAsync(context);
            return;
        }
        try
        {
            await SendAsync(context, instance, path, offer!, freshness);
        }
        catch (NoSuchValueException)
        {
            await Problem.NotFound("The instance has no bulk data by this path.").ExecuteAsync(context);
        }
    }

    private async Task SendAsync(HttpContext context, InstanceEntry instance, string path, Offer offer, Freshness freshness)
    {
        var key = new CacheKey(instance.HeaderContent, EntryKind.File, RecipeId.Of("bulkdata", 1, System.Text.Encoding.ASCII.GetBytes(path)), 0);
        var entityTag = EntityTags.Of(key, offer.IsMultipart ? "multipart" : "single");
        var multipart = offer.IsMultipart ? new MultipartBody(offer.MediaType, entityTag) : null;
        var entity = new Entity(entityTag, multipart?.ContentType ?? offer.ContentType, freshness) { AcceptsRanges = multipart is null };
        // A value that does not exist must not be "not modified": the look comes first.
        await using var lease = await GetAsync(key, instance, path, context.RequestAborted);
        if (!await responses.BeginAsync(context, entity))
            return;
        CacheStatus.Write(context, lease.Outcome, instance.OriginName);
        if (multipart is null)
        {
            await EntityResponse.SendAsync(context, entity, lease);
            return;
        }
        var location = $"{InstanceUrl.Of(instance)}/bulkdata/{path}";
        if (lease.Header.Length is { } length)
            context.Response.ContentLength = multipart.PartHeaderLength(offer.ContentType, location, isFirst: true) + length + multipart.Close.Length;
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        await context.Response.StartAsync(context.RequestAborted);
        await context.Response.BodyWriter.WriteAsync(multipart.PartHeader(offer.ContentType, location, isFirst: true), context.RequestAborted);
        await lease.CopyToAsync(context.Response.BodyWriter, 0, null, context.RequestAborted);
        await context.Response.BodyWriter.WriteAsync(multipart.Close, context.RequestAborted);
    }

    private ValueTask<CacheLease> GetAsync(CacheKey key, InstanceEntry instance, string path, CancellationToken cancellationToken) =>
        cache.GetOrCreateAsync(key, (Response: this, Instance: instance, Path: path), PolicyOf(instance),
            static (value, to, token) => value.Response.ReadAsync(value.Instance, value.Path, to, token), cancellationToken);

    // What lies on this machine is read from there as fast as from the disk tier.
    private EntryPolicy PolicyOf(InstanceEntry instance) =>
        origins.TryGet<IOrigin>(instance.OriginName, out var origin) && origin.Traits.HasFlag(OriginTraits.Local) ? LocalPolicy : Policy;

    private async Task ReadAsync(InstanceEntry instance, string path, EntryWriter to, CancellationToken cancellationToken)
    {
        try
        {
            if (!await origins.Of(instance).ReadBulkDataAsync(instance, path, to, cancellationToken))
                throw new NoSuchValueException();
        }
        catch (OriginException exception) when (Healing.IsStale(exception))
        {
            await catalog.HealAsync(instance, cancellationToken);
            throw;
        }
    }

    // Tags with 0-based item numbers between them: 00091010, 54000100/0/54001010.
    private static bool IsPath(string path)
    {
        if (path.Length is 0 or > MaxPathLength)
            return false;
        var isTag = true;
        foreach (var range in path.AsSpan().Split('/'))
        {
            var part = path.AsSpan()[range];
            var isValid = isTag
                ? part.Length == 8 && !part.ContainsAnyExcept("0123456789ABCDEF")
                : part.Length is > 0 and <= 9 && !part.ContainsAnyExceptInRange('0', '9');
            if (!isValid)
                return false;
            isTag = !isTag;
        }
        return !isTag;
    }

    private sealed class NoSuchValueException : Exception;
}
