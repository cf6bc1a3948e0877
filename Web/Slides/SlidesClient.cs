using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Web.Dicomweb;

namespace Web.Slides;

/// <summary>What there is to look at with deep zoom, as ImageApi lists it; <see cref="IsCut"/> where there is more.</summary>
public sealed record SlideList(IReadOnlyList<SlideSummary> Slides, bool IsCut);

/// <summary>A whole slide, or a series of large images.</summary>
public sealed record SlideSummary(
    string Study, string Series, bool IsSlide, string? Modality, string? Description, string? StudyDescription, string? StudyDate, string? PatientName, string? PatientId, int? Instances);

/// <summary>Asks ImageApi for slides, from server to server.</summary>
internal sealed class SlidesClient(HttpClient http)
{
    /// <exception cref="ImageApiUnavailableException">ImageApi is down, slow or broken.</exception>
    public async Task<SlideList> ListAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri("/api/slides", UriKind.Relative), cancellationToken);
            if (!response.IsSuccessStatusCode) throw new ImageApiUnavailableException(timedOut: response.StatusCode == HttpStatusCode.GatewayTimeout);
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            return await JsonSerializer.DeserializeAsync(body, SlidesJson.Default.SlideList, cancellationToken) ?? throw new JsonException("The list is null.");
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
[JsonSerializable(typeof(SlideList))]
[JsonSerializable(typeof(SlideConfig))]
internal sealed partial class SlidesJson : JsonSerializerContext;
