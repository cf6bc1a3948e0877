using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using ImageApi.Origins.Outbound;
using Platform.HttpCache;
using Platform.TieredCache;

namespace ImageApi.Origins.Http;

/// <summary>
/// An item of an HTTP origin, or a range of it. Reading on from where the last read ended continues the open answer; reading elsewhere asks for
/// another range, which has to be of the same version.
/// </summary>
internal sealed class HttpRead(HttpOrigin origin, OriginItem item, OriginVersion? ifMatch) : OriginRead
{
    /// <summary>A gap that is read over rather than asked anew.</summary>
    private const int SkippedBytes = 64 << 10;

    private const int ChunkBytes = 64 << 10;

    private HttpResponseMessage? _response;
    private Stream? _body;
    private OriginVersion? _version = ifMatch;
    private long _position;     // of the open answer, within the range
    private long _total, _offset, _length;

    public override OriginVersion Version => _version!.Value;
    public override long TotalLength => _total;
    public override long Offset => _offset;
    public override long Length => _length;

    public async Task OpenAsync(ByteRange? range, CancellationToken cancellationToken)
    {
        _offset = range?.Offset ?? 0;
        await AskAsync(_offset, range?.Count is { } count ? _offset + count : null, cancellationToken);
        if (_offset > 0 && _offset >= _total) throw new ArgumentOutOfRangeException(nameof(range), "The range begins beyond the item's end.");
        _length = Math.Min(range?.Count ?? long.MaxValue, _total - _offset);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, long position, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        var count = (int)Math.Min(buffer.Length, Math.Max(0, _length - position));
        if (count == 0) return 0;
        if (_body is null || position < _position || position > _position + SkippedBytes) await AskAsync(_offset + position, _offset + _length, cancellationToken);
        if (position > _position) await SkipAsync(position - _position, cancellationToken);
        var read = await TryAsync(_body!.ReadAsync(buffer[..count], cancellationToken), cancellationToken);
        if (read == 0) throw new OriginException(OriginFailure.Changed, "The item is shorter than it was.");
        _position += read;
        return read;
    }

    public override async ValueTask CopyToAsync(EntryWriter to, CancellationToken cancellationToken)
    {
        for (long done = 0; done < _length;)
        {
            var memory = to.GetMemory((int)Math.Min(ChunkBytes, _length - done));
            var read = await ReadAsync(memory, done, cancellationToken);
            to.Advance(read);
            done += read;
            await to.FlushAsync(cancellationToken);
        }
    }

    public override async ValueTask CopyToAsync(PipeWriter to, CancellationToken cancellationToken)
    {
        for (long done = 0; done < _length;)
        {
            var read = await ReadAsync(to.GetMemory((int)Math.Min(ChunkBytes, _length - done)), done, cancellationToken);
            to.Advance(read);
            done += read;
            var flushed = await to.FlushAsync(cancellationToken);
            if (flushed.IsCompleted || flushed.IsCanceled) return;   // nobody reads any more
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_body is not null) await _body.DisposeAsync();
        _response?.Dispose();
        (_body, _response) = (null, null);
    }

    /// <summary>Opens the bytes from <paramref name="first"/> up to <paramref name="end"/> (null: all that follow) of the item.</summary>
    private async Task AskAsync(long first, long? end, CancellationToken cancellationToken)
    {
        await DisposeAsync();
        var range = first > 0 || end is not null ? new RangeHeaderValue(first, end - 1) : null;
        _response = await origin.GetAsync(item.Path, range, cancellationToken) ?? throw new OriginException(OriginFailure.Absent, "The item is gone.");
        if (_response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            _total = _response.Content.Headers.ContentRange?.Length ?? 0;
            return;
        }

        var version = HttpOrigin.VersionOf(_response);
        if (_version is { } expected && version != expected) throw new OriginException(OriginFailure.Changed, "The item is not the version that was asked for.");
        _version = version;
        var begins = _response.StatusCode == HttpStatusCode.PartialContent ? _response.Content.Headers.ContentRange?.From ?? throw Broken() : 0;
        _total = await TotalOfAsync(_response, cancellationToken) ?? throw Broken();
        _body = await TryAsync(_response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken);
        _position = begins - _offset;
        if (begins > first) throw Broken();
        // An origin that knows no ranges gives all: what comes before is read over.
        if (begins < first) await SkipAsync(first - begins, cancellationToken);
    }

    /// <summary>The whole item's length. Where the origin does not tell it, it is known when all of it has arrived in the cache.</summary>
    private static async ValueTask<long?> TotalOfAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode == HttpStatusCode.PartialContent) return response.Content.Headers.ContentRange?.Length;
        if (response.Content is CachedContent content && !content.Headers.NonValidated.Contains("Content-Length"))
            await TryAsync(AllArrivedAsync(content, cancellationToken), cancellationToken);
        return response.Content.Headers.ContentLength;
    }

    private static async Task<bool> AllArrivedAsync(CachedContent content, CancellationToken cancellationToken)
    {
        await content.WaitUntilCompleteAsync(cancellationToken);
        return true;
    }

    private async Task SkipAsync(long count, CancellationToken cancellationToken)
    {
        var scratch = new byte[Math.Min(count, ChunkBytes)];
        while (count > 0)
        {
            var read = await TryAsync(_body!.ReadAsync(scratch.AsMemory(0, (int)Math.Min(scratch.Length, count)), cancellationToken), cancellationToken);
            if (read == 0) throw new OriginException(OriginFailure.Changed, "The item is shorter than it was.");
            count -= read;
            _position += read;
        }
    }

    private static ValueTask<T> TryAsync<T>(Task<T> task, CancellationToken cancellationToken) => TryAsync(new ValueTask<T>(task), cancellationToken);

    private static async ValueTask<T> TryAsync<T>(ValueTask<T> task, CancellationToken cancellationToken)
    {
        try
        {
            return await task;
        }
        catch (Exception exception) when (exception is not OriginException && !cancellationToken.IsCancellationRequested)
        {
            throw OriginFailures.From(exception);
        }
    }

    private static OriginException Broken() => new(OriginFailure.Broken, "The origin does not say which bytes it gave, or how many there are.");
}
