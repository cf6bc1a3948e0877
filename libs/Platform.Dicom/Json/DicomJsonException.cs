namespace Platform.Dicom.Json;

/// <summary>
/// The text is not JSON, not DICOM JSON (PS3.18 annex F), or exceeds a limit of <see cref="DicomJsonReadOptions"/>. Says where; never carries a value.
/// </summary>
public sealed class DicomJsonException : Exception
{
    /// <param name="message">What is wrong, as a sentence.</param>
    /// <param name="offset">Where in the text, in bytes from its start.</param>
    /// <param name="tag">The element that was being read, where known.</param>
    /// <param name="innerException">What found it, if not this reader.</param>
    public DicomJsonException(string message, long offset, DicomTag? tag = null, Exception? innerException = null)
        : base(tag is null ? $"{message} (offset {offset})" : $"{message} ({tag} at offset {offset})", innerException)
    {
        Offset = offset;
        Tag = tag;
    }

    /// <summary>Bytes from the start of the text.</summary>
    public long Offset { get; }

    /// <summary>The element that was being read, where known.</summary>
    public DicomTag? Tag { get; }
}
