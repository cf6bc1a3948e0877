namespace InferenceApi.Sessions;

internal static partial class Log
{
    [LoggerMessage(2100, LogLevel.Information, "Model {Model} {Version} is ready on {Device}: {Threads} threads a run, {Workers} runs at once, up to {MaxBatch} samples a run; {Milliseconds:F0} ms from the file to here")]
    public static partial void Loaded(this ILogger logger, string model, string version, string device, int threads, int workers, int maxBatch, double milliseconds);

    [LoggerMessage(2101, LogLevel.Warning, "Model {Model} cannot be used: {Reason}")]
    public static partial void NotLoaded(this ILogger logger, string model, string reason);

    [LoggerMessage(2102, LogLevel.Information, "Model {Model} was unloaded: {Bytes} bytes")]
    public static partial void Unloaded(this ILogger logger, string model, long bytes);

    [LoggerMessage(2103, LogLevel.Information, "{Device} is not used: {Reason}")]
    public static partial void DeviceRefused(this ILogger logger, string device, string reason);

    [LoggerMessage(2104, LogLevel.Warning, "No model can be run: {Reason}")]
    public static partial void RuntimeMissing(this ILogger logger, string reason);
}
