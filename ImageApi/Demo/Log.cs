namespace ImageApi.Demo;

/// <summary>Events 2200-2299.</summary>
internal static partial class Log
{
    [LoggerMessage(2200, LogLevel.Information, "The store was empty: a synthetic demo study was made and stored in {ElapsedSeconds:F1} s.")]
    public static partial void DemoStored(this ILogger logger, double elapsedSeconds);

    [LoggerMessage(2201, LogLevel.Warning, "The demo study is incomplete: {Stored} of {Instances} instances were stored.")]
    public static partial void DemoIncomplete(this ILogger logger, int stored, int instances);

    [LoggerMessage(2202, LogLevel.Warning, "The demo study could not be made.")]
    public static partial void DemoFailed(this ILogger logger, Exception exception);

    [LoggerMessage(2203, LogLevel.Information, "A synthetic slide was made and stored beside the demo study in {ElapsedSeconds:F1} s.")]
    public static partial void DemoSlideStored(this ILogger logger, double elapsedSeconds);
}
