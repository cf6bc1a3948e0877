using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Origins;
using ImageApi.Origins.Dicomweb;
using Platform.TieredCache;

namespace ImageApi.Retrieve;

/// <summary>Sends instances as the files they are: streamed from their origin, never whole in memory.</summary>
internal sealed class InstanceResponse(ICatalog catalog, IOrigins origins, EntityResponse responses)
{
    /// <summary>One instance as a single part, with ranges.</summary>
    public async Task SendAsync(HttpContext context, InstanceEntry instance, string contentType, Freshness freshness)
    {
        var key = new CacheKey(instance.HeaderContent, EntryKind.File, RecipeId.AsStored, 0);
        var entity = new Entity(EntityTags.Of(key, contentType), contentType, freshness)
        {
            AcceptsRanges = true,
            LastModified = instance.IsRemote ? null : LastModified(instance),
        };
        if (!await responses.BeginAsync(context, entity))
            return;
        if (instance.IsRemote)
        {
            await using var lease = await GetAsync(instance, context.RequestAborted);
            CacheStatus.Write(context, lease.Outcome, instance.OriginName);
            await EntityResponse.SendAsync(context, entity, lease);
            return;
        }
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
        if (!instances.Any(instance => instance.IsRemote))
            context.Response.ContentLength = Length(body, instances);
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        var cancellationToken = context.RequestAborted;
        var isFirst = true;
        foreach (var instance in instances)
        {
            var header = body.PartHeader(PartType(instance), InstanceUrl.Of(instance), isFirst);
            if (instance.IsRemote)
            {
                await using var lease = await GetAsync(instance, cancellationToken);
                await WriteHeaderAsync(context, header, isFirst);
                await lease.CopyToAsync(context.Response.BodyWriter, 0, null, cancellationToken);
            }
            else
            {
                await using var read = await OpenAsync(instance, range: null, cancellationToken);
                await WriteHeaderAsync(context, header, isFirst);
                await read.CopyToAsync(context.Response.BodyWriter, cancellationToken);
            }
            isFirst = false;
        }
        await context.Response.BodyWriter.WriteAsync(body.Close, cancellationToken);
    }

    private static async ValueTask WriteHeaderAsync(HttpContext context, ReadOnlyMemory<byte> header, bool isFirst)
    {
        if (isFirst)
            await context.Response.StartAsync(context.RequestAborted);
        await context.Response.BodyWriter.WriteAsync(header, context.RequestAborted);
    }

    /// <summary>An instance of an origin behind a network: by way of the tiers.</summary>
    private async ValueTask<CacheLease> GetAsync(InstanceEntry instance, CancellationToken cancellationToken)
    {
        try
        {
            return await ((DicomwebOrigin)origins.Of(instance)).GetInstanceAsync(instance, cancellationToken);
        }
        catch (OriginException exception) when (Healing.IsStale(exception))
        {
            await catalog.HealAsync(instance, cancellationToken);
            throw;
        }
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
