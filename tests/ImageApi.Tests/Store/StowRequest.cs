using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace ImageApi.Tests.Store;

/// <summary>Sends instances as STOW-RS clients do, and reads the answers.</summary>
internal static class StowRequest
{
    public const string Boundary = "stow-test-boundary";

    public static byte[] Compose(IEnumerable<byte[]> instances)
    {
        using var body = new MemoryStream();
        foreach (var instance in instances)
        {
            body.Write(Encoding.ASCII.GetBytes($"--{Boundary}\r\nContent-Type: application/dicom\r\n\r\n"));
            body.Write(instance);
            body.Write("\r\n"u8);
        }
        body.Write(Encoding.ASCII.GetBytes($"--{Boundary}--\r\n"));
        return body.ToArray();
    }

    public static Task<HttpResponseMessage> StowAsync(this HttpClient client, params byte[][] instances) => client.StowAsync(null, instances);

    public static Task<HttpResponseMessage> StowAsync(this HttpClient client, string? study, byte[][] instances) =>
        client.PostBodyAsync(study, Compose(instances), $"multipart/related; type=\"application/dicom\"; boundary={Boundary}");

    public static async Task<HttpResponseMessage> PostBodyAsync(this HttpClient client, string? study, byte[] body, string? contentType, CancellationToken cancellationToken = default)
    {
        using var content = new ByteArrayContent(body);
        if (contentType is not null) content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        using var request = new HttpRequestMessage(HttpMethod.Post, study is null ? "/dicomweb/studies" : $"/dicomweb/studies/{study}") { Content = content };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/dicom+json"));
        return await client.SendAsync(request, cancellationToken);
    }

    /// <summary>UID and reason of each instance that failed (empty UID where it has none) and the UIDs of those stored.</summary>
    public static async Task<(Dictionary<string, int> Failed, List<int> Others, Dictionary<string, int?> Stored)> ReadAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/dicom+json", response.Content.Headers.ContentType?.MediaType);
        var json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync()).RootElement;
        return (Items("00081198").ToDictionary(item => Text(item, "00081155")!, item => Number(item, "00081197")!.Value),
            [.. Items("0008119A").Select(item => Number(item, "00081197")!.Value)],
            Items("00081199").ToDictionary(item => Text(item, "00081155")!, item => Number(item, "00081196")));

        IEnumerable<JsonElement> Items(string key) => json.TryGetProperty(key, out var sequence) ? sequence.GetProperty("Value").EnumerateArray() : [];
        static string? Text(JsonElement item, string key) => item.TryGetProperty(key, out var element) ? element.GetProperty("Value")[0].GetString() : null;
        static int? Number(JsonElement item, string key) => item.TryGetProperty(key, out var element) ? element.GetProperty("Value")[0].GetInt32() : null;
    }
}
