using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Origins;
using ImageApi.Origins.Dicomweb;
using ImageApi.Problems;
using ImageApi.Retrieve;
using Microsoft.Extensions.Options;
using Platform.TieredCache;

namespace ImageApi.Search;

/// <summary>
/// Answers searches. The instances of a series without further conditions are a ready document of the series' content; everything else is asked of
/// the catalog, and validated by the catalog's generation, so that a page that is asked for again costs nothing.
/// </summary>
internal sealed class SearchResponse(ICatalog all, DocumentCache documents, EntityResponse responses, IOptions<SearchOptions> options)
{
    public const string TotalCountHeader = "X-Total-Count";

    private static readonly DocumentRecipe InstancesOfSeries = new(EntryKind.Metadata, "search-instances-of-series", 1);

    // The catalog's generation counts changes of one process's life: tags of another process must not match.
    private readonly string _process = Convert.ToHexString(RandomNumberGenerator.GetBytes(8));

    public async Task ServeAsync(HttpContext context, CatalogLevel level, string? studyUid, string? seriesUid)
    {
        var offer = ContentNegotiation.Choose(context.Request, RetrieveOffers.Metadata);
        var search = SearchRequest.Parse(level, studyUid, seriesUid, context.Request.Query, options.Value.MaxResults, out var problem);
        if (problem is null && offer is null)
            problem = Problem.NotAcceptable($"Search results can be had as {RetrieveOffers.DicomJson}.");
        var catalog = all.Seen(context);
        if (problem is not null && context.Features.Get<OriginScope>()?.Origin is DicomwebOrigin server)
            await PassThrough.SendAsync(context, server, PassThrough.TargetOf(context, server.Name));   // it may know what we do not
        else if (problem is not null)
            await problem.ExecuteAsync(context);
        else if (search!.IsPlain && seriesUid is not null && await catalog.FindSeriesAsync(new SeriesRef(studyUid!, seriesUid), context.RequestAborted) is { } series && series.Instances.Count <= options.Value.MaxResults)
            await SendInstancesOfSeriesAsync(context, catalog, series, search, offer!.ContentType);
        else
            await SendAsync(context, catalog, search, offer!.ContentType);
    }

    private async Task SendAsync(HttpContext context, ICatalog catalog, SearchRequest search, string contentType)
    {
        // Read before the search: should the catalog change between, the tag names the older state and the next request asks again.
        var generation = catalog.Generation;
        var request = context.Request;
        if (generation == 0)
        {
            await SendMergedAsync(context, catalog, search, contentType);
            return;
        }
        var state = string.Create(CultureInfo.InvariantCulture, $"{_process}:{generation}:{context.Features.Get<OriginScope>()?.Origin.Name}");
        var entityTag = EntityTags.Of("search", default, $"{state}\n{contentType}\n{request.Path}\n{request.QueryString}");
        if (!await responses.BeginAsync(context, new Entity(entityTag, contentType, Freshness.Revalidate)))
            return;
        var page = await catalog.QueryAsync(search.Query, context.RequestAborted);
        await SendPageAsync(context, search, page, Write(search, page));
    }

    /// <summary>Where origins over a network have their say only the result tells whether it is the same as before.</summary>
    private async Task SendMergedAsync(HttpContext context, ICatalog catalog, SearchRequest search, string contentType)
    {
        var page = await catalog.QueryAsync(search.Query, context.RequestAborted);
        var body = Write(search, page);
        var entityTag = EntityTags.Of("merged-search", Digest256.HashData(body.WrittenSpan), string.Create(CultureInfo.InvariantCulture, $"{contentType};{page.Total}"));
        if (await responses.BeginAsync(context, new Entity(entityTag, contentType, Freshness.Revalidate)))
            await SendPageAsync(context, search, page, body);
    }

