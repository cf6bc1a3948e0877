namespace ImageApi.Events;

/// <summary>Events 2500-2549.</summary>
internal static partial class Log
{
    [LoggerMessage(2500, LogLevel.Debug, "The thumbnail of a series that arrived could not be made: {Failure}")]
    public static partial void ThumbnailFailed(this ILogger logger, string failure);

    [LoggerMessage(2501, LogLevel.Warning, "The thumbnail of a series that arrived could not be made.")]
    public static partial void ThumbnailBroke(this ILogger logger, Exception exception);
}
