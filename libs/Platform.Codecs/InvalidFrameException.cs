namespace Platform.Codecs;

/// <summary>
/// A frame's encoded bytes are broken, contradict their description or exceed a limit. The one exception that decoders throw for
/// what came from outside; its message names what was found and where, and never holds pixel data.
/// </summary>
public sealed class InvalidFrameException(string message, long offset = -1, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Where in the encoded frame, in bytes from its start; -1 where the frame was not looked at.</summary>
    public long Offset { get; private set; } = offset;

    /// <summary>
    /// The marker, both bytes, of the segment that was being read, such as 0xFFC4 for Huffman tables, or after whose segment coded data was:
    /// 0xFFDA (SOS), for JPEG 2000 0xFF93 (SOD). 0 in formats without markers.
    /// </summary>
    public int Marker { get; private set; }

    public override string Message => (Marker, Offset) switch
    {
        (0, < 0) => base.Message,
        (0, _) => $"{base.Message} (at byte {Offset} of the frame)",
        (_, < 0) => $"{base.Message} (marker 0x{Marker:X4})",
        _ => $"{base.Message} (marker 0x{Marker:X4}, at byte {Offset} of the frame)",
    };

    /// <summary>Adds where a decoder stood, unless whoever threw knew better.</summary>
    internal void Locate(int marker, long offset)
    {
        if (Marker == 0) Marker = marker;
        if (Offset < 0) Offset = offset;
    }
}
