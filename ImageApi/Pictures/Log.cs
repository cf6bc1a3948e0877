namespace ImageApi.Pictures;

/// <summary>Events 2600-2699.</summary>
internal static partial class Log
{
    [LoggerMessage(2600, LogLevel.Error, "A picture's file is damaged; it is not served.")]
    public static partial void Damaged(this ILogger logger);

    [LoggerMessage(2601, LogLevel.Error, "The disk of the pictures is full; none are taken until there is room.")]
    public static partial void DiskIsFull(this ILogger logger);
}
