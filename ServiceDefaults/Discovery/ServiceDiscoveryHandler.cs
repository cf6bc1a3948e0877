namespace ServiceDefaults.Discovery;

/// <summary>Sends a request for a logical address (<c>http://image-api/…</c>) to where that service listens.</summary>
internal sealed class ServiceDiscoveryHandler(ServiceEndpoints endpoints) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri is { IsAbsoluteUri: true } logical && endpoints.Resolve(logical) is { } address)
        {
            request.RequestUri = new UriBuilder(logical) { Scheme = address.Scheme, Host = address.Host, Port = address.Port }.Uri;
        }

        return base.SendAsync(request, cancellationToken);
    }
}
