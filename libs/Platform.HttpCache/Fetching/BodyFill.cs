using Platform.HttpCache.Fields;
using Platform.TieredCache;

namespace Platform.HttpCache.Fetching;

/// <summary>
/// Writes an origin's body into a value of the tiered cache as it arrives. A body that breaks off is taken up where it broke, under the same
/// strong validator; what cannot be is an exception to everyone who reads it. Owns the origin's answer.
/// </summary>
/// <param name="request">What was asked.</param>
/// <param name="response">The origin's answer.</param>
/// <param name="strongTag">The strong entity tag that all bytes have to belong to, or null: then nothing can be taken up again.</param>
/// <param name="offset">Where the body begins within the representation.</param>
/// <param name="expected">How many bytes it has to have, or null.</param>
/// <param name="completeLength">The representation's length, where known.</param>
/// <param name="options">Bounds.</param>
/// <param name="send">Asks the origin.</param>
/// <param name="tag">The tag that the value carries.</param>
/// <param name="complete">Told the number of bytes when all of them are here, before the value is kept.</param>
internal sealed class BodyFill(CacheRequest request, HttpResponseMessage response, string? strongTag, long offset, long? expected, long? completeLength,
    HttpCacheOptions options, Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send, CacheTag tag, Func<long, ValueTask> complete) : IDisposable
{
    private const int ReadBytes = 64 << 10;
    private const int MaxMediaTypeLength = 512;
    private const long ProgressBytes = 1 << 20;

    private HttpResponseMessage _response = response;

    public async Task FillAsync(EntryWriter to, CancellationToken cancellationToken)
    {
        try
        {
            to.Start(new EntryHeader(MediaTypeOf(_response)) { Length = expected, Tags = [tag] });
            var (resumptions, resumedAt) = (0, 0L);
            while (true)
            {
                try
                {
                    await CopyAsync(to, cancellationToken).ConfigureAwait(false);
                    break;
                }
                catch (Exception exception) when (exception is IOException or HttpRequestException && !cancellationToken.IsCancellationRequested)
                {
                    if (to.WrittenBytes - resumedAt >= ProgressBytes) resumptions = 0;
                    resumedAt = to.WrittenBytes;
                    if (strongTag is null || ++resumptions > options.MaxResumptions) throw;
                    await ResumeAsync(to.WrittenBytes, strongTag, cancellationToken).ConfigureAwait(false);
                }
            }

            await complete(to.WrittenBytes).ConfigureAwait(false);
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose() => _response.Dispose();

    private async Task CopyAsync(EntryWriter to, CancellationToken cancellationToken)
    {
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var body = await _response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        while (expected is not { } all || to.WrittenBytes < all)
        {
            var left = (expected ?? long.MaxValue) - to.WrittenBytes;
            var memory = to.GetMemory((int)Math.Min(ReadBytes, left));
            if (memory.Length > left) memory = memory[..(int)left];
            idle.CancelAfter(options.BodyIdleTimeout);
            int read;
            try
            {
                read = await body.ReadAsync(memory, idle.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
            {
                throw new IOException("The origin fell silent within a body.", exception);
            }

            if (read == 0)
            {
                if (expected is not null) throw new HttpIOException(HttpRequestError.ResponseEnded, "The origin's body is shorter than it said.");
                return;
            }

            to.Advance(read);
            if (to.WrittenBytes > options.MaxBodyBytes) throw new InvalidDataException("The origin's body is longer than may be stored, and it had not said so.");
            idle.CancelAfter(Timeout.InfiniteTimeSpan);     // what readers take is not the origin's silence
            // The last bytes are shown when the record is written: who has read all of an answer finds it in the store.
            if (to.WrittenBytes != expected) await to.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ResumeAsync(long written, string sameTag, CancellationToken cancellationToken)
    {
        _response.Dispose();
        var first = offset + written;
        using var message = request.Continue(first, offset + expected, sameTag);
        _response = await send(message, cancellationToken).ConfigureAwait(false);
        var headers = HeaderLines.Of(_response);
        if ((int)_response.StatusCode != 206 || !EntityTag.StrongEquals(headers.Single("ETag"), sameTag)
            || !ContentRange.TryParse(headers.Single("Content-Range"), out var range) || range.First != first
            || (completeLength is { } length && range.Length is { } now && now != length))
            throw new InvalidDataException("The origin broke off within a body and does not continue it.");
    }

    private static string MediaTypeOf(HttpResponseMessage response) =>
        response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var values) && values.ToString() is { Length: > 0 and <= MaxMediaTypeLength } type
            ? type : "application/octet-stream";
}
