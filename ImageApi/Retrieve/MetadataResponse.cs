using System.Buffers;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using Platform.TieredCache;

namespace ImageApi.Retrieve;

/// <summary>Sends metadata: one ready document in the coding asked for, or several joined into one array as they are.</summary>
internal sealed class MetadataResponse(MetadataService metadata, EntityResponse responses)
{
    public async Task SendAsync(HttpContext context, IReadOnlyList<MetadataPart> parts, Digest256 content)
    {
        var freshness = VersionedUrl.Check(context.Request, content, Freshness.Revalidate, out var problem);
        var offer = ContentNegotiation.Choose(context.Request, RetrieveOffers.Metadata);
        if (problem is null && offer is null)
            problem = RetrieveOffers.NotAcceptableMetadata;
        if (problem is not null)
            await problem.ExecuteAsync(context);
        else if (parts.Count == 1)
            await SendOneAsync(context, parts[0], offer!.ContentType, freshness);
        else
            await SendJoinedAsync(context, parts, content, offer!.ContentType, freshness);
    }

    private async Task SendOneAsync(HttpContext context, MetadataPart part, string contentType, Freshness freshness)
    {
        var coding = ContentCodings.Choose(context.Request.Headers.AcceptEncoding);
        var document = new Document(part.Content, MetadataService.Recipe, part.Index);
        var entity = new Entity(document.EntityTag(contentType, coding), contentType, freshness) { ContentEncoding = coding.Token() };
        if (!await responses.BeginAsync(context, entity))
            return;
        await using var lease = await metadata.GetAsync(part, coding, context.RequestAborted);
        CacheStatus.Write(context, lease.Outcome, part.Instances[0].OriginName);
        await EntityResponse.SendAsync(context, entity, lease);
    }

    // Large metadata goes out as it is: no variant of the whole is kept, and none is made per request.
    private async Task SendJoinedAsync(HttpContext context, IReadOnlyList<MetadataPart> parts, Digest256 content, string contentType, Freshness freshness)
    {
        var entity = new Entity(EntityTags.Of("joined-metadata", content, contentType), contentType, freshness);
        if (!await responses.BeginAsync(context, entity) || HttpMethods.IsHead(context.Request.Method))
            return;
        var cancellationToken = context.RequestAborted;
        var hasAny = false;
        foreach (var part in parts)
        {
            if (part.Instances.Count == 0)
                continue;
            await using var lease = await metadata.GetAsync(part, ContentCoding.Identity, cancellationToken);
            await lease.WaitUntilCompleteAsync(cancellationToken);
            if (!hasAny)
            {
                CacheStatus.Write(context, lease.Outcome, part.Instances[0].OriginName);
                await context.Response.StartAsync(cancellationToken);
            }
            context.Response.BodyWriter.Write(hasAny ? ","u8 : "["u8);
            hasAny = true;
            // Without its brackets: each part is an array of its own.
            await lease.CopyToAsync(context.Response.BodyWriter, 1, lease.Header.Length!.Value - 2, cancellationToken);
        }
        context.Response.BodyWriter.Write(hasAny ? "]"u8 : "[]"u8);
        await context.Response.BodyWriter.FlushAsync(cancellationToken);
    }
}
