namespace Platform.Dicom;

/// <summary>Bytes that can be read anywhere: a file, memory, a seekable stream, ranges of an HTTP resource. Safe for concurrent reads unless it says otherwise.</summary>
public abstract class DicomSource : IDisposable
{
    /// <summary>Bytes in all; null where not known.</summary>
    public abstract long? Length { get; }

    /// <summary>Reads up to a buffer's length from <paramref name="offset"/>; fewer only at the end, 0 beyond it.</summary>
    public abstract ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    public virtual void Dispose() { }

    /// <summary>A file, opened for shared reading. Reads complete synchronously.</summary>
    public static DicomSource Open(string path) => throw new NotSupportedException();

    public static DicomSource FromMemory(ReadOnlyMemory<byte> data) => throw new NotSupportedException();

    /// <summary>A seekable stream, offsets from its beginning; one read at a time. The stream stays open.</summary>
    public static DicomSource FromStream(Stream stream) => throw new NotSupportedException();
}
