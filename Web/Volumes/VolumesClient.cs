using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Web.Dicomweb;

namespace Web.Volumes;

/// <summary>A page of volumes, as ImageApi lists them.</summary>
public sealed record VolumePage(int Total, IReadOnlyList<VolumeSummary> Volumes, IReadOnlyList<MissingOrigin> Missing);

/// <summary>One volume: where it is described (<paramref name="Url"/>) and where its bytes are (<paramref name="File"/>), below ImageApi.</summary>
public sealed record VolumeSummary(string Origin, string Path, string Name, long? Bytes, string Url, string File, VolumeGeometry? Geometry, VolumeType? Type)
{
    /// <summary>What an address of ours names it by.</summary>
    public string Key => $"{Origin}/{Path}";
}

public sealed record VolumeGeometry(IReadOnlyList<long> Sizes, IReadOnlyList<double> SpacingMm, string? Orientation);

public sealed record VolumeType(string Name);

/// <summary>An origin whose volumes the list lacks, and why.</summary>
public sealed record MissingOrigin(string Origin, string Reason);

/// <summary>Asks ImageApi for volumes, from server to server.</summary>
internal sealed class VolumesClient(HttpClient http)
{
    private const int MostListed = 1000;

    /// <exception cref="ImageApiUnavailableException">ImageApi is down, slow or broken.</exception>
    public async Task<VolumePage> ListAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri($"/api/volumes?limit={MostListed}", UriKind.Relative), cancellationToken);
            if (!response.IsSuccessStatusCode) throw new ImageApiUnavailableException(timedOut: response.StatusCode == HttpStatusCode.GatewayTimeout);
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            return await JsonSerializer.DeserializeAsync(body, VolumesJson.Default.VolumePage, cancellationToken) ?? throw new JsonException("The list is null.");
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

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(VolumePage))]
[JsonSerializable(typeof(VolumeConfig))]
internal sealed partial class VolumesJson : JsonSerializerContext;
