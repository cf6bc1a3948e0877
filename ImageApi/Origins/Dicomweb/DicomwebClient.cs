using System.Net;
using ImageApi.Origins.Outbound;

namespace ImageApi.Origins.Dicomweb;

/// <summary>Speaks DICOMweb (PS3.18) with one server. Everything that fails is an <see cref="OriginException"/>.</summary>
internal sealed class DicomwebClient(string url, HttpMessageHandler handler) : IDisposable
{
    public const string DicomJson = "application/dicom+json";

    private readonly Uri _base = new(url.EndsWith('/') ? url : url + "/", UriKind.Absolute);
    private readonly HttpMessageInvoker _http = new(handler);

    /// <summary>Where a resource lies. <paramref name="path"/> is relative and made of UIDs and names of ours: <c>studies/1.2/series/...</c>, with its query.</summary>
    public Uri UriOf(string path) => new(_base, path);

    /// <summary>Where a resource lies that a client wrote; null when its path leads out of the server's address.</summary>
    public Uri? TryUriOf(string path) =>
        Uri.TryCreate("./" + path, UriKind.Relative, out var relative) && Uri.TryCreate(_base, relative, out var uri) && _base.IsBaseOf(uri) ? uri : null;

    /// <summary>The path of an address below this server's own, relative; null for one elsewhere.</summary>
    public string? PathOf(Uri uri) => _base.IsBaseOf(uri) ? _base.MakeRelativeUri(uri).ToString() : null;

    /// <summary>Sends a request as it is and gives the answer, whatever its status.</summary>
    /// <exception cref="OriginException">No answer came.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await _http.SendAsync(request, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw OriginFailures.From(exception);
        }
    }

    /// <summary>Gets a resource: the answer has a status of 2xx, or 304 where <paramref name="entityTag"/> is given.</summary>
    /// <exception cref="OriginException">No answer came, or another one; <see cref="OriginException.Status"/> says which.</exception>
    public async Task<HttpResponseMessage> GetAsync(Uri uri, string accept, string? entityTag, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        if (entityTag is not null) request.Headers.TryAddWithoutValidation("If-None-Match", entityTag);
        var response = await SendAsync(request, cancellationToken);
        if (response.IsSuccessStatusCode || (response.StatusCode == HttpStatusCode.NotModified && entityTag is not null)) return response;
        using (response)
        {
            var after = response.Headers.RetryAfter?.Delta;
            throw new OriginException(OriginFailures.From(response.StatusCode) ?? OriginFailure.Broken, $"The origin answered {(int)response.StatusCode}.")
            {
                Status = (int)response.StatusCode,
                RetryAfter = after,
            };
        }
    }

    /// <summary>Gets the one thing that a resource holds. The caller disposes it.</summary>
    /// <exception cref="OriginException">As <see cref="GetAsync"/>.</exception>
    public async Task<DicomwebPart> OpenAsync(Uri uri, string accept, CancellationToken cancellationToken) =>
        await DicomwebPart.OpenAsync(await GetAsync(uri, accept, null, cancellationToken), cancellationToken);

    public void Dispose() => _http.Dispose();
}
