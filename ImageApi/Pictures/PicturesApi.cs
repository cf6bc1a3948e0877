using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Problems;
using ImageApi.Rendered;
using ImageApi.Store;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Platform.Codecs;
using Platform.TieredCache;

namespace ImageApi.Pictures;

/// <summary>Plain pictures by id: uploaded, listed, served in three sizes and three formats, replaced, removed.</summary>
internal static class PicturesApi
{
    private const string JsonType = "application/json";
    private const int DefaultLimit = 100, MaxLimit = 1000;

    // Nothing here becomes part of a page without being escaped there.
    private static readonly JsonWriterOptions JsonForm = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static IServiceCollection AddPictures(this IServiceCollection services)
    {
        services.AddOptions<PicturesOptions>().BindConfiguration(PicturesOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<PictureFolder>();
        services.TryAddSingleton<PictureService>();
        return services;
    }

    public static IEndpointRouteBuilder MapPicturesApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/images").WithTags("Pictures").ProducesProblem(StatusCodes.Status400BadRequest);
        group.MapMethods("", Verbs.GetAndHead, ListAsync).WithName("ListPictures").Produces<PicturePage>();
        group.MapMethods("/{id}", Verbs.GetAndHead, GetAsync).WithName("GetPicture").ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status406NotAcceptable);
        var changes = group.MapGroup("").AddEndpointFilter(OfOurPagesAsync)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        changes.MapPost("", (HttpContext context, PictureFolder folder, PictureService pictures, IOptions<PicturesOptions> options, ILogger<PictureService> logger) =>
            StoreAsync(context, null, folder, pictures, options.Value, logger)).WithName("StorePicture").Produces<PictureDocument>(StatusCodes.Status201Created);
        changes.MapPut("/{id}", (HttpContext context, string id, PictureFolder folder, PictureService pictures, IOptions<PicturesOptions> options, ILogger<PictureService> logger) =>
            StoreAsync(context, id, folder, pictures, options.Value, logger)).WithName("ReplacePicture").Produces<PictureDocument>().ProducesProblem(StatusCodes.Status412PreconditionFailed);
        changes.MapDelete("/{id}", RemoveAsync).WithName("RemovePicture").Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status412PreconditionFailed);
        return app;
    }

    private static async Task ListAsync(HttpContext context, PictureFolder folder, EntityResponse responses)
    {
        if (ReadNumber(context.Request, "offset", 0, int.MaxValue, 0) is not { } offset || ReadNumber(context.Request, "limit", 1, MaxLimit, DefaultLimit) is not { } limit)
        {
            await Problem.BadRequest($"'offset' is 0 or more, 'limit' 1 to {MaxLimit}.").ExecuteAsync(context);
            return;
        }
        var all = folder.List(context.RequestAborted);
        var images = all.Skip(offset).Take(limit).Select(PictureDocument.Of).ToList();
        var next = (long)offset + limit < all.Count ? string.Create(CultureInfo.InvariantCulture, $"/images?offset={offset + limit}&limit={limit}") : null;
        var body = ToJson(new PicturePage(all.Count, offset, images, next), PicturesJson.Default.PicturePage);
        var entity = new Entity(EntityTags.Of("pictures", Digest256.HashData(body.WrittenSpan)), JsonType, Freshness.Revalidate) { Vary = "Origin" };
        if (!await responses.BeginAsync(context, entity) || await EntityResponse.ResolveAsync(context, entity, body.WrittenCount) is null) return;
        await context.Response.BodyWriter.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    private static Task GetAsync(HttpContext context, string id, PictureFolder folder, PictureService pictures, EntityResponse responses)
    {
        if (PictureForm.ReadSize(context.Request.Query["size"]) is not { } size)
            return new Problem(ProblemTypes.InvalidParameter, "Invalid parameter", StatusCodes.Status400BadRequest, "The parameter 'size' has to be placeholder, thumbnail or full.").ExecuteAsync(context);
        if (ContentNegotiation.Choose(context.Request, PictureFormats.Offers) is not { } offer)
            return Problem.NotAcceptable($"Pictures can be had as {PictureFormats.InWords}.").ExecuteAsync(context);
        var form = new PictureForm(size, PictureFormats.Of(offer));
        return Healing.RetryAsync(context, (Id: id, Form: form, Folder: folder, Pictures: pictures, Responses: responses), static async (http, request) =>
        {
            if (request.Folder.Find(request.Id) is not { } entry) await NoSuchPicture().ExecuteAsync(http);
            else await SendAsync(http, entry, request.Form, request.Pictures, request.Responses);
        });
    }

    private static async Task SendAsync(HttpContext context, PictureEntry entry, PictureForm form, PictureService pictures, EntityResponse responses)
    {
        var freshness = VersionedUrl.Check(context.Request, entry.Content, Freshness.Revalidate, out var problem);
        if (problem is not null)
        {
            await problem.ExecuteAsync(context);
            return;
        }
        var entity = new Entity(EntityTagOf(entry, form), form.ContentType, freshness == Freshness.Immutable ? Freshness.ImmutableHour : freshness) { AcceptsRanges = true };
        var isToBeSent = await responses.BeginAsync(context, entity);
        // A picture can be replaced at any time: without a version nobody may use it without asking.
        if (freshness == Freshness.Revalidate && context.Response.Headers.CacheControl.ToString() is { } control && control.EndsWith("no-cache", StringComparison.Ordinal) && !context.Response.HasStarted)
            context.Response.Headers.CacheControl = control.Replace("no-cache", "max-age=0, must-revalidate", StringComparison.Ordinal);
        if (!isToBeSent) return;
        await using var lease = await pictures.GetAsync(entry, form, context.RequestAborted);
        CacheStatus.Write(context, lease.Outcome, "pictures");
        await EntityResponse.SendAsync(context, entity, lease);
    }

    private static async Task StoreAsync(HttpContext context, string? replaced, PictureFolder folder, PictureService pictures, PicturesOptions options, ILogger logger)
    {
        try
        {
            if (replaced is not null && folder.Find(replaced) is null)
            {
                await NoSuchPicture().ExecuteAsync(context);
                return;
            }
            var (upload, problem) = await PictureUpload.ReadAsync(context, folder, options);
            if (problem is not null)
            {
                await problem.ExecuteAsync(context);
                return;
            }
            using (upload)
            {
                var (change, entry) = await pictures.StoreAsync(upload!, replaced, ConditionOf(context.Request), context.RequestAborted);
                await (change == PictureChange.Done ? AnswerAsync(context, entry!, isNew: replaced is null) : Refusal(change).ExecuteAsync(context));
            }
        }
        catch (InvalidFrameException exception)
        {
            await new Problem(ProblemTypes.BrokenPicture, "Broken picture", StatusCodes.Status422UnprocessableEntity, exception.Message).ExecuteAsync(context);
        }
        catch (IOException exception) when (DiskFull.Is(exception))
        {
            logger.DiskIsFull();
            await new Problem(ProblemTypes.StorageFull, "Storage is full", StatusCodes.Status507InsufficientStorage, "There is no room for the picture. Nothing that was stored before is lost.").ExecuteAsync(context);
        }
    }

    private static async Task RemoveAsync(HttpContext context, string id, PictureService pictures)
    {
        var change = PictureFolder.IsId(id) ? await pictures.RemoveAsync(id, ConditionOf(context.Request), context.RequestAborted) : PictureChange.Absent;
        if (change != PictureChange.Done) await Refusal(change).ExecuteAsync(context);
        else context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task AnswerAsync(HttpContext context, PictureEntry entry, bool isNew)
    {
        var body = ToJson(PictureDocument.Of(entry), PicturesJson.Default.PictureDocument);
        var response = context.Response;
        response.StatusCode = isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK;
        if (isNew) response.Headers.Location = $"/images/{entry.Id}";
        response.ContentType = JsonType;
        response.ContentLength = body.WrittenCount;
        response.Headers.CacheControl = "no-store";
        await response.BodyWriter.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    /// <summary>The picture's version, then what tells its forms apart: so a condition on a change can name any of them.</summary>
    private static string EntityTagOf(PictureEntry entry, PictureForm form) => $"\"{entry.Version}.{EntityTags.Of(form.KeyOf(entry), form.ContentType).AsSpan(1, 16)}\"";

    /// <summary>
    /// RFC 9110 13.1.1: the picture that is there has to be one of those that <c>If-Match</c> lists, by the entity tag of any of its forms or by its version
    /// between quotes. 13.1.2: <c>If-None-Match: *</c> never holds for a picture that is there.
    /// </summary>
    private static Func<PictureEntry, bool> ConditionOf(HttpRequest request)
    {
        var (match, noneMatch) = (request.Headers.IfMatch, request.Headers.IfNoneMatch);
        if (match.Count == 0 && noneMatch.Count == 0) return static _ => true;
        return entry =>
        {
            if (noneMatch.Count > 0 && noneMatch.ToString().Trim() == "*") return false;
            return match.Count == 0 || match.ToString().Split(',', StringSplitOptions.TrimEntries).Any(tag =>
                tag == "*" || (tag.Length > 2 && tag[0] == '"' && tag[^1] == '"' && tag[1..^1].Split('.')[0] == entry.Version));
        };
    }

    /// <summary>
    /// A form of another site could send a file here through a person's browser without asking first; browsers say which page it was.
    /// </summary>
    private static async ValueTask<object?> OfOurPagesAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        var request = context.Request;
        if (request.Headers.Origin.Count > 0 && request.Headers.Origin != $"{request.Scheme}://{request.Host.Value}")
        {
            var policy = await context.RequestServices.GetRequiredService<ICorsPolicyProvider>().GetPolicyAsync(context, null);
            if (policy is null || !context.RequestServices.GetRequiredService<ICorsService>().EvaluatePolicy(context, policy).IsOriginAllowed)
                return new Problem(ProblemTypes.AdministrationRefused, "Refused", StatusCodes.Status403Forbidden, "A page of another site asked for it.");
        }
        return await next(invocation);
    }

    private static Problem NoSuchPicture() => Problem.NotFound("There is no such picture.");

    private static Problem Refusal(PictureChange change) => change == PictureChange.Absent ? NoSuchPicture()
        : new Problem(ProblemTypes.PreconditionFailed, "Precondition failed", StatusCodes.Status412PreconditionFailed, "The picture is not the one that the request's condition names.");

    private static ArrayBufferWriter<byte> ToJson<T>(T value, JsonTypeInfo<T> form)
    {
        var body = new ArrayBufferWriter<byte>(4096);
        using var json = new Utf8JsonWriter(body, JsonForm);
        JsonSerializer.Serialize(json, value, form);
        json.Flush();
        return body;
    }

    private static int? ReadNumber(HttpRequest request, string name, int least, int most, int absent)
    {
        if (!request.Query.TryGetValue(name, out var given)) return absent;
        return int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null;
    }
}
