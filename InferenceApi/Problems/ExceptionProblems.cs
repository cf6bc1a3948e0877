using InferenceApi.Batching;
using InferenceApi.Images;
using InferenceApi.OpenInference;
using InferenceApi.Predictions;
using InferenceApi.Segmentation;
using Microsoft.AspNetCore.Diagnostics;
using Platform.Codecs;
using Platform.Models;
using Platform.Onnx;

namespace InferenceApi.Problems;

/// <summary>
/// Turns what was thrown into a problem. A client that went away is not an error, an unknown exception is a plain 500; after the first byte
/// the connection is aborted, because a truncated answer must not look whole.
/// </summary>
internal sealed class ExceptionProblems(ILogger<ExceptionProblems> logger) : IExceptionHandler
{
    private const int ClientClosedRequest = 499;

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException or IOException && httpContext.RequestAborted.IsCancellationRequested)
        {
            httpContext.Response.StatusCode = ClientClosedRequest;
            return true;
        }
        var problem = Of(exception);
        if (problem.Status == StatusCodes.Status500InternalServerError)
            logger.Failed(exception);
        else
            logger.Refused(problem.Status, problem.Type, exception.GetType().Name);
        await problem.ExecuteAsync(httpContext);
        return true;
    }

    internal static Problem Of(Exception exception) => exception switch
    {
        BusyException busy => new(ProblemTypes.Busy, "Busy", StatusCodes.Status503ServiceUnavailable, busy.Message) { RetryAfter = busy.RetryAfter },
        NonFiniteException value => new(ProblemTypes.NotFinite, "Not a finite number", StatusCodes.Status400BadRequest, value.Message),
        InvalidRequestException request => new(ProblemTypes.BadRequest, "Bad request", StatusCodes.Status400BadRequest, request.Message),
        InvalidTensorException tensor => new(ProblemTypes.InvalidTensor, "Not what the model takes", StatusCodes.Status400BadRequest, tensor.Message),
        InvalidModelException model => new(ProblemTypes.InvalidModel, "Model cannot be run", StatusCodes.Status422UnprocessableEntity, model.Message),
        OnnxRunException run => new(ProblemTypes.PredictionFailed, "Model failed", StatusCodes.Status422UnprocessableEntity, run.Message),
        DeviceRefusedException device => new(ProblemTypes.DeviceRefused, "Device cannot be used", StatusCodes.Status503ServiceUnavailable, device.Message),
        OnnxUnavailableException missing => new(ProblemTypes.RuntimeMissing, "No runtime for models", StatusCodes.Status503ServiceUnavailable, missing.Message),
        ModelException { Fault: ModelFault.NotFound } absent => new(ProblemTypes.ModelNotFound, "No such model", StatusCodes.Status404NotFound, absent.Message),
        ModelException { Fault: ModelFault.Exists } taken => new(ProblemTypes.ModelExists, "Name is taken", StatusCodes.Status409Conflict, taken.Message),
        ModelException { Fault: ModelFault.NoRoom } full => new(ProblemTypes.NoRoom, "No room", StatusCodes.Status507InsufficientStorage, full.Message),
        ModelException { Fault: ModelFault.Unreachable or ModelFault.Refused } source => new(ProblemTypes.SourceFailed, "Model cannot be fetched", StatusCodes.Status502BadGateway, source.Message),
        ModelException { Fault: ModelFault.Busy } busy => new(ProblemTypes.Busy, "Not now", StatusCodes.Status503ServiceUnavailable, busy.Message) { RetryAfter = TimeSpan.FromSeconds(5) },
        ModelException model => new(ProblemTypes.InvalidModel, "Not a model", StatusCodes.Status422UnprocessableEntity, model.Message),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
            new(ProblemTypes.PayloadTooLarge, "Payload too large", StatusCodes.Status413PayloadTooLarge, "The request's body is larger than this server takes."),
        BadHttpRequestException bad => new(ProblemTypes.BadRequest, "Bad request", bad.StatusCode, "The request is not well-formed HTTP, or a parameter is missing."),
        InvalidPictureRequestException { Status: StatusCodes.Status415UnsupportedMediaType } request => new(ProblemTypes.UnsupportedMediaType, "Unsupported media type", StatusCodes.Status415UnsupportedMediaType, request.Message),
        InvalidPictureRequestException { Status: StatusCodes.Status413PayloadTooLarge } request => new(ProblemTypes.PayloadTooLarge, "Payload too large", StatusCodes.Status413PayloadTooLarge, request.Message),
        InvalidPictureRequestException request => new(ProblemTypes.BadRequest, "Bad request", request.Status, request.Message),
        InvalidFrameException picture => new(ProblemTypes.InvalidPicture, "Not a picture that can be read", StatusCodes.Status422UnprocessableEntity, picture.Message),
        UnsupportedInputException input => new(ProblemTypes.UnsupportedInput, "Not for this model", StatusCodes.Status422UnprocessableEntity, input.Message),
        ImageApiException { Status: System.Net.HttpStatusCode.NotFound } absent => new(ProblemTypes.NotFound, "Not found", StatusCodes.Status404NotFound, absent.Message),
        ImageApiException { Status: System.Net.HttpStatusCode.UnprocessableEntity or System.Net.HttpStatusCode.NotAcceptable or System.Net.HttpStatusCode.RequestEntityTooLarge } frame => new(ProblemTypes.InvalidPicture, "Frame cannot be read", StatusCodes.Status422UnprocessableEntity, frame.Message),
        ImageApiException images => new(ProblemTypes.ImagesUnavailable, "Image service failed", StatusCodes.Status502BadGateway, images.Message),
        TimeoutException late => new(ProblemTypes.PredictionTimeout, "Timed out", StatusCodes.Status504GatewayTimeout, late.Message),
        _ => new(ProblemTypes.Internal, "Internal error", StatusCodes.Status500InternalServerError),
    };
}

internal static class ProblemServices
{
    public static IServiceCollection AddProblems(this IServiceCollection services)
    {
        services.AddExceptionHandler<ExceptionProblems>();
        return services;
    }

    /// <summary>Answers exceptions, and errors without a body (no such route, method not allowed), as problems.</summary>
    public static IApplicationBuilder UseProblems(this IApplicationBuilder app)
    {
        app.UseExceptionHandler(static _ => { });
        return app.UseStatusCodePages(static async pages =>
        {
            var context = pages.HttpContext;
            var problem = context.Response.StatusCode switch
            {
                StatusCodes.Status404NotFound => Problem.NotFound("There is no such resource."),
                StatusCodes.Status405MethodNotAllowed => new(ProblemTypes.MethodNotAllowed, "Method not allowed", StatusCodes.Status405MethodNotAllowed, "The resource does not know this method."),
                StatusCodes.Status415UnsupportedMediaType => new(ProblemTypes.UnsupportedMediaType, "Unsupported media type", StatusCodes.Status415UnsupportedMediaType),
                StatusCodes.Status400BadRequest => Problem.BadRequest("The request is not well-formed."),
                _ => null,
            };
            if (problem is not null)
                await problem.ExecuteAsync(context);
        });
    }
}