    private static async Task SendPageAsync(HttpContext context, SearchRequest search, CatalogPage page, ArrayBufferWriter<byte> body)
    {
        WriteCounts(context.Response, page, search.Query.Offset + (search.IsCountOnly ? 0 : page.Rows.Count), isCut: !search.IsCountOnly);
        context.Response.ContentLength = body.WrittenCount;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.BodyWriter.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    private static ArrayBufferWriter<byte> Write(SearchRequest search, CatalogPage page)
    {
        var rows = search.IsCountOnly ? [] : page.Rows;
        var buffer = new ArrayBufferWriter<byte>(4096 + (rows.Count * 1024));
        Write(buffer, search, rows);
        return buffer;
    }

    private async Task SendInstancesOfSeriesAsync(HttpContext context, ICatalog catalog, SeriesEntry series, SearchRequest search, string contentType)
    {
        var coding = ContentCodings.Choose(context.Request.Headers.AcceptEncoding);
        var document = new Document(series.Content, InstancesOfSeries);
        var entity = new Entity(document.EntityTag(contentType, coding), contentType, Freshness.Revalidate) { ContentEncoding = coding.Token() };
        context.Response.Headers[TotalCountHeader] = series.Instances.Count.ToString(CultureInfo.InvariantCulture);
        if (!await responses.BeginAsync(context, entity))
            return;
        CacheLease lease;
        try
        {
            lease = await documents.GetAsync(document, coding, (Catalog: catalog, Series: series, Search: search),
                static (state, to, token) => WriteInstancesOfSeriesAsync(state.Catalog, state.Series, state.Search, to, token), context.RequestAborted);
        }
        catch (SeriesChangedException)
        {
            context.Response.Headers.ContentEncoding = default;
            await SendAsync(context, catalog, search, contentType);
            return;
        }
        await using (lease)
        {
            CacheStatus.Write(context, lease.Outcome, "catalog");
            await EntityResponse.SendAsync(context, entity, lease);
        }
    }

    private static async Task WriteInstancesOfSeriesAsync(ICatalog catalog, SeriesEntry series, SearchRequest search, EntryWriter to, CancellationToken cancellationToken)
    {
        var page = await catalog.QueryAsync(search.Query, cancellationToken);
        // The document is named by the content that the look-up saw: rows of another moment must not be kept under that name.
        var now = await catalog.FindSeriesAsync(new SeriesRef(series.StudyUid, series.SeriesUid), cancellationToken);
        if (now is null || now.Content != series.Content || page.Total != series.Instances.Count)
            throw new SeriesChangedException();
        to.Start(new EntryHeader(RetrieveOffers.DicomJson) { Tags = CacheTags.Of(series.Instances) });
        Write(to, search, page.Rows);
    }

    private static void Write(IBufferWriter<byte> to, SearchRequest search, IReadOnlyList<CatalogRow> rows)
    {
        var query = search.Query;
        var top = query.SeriesUid is not null ? CatalogLevel.Instance : query.StudyUid is not null ? CatalogLevel.Series : CatalogLevel.Study;
        var writer = new SearchResultWriter(to, query.Level,
            search.Fields.All ? null : SearchResultWriter.AttributesOf(query.Level, top, search.Fields.Attributes));
        writer.Begin();
        foreach (var row in rows)
            writer.Write(row);
        writer.End();
    }

    private static void WriteCounts(HttpResponse response, CatalogPage page, long delivered, bool isCut)
    {
        response.Headers[TotalCountHeader] = page.Total.ToString(CultureInfo.InvariantCulture);
        foreach (var shortfall in page.Shortfalls)
            response.Headers.Append("Warning", $"299 platform \"{shortfall}\"");
        // PS3.18 8.3.4.4
        if (isCut && delivered < page.Total)
            response.Headers.Append("Warning", string.Create(CultureInfo.InvariantCulture, $"299 platform \"There are {page.Total - delivered} additional results that can be requested\""));
    }

    private sealed class SeriesChangedException : Exception;
}
