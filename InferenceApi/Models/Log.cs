namespace InferenceApi.Models;

internal static partial class Log
{
    [LoggerMessage(2300, LogLevel.Information, "{Bytes} bytes that belonged to nothing were removed from the model store")]
    public static partial void Collected(this ILogger logger, long bytes);

    [LoggerMessage(2301, LogLevel.Warning, "The model store was not tidied up: {Reason}")]
    public static partial void NotCollected(this ILogger logger, string reason);

    [LoggerMessage(2302, LogLevel.Warning, "A manifest is left out: {Problem}")]
    public static partial void ManifestLeftOut(this ILogger logger, string problem);

    [LoggerMessage(2303, LogLevel.Warning, "Model {Model} could not be fetched: {Reason}")]
    public static partial void DownloadFailed(this ILogger logger, string model, string reason);
}
