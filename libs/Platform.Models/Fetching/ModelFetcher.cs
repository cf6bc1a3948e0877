using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Platform.Models;

/// <summary>
/// Brings one file from the first of its addresses that gives it, into a part file that outlives the process: what has arrived is kept and gone on with by a range. Verified while it streams; the
/// caller makes it visible. Thread-safe.
/// </summary>
/// <param name="http">What requests go through; not disposed here. It must not follow redirects or decompress: <see cref="CreateHandler"/> makes one.</param>
/// <param name="options">What may be asked.</param>
/// <param name="time">The clock; null for the system's.</param>
public sealed class ModelFetcher(HttpMessageInvoker http, ModelFetchOptions options, TimeProvider? time = null)
{
    private const int BufferBytes = 256 << 10;
    private const long ReportEveryBytes = 256 << 10;

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>A handler as the fetcher needs it: no redirects, no decompression, no cookies.</summary>
    public static SocketsHttpHandler CreateHandler() => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(15),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    };

    internal ModelFetchOptions Options => options;

    /// <summary>
    /// Fetches <paramref name="file"/> into <paramref name="part"/>, which is whole, flushed and of the expected digest when this returns.
    /// </summary>
    /// <param name="file">Its addresses and length.</param>
    /// <param name="sha256">What it must hash to; null where that is learnt now.</param>
    /// <param name="part">What is here of it.</param>
    /// <param name="reserve">Called with the bytes to come, before they come; throws where there is no room.</param>
    /// <param name="onBytes">Told the bytes that are here, the total where known, and those that came now.</param>
    /// <param name="cancellationToken">Stops it; what has arrived stays.</param>
    /// <returns>Its digest.</returns>
    /// <exception cref="ModelException">No address gave it, or what they gave is not it.</exception>
    internal async Task<string> FetchAsync(ModelFile file, string? sha256, PartFile part, Func<long, Task> reserve, Action<long, long?, int> onBytes, CancellationToken cancellationToken)
    {
        var failures = new List<ModelException>();
        foreach (var url in file.Urls)
        {
            try
            {
                return await FetchFromAsync(url, file, sha256, part, reserve, onBytes, cancellationToken).ConfigureAwait(false);
            }
            catch (ModelException failure) when (failure.Fault is ModelFault.Unreachable or ModelFault.Refused or ModelFault.DigestMismatch)
            {
                failures.Add(failure);
            }
        }
        if (failures.Count == 1) throw failures[0];
        // A wrong digest weighs more than a silent server.
        var fault = failures.Any(static failure => failure.Fault == ModelFault.DigestMismatch) ? ModelFault.DigestMismatch : failures.Count == 0 ? ModelFault.NotFound : failures[^1].Fault;
        throw new ModelException(fault, failures.Count == 0 ? $"{file.Path} has no address to be fetched from." : $"{file.Path}: none of {failures.Count} addresses gave it. {string.Join(" ", failures.Select(static failure => failure.Message))}", failures.LastOrDefault());
    }

    private async Task<string> FetchFromAsync(Uri url, ModelFile file, string? sha256, PartFile part, Func<long, Task> reserve, Action<long, long?, int> onBytes, CancellationToken cancellationToken)
    {
        // Bytes of another address are gone on with only where the digest will tell whether they belong together.
        if (part.Length > 0 && part.Source?.Url != url.AbsoluteUri && sha256 is null) part.StartOver(null);
        var (isPieced, hasStartedOver) = (part.Length > 0, false);
        var delay = options.RetryDelay;
        for (var failed = 0; ;)
        {
            var before = part.Length;
            try
            {
                await ReceiveAsync(url, file, sha256, part, reserve, onBytes, cancellationToken).ConfigureAwait(false);
                var digest = part.Digest();
                if (sha256 is null || digest == sha256)
                {
                    part.Flush();
                    return digest;
                }
                part.StartOver(null);
                if (!isPieced || hasStartedOver) throw new ModelException(ModelFault.DigestMismatch, $"{ModelFetchOptions.Shown(url)} gives a file with the digest {digest}; {sha256} is expected.");
                // Pieces that do not belong together, or were damaged: once more from the first byte.
                hasStartedOver = true;
            }
            catch (BrokenOffException failure)
            {
                failed = part.Length > before ? 1 : failed + 1;
                if (part.Length > before) delay = options.RetryDelay;
                if (failed > options.Retries) throw new ModelException(ModelFault.Unreachable, $"{ModelFetchOptions.Shown(url)}: {failure.Message}", failure);
                isPieced = part.Length > 0;
                await Task.Delay(delay, _time, cancellationToken).ConfigureAwait(false);
                delay *= 2;
            }
        }
    }

    private async Task ReceiveAsync(Uri url, ModelFile file, string? sha256, PartFile part, Func<long, Task> reserve, Action<long, long?, int> onBytes, CancellationToken cancellationToken)
    {
        var total = file.Bytes ?? part.Source?.Length;
        if (part.Length > 0 && part.Length == total && (sha256 is not null || part.Source?.Url == url.AbsoluteUri)) return;   // it was whole when the process died
        var mayGoOn = part.Length > 0 && part.Length < (total ?? long.MaxValue) && (sha256 is not null || part.Source?.Validator is not null);
        if (!mayGoOn && part.Length > 0) part.StartOver(null);
        // RFC 9110 14.2, 13.1.5: the range counts only while the file is what it was; another address's validator says nothing here.
        var validator = mayGoOn && part.Source?.Url == url.AbsoluteUri ? part.Source.Validator : null;

        using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var response = await SendAsync(url, mayGoOn ? part.Length : 0, validator, idle, cancellationToken).ConfigureAwait(false);
        var content = response.Content.Headers;
        if (content.ContentEncoding.Any(static coding => !coding.Equals("identity", StringComparison.OrdinalIgnoreCase))) throw Unreachable("answers with a content coding that was not asked for");
        long? length;
        switch (response.StatusCode)
        {
            case HttpStatusCode.PartialContent when mayGoOn:
                if (content.ContentRange is not { Unit: "bytes", From: { } from } range || from != part.Length || (range.Length is { } whole && total is { } known && whole != known))
                {
                    part.StartOver(null);
                    throw new BrokenOffException("it answers with another range than was asked for.");
                }
                length = range.Length ?? total;
                break;
            case HttpStatusCode.RequestedRangeNotSatisfiable when mayGoOn:
                part.StartOver(null);
                throw new BrokenOffException("what is here of it does not fit what it has.");
            case HttpStatusCode.OK:
                length = content.ContentLength ?? file.Bytes;
                if (part.Length > 0) part.StartOver(null);
                break;
            default:
                if ((int)response.StatusCode is >= 500 or 408 or 429) throw new BrokenOffException(string.Create(CultureInfo.InvariantCulture, $"it answers {(int)response.StatusCode}."));
                throw Unreachable(string.Create(CultureInfo.InvariantCulture, $"answers {(int)response.StatusCode}"));
        }
        if (file.Bytes is { } declared && length is { } told && told != declared) throw Unreachable(string.Create(CultureInfo.InvariantCulture, $"has {told} bytes; {declared} are expected"));
        var bound = file.Bytes ?? options.MaxFileBytes;
        if (length > bound) throw Unreachable(string.Create(CultureInfo.InvariantCulture, $"has {length} bytes; {bound} are allowed"));
        await reserve((length ?? 0) - Math.Min(part.Length, length ?? 0)).ConfigureAwait(false);

        part.Note(new PartSource(url.AbsoluteUri, response.Headers.ETag is { IsWeak: false } tag ? tag.ToString() : null, StrongDateOf(response), length));
        await CopyAsync(response, part, length, bound, onBytes, idle, cancellationToken).ConfigureAwait(false);
        if (length is { } promised && part.Length < promised) throw new BrokenOffException("it broke off.");

        ModelException Unreachable(string what) => new(ModelFault.Unreachable, $"{ModelFetchOptions.Shown(url)} {what}.");
    }

    // RFC 9110 8.8.2.2: a date is a strong validator only when it was old enough at the time of the answer.
    private static string? StrongDateOf(HttpResponseMessage response) =>
        response.Content.Headers.LastModified is { } modified && response.Headers.Date is { } date && date - modified >= TimeSpan.FromMinutes(1) ? modified.ToString("r", CultureInfo.InvariantCulture) : null;

    private async Task CopyAsync(HttpResponseMessage response, PartFile part, long? length, long bound, Action<long, long?, int> onBytes, CancellationTokenSource idle, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            long reported = 0;
            var unreported = 0;
            onBytes(part.Length, length, 0);
            while (true)
            {
                int read;
                idle.CancelAfter(options.IdleTimeout);
                try
                {
                    read = await body.ReadAsync(buffer.AsMemory(0, BufferBytes), idle.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    throw new BrokenOffException("it stopped sending.");
                }
                catch (Exception failure) when (failure is IOException or HttpRequestException or SocketException)
                {
                    throw new BrokenOffException("it broke off.", failure);
                }
                if (read == 0) break;
                if (part.Length + read > Math.Min(bound, length ?? bound))
                {
                    part.StartOver(null);
                    throw new ModelException(ModelFault.Unreachable, "The server sent more than it had promised or than is allowed.");
                }
                try
                {
                    part.Append(buffer.AsSpan(0, read));
                }
                catch (IOException failure) when (StoreFolder.IsDiskFull(failure))
                {
                    // Others need the room more than this needs to go on where it was.
                    part.StartOver(null);
                    throw new ModelException(ModelFault.NoRoom, "The disk became full.", failure);
                }
                unreported += read;
                if (part.Length - reported >= ReportEveryBytes || part.Length == length)
                {
                    onBytes(part.Length, length, unreported);
                    (reported, unreported) = (part.Length, 0);
                }
            }
            if (unreported > 0) onBytes(part.Length, length, unreported);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Follows redirects itself: each address is held to the rules, and TLS is not left.</summary>
    private async Task<HttpResponseMessage> SendAsync(Uri url, long from, string? validator, CancellationTokenSource idle, CancellationToken cancellationToken)
    {
        for (var hop = 0; ; hop++)
        {
            options.CheckAllowed(url);
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
            if (from > 0)
            {
                request.Headers.Range = new RangeHeaderValue(from, null);
                if (validator is not null) request.Headers.TryAddWithoutValidation("If-Range", validator);
            }
            idle.CancelAfter(options.IdleTimeout);
            HttpResponseMessage response;
            try
            {
                response = await http.SendAsync(request, idle.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new BrokenOffException("it does not answer.");
            }
            catch (HttpRequestException failure)
            {
                throw new BrokenOffException("it cannot be reached.", failure);
            }
            if (response.RequestMessage?.RequestUri is { } answered && answered != url)
            {
                response.Dispose();
                throw new ModelException(ModelFault.Refused, $"{ModelFetchOptions.Shown(url)} was redirected by the handler, unchecked.");
            }
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308)) return response;
            using (response)
            {
                if (response.Headers.Location is not { } location) throw new ModelException(ModelFault.Unreachable, $"{ModelFetchOptions.Shown(url)} redirects to nowhere.");
                if (hop == options.MaxRedirects) throw new ModelException(ModelFault.Unreachable, $"{ModelFetchOptions.Shown(url)} redirects more than {options.MaxRedirects} times.");
                var next = new Uri(url, location);
                if (url.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps) throw new ModelException(ModelFault.Refused, $"{ModelFetchOptions.Shown(url)} redirects to {ModelFetchOptions.Shown(next)}, away from TLS.");
                url = next;
            }
        }
    }

    /// <summary>May be taken up again.</summary>
    private sealed class BrokenOffException(string message, Exception? inner = null) : Exception(message, inner);
}
