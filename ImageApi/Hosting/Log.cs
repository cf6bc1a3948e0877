namespace ImageApi.Hosting;

internal static partial class Log
{
    [LoggerMessage(1050, LogLevel.Debug, "The service did not answer its own first request: {Exception}")]
    public static partial void WarmUpFailed(this ILogger logger, string exception);
}
