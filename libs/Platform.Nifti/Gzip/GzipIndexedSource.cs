namespace Platform.Nifti.Gzip;

/// <summary>
/// The inflated bytes of a gzip file, readable anywhere. A read inflates from the point before it to the point behind it and gives out
/// nothing that the checksum between them does not confirm. Safe for concurrent use.
/// </summary>
internal sealed class GzipIndexedSource(NiftiSource file, GzipIndex index) : NiftiSource
{
    public override long Length => index.Length;

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (offset >= index.Length || buffer.IsEmpty) return 0;
        var (point, spanEnd) = index.Find(offset);
        var wanted = (int)Math.Min(buffer.Length, spanEnd - offset);
        using var reader = await GzipReader.ResumeAsync(file, point, cancellationToken).ConfigureAwait(false);
        var crc = 0u;
        while (reader.Position < spanEnd)
        {
            var at = reader.Position;
            var chunk = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (chunk.IsEmpty) throw new InvalidNiftiException("The compressed file is shorter than it was.", reader.SourcePosition);
            if (at + chunk.Length > spanEnd) chunk = chunk[..(int)(spanEnd - at)];
            crc = Crc32.Append(crc, chunk.Span);
            var from = Math.Max(at, offset);
            var to = Math.Min(at + chunk.Length, offset + wanted);
            if (from < to) chunk[(int)(from - at)..(int)(to - at)].CopyTo(buffer[(int)(from - offset)..]);
        }
        if (crc != point.Crc)
        {
            buffer.Span[..wanted].Clear();
            throw new InvalidNiftiException("The inflated data do not match their checksum.", point.InputBit >> 3);
        }
        return wanted;
    }
}
