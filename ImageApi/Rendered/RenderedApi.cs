using System.Globalization;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Origins;
using ImageApi.Problems;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ImageApi.Rendered;

/// <summary>
/// Rendered pictures and thumbnails (PS3.18 10.4.1.1.3, 10.4.1.1.4) of studies, series, instances and frames. One picture per
/// answer: of a series its middle slice, of a study its first series with pictures.
/// </summary>
internal static class RenderedApi
{
    // What has pixels and is no picture to know a study by.
    private static readonly HashSet<string> Overlays = new(StringComparer.Ordinal) { "SEG", "PR", "RTDOSE", "RTSTRUCT", "KO", "SR" };

    public static IServiceCollection AddRendered(this IServiceCollection services)
    {
        services.AddOptions<RenderedOptions>().BindConfiguration(RenderedOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<FramePixels>();
        services.TryAddSingleton<SeriesWindow>();
        services.TryAddSingleton<RenderedService>();
        services.TryAddSingleton<RenderedResponse>();
        return services;
    }

    public static IEndpointRouteBuilder MapRenderedApi(this IEndpointRouteBuilder app)
    {
        foreach (var (resource, isThumbnail) in (ReadOnlySpan<(string, bool)>)[("rendered", false), ("thumbnail", true)])
        {
            var group = app.MapGroup("/dicomweb/studies/{study}").WithTags("Rendered");
            group.MapMethods($"/{resource}", Verbs.GetAndHead, (HttpContext context, string study, RenderedResponse responses) =>
                ServeAsync(context, new Subject(study), isThumbnail, responses)).WithName($"RetrieveStudy-{resource}");
            group.MapMethods($"/series/{{series}}/{resource}", Verbs.GetAndHead, (HttpContext context, string study, string series, RenderedResponse responses) =>
                ServeAsync(context, new Subject(study, series), isThumbnail, responses)).WithName($"RetrieveSeries-{resource}");
            group.MapMethods($"/series/{{series}}/instances/{{instance}}/{resource}", Verbs.GetAndHead, (HttpContext context, string study, string series, string instance, RenderedResponse responses) =>
                ServeAsync(context, new Subject(study, series, instance), isThumbnail, responses)).WithName($"RetrieveInstance-{resource}");
            group.MapMethods($"/series/{{series}}/instances/{{instance}}/frames/{{frame}}/{resource}", Verbs.GetAndHead,
                (HttpContext context, string study, string series, string instance, string frame, RenderedResponse responses) =>
                ServeAsync(context, new Subject(study, series, instance, frame), isThumbnail, responses)).WithName($"RetrieveFrame-{resource}");
        }

        return app;
    }

    /// <summary>What a URL names.</summary>
    internal readonly record struct Subject(string Study, string? Series = null, string? Instance = null, string? Frame = null);

    private static Task ServeAsync(HttpContext context, Subject subject, bool isThumbnail, RenderedResponse responses)
    {
        if (PathUids.Check(subject.Study, subject.Series, subject.Instance) is { } problem) return problem.ExecuteAsync(context);
        if (ContentNegotiation.Choose(context.Request, PictureFormats.Offers) is not { } offer) return Problem.NotAcceptable($"Pictures can be had as {PictureFormats.InWords}.").ExecuteAsync(context);
        if (RenderedForm.TryRead(context.Request.Query, isThumbnail, PictureFormats.Of(offer), out var invalid) is not { } form) return invalid!.ExecuteAsync(context);
        return Healing.RetryAsync(context, (Responses: responses, Subject: subject, Form: form), static (http, request) => request.Responses.ServeAsync(http, request.Subject, request.Form));
    }

    /// <summary>The series that a study is known by: its first with pictures, overlays left out where there is another.</summary>
    internal static SeriesEntry? RepresentativeOf(StudyEntry study)
    {
        SeriesEntry? overlay = null;
        foreach (var series in study.Series)
        {
            if (!series.Instances.Any(static instance => instance.HasPixels)) continue;
            if (series.Modality is null || !Overlays.Contains(series.Modality)) return series;
            overlay ??= series;
        }

        return overlay;
    }

    /// <summary>The slice that a series is known by: the middle one of those with pictures.</summary>
    internal static (InstanceEntry Instance, int FrameIndex)? RepresentativeOf(SeriesEntry series)
    {
        var images = series.Instances.Where(static instance => instance.HasPixels).ToList();
        return images.Count == 0 ? null : (images[images.Count / 2], images[images.Count / 2].FrameCount / 2);
    }

    /// <summary>A frame number of a path: one number from 1.</summary>
    internal static int? ParseFrame(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}

/// <summary>Finds what is to be shown, and answers with the picture.</summary>
internal sealed class RenderedResponse(ICatalog catalog, RenderedService pictures, EntityResponse responses)
{
    public async Task ServeAsync(HttpContext context, RenderedApi.Subject subject, RenderedForm form)
    {
        var (instance, frameIndex, version, problem) = await FindAsync(catalog.Seen(context), subject, context.RequestAborted);
        var freshness = Freshness.Hour;
        if (problem is null) freshness = VersionedUrl.Check(context.Request, version, Freshness.Hour, out problem);
        if (problem is null && !FramePixels.CanDecode(instance!))
            problem = Problem.NotAcceptable("Frames of this transfer syntax are not decoded here; they can be had as stored.");
        if (problem is null && form.Source is { } source && source.Within(instance!.Columns, instance.Rows) is null)
            problem = new Problem(ProblemTypes.InvalidParameter, "Invalid parameter", StatusCodes.Status400BadRequest, $"The parameter 'viewport' names a region outside of the frame's {instance.Columns} x {instance.Rows} pixels.");
        if (problem is not null)
        {
            await problem.ExecuteAsync(context);
            return;
        }

        var key = RenderedService.KeyOf(instance!, frameIndex, form);
        var entity = new Entity(EntityTags.Of(key, form.ContentType), form.ContentType, freshness == Freshness.Immutable ? Freshness.ImmutableHour : freshness) { AcceptsRanges = true };
        var isToBeSent = await responses.BeginAsync(context, entity);
        if (form.Annotations != Annotations.None) KeepPrivate(context);
        if (!isToBeSent) return;
        await using var lease = await pictures.GetAsync(instance!, frameIndex, form, context.RequestAborted);
        CacheStatus.Write(context, lease.Outcome, instance!.OriginName);
        await EntityResponse.SendAsync(context, entity, lease);
    }

    private static async ValueTask<(InstanceEntry? Instance, int FrameIndex, Platform.TieredCache.Digest256 Version, Problem? Problem)> FindAsync(ICatalog catalog, RenderedApi.Subject subject, CancellationToken cancellationToken)
    {
        if (subject.Instance is not null)
        {
            var instance = await catalog.FindInstanceAsync(new Origins.InstanceRef(subject.Study, subject.Series!, subject.Instance), cancellationToken);
            if (instance is null) return (null, 0, default, Problem.InstanceNotFound);
            if (!instance.HasPixels) return (null, 0, default, NoPictures());
            if (subject.Frame is null) return (instance, instance.FrameCount / 2, instance.Content, null);
            if (RenderedApi.ParseFrame(subject.Frame) is not { } number) return (null, 0, default, new Problem(ProblemTypes.InvalidFrameList, "Invalid frame list", StatusCodes.Status400BadRequest, "A picture is of one frame, named by its number."));
            if (number < 1 || number > instance.FrameCount) return (null, 0, default, new Problem(ProblemTypes.FrameNotFound, "No such frame", StatusCodes.Status404NotFound, $"The instance has frames 1 to {instance.FrameCount}."));
            return (instance, number - 1, instance.Content, null);
        }

        if (subject.Series is not null)
        {
            var series = await catalog.FindSeriesAsync(new SeriesRef(subject.Study, subject.Series), cancellationToken);
            return series is null ? (null, 0, default, Problem.SeriesNotFound) : Middle(series, series.Content);
        }

        var study = await catalog.FindStudyAsync(subject.Study, cancellationToken);
        if (study is null) return (null, 0, default, Problem.StudyNotFound);
        return RenderedApi.RepresentativeOf(study) is { } representative ? Middle(representative, study.Content) : (null, 0, default, NoPictures());
    }

    private static (InstanceEntry?, int, Platform.TieredCache.Digest256, Problem?) Middle(SeriesEntry series, Platform.TieredCache.Digest256 version) =>
        RenderedApi.RepresentativeOf(series) is { } middle ? (middle.Instance, middle.FrameIndex, version, null) : (null, 0, default, NoPictures());

    // A patient's name in the picture is nothing for a cache that others use.
    private static void KeepPrivate(HttpContext context)
    {
        if (context.Response.HasStarted) return;
        var headers = context.Response.Headers;
        headers.CacheControl = headers.CacheControl.ToString().Replace("public", "private", StringComparison.Ordinal);
        headers.Remove("CDN-Cache-Control");
    }

    private static Problem NoPictures() => Problem.NotFound("There is nothing to be seen: no image is among the instances.");
}
