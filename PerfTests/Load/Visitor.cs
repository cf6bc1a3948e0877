using System.IO.Compression;
using System.Net.Http.Headers;

namespace PerfTests.Load;

/// <summary>What a request gave.</summary>
/// <param name="Body">Decoded; empty where it was only counted.</param>
/// <param name="Bytes">Of the body as it went over the wire; 0 from the visitor's own cache.</param>
/// <param name="IsFromCache">The visitor had it still fresh, or the server said that it had not changed.</param>
internal readonly record struct Fetched(ReadOnlyMemory<byte> Body, long Bytes, bool IsFromCache);

/// <summary>The server answered something else than a success.</summary>
internal sealed class LoadFailedException(int status, string path) : Exception($"status {status} for {path}")
{
    public int Status => status;
}

/// <summary>
/// One person at a workstation: asks a server, and remembers as the answers' headers allow, as a private cache does (RFC 9111: max-age,
/// no-store, no-cache, ETag; a 304 renews). Of what is only looked at nothing is kept but that it is there. Used by one iteration at a time,
/// which may have several requests in flight.
/// </summary>
internal sealed class Visitor(HttpClient client, TimeProvider time)
{
    private readonly Dictionary<(string Path, string Accept), Kept> _kept = [];
    private readonly Lock _gate = new();

    private sealed record Kept(EntityTagHeaderValue? Tag, DateTimeOffset FreshUntil, byte[]? Body);

    /// <summary>Bytes over the wire so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>Forgets everything: another person.</summary>
    public void Forget()
    {
        lock (_gate) _kept.Clear();
    }

    /// <summary>Gets a document; its body is kept with it.</summary>
    public Task<Fetched> ReadAsync(string path, string accept, CancellationToken cancellationToken) => GetAsync(path, accept, isBodyKept: true, cancellationToken);

    /// <summary>Gets an image: its bytes are counted and let go.</summary>
    public Task<Fetched> LookAsync(string path, string accept, CancellationToken cancellationToken) => GetAsync(path, accept, isBodyKept: false, cancellationToken);

    private async Task<Fetched> GetAsync(string path, string accept, bool isBodyKept, CancellationToken cancellationToken)
    {
        Kept? kept;
        lock (_gate) _kept.TryGetValue((path, accept), out kept);
        if (kept is not null && kept.FreshUntil > time.GetUtcNow()) return new Fetched(kept.Body, 0, true);

        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        if (isBodyKept) request.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip, br");
        if (kept?.Tag is { } tag) request.Headers.IfNoneMatch.Add(tag);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var isUnchanged = response.StatusCode == System.Net.HttpStatusCode.NotModified && kept is not null;
        if (!isUnchanged && !response.IsSuccessStatusCode) throw new LoadFailedException((int)response.StatusCode, path);

        byte[]? body = isUnchanged ? kept!.Body : null;
        long bytes = 0;
        if (!isUnchanged)
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            if (isBodyKept) (body, bytes) = await DecodeAsync(stream, response.Content.Headers.ContentEncoding.SingleOrDefault(), cancellationToken);
            else bytes = await CountAsync(stream, cancellationToken);
        }

        lock (_gate)
        {
            Bytes += bytes;
            var cacheControl = response.Headers.CacheControl;
            if (cacheControl?.NoStore == true) _kept.Remove((path, accept));
            else _kept[(path, accept)] = new Kept(response.Headers.ETag ?? kept?.Tag, cacheControl is { NoCache: false, MaxAge: { } age } ? time.GetUtcNow() + age : default, body);
        }

        return new Fetched(body, bytes, isUnchanged);
    }

    private static async Task<(byte[] Body, long Bytes)> DecodeAsync(Stream stream, string? coding, CancellationToken cancellationToken)
    {
        using var wire = new MemoryStream();
        await stream.CopyToAsync(wire, cancellationToken);
        wire.Position = 0;
        if (coding is null) return (wire.ToArray(), wire.Length);
        await using Stream decoder = coding switch
        {
            "gzip" => new GZipStream(wire, CompressionMode.Decompress, leaveOpen: true),
            "br" => new BrotliStream(wire, CompressionMode.Decompress, leaveOpen: true),
            _ => throw new InvalidDataException($"The content coding {coding} was not asked for."),
        };
        using var plain = new MemoryStream();
        await decoder.CopyToAsync(plain, cancellationToken);
        return (plain.ToArray(), wire.Length);
    }

    private static async Task<long> CountAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            long total = 0;
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0) total += read;
            return total;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
