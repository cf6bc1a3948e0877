using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ImageApi.Cases;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Problems;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Platform.TieredCache;

namespace ImageApi.Tiles;

/// <summary>
/// Deep zoom of whole slides and large frames: <c>/api/dicom/{caseId}/slide</c> says what is there, <c>/tiles/{level}/{x}/{y}</c> gives it, <c>slide.dzi</c> and
/// <c>slide_files</c> are the same for clients of Deep Zoom. <c>?series=&amp;instance=&amp;frame=</c> select (<see cref="TileSubject"/>).
/// </summary>
internal static class TilesApi
{
    private const string Jpeg = "image/jpeg", Json = "application/json", Xml = "application/xml";
    private static readonly Offer[] TileOffers = [new(Jpeg)], DescriptorOffers = [new(Json)], DeepZoomOffers = [new(Xml)];

    /// <summary>Needs <c>AddCases</c>, <c>AddFrames</c>, <c>AddRendered</c>, <c>AddRetrieve</c>.</summary>
    public static IServiceCollection AddTiles(this IServiceCollection services)
    {
        services.AddOptions<TilesOptions>().BindConfiguration(TilesOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TilesOptions>, TilesOptionsValidator>());
        services.TryAddSingleton<PyramidBook>();
        services.TryAddSingleton<FramePictures>();
        services.TryAddSingleton<TileService>();
        services.TryAddSingleton<SlideFinder>();
        services.TryAddSingleton<TileResponse>();
        return services;
    }

    public static IEndpointRouteBuilder MapTilesApi(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/slides", ListAsync).WithName("ListSlides").WithTags("Tiles").Produces<SlideList>();
        var group = app.MapGroup("/api/dicom/{caseId}").WithTags("Tiles")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        group.MapMethods("/slide", Verbs.GetAndHead, GetSlideAsync).WithName("GetSlide").Produces<SlideDescriptor>();
        group.MapMethods("/slide.dzi", Verbs.GetAndHead, GetDeepZoomAsync).WithName("GetDeepZoom").Produces(StatusCodes.Status200OK, contentType: Xml);
        group.MapMethods("/tiles/{level}/{x}/{y}", Verbs.GetAndHead, GetTileAsync).WithName("GetTile").Produces(StatusCodes.Status200OK, contentType: Jpeg);
        group.MapMethods("/slide_files/{level}/{name}", Verbs.GetAndHead, GetDeepZoomTileAsync).WithName("GetDeepZoomTile").Produces(StatusCodes.Status200OK, contentType: Jpeg);
        return app;
    }

