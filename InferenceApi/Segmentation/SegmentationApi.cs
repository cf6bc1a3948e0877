using System.Globalization;
using InferenceApi.Images;
using InferenceApi.Predictions;
using InferenceApi.Problems;
using InferenceApi.ResultCache;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Platform.Imaging;
using Platform.Models;

namespace InferenceApi.Segmentation;

/// <summary>
/// <c>POST /api/segment</c> and <c>POST /api/render</c>: a picture (multipart field <c>file</c>) or a frame of ImageApi (fields or query <c>study</c>, <c>series</c>,
/// <c>instance</c>, <c>frame</c>) and a <c>model</c>. Whether the model ran is told by <c>Cache-Status</c>.
/// </summary>
internal static class SegmentationApi
{
    public static IServiceCollection AddSegmentation(this IServiceCollection services)
    {
        services.TryAddSingleton<DeviceProbe>();
        services.TryAddSingleton<SegmentationService>();
        return services;
    }

    public static IEndpointRouteBuilder MapSegmentationApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api").WithTags("Segmentation");
        group.MapPost("/segment", SegmentAsync).WithName("Segment").DisableAntiforgery()
            .Produces<SegmentationResult>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType).ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        group.MapPost("/render", RenderAsync).WithName("RenderSegmentation").DisableAntiforgery()
            .Produces(StatusCodes.Status200OK, null, "image/webp", "image/png", "image/jpeg").ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        return app;
    }

    private static async Task SegmentAsync(HttpContext context, PictureRequests requests, SegmentationService segmentations)
    {
        var request = await requests.ReadAsync(context);
        var picture = request.Picture;
        var model = segmentations.FindModel(request.Model ?? throw new InvalidPictureRequestException("Name a model."), ModelTask.Segmentation);
        await using var lease = await segmentations.SegmentAsync(model, picture, Callers.Of(context), context.RequestAborted);
        await ResultAnswer.SendAsync(context, lease, lease.Outcome);
        picture.Dispose();
    }

    private static async Task RenderAsync(HttpContext context, PictureRequests requests, SegmentationService segmentations)
    {
        var request = await requests.ReadAsync(context);
        var picture = request.Picture;
        var model = segmentations.FindModel(request.Model ?? throw new InvalidPictureRequestException("Name a model."), ModelTask.Segmentation);
        var form = new OverlayForm(FormatOf(request, context), Number(request, "quality", 85, 1, 100), Share(request, "opacity", 0.4));
        var (lease, segmented) = await segmentations.RenderAsync(model, picture, form, Callers.Of(context), context.RequestAborted);
        await using (lease) await ResultAnswer.SendAsync(context, lease, segmented);
        picture.Dispose();
    }

    /// <summary>The field <c>format</c>, else what Accept names first; WebP where it can be written.</summary>
    private static PictureFormat FormatOf(PictureRequest request, HttpContext context)
    {
        var wanted = request["format"] is { Length: > 0 } named ? "image/" + named : context.Request.Headers.Accept.ToString();
        foreach (var range in wanted.Split(','))
        {
            PictureFormat? format = range.Split(';')[0].Trim().ToLowerInvariant() switch
            {
                "image/webp" => PictureFormat.Webp,
                "image/png" => PictureFormat.Png,
                "image/jpeg" or "image/jpg" => PictureFormat.Jpeg,
                _ => null,
            };
            if (format is { } found && PictureWriter.CanWrite(found)) return found;
        }

        if (request["format"] is { Length: > 0 }) throw new InvalidPictureRequestException("The format is webp, png or jpeg.");
        return PictureWriter.CanWrite(PictureFormat.Webp) ? PictureFormat.Webp : PictureFormat.Png;
    }

    private static int Number(PictureRequest request, string name, int otherwise, int min, int max) =>
        request[name] is not { Length: > 0 } text ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max ? value
        : throw new InvalidPictureRequestException($"{name} is a number from {min} to {max}.");

    private static double Share(PictureRequest request, string name, double otherwise) =>
        request[name] is not { Length: > 0 } text ? otherwise
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= 1 ? value
        : throw new InvalidPictureRequestException($"{name} is a number from 0 to 1.");
}
