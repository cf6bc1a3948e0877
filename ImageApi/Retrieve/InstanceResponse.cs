using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Origins;
using Platform.TieredCache;

namespace ImageApi.Retrieve;

/// <summary>Sends instances as the files they are: streamed from their origin, never whole in memory.</summary>
internal sealed class InstanceResponse(ICatalog catalog, IOrigins origins, EntityResponse responses)
{
    /// <summary>One instance as a single part, with ranges.</summary>
    public async Task SendAsync(HttpContext context, InstanceEntry instance, string contentType, Freshness freshness)
    {
        var key = new CacheKey(instance.Content, EntryKind.File, RecipeId.AsStored, 0);
        var entity = new Entity(EntityTags.Of(key, contentType), contentType, freshness)
        {
            AcceptsRanges = true,
            LastModified = LastModified(instance),
        };
        if (!await responses.BeginAsync(context, entity))
            return;
        CacheStatus.WriteOrigin(context, instance.OriginName);
        if (await EntityResponse.ResolveAsync(context, entity, instance.Stamp.Length) is not { } range)
            return;
        await using var read = await OpenAsync(instance, new ByteRange(range.Offset, range.Count), context.RequestAborted);
        await context.Response.StartAsync(context.RequestAborted);
        await read.CopyToAsync(context.Response.BodyWriter, context.RequestAborted);
    }

    /// <summary>Any number of instances as one multipart body. <paramref name="content"/> changes whenever one of them does.</summary>
    public async Task SendMultipartAsync(HttpContext context, IReadOnlyCollection<InstanceEntry> instances, Digest256 content, Freshness freshness)
    {
        var entityTag = EntityTags.Of("instances", content);
        var body = new MultipartBody(TransferSyntaxMediaTypes.Dicom, entityTag);
        if (!await responses.BeginAsync(context, new Entity(entityTag, body.ContentType, freshness)))
            return;
        CacheStatus.WriteOrigin(context, instances.First().OriginName);
        context.Response.ContentLength = Length(body, instances);
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        var cancellationToken = context.RequestAborted;
        var isFirst = true;
        foreach (var instance in instances)
        {
            await using var read = await OpenAsync(instance, range: null, cancellationToken);
            if (isFirst)
                await context.Response.StartAsync(cancellationToken);
            await context.Response.BodyWriter.WriteAsync(body.PartHeader(PartType(instance), InstanceUrl.Of(instance), isFirst), cancellationToken);
            await read.CopyToAsync(context.Response.BodyWriter, cancellationToken);
            isFirst = false;
        }
        await context.Response.BodyWriter.WriteAsync(body.Close, cancellationToken);
    }

    private async Task<OriginRead> OpenAsync(InstanceEntry instance, ByteRange? range, CancellationToken cancellationToken)
    {
        try
        {
            var read = await origins.Of(instance).OpenAsync(instance, range, cancellationToken);
            if (read.TotalLength == instance.Stamp.Length)
                return read;
            await read.DisposeAsync();
            throw new OriginException(OriginFailure.Changed, "The instance has another length than the catalog says.");
        }
        catch (OriginException exception) when (Healing.IsStale(exception))
        {
            await catalog.HealAsync(instance, cancellationToken);
            throw;
        }
    }

    private static long Length(MultipartBody body, IReadOnlyCollection<InstanceEntry> instances)
    {
        long total = body.Close.Length;
        var isFirst = true;
        foreach (var instance in instances)
        {
            total += body.PartHeaderLength(PartType(instance), InstanceUrl.Of(instance), isFirst) + instance.Stamp.Length;
            isFirst = false;
        }
        return total;
    }

    private static string PartType(InstanceEntry instance) => $"{TransferSyntaxMediaTypes.Dicom};transfer-syntax={instance.TransferSyntaxUid}";

    private static DateTimeOffset LastModified(InstanceEntry instance) =>
        DateTimeOffset.UnixEpoch.AddTicks(instance.Stamp.ModifiedNs / TimeSpan.NanosecondsPerTick);
}
