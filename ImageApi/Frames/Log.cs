namespace ImageApi.Frames;

internal static partial class Log
{
    [LoggerMessage(1100, LogLevel.Error, "An encoder gave other pixels than it got and its frame was thrown away: {Recipe}, {Columns} x {Rows} x {Samples}, {Bits} bits, content {Content}, frame {FrameIndex}")]
    public static partial void Unfaithful(this ILogger logger, string recipe, int columns, int rows, int samples, int bits, string content, int frameIndex);

    [LoggerMessage(1101, LogLevel.Debug, "A frame has no preview: {Reason}")]
    public static partial void NoPreview(this ILogger logger, string reason);

    [LoggerMessage(1102, LogLevel.Debug, "Made {Frames} frames of a series ahead")]
    public static partial void MadeAhead(this ILogger logger, int frames);

    [LoggerMessage(1103, LogLevel.Warning, "Frames of a series could not be made ahead: {Reason}")]
    public static partial void MakeAheadFailed(this ILogger logger, string reason);
}
