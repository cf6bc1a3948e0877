namespace ImageApi.Origins.Dicomweb;

internal static partial class Log
{
    [LoggerMessage(EventId = 1720, Level = LogLevel.Warning, Message = "Origin {Origin} failed ({Failure}); a series is served as it was last seen")]
    public static partial void SeriesServedStale(this ILogger logger, string origin, OriginFailure failure);

    [LoggerMessage(EventId = 1721, Level = LogLevel.Warning, Message = "Origin {Origin} does not send single frames of a series as it should; whole instances are fetched instead")]
    public static partial void FramesFromInstances(this ILogger logger, string origin);

    [LoggerMessage(EventId = 1722, Level = LogLevel.Warning, Message = "A search goes on without origin {Origin}: {Reason}")]
    public static partial void SearchWithout(this ILogger logger, string origin, string reason);

    [LoggerMessage(EventId = 1723, Level = LogLevel.Warning, Message = "The profile of origin {Origin} cannot be read; defaults are used")]
    public static partial void ProfileUnreadable(this ILogger logger, string origin, Exception exception);
}
