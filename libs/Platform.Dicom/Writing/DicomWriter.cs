using System.Buffers;

namespace Platform.Dicom;

/// <summary>
/// Writes Part 10 files and data sets. What was read and not changed is written byte for byte as it was; a changed or new element is written
/// in the file's transfer syntax.
/// </summary>
public static class DicomWriter
{
    /// <summary>
    /// Writes a file with preamble and file meta information. A file read without pixel data, or with deferred values, cannot be written:
    /// <see cref="InvalidOperationException"/>.
    /// </summary>
    public static void Write(IBufferWriter<byte> to, DicomFile file) => throw new NotSupportedException();

    /// <inheritdoc cref="Write(IBufferWriter{byte}, DicomFile)"/>
    public static void Write(Stream to, DicomFile file) => throw new NotSupportedException();

    /// <summary>Writes a data set alone in a transfer syntax, without preamble and file meta information.</summary>
    public static void Write(IBufferWriter<byte> to, DicomDataset dataset, DicomTransferSyntax transferSyntax) => throw new NotSupportedException();
}
