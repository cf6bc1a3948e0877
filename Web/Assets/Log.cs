namespace Web.Assets;

internal static partial class Log
{
    [LoggerMessage(2000, LogLevel.Warning, "The client's build manifest cannot be read ({Reason}): pages go out without scripts and styles. Build Web with Node on the PATH.")]
    public static partial void ClientNotBuilt(this ILogger logger, string reason);
}
