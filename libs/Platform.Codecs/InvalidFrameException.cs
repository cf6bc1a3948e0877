namespace Platform.Codecs;

/// <summary>
/// A frame's encoded bytes are broken, contradict their description or exceed a limit. The one exception that decoders throw for
/// what came from outside; its message names what was found and never holds pixel data.
/// </summary>
public sealed class InvalidFrameException : Exception
{
    public InvalidFrameException(string message, long offset = -1, Exception? inner = null)
        : base(offset >= 0 ? $"{message} (at byte {offset} of the frame)" : message, inner) => Offset = offset;

    /// <summary>Where in the encoded frame, in bytes from its start; -1 where that says nothing.</summary>
    public long Offset { get; }
}
