using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using ImageApi.Origins.Outbound;

namespace ImageApi.Origins.Http;

/// <summary>
/// A file server behind the HTTP cache. An item's path is unescaped, its parts are separated by <c>/</c>; requests go to the configured address
/// with that path appended. Versions are strong entity tags, else the date of the last modification with the length.
/// </summary>
internal sealed class HttpOrigin : IFileOrigin, IDisposable
{
    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly HttpMessageInvoker _client;
    private readonly HttpListing _listing;
    private readonly string _base;

    /// <param name="name">The origin's name.</param>
    /// <param name="options">Validated.</param>
    /// <param name="handler">The cache with the road to the origin beneath it; owned from now on.</param>
    public HttpOrigin(string name, OriginOptions options, HttpMessageHandler handler)
    {
        Name = name;
        _client = new HttpMessageInvoker(handler);
        _base = options.Url.EndsWith('/') ? options.Url : options.Url + "/";
        Methods = [.. options.Methods.Select(static method => method.ToUpperInvariant())];
        _listing = new HttpListing(options.Items, GetAsync);
    }

    public string Name { get; }

    public OriginTraits Traits => OriginTraits.None;

    /// <summary>The unsafe methods that the configuration lets through.</summary>
    public IReadOnlyList<string> Methods { get; }

    /// <summary>The absolute address that items are appended to; ends in <c>/</c>.</summary>
    public string Address => _base;

    /// <summary>The address of an escaped path and query, letter by letter as written.</summary>
    public Uri AddressOf(string escapedPathAndQuery) => new(_base + escapedPathAndQuery, in AsWritten);

    /// <summary>Sends a request through the cache. The caller disposes the answer.</summary>
    /// <exception cref="OriginException">The origin failed, and nothing stale may be given.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await _client.SendAsync(request, cancellationToken);
        }
        catch (Exception exception) when (IsOrigins(exception, cancellationToken))
        {
            throw OriginFailures.From(exception);
        }
    }

    /// <summary>Whether an exception, while asking or while a body is read, is the origin's fault and not ours or the caller's.</summary>
    public static bool IsOrigins(Exception exception, CancellationToken cancellationToken) =>
        exception is HttpRequestException or IOException or TimeoutException or OriginException or InvalidDataException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    public async ValueTask<OriginVersion?> GetVersionAsync(OriginItem item, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, AddressOf(UrlPath.Escape(item.Path)));
        using var response = await SendAsync(request, cancellationToken);
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone) return null;
        ThrowIfRefused(response);
        return VersionOf(response);
    }

    public async Task<OriginRead> OpenAsync(OriginItem item, OriginVersion? ifMatch, ByteRange? range, CancellationToken cancellationToken)
    {
        var read = new HttpRead(this, item, ifMatch);
        try
        {
            await read.OpenAsync(range, cancellationToken);
            return read;
        }
        catch
        {
            await read.DisposeAsync();
            throw;
        }
    }

    public async IAsyncEnumerable<FileItem> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in _listing.ListAsync(prefix, cancellationToken)) yield return item;
    }

    public void Dispose() => _client.Dispose();

    /// <summary>Asks for an item, or a range of it. Null when it is absent.</summary>
    internal async Task<HttpResponseMessage?> GetAsync(string path, RangeHeaderValue? range, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, AddressOf(UrlPath.Escape(path)));
        request.Headers.Range = range;
        var response = await SendAsync(request, cancellationToken);
        if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable) return response;
        using (response)
        {
            if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone) return null;
            ThrowIfRefused(response);
            throw new OriginException(OriginFailure.Broken, $"The origin answered {(int)response.StatusCode} to a plain request.");
        }
    }

    /// <summary>The cheapest honest validator that an answer carries; of one without any, its length and date, which changes with every answer.</summary>
    internal static OriginVersion VersionOf(HttpResponseMessage response)
    {
        if (First(response.Headers, "ETag") is ['"', .., '"'] tag && tag.Length <= 200) return new OriginVersion("etag:" + tag);
        var length = response.Content.Headers.ContentRange?.Length ?? response.Content.Headers.ContentLength;
        var modified = First(response.Content.Headers, "Last-Modified") ?? First(response.Headers, "Date");
        return new OriginVersion(string.Create(CultureInfo.InvariantCulture, $"http:{length}-{modified?[..Math.Min(modified.Length, 64)]}"));
    }

    private static string? First(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private static void ThrowIfRefused(HttpResponseMessage response)
    {
        if (OriginFailures.From(response.StatusCode) is { } failure)
            throw new OriginException(failure, $"The origin answered {(int)response.StatusCode}.") { RetryAfter = response.Headers.RetryAfter?.Delta };
    }
}
