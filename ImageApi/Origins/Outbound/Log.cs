namespace ImageApi.Origins.Outbound;

internal static partial class Log
{
    [LoggerMessage(EventId = 1700, Level = LogLevel.Warning, Message = "Origin {Origin} is configured with AllowPlainHttp: images and credentials can be read and changed on the way")]
    public static partial void PlainHttpAllowed(this ILogger logger, string origin);
}
