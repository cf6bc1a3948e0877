using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Web.Dicomweb;

namespace Web.Administration;

/// <summary>ImageApi refused a request: what it says (RFC 9457), in words that can stand on a page, and the whole problem.</summary>
internal sealed class RefusedException(HttpStatusCode status, string detail, JsonElement problem) : Exception(detail)
{
    public HttpStatusCode Status => status;

    public JsonElement Problem => problem;
}

/// <summary>An answer of ImageApi with its entity tag.</summary>
internal sealed record Tagged<T>(T Value, string? EntityTag);

/// <summary>ImageApi's administration resources, from server to server: a browser never sends them anything itself.</summary>
internal sealed class AdministrationClient(HttpClient http)
{
    /// <exception cref="ImageApiUnavailableException">ImageApi is down, slow or broken.</exception>
    /// <exception cref="RefusedException">It does not answer this.</exception>
    public async Task<T> GetAsync<T>(string address, JsonTypeInfo<T> form, CancellationToken cancellationToken) =>
        (await SendAsync(HttpMethod.Get, address, null, null, form, cancellationToken)).Value;

    public Task<Tagged<T>> GetTaggedAsync<T>(string address, JsonTypeInfo<T> form, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, address, null, null, form, cancellationToken);

    /// <summary>Sends a document, or nothing, and reads what comes back.</summary>
    public async Task<Tagged<T>> SendAsync<T>(HttpMethod method, string address, HttpContent? content, string? ifMatch, JsonTypeInfo<T> form, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(method, address, content, ifMatch, cancellationToken);
        try
        {
            var value = await response.Content.ReadFromJsonAsync(form, cancellationToken) ?? throw new JsonException();
            return new Tagged<T>(value, response.Headers.ETag?.ToString());
        }
        catch (Exception exception) when (exception is JsonException or HttpRequestException)
        {
            throw new ImageApiUnavailableException(timedOut: false, exception);
        }
    }

    /// <summary>Sends a request whose answer has no body that matters.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string address, HttpContent? content, string? ifMatch, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(address, UriKind.Relative)) { Content = content };
        if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        HttpResponseMessage response;
        try
        {
            response = await http.SendAsync(request, cancellationToken);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ImageApiUnavailableException(timedOut: true, exception);
        }
        catch (HttpRequestException exception)
        {
            throw new ImageApiUnavailableException(timedOut: exception.StatusCode == HttpStatusCode.GatewayTimeout, exception);
        }
        if (response.IsSuccessStatusCode) return response;
        using (response) throw await RefusalAsync(response, cancellationToken);
    }

    private static async Task<Exception> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode >= HttpStatusCode.InternalServerError && response.StatusCode != HttpStatusCode.InsufficientStorage)
            return new ImageApiUnavailableException(timedOut: response.StatusCode == HttpStatusCode.GatewayTimeout);
        try
        {
            using var problem = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), default, cancellationToken);
            var root = problem.RootElement;
            var detail = root.TryGetProperty("detail", out var text) || root.TryGetProperty("title", out text) ? text.GetString() : null;
            return new RefusedException(response.StatusCode, detail ?? "It does not say why.", root.Clone());
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return new RefusedException(response.StatusCode, "It does not say why.", default);
        }
    }
}
