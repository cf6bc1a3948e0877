using Amazon.Runtime;
using Amazon.S3;
using ImageApi.Origins.Outbound;

namespace ImageApi.Origins.S3;

/// <summary>
/// The client of one bucket's server. It signs; how many, how long, how often again and whereto is the business of the road that all origins share, so the
/// client's own retries, redirects and timeouts are off. Buckets are named by path: one host for all of them, which any S3 server understands.
/// </summary>
internal static class S3Client
{
    /// <summary>What signatures name where no region is configured: servers that are not AWS take any.</summary>
    private const string AnyRegion = "us-east-1";

    public static AmazonS3Client Create(string name, OriginOptions options, OriginHttp http)
    {
        var address = AddressOf(options);
        var config = new AmazonS3Config
        {
            ServiceURL = address.AbsoluteUri,
            AuthenticationRegion = options.Region.Length > 0 ? options.Region : AnyRegion,
            ForcePathStyle = true,
            MaxErrorRetry = 0,
            AllowAutoRedirect = false,
            HttpClientFactory = new Clients(new S3AnswerBuffer { InnerHandler = http.CreateHandler(name, options, address) }),
        };
        return CredentialsOf(options) is { } credentials ? new AmazonS3Client(credentials, config) : new AmazonS3Client(config);
    }

    public static Uri AddressOf(OriginOptions options) =>
        new(options.ServiceUrl.Length > 0 ? options.ServiceUrl : $"https://s3.{options.Region}.amazonaws.com", UriKind.Absolute);

    /// <summary>Null: those that the machine has (environment, profile, role), which only AWS itself understands.</summary>
    private static AWSCredentials? CredentialsOf(OriginOptions options) => options switch
    {
        { AccessKey.Length: > 0 } => new BasicAWSCredentials(options.AccessKey, options.SecretKey),
        { ServiceUrl.Length: > 0 } => new AnonymousAWSCredentials(),
        _ => null,
    };

    private sealed class Clients(HttpMessageHandler handler) : HttpClientFactory
    {
        private readonly HttpClient _client = new(handler) { Timeout = Timeout.InfiniteTimeSpan };

        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => _client;
        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;
        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
    }
}

/// <summary>
/// The client parses listings and errors synchronously, and an origin's body may be slow: such answers are read into memory first. Objects stream.
/// </summary>
internal sealed class S3AnswerBuffer : DelegatingHandler
{
    /// <summary>A page of 1,000 keys of 1,024 characters each, every one of them escaped, and some more.</summary>
    private const int MaxBytes = 8 << 20;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (request.Method == HttpMethod.Get && response.IsSuccessStatusCode && !IsListing(request)) return response;
        try
        {
            await response.Content.LoadIntoBufferAsync(MaxBytes, cancellationToken);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private static bool IsListing(HttpRequestMessage request) => request.RequestUri!.Query.Contains("list-type=", StringComparison.Ordinal);
}
