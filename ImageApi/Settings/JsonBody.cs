using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ImageApi.Problems;
using Microsoft.AspNetCore.Http.Features;

namespace ImageApi.Settings;

/// <summary>Reads small JSON documents that administration requests carry.</summary>
internal static class JsonBody
{
    private const int MaxBytes = 256 << 10;

    /// <summary>The document, or the problem that there is with it. Only <c>application/json</c> is read: a form of another site cannot send that.</summary>
    public static async ValueTask<(T? Value, Problem? Problem)> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> form) where T : class
    {
        var request = context.Request;
        if (!request.HasJsonContentType())
            return (null, new Problem(ProblemTypes.UnsupportedMediaType, "Unsupported media type", StatusCodes.Status415UnsupportedMediaType, "The body has to be application/json."));
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = MaxBytes;
        try
        {
            return await JsonSerializer.DeserializeAsync(request.Body, form, context.RequestAborted) is { } value
                ? (value, null)
                : (null, Problem.BadRequest("The body is empty JSON."));
        }
        catch (JsonException exception)
        {
            // The message can quote the document; where it went wrong is enough.
            return (null, Problem.BadRequest($"The body is not the JSON that is understood here: see {exception.Path ?? "its beginning"}."));
        }
    }
}
