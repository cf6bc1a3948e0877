using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ImageApi.Origins.Outbound;

/// <summary>
/// Makes the road to an origin that speaks HTTP. Every request of ours to another machine takes it: it bounds how many, how long and whereto, tries again
/// what may be tried again, adds the credentials, and keeps the health. A cache goes above it and never sees a credential.
/// </summary>
internal sealed class OriginHttp(OriginHealthBoard health, OriginMetrics metrics, TimeProvider time, ILogger<OriginHttp> logger)
{
    /// <summary>The longest header of an answer, in KiB.</summary>
    private const int MaxHeaderKilobytes = 64;

    /// <summary>
    /// A handler for one origin. It follows no redirect, decompresses nothing, keeps no cookie. It fails with <see cref="OriginHttpException"/>, which
    /// is an <see cref="HttpRequestException"/> that says whose fault it was; <see cref="OriginFailures.From"/> makes an <see cref="OriginException"/> of anything it throws.
    /// The caller disposes the handler and every answer: an answer that is not disposed holds its place among <see cref="OriginOptions.MaxConcurrency"/>.
    /// </summary>
    /// <param name="name">The origin's name, for health, metrics and messages.</param>
    /// <param name="options">Validated.</param>
    public HttpMessageHandler CreateHandler(string name, OriginOptions options) => CreateHandler(name, options, new Uri(options.Url, UriKind.Absolute));

    /// <summary>The same, to an address that follows from other options.</summary>
    /// <param name="name">As above.</param>
    /// <param name="options">As above.</param>
    /// <param name="address">Where requests go, and nowhere else.</param>
    /// <param name="most">Fewer requests at once than the options allow; null: as many.</param>
    public HttpMessageHandler CreateHandler(string name, OriginOptions options, Uri address, int? most = null)
    {
        var turns = Math.Min(options.MaxConcurrency, most ?? int.MaxValue);
        var meter = health.For(name);
        if (address.Scheme == Uri.UriSchemeHttp && options.AllowPlainHttp) logger.PlainHttpAllowed(name);
        return new OriginHandler(name, options, turns, meter, metrics, time)
        {
            InnerHandler = new CredentialsHandler(address, options) { InnerHandler = CreateSockets(name, address, options, turns) },
        };
    }

    private static SocketsHttpHandler CreateSockets(string name, Uri address, OriginOptions options, int turns)
    {
        var connector = new OriginConnector(name, address, options);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,   // the address that is checked has to be the one that is spoken to
            ConnectTimeout = options.TryTimeout,
            MaxResponseHeadersLength = MaxHeaderKilobytes,
            MaxConnectionsPerServer = turns,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),   // a changed DNS entry is followed
            ConnectCallback = connector.ConnectAsync,
            // Octets that are no ASCII pass both ways as they are.
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        };
        if (options.CaFile.Length > 0)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(HomePath.Expand(options.CaFile));
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }
        return handler;
    }
}