    private static async Task ListAsync(HttpContext context, SlideFinder finder)
    {
        var list = await finder.FindAsync(context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentType = Json;
        await JsonSerializer.SerializeAsync(context.Response.Body, list, SlideJson.Default.SlideList, context.RequestAborted);
    }

    private static Task GetSlideAsync(HttpContext context, string caseId, TileResponse responses) =>
        responses.ServeAsync(context, caseId, DescriptorOffers, (responses, caseId), static (http, subject, pyramid, freshness, request) =>
            request.responses.SendTextAsync(http, subject, pyramid, request.caseId, Json, freshness,
                JsonSerializer.SerializeToUtf8Bytes(SlideDescriptor.Of(request.caseId, subject, pyramid), SlideJson.Default.SlideDescriptor)));

    private static Task GetDeepZoomAsync(HttpContext context, string caseId, TileResponse responses) =>
        responses.ServeAsync(context, caseId, DeepZoomOffers, (responses, caseId), static (http, subject, pyramid, freshness, request) =>
            request.responses.SendTextAsync(http, subject, pyramid, request.caseId, Xml, freshness, Encoding.UTF8.GetBytes(SlideDescriptor.ToDeepZoom(pyramid.Grid))));

    private static Task GetTileAsync(HttpContext context, string caseId, string level, string x, string y, TileResponse responses)
    {
        if (Number(level) is not { } z || Number(x) is not { } column || Number(y) is not { } row)
            return Problem.BadRequest("A tile is named by three numbers: level, column and row, from 0.").ExecuteAsync(context);
        return responses.ServeAsync(context, caseId, TileOffers, (responses, Tile: new TileAddress(z, column, row)), static (http, subject, pyramid, freshness, request) =>
            request.responses.SendTileAsync(http, subject, pyramid, request.Tile, freshness));
    }

    private static Task GetDeepZoomTileAsync(HttpContext context, string caseId, string level, string name, TileResponse responses)
    {
        var parts = Path.GetFileNameWithoutExtension(name).Split('_');
        if (Path.GetExtension(name) is not (".jpeg" or ".jpg") || parts.Length != 2 || Number(level) is not { } z || Number(parts[0]) is not { } column || Number(parts[1]) is not { } row)
            return Problem.BadRequest("A tile of Deep Zoom is named {level}/{column}_{row}.jpeg, from 0.").ExecuteAsync(context);
        return responses.ServeAsync(context, caseId, TileOffers, (responses, Tile: new TileAddress(z, column, row)), static (http, subject, pyramid, freshness, request) =>
        {
            var (tile, offset) = (request.Tile, pyramid.Grid.DeepZoomOffset);
            return tile is { X: 0, Y: 0 } && tile.Level < offset
                ? request.responses.SendSmallAsync(http, subject, pyramid, tile.Level, freshness)
                : request.responses.SendTileAsync(http, subject, pyramid, tile with { Level = tile.Level - offset }, freshness);
        });
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}

/// <summary>Finds the pyramid that is asked for, and answers with what was wanted of it.</summary>
internal sealed class TileResponse(CaseService cases, PyramidBook book, TileService tiles, EntityResponse responses, IOptions<TilesOptions> options, TimeProvider time)
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    public Task ServeAsync<TState>(HttpContext context, string caseId, IReadOnlyList<Offer> offers, TState state, Func<HttpContext, TileSubject, Pyramid, Freshness, TState, Task> send)
    {
        if (!CaseService.IsName(caseId)) return Problem.BadRequest("The case is neither a Study Instance UID nor the name of a folder.").ExecuteAsync(context);
        if (ContentNegotiation.Choose(context.Request, offers) is null) return Problem.NotAcceptable($"It can be had as {offers[0].MediaType}.").ExecuteAsync(context);
        return Healing.RetryAsync(context, (Self: this, caseId, state, send), static async (http, request) =>
        {
            if (await request.Self.FindAsync(http, request.caseId) is var (subject, pyramid, freshness, problem) && problem is null) await request.send(http, subject!, pyramid!, freshness, request.state);
            else await problem.ExecuteAsync(http);
        });
    }

    public async Task SendTileAsync(HttpContext context, TileSubject subject, Pyramid pyramid, TileAddress tile, Freshness freshness)
    {
        if (!pyramid.Grid.Contains(tile))
        {
            await NoTile(pyramid.Grid, tile).ExecuteAsync(context);
            return;
        }
        var entity = new Entity(EntityTags.Of(tiles.KeyOf(pyramid, tile), "image/jpeg"), "image/jpeg", freshness) { AcceptsRanges = true };
        if (!await responses.BeginAsync(context, entity)) return;
        using var patience = new CancellationTokenSource(options.Value.Patience, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, patience.Token);
        CacheLease lease;
        try
        {
            lease = await tiles.GetAsync(pyramid, tile, linked.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            await new Problem(ProblemTypes.Busy, "Busy", StatusCodes.Status503ServiceUnavailable,
                "The tile is being put together from many finer ones and took longer than a request may. What is done is kept; ask again.")
            { RetryAfter = AskAgain }.ExecuteAsync(context);
            return;
        }
        await using (lease)
        {
            CacheStatus.Write(context, lease.Outcome, subject.OriginName);
            await EntityResponse.SendAsync(context, entity, lease);
        }
    }

    public async Task SendSmallAsync(HttpContext context, TileSubject subject, Pyramid pyramid, int deepZoomLevel, Freshness freshness)
    {
        var entity = new Entity(EntityTags.Of($"deepzoom{deepZoomLevel}", pyramid.Content), "image/jpeg", freshness);
        if (!await responses.BeginAsync(context, entity)) return;
        var jpeg = new ArrayBufferWriter<byte>(4096);
        await tiles.WriteSmallAsync(pyramid, deepZoomLevel, jpeg, context.RequestAborted);
        CacheStatus.WriteOrigin(context, subject.OriginName);
        if (await EntityResponse.ResolveAsync(context, entity, jpeg.WrittenCount) is not null) await context.Response.BodyWriter.WriteAsync(jpeg.WrittenMemory, context.RequestAborted);
    }

    public async Task SendTextAsync(HttpContext context, TileSubject subject, Pyramid pyramid, string caseId, string mediaType, Freshness freshness, ReadOnlyMemory<byte> text)
    {
        // A descriptor is small and read once: with a version it holds for good, without one it is asked about.
        var entity = new Entity(EntityTags.Of(mediaType, SlideDescriptor.ContentOf(subject, pyramid, caseId)), mediaType, freshness == Freshness.Immutable ? freshness : Freshness.Revalidate);
        if (!await responses.BeginAsync(context, entity)) return;
        if (await EntityResponse.ResolveAsync(context, entity, text.Length) is not null) await context.Response.BodyWriter.WriteAsync(text, context.RequestAborted);
    }

    private async ValueTask<(TileSubject? Subject, Pyramid? Pyramid, Freshness Freshness, Problem? Problem)> FindAsync(HttpContext context, string caseId)
    {
        if (await cases.FindAsync(caseId, context.RequestAborted) is not { } study)
            return (null, null, default, Problem.NotFound("There is no such case: no study has this UID, and no folder of this name holds exactly one."));
        if (TileSubject.Find(study, context.Request.Query, out var problem) is not { } subject) return (null, null, default, problem);
        var freshness = VersionedUrl.Check(context.Request, subject.Version, Freshness.Hour, out problem);
        if (problem is not null) return (null, null, default, problem);
        try
        {
            if (subject.FrameIndex < 0)
            {
                var pyramid = await book.OfSlideAsync(subject.Version, subject.Instance is { } level ? [level] : subject.Series.Instances, context.RequestAborted);
                if (pyramid is not null) return (subject, pyramid, freshness, null);
                // A series of labels and overviews alone; or one of them was asked for.
                subject = subject.Instance is null ? subject.WithFirstFrame()! : subject with { FrameIndex = 0 };
            }
            return (subject, await book.OfFrameAsync(subject.Instance!, subject.FrameIndex, context.RequestAborted), freshness, null);
        }
        catch (UndecodableException exception)
        {
            return (null, null, default, Problem.NotAcceptable(exception.Message + " They can be had as stored."));
        }
    }

    private static Problem NoTile(TileGrid grid, TileAddress tile)
    {
        var extent = tile.Level >= 0 && tile.Level <= grid.MaxLevel && grid.TilesAt(tile.Level) is var (columns, rows)
            ? $"Level {tile.Level} has columns 0 to {columns - 1} and rows 0 to {rows - 1}."
            : $"The pyramid of {grid.Width} x {grid.Height} pixels has levels 0 to {grid.MaxLevel}.";
        return new Problem(ProblemTypes.NotFound, "No such tile", StatusCodes.Status404NotFound, extent);
    }
}
