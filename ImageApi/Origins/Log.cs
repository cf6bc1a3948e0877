namespace ImageApi.Origins;

internal static partial class Log
{
    [LoggerMessage(1760, LogLevel.Information, "Origin {Origin} was added, changed or removed at run time")]
    public static partial void OriginsChanged(this ILogger logger, string origin);
}
