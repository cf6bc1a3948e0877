using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Cli.Servers;

/// <summary>HTTP to one server, with failures told so that a person can act on them.</summary>
internal sealed class ServerConnection : IDisposable
{
    private const int MaxAnswerBytes = 64 << 20;

    private readonly HttpClient _http;

    public ServerConnection(ServerAddress address, int connections)
    {
        Address = address;
        _http = new HttpClient(new SocketsHttpHandler
        {
            MaxConnectionsPerServer = connections,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            AllowAutoRedirect = false,
            UseCookies = false
        })
        { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("platform", "0.1"));
    }

    public ServerAddress Address { get; }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    /// <summary>The answer to a GET for DICOM JSON; null where there is nothing (204).</summary>
    public async Task<JsonDocument?> GetDicomJsonAsync(Uri uri, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        request.Headers.Accept.ParseAdd("application/dicom+json");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        try
        {
            using var response = await SendAsync(request, patience.Token);
            if (response.StatusCode == HttpStatusCode.NoContent) return null;
            if (!response.IsSuccessStatusCode) throw await RefusedAsync(response, patience.Token);
            return await ReadJsonAsync(response, patience.Token);
        }
        catch (OperationCanceledException failure) when (!cancellationToken.IsCancellationRequested)
        {
            throw Unreachable(new TimeoutException("it takes longer than 30 s to answer", failure));
        }
        catch (HttpRequestException failure)
        {
            throw Unreachable(failure);
        }
    }

    /// <summary>The body of an answer as JSON; null when it is none or endless.</summary>
    public static async Task<JsonDocument?> ReadJsonAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > MaxAnswerBytes) return null;
        try
        {
            await response.Content.LoadIntoBufferAsync(MaxAnswerBytes, cancellationToken);
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            return await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
        }
        catch (Exception failure) when (failure is JsonException or HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>What a problem document (RFC 9457) says, else the status.</summary>
    public static async Task<string> DescribeAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var problem = await ReadJsonAsync(response, cancellationToken);
        var told = problem?.RootElement is { ValueKind: JsonValueKind.Object } root
            ? (Text(root, "detail") ?? Text(root, "title"))
            : null;
        return told ?? $"the server answers {(int)response.StatusCode} {response.ReasonPhrase}";

        static string? Text(JsonElement root, string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    public CommandException Unreachable(Exception failure) => new(
        $"No server answers at {Address}: {Innermost(failure)}",
        "Start the stack with `dotnet run --project AppHost`, or name another server with --server.",
        failure);

    public async Task<CommandException> RefusedAsync(HttpResponseMessage response, CancellationToken cancellationToken) => new(
        $"The server refuses the request: {await DescribeAsync(response, cancellationToken)}",
        response.StatusCode switch
        {
            HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => "It is busy with something: try again in a while.",
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => "It wants to know who asks. Ask its administrator for access from this machine.",
            HttpStatusCode.MovedPermanently or HttpStatusCode.Redirect or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect => $"It has moved to {response.Headers.Location}: name that address with --server.",
            HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed => "Is that the address of an ImageApi, and of one that is not older than this program? `platform import` takes the DICOMweb root of other servers, such as http://localhost:8042/dicom-web.",
            _ => "Its log says more; the request id in the answer finds the line."
        });

    public void Dispose() => _http.Dispose();

    private static string Innermost(Exception failure)
    {
        while (failure.InnerException is { } inner) failure = inner;
        return failure.Message;
    }
}
