using Microsoft.Extensions.Logging;

namespace ServiceDefaults.Requests;

internal static partial class Log
{
    [LoggerMessage(100, LogLevel.Information, "{Method} {Route} {StatusCode} in {ElapsedMs:0.0} ms")]
    public static partial void RequestAnswered(this ILogger logger, string method, string route, int statusCode, double elapsedMs);
}
