namespace ImageApi.Settings;

internal static partial class Log
{
    [LoggerMessage(1900, LogLevel.Warning, "The settings file {File} cannot be read ({Exception}); it is passed over, and what is configured holds")]
    public static partial void SettingsUnreadable(this ILogger logger, string file, string exception);

    [LoggerMessage(1901, LogLevel.Warning, "What was set at run time is not allowed any more and is passed over: {Failures}")]
    public static partial void SettingsRefused(this ILogger logger, string failures);

    [LoggerMessage(1902, LogLevel.Warning, "An administration request was refused: {Reason}")]
    public static partial void AdministrationRefused(this ILogger logger, string reason);
}
