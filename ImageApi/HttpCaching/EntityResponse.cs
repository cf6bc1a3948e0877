using System.Globalization;
using ImageApi.Problems;
using Microsoft.Extensions.Options;
using Platform.TieredCache;

namespace ImageApi.HttpCaching;

/// <summary>What describes a representation before its first byte.</summary>
internal readonly record struct Entity(string EntityTag, string ContentType, Freshness Freshness)
{
    public string? ContentEncoding { get; init; }
    public DateTimeOffset? LastModified { get; init; }

    /// <summary>Whether single ranges of it are served. Not for encoded and multipart bodies.</summary>
    public bool AcceptsRanges { get; init; }

    /// <summary>
    /// The request headers that chose it, for <c>Vary</c>. Origin is among them always: what a browser kept of a request without it
    /// lacks the headers that let another origin's script read it.
    /// </summary>
    public string Vary { get; init; } = "Accept, Accept-Encoding, Origin";

    public Entity() : this("", "", Freshness.Revalidate) { }
}

/// <summary>
/// Answers that can be validated: headers, conditions, HEAD and ranges, in one place for every slice (RFC 9110 13 and 14).
/// </summary>
internal sealed class EntityResponse(IOptions<HttpCachingOptions> options)
{
    private readonly HttpCachingOptions _options = options.Value;

    /// <summary>
    /// Writes what a 304 must repeat (ETag, Cache-Control, Vary, Last-Modified) and answers 304 or 412 from the validators alone.
    /// True when the caller is to send the representation.
    /// </summary>
    public async ValueTask<bool> BeginAsync(HttpContext context, Entity entity)
    {
        var headers = context.Response.Headers;
        headers.ETag = entity.EntityTag;
        headers.CacheControl = FreshnessHeaders.CacheControl(context, entity.Freshness, _options);
        headers[FreshnessHeaders.CdnHeaderName] = FreshnessHeaders.CdnCacheControl(context, entity.Freshness, _options);
        headers.Vary = entity.Vary;
        headers["Timing-Allow-Origin"] = "*";
        if (entity.LastModified is { } modified)
            headers.LastModified = modified.ToString("R", CultureInfo.InvariantCulture);
        switch (Preconditions.Evaluate(context.Request, entity.EntityTag, entity.LastModified))
        {
            case Precondition.NotModified:
                context.Response.StatusCode = StatusCodes.Status304NotModified;
                return false;
            case Precondition.Failed:
                await new Problem(ProblemTypes.PreconditionFailed, "Precondition failed", StatusCodes.Status412PreconditionFailed,
                    "The representation is not the one that the request's conditions name.").ExecuteAsync(context);
                return false;
        }
        headers.ContentType = entity.ContentType;
        if (entity.ContentEncoding is not null)
            headers.ContentEncoding = entity.ContentEncoding;
        if (entity.AcceptsRanges)
            headers.AcceptRanges = "bytes";
        return true;
    }

    /// <summary>
    /// Writes the length, honouring a single range. Returns the bytes to send, or null when the answer has no body: HEAD, or a range
    /// beyond the end (416).
    /// </summary>
    public static async ValueTask<(long Offset, long Count)?> ResolveAsync(HttpContext context, Entity entity, long length)
    {
        var (request, response) = (context.Request, context.Response);
        var isHead = HttpMethods.IsHead(request.Method);
        var (offset, count) = (0L, length);
        // RFC 9110 14.2: a range is defined for GET only.
        if (entity.AcceptsRanges && !isHead && request.Headers.Range.Count > 0 && Preconditions.IfRangeHolds(request, entity.EntityTag, entity.LastModified))
        {
            switch (RangeHeader.Resolve(request.Headers.Range, length, out offset, out count))
            {
                case RangeOutcome.Partial:
                    response.StatusCode = StatusCodes.Status206PartialContent;
                    response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {offset}-{offset + count - 1}/{length}");
                    break;
                case RangeOutcome.Unsatisfiable:
                    response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{length}");
                    await new Problem(ProblemTypes.RangeNotSatisfiable, "Range not satisfiable", StatusCodes.Status416RangeNotSatisfiable,
                        $"The representation has {length} bytes.").ExecuteAsync(context);
                    return null;
            }
        }
        response.ContentLength = count;
        return isHead ? null : (offset, count);
    }

    /// <summary>Sends a value of the cache, or a range of it. The caller keeps the lease.</summary>
    public static async ValueTask SendAsync(HttpContext context, Entity entity, CacheLease lease)
    {
        var cancellationToken = context.RequestAborted;
        if (lease.Header.Length is null)
            await lease.WaitUntilCompleteAsync(cancellationToken);
        if (await ResolveAsync(context, entity, lease.Header.Length!.Value) is not { } range)
            return;
        await context.Response.StartAsync(cancellationToken);
        await lease.CopyToAsync(context.Response.BodyWriter, range.Offset, range.Count, cancellationToken);
    }
}
