namespace Platform.Models;

/// <summary>What the fetcher may ask, and for how long it waits.</summary>
public sealed class ModelFetchOptions
{
    /// <summary>The longest file in bytes, where the manifest does not say its length; default 16 GB.</summary>
    public long MaxFileBytes { get; set; } = 16_000_000_000;

    /// <summary>How long a server may be silent; default 30 s.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a download that broke off is taken up again at one address without having got further; default 3.</summary>
    public int Retries { get; set; } = 3;

    /// <summary>The pause before it is taken up again, doubled each time; default 1 s.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How many redirects are followed, each to an allowed address; default 5.</summary>
    public int MaxRedirects { get; set; } = 5;

    /// <summary>Hosts that may be asked without TLS, besides this machine. Default none.</summary>
    public IList<string> PlainHttpHosts { get; } = [];

    /// <summary>Hosts that may be asked at all; empty, the default, allows every host that the manifests name and that they redirect to.</summary>
    public IList<string> AllowedHosts { get; } = [];

    internal void CheckAllowed(Uri url)
    {
        if (url.Scheme != Uri.UriSchemeHttps && !(url.Scheme == Uri.UriSchemeHttp && (url.IsLoopback || PlainHttpHosts.Contains(url.Host, StringComparer.OrdinalIgnoreCase))))
            throw new ModelException(ModelFault.Refused, $"{Shown(url)} is not allowed: https, or http to this machine.");
        if (AllowedHosts.Count > 0 && !AllowedHosts.Contains(url.Host, StringComparer.OrdinalIgnoreCase))
            throw new ModelException(ModelFault.Refused, $"{Shown(url)} is not allowed: {url.Host} is not among the hosts that may be asked.");
    }

    /// <summary>An address without its query, which may carry a signature.</summary>
    internal static string Shown(Uri url) => url.GetLeftPart(UriPartial.Path);
}
