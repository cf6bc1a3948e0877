namespace ImageApi.CacheAdmin;

internal static partial class Log
{
    [LoggerMessage(1950, LogLevel.Information, "A scrub read {Entries} values, {Bytes} bytes, in {Seconds:0.0} s; {Damaged} were damaged and taken out")]
    public static partial void Scrubbed(this ILogger logger, long entries, long bytes, long damaged, double seconds);

    [LoggerMessage(1951, LogLevel.Error, "A scrub ended before its end")]
    public static partial void ScrubFailed(this ILogger logger, Exception exception);

    [LoggerMessage(1952, LogLevel.Information, "The cache's settings were changed at run time: {Names}")]
    public static partial void SettingsChanged(this ILogger logger, string names);
}
