namespace ImageApi.Store;

/// <summary>Events 2100-2199.</summary>
internal static partial class Log
{
    [LoggerMessage(2100, LogLevel.Error, "Instances could not be stored; their senders were told.")]
    public static partial void CommitFailed(this ILogger logger, Exception exception);

    [LoggerMessage(2101, LogLevel.Error, "The store's disk is full; instances are refused until there is room.")]
    public static partial void DiskIsFull(this ILogger logger);

    [LoggerMessage(2102, LogLevel.Debug, "An instance was refused: {Reason}.")]
    public static partial void InstanceRefused(this ILogger logger, FailureReason reason);
}
