using System.Text.Json;
using System.Text.Json.Nodes;
using InferenceApi.OpenInference;
using Platform.Models;

namespace InferenceApi.Models;

/// <summary>A small JSON body; members that are not asked for are errors, so that a slip of the pen is not a silent default. No body is an empty one.</summary>
internal sealed class ModelRequest
{
    private const int MaxBytes = 16 << 10;

    private readonly JsonObject _json;

    private ModelRequest(JsonObject json) => _json = json;

    public static async Task<ModelRequest> ReadAsync(HttpRequest request, string[] members, CancellationToken cancellationToken)
    {
        if (request.ContentLength is 0) return new ModelRequest([]);
        // A form of another site could not send this type without asking first.
        if (!request.HasJsonContentType()) throw new InvalidRequestException("The body is JSON: Content-Type: application/json.");
        if (request.ContentLength > MaxBytes) throw new InvalidRequestException($"The body is larger than {MaxBytes} bytes.");
        using var bytes = new MemoryStream();
        var buffer = new byte[4096];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (bytes.Length + read > MaxBytes) throw new InvalidRequestException($"The body is larger than {MaxBytes} bytes.");
            bytes.Write(buffer, 0, read);
        }
        try
        {
            var json = bytes.Length == 0 ? [] : JsonNode.Parse(bytes.GetBuffer().AsSpan(0, (int)bytes.Length), documentOptions: new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false }) as JsonObject
                ?? throw new InvalidRequestException("The body is a JSON object.");
            if (json.FirstOrDefault(member => !members.Contains(member.Key)) is { Key: { } unknown }) throw new InvalidRequestException($"There is no member '{(unknown.Length > 64 ? unknown[..64] : unknown)}'; there are {string.Join(", ", members)}.");
            return new ModelRequest(json);
        }
        catch (Exception failure) when (failure is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidRequestException("The body is no JSON.");
        }
    }

    public string? Text(string name) => _json[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) && text.Length <= 400 => text,
        _ => throw new InvalidRequestException($"'{name}' is a text."),
    };

    public string Needed(string name) => Text(name) ?? throw new InvalidRequestException($"'{name}' is missing.");

    public bool Flag(string name, bool otherwise = false) => _json[name] switch
    {
        null => otherwise,
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
        _ => throw new InvalidRequestException($"'{name}' is true or false."),
    };
}
