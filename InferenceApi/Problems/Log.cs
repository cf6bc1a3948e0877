namespace InferenceApi.Problems;

internal static partial class Log
{
    [LoggerMessage(2000, LogLevel.Error, "A request failed for a reason that nobody foresaw")]
    public static partial void Failed(this ILogger logger, Exception exception);

    [LoggerMessage(2001, LogLevel.Debug, "A request was answered {Status} {Type} after {Exception}")]
    public static partial void Refused(this ILogger logger, int status, string type, string exception);
}
