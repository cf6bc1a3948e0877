namespace ImageApi.Problems;

internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Error, "A request failed for a reason that nobody foresaw")]
    public static partial void Failed(this ILogger logger, Exception exception);

    [LoggerMessage(1001, LogLevel.Debug, "A request was answered {Status} {Type} after {Exception}")]
    public static partial void Refused(this ILogger logger, int status, string type, string exception);
}
