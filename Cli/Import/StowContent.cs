using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Cli.Import;

/// <summary>A multipart/related body (PS3.18 8.6.1.2) that reads its files while it is sent: memory does not depend on their size.</summary>
internal sealed class StowContent : HttpContent
{
    private const int BufferBytes = 128 << 10;

    private readonly IReadOnlyList<ImportFile> _files;
    private readonly string _boundary = Guid.NewGuid().ToString("N");
    private readonly Action<long> _progress;

    /// <param name="files">The parts.</param>
    /// <param name="progress">Told the bytes of files each time some have been sent.</param>
    public StowContent(IReadOnlyList<ImportFile> files, Action<long> progress)
    {
        _files = files;
        _progress = progress;
        Headers.ContentType = MediaTypeHeaderValue.Parse($"multipart/related; type=\"application/dicom\"; boundary={_boundary}");
    }

    /// <summary>The file that could not be read, and why; the request cannot be finished then.</summary>
    public (ImportFile File, string Reason)? Unreadable { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var head = Encoding.ASCII.GetBytes($"\r\n--{_boundary}\r\nContent-Type: application/dicom\r\n\r\n");
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            foreach (var file in _files)
            {
                await using var source = Open(file);
                await stream.WriteAsync(head, cancellationToken);
                while (await ReadAsync(file, source, buffer, cancellationToken) is var read and > 0)
                {
                    await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                    _progress(read);
                }
            }

            await stream.WriteAsync(Encoding.ASCII.GetBytes($"\r\n--{_boundary}--\r\n"), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    private FileStream Open(ImportFile file)
    {
        try
        {
            return new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Unreadable = (file, failure.Message);
            throw;
        }
    }

    private async Task<int> ReadAsync(ImportFile file, FileStream source, byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await source.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException failure)
        {
            Unreadable = (file, failure.Message);
            throw;
        }
    }
}
