namespace ImageApi.Prefetch;

/// <summary>Events 2400-2499.</summary>
internal static partial class Log
{
    [LoggerMessage(2400, LogLevel.Debug, "Something could not be fetched ahead.")]
    public static partial void PrefetchFailed(this ILogger logger, Exception exception);
}
