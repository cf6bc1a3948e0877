using System.Text.Json;

namespace ImageApi.Tests.Support;

internal static class ResponseExtensions
{
    /// <summary>A header as it was sent: HttpClient's typed ones are written anew.</summary>
    public static string? Header(this HttpResponseMessage response, string name)
    {
        if (response.Headers.NonValidated.TryGetValues(name, out var values) || response.Content.Headers.NonValidated.TryGetValues(name, out values))
            return values.ToString();
        return null;
    }

    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage response)
    {
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        return JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync()).RootElement;
    }

    /// <summary>The first value of an attribute in DICOM JSON as text; null without one.</summary>
    public static string? Value(this JsonElement item, string tag)
    {
        if (!item.TryGetProperty(tag, out var attribute) || !attribute.TryGetProperty("Value", out var values))
            return null;
        var value = values[0];
        return value.ValueKind == JsonValueKind.Object ? value.GetProperty("Alphabetic").GetString() : value.ToString();
    }
}
