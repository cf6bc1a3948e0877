namespace ImageApi.Volumes;

/// <summary>Events 2300-2399.</summary>
internal static partial class Log
{
    [LoggerMessage(2300, LogLevel.Warning, "The list of volumes lacks what origin {Origin} has: {Count} of them are in it.")]
    public static partial void OriginNotListed(this ILogger logger, string origin, int count);
}
