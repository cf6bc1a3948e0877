using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cli.Servers;

namespace Cli.Cache;

/// <summary>The cache's resources of one server.</summary>
internal sealed class CacheServer(ServerAddress address) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ServerConnection _server = new(address, connections: 1);

    /// <summary>Sends a request and gives the answer's JSON; <paramref name="accept"/> lets an answer through that is no success.</summary>
    /// <exception cref="CommandException">No server, a refusal, or an answer that is no JSON.</exception>
    public async Task<CacheAnswer> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken,
        string? ifMatch = null, Func<HttpResponseMessage, bool>? accept = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(_server.Address.Root, "api/cache/" + path)) { Content = content };
        if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            using var response = await _server.SendAsync(request, patience.Token);
            if (!response.IsSuccessStatusCode && accept?.Invoke(response) != true) throw await _server.RefusedAsync(response, patience.Token);
            var json = await ServerConnection.ReadJsonAsync(response, patience.Token)
                ?? throw new CommandException("The server's answer cannot be read.", "Is it an ImageApi, and not older than this program?");
            return new CacheAnswer((int)response.StatusCode, response.Headers.ETag?.ToString(), json.RootElement);
        }
        catch (OperationCanceledException failure) when (!cancellationToken.IsCancellationRequested)
        {
            throw _server.Unreachable(new TimeoutException($"it takes longer than {Patience.TotalSeconds:0} s to answer", failure));
        }
        catch (OperationCanceledException failure)
        {
            throw new CommandException("Interrupted.", "What the server had begun it finishes.", failure);
        }
        catch (HttpRequestException failure)
        {
            throw _server.Unreachable(failure);
        }
    }

    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> form, CancellationToken cancellationToken) =>
        (await SendAsync(HttpMethod.Get, path, null, cancellationToken)).Read(form);

    public void Dispose() => _server.Dispose();
}

/// <summary>An answer: its status, its entity tag, its JSON.</summary>
internal sealed record CacheAnswer(int Status, string? EntityTag, JsonElement Json)
{
    public T Read<T>(JsonTypeInfo<T> form)
    {
        try
        {
            return Json.Deserialize(form) ?? throw new JsonException();
        }
        catch (JsonException failure)
        {
            throw new CommandException("The server's answer cannot be read.", "Is it an ImageApi, and of the same version as this program?", failure);
        }
    }
}
