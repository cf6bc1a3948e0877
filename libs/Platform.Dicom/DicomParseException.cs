namespace Platform.Dicom;

/// <summary>
/// The input is not DICOM, is damaged, or exceeds a limit of <see cref="DicomReadOptions"/>. Says where; never carries a value of the data set.
/// </summary>
public sealed class DicomParseException : Exception
{
    /// <param name="message">What is wrong, as a sentence.</param>
    /// <param name="offset">Where in the source, in bytes from its start (in the inflated stream for a deflated data set); -1 where unknown.</param>
    /// <param name="tag">The element that was being read, where known.</param>
    public DicomParseException(string message, long offset, DicomTag? tag = null, Exception? innerException = null)
        : base(Describe(message, offset, tag), innerException)
    {
        Offset = offset;
        Tag = tag;
    }

    /// <summary>Bytes from the start of the source (of the inflated stream for a deflated data set); -1 where unknown.</summary>
    public long Offset { get; }

    /// <summary>The element that was being read, where known.</summary>
    public DicomTag? Tag { get; }

    private static string Describe(string message, long offset, DicomTag? tag) =>
        (offset, tag) switch
        {
            ( < 0, null) => message,
            ( < 0, _) => $"{message} ({tag})",
            (_, null) => $"{message} (offset {offset})",
            _ => $"{message} ({tag} at offset {offset})",
        };
}
