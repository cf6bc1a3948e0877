using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Web.Dicomweb;

namespace Web.Pictures;

/// <summary>A page of pictures, as ImageApi lists them.</summary>
public sealed record PicturePage(int Total, int Offset, IReadOnlyList<PictureSummary> Images);

/// <summary>One picture: its size in pixels and in bytes, a data URL to begin with, and where its forms are (below ImageApi).</summary>
public sealed record PictureSummary(string Id, string? Name, int Width, int Height, long Bytes, string Version, string Placeholder, string Url, string Thumbnail);

/// <summary>Asks ImageApi for pictures, from server to server.</summary>
internal sealed class PicturesClient(HttpClient http)
{
    /// <exception cref="ImageApiUnavailableException">ImageApi is down, slow or broken.</exception>
    public async Task<PicturePage> ListAsync(int offset, int limit, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(FormattableString.Invariant($"/images?offset={offset}&limit={limit}"), UriKind.Relative), cancellationToken);
            if (!response.IsSuccessStatusCode) throw new ImageApiUnavailableException(timedOut: response.StatusCode == HttpStatusCode.GatewayTimeout);
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            return await JsonSerializer.DeserializeAsync(body, PicturesJson.Default.PicturePage, cancellationToken) ?? throw new JsonException("The list is null.");
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ImageApiUnavailableException(timedOut: true, exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException)
        {
            throw new ImageApiUnavailableException(timedOut: false, exception);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PicturePage))]
internal sealed partial class PicturesJson : JsonSerializerContext;
