using ImageApi.Origins;
using Microsoft.AspNetCore.Diagnostics;
using Platform.Codecs;
using Platform.Dicom;
using Platform.Nifti;
using Platform.TieredCache;

namespace ImageApi.Problems;

/// <summary>
/// Turns what was thrown into a problem. A client that went away is not an error, an unknown exception is a plain 500; after the first byte
/// the connection is aborted, because a truncated answer must not look whole.
/// </summary>
internal sealed class ExceptionProblems(ILogger<ExceptionProblems> logger) : IExceptionHandler
{
    private const int ClientClosedRequest = 499;

    /// <summary>When to try again an origin that did not say so itself: as long as it is left alone after failing repeatedly.</summary>
    private static readonly TimeSpan OriginRetryAfter = TimeSpan.FromSeconds(5);

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
        OriginException origin => OfOrigin(origin),
        InvalidNiftiException invalid => new(ProblemTypes.BrokenVolume, "Broken volume", StatusCodes.Status422UnprocessableEntity, invalid.Message),
        DicomParseException parse => new(ProblemTypes.BrokenInstance, "Broken instance", StatusCodes.Status422UnprocessableEntity, parse.Message),
        InvalidFrameException frame => new(ProblemTypes.BrokenFrame, "Broken frame", StatusCodes.Status422UnprocessableEntity, frame.Message),
        CacheFullException => new(ProblemTypes.Busy, "Busy", StatusCodes.Status503ServiceUnavailable, "All memory for answers is in use.") { RetryAfter = TimeSpan.FromSeconds(1) },
        EntryTooLargeException => new(ProblemTypes.BrokenInstance, "Too large", StatusCodes.Status422UnprocessableEntity, "What the answer is made from is larger than this server takes."),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
            new(ProblemTypes.PayloadTooLarge, "Payload too large", StatusCodes.Status413PayloadTooLarge, "The request's body is larger than this server takes."),
        BadHttpRequestException bad => new(ProblemTypes.BadRequest, "Bad request", bad.StatusCode, "The request is not well-formed HTTP, or a parameter is missing."),
        OperationCanceledException or TimeoutException =>
            new(ProblemTypes.OriginTimeout, "Timed out", StatusCodes.Status504GatewayTimeout, "The answer took longer than is allowed."),
        _ => new(ProblemTypes.Internal, "Internal error", StatusCodes.Status500InternalServerError),
    };

    private static Problem OfOrigin(OriginException exception) => exception.Failure switch
    {
        OriginFailure.Absent => Problem.NotFound(exception.Message),
        OriginFailure.Timeout => new(ProblemTypes.OriginTimeout, "Origin timed out", StatusCodes.Status504GatewayTimeout, exception.Message) { RetryAfter = exception.RetryAfter ?? OriginRetryAfter },
        OriginFailure.Changed => new(ProblemTypes.OriginChanged, "Changing", StatusCodes.Status503ServiceUnavailable, exception.Message) { RetryAfter = exception.RetryAfter ?? TimeSpan.FromSeconds(1) },
        OriginFailure.Refused => new(ProblemTypes.OriginRefused, "Origin refused", StatusCodes.Status502BadGateway, exception.Message),
        OriginFailure.Broken => new(ProblemTypes.BrokenInstance, "Broken instance", StatusCodes.Status422UnprocessableEntity, exception.Message),
        _ => new(ProblemTypes.OriginUnreachable, "Origin unreachable", StatusCodes.Status502BadGateway, exception.Message) { RetryAfter = exception.RetryAfter ?? OriginRetryAfter },
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
