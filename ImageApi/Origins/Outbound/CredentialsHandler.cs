using System.Net.Http.Headers;
using System.Text;

namespace ImageApi.Origins.Outbound;

/// <summary>
/// The last handler before the wire: adds what the origin asks for and sees to it that it goes nowhere else. Requests to another scheme, host or port
/// than the origin's are refused, and so are answers that redirect to one.
/// </summary>
internal sealed class CredentialsHandler : DelegatingHandler
{
    private readonly Uri _origin;
    private readonly AuthenticationHeaderValue? _authorization;
    private readonly KeyValuePair<string, string>[] _headers;
    private readonly bool _isSigned;
    private readonly bool _passesCallers;

    public CredentialsHandler(Uri origin, OriginOptions options)
    {
        _origin = origin;
        _authorization = options switch
        {
            { BearerToken.Length: > 0 } => new AuthenticationHeaderValue("Bearer", options.BearerToken),
            { Username.Length: > 0 } => new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.Username}:{options.Password}"))),
            _ => null,
        };
        _headers = [.. options.Headers];
        _isSigned = options.Kind.Equals(OriginKinds.S3, StringComparison.OrdinalIgnoreCase);
        _passesCallers = options.PassCredentials && _authorization is null;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!IsOrigin(request.RequestUri!)) throw new OriginHttpException(OriginFailure.Refused, "The address is not the origin's own.");

        // A caller's credentials are for us, not for the origin, unless its configuration says otherwise. An object store's client signed the request
        // itself: the signature holds no secret and is good for further tries.
        if (!_isSigned && !_passesCallers) request.Headers.Authorization = _authorization;
        if (!_passesCallers) request.Headers.Remove("Cookie");
        request.Headers.Remove("Proxy-Authorization");
        foreach (var (field, value) in _headers)
        {
            request.Headers.Remove(field);
            request.Headers.TryAddWithoutValidation(field, value);
        }

        var response = await base.SendAsync(request, cancellationToken);
        // An answer must not show to anyone what was sent, nor to whom: a handler above sees the request that it made.
        if (!_isSigned && !_passesCallers) request.Headers.Authorization = null;
        foreach (var (field, _) in _headers) request.Headers.Remove(field);
        if ((int)response.StatusCode is >= 300 and < 400 && response.Headers.Location is { } location && !IsOrigin(new Uri(request.RequestUri!, location)))
        {
            response.Dispose();
            throw new OriginHttpException(OriginFailure.Refused, "The origin redirects elsewhere.");
        }
        return response;
    }

    private bool IsOrigin(Uri uri) => Uri.Compare(uri, _origin, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;
}
