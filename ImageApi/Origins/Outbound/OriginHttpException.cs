using System.Net;
using System.Net.Sockets;

namespace ImageApi.Origins.Outbound;

/// <summary>A request to an origin came to nothing. Says whose fault it was, and when trying again may help.</summary>
internal sealed class OriginHttpException(OriginFailure failure, string message, Exception? inner = null, HttpRequestError error = HttpRequestError.Unknown)
    : HttpRequestException(error, message, inner)
{
    public OriginFailure Failure { get; } = failure;
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>Turns what an HTTP client throws, while asking or while a body is read, into an <see cref="OriginException"/>.</summary>
internal static class OriginFailures
{
    public static OriginException From(Exception exception) => exception switch
    {
        OriginException origin => origin,
        OriginHttpException http => new OriginException(http.Failure, http.Message, http) { RetryAfter = http.RetryAfter },
        _ when Find<OriginException>(exception) is { } origin => new OriginException(origin.Failure, origin.Message, exception) { RetryAfter = origin.RetryAfter },
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => new OriginException(OriginFailure.Refused, "The origin's certificate is not trusted.", exception),
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded } => new OriginException(OriginFailure.Unreachable, "The origin's answer is no HTTP that can be read.", exception),
        _ when Find<TimeoutException>(exception) is not null || Find<SocketException>(exception) is { SocketErrorCode: SocketError.TimedOut } => new OriginException(OriginFailure.Timeout, "The origin took too long.", exception),
        _ => new OriginException(OriginFailure.Unreachable, "The origin could not be reached, or broke off.", exception),
    };

    /// <summary>What an answer's status says of the origin; null where it delivered or said so honestly (4xx other than refusals).</summary>
    public static OriginFailure? From(HttpStatusCode status) => (int)status switch
    {
        401 or 403 or 407 => OriginFailure.Refused,
        408 or 504 => OriginFailure.Timeout,
        404 or 410 => OriginFailure.Absent,
        429 or >= 500 => OriginFailure.Unreachable,
        _ => null,
    };

    private static T? Find<T>(Exception? exception) where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is T found) return found;
        }
        return null;
    }
}
