using System.Globalization;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ImageApi.Origins.Http;

/// <summary>
/// What an HTTP origin has: the items that the configuration names, else what its listings say. A listing is a JSON array at a folder's address
/// (nginx's <c>autoindex_format json</c>: name, type, mtime, size) or at <c>index.json</c> in it; folders are followed. Bounded, because it comes from outside.
/// </summary>
internal sealed class HttpListing(IReadOnlyList<string> items, Func<string, RangeHeaderValue?, CancellationToken, Task<HttpResponseMessage?>> get)
{
    private const int MaxDepth = 8;
    private const int MaxItems = 10_000;
    private const int MaxFolders = 1_000;
    private const int MaxListingBytes = 8 << 20;

    public async IAsyncEnumerable<FileItem> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (items.Count > 0)
        {
            foreach (var path in items.Where(path => path.StartsWith(prefix, StringComparison.Ordinal))) yield return new FileItem(new OriginItem(path), null, null);
            yield break;
        }

        var folders = new Queue<(string Path, int Depth)>([(prefix[..(prefix.LastIndexOf('/') + 1)], 0)]);
        var (given, visited) = (0, 0);
        while (folders.TryDequeue(out var folder) && visited++ < MaxFolders)
        {
            foreach (var entry in await ReadAsync(folder.Path, cancellationToken))
            {
                var path = folder.Path + entry.Name;
                if (entry.IsFolder)
                {
                    path += "/";
                    if (folder.Depth < MaxDepth && (path.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(path, StringComparison.Ordinal))) folders.Enqueue((path, folder.Depth + 1));
                }
                else if (path.StartsWith(prefix, StringComparison.Ordinal))
                {
                    if (++given > MaxItems) yield break;
                    yield return new FileItem(new OriginItem(path), entry.Length, entry.LastModified);
                }
            }
        }
    }

    private sealed record Entry(string Name, bool IsFolder, long? Length, DateTimeOffset? LastModified);

    private async Task<List<Entry>> ReadAsync(string folder, CancellationToken cancellationToken) =>
        await TryReadAsync(folder, cancellationToken) ?? await TryReadAsync(folder + "index.json", cancellationToken) ?? [];

    private async Task<List<Entry>?> TryReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await get(path, null, cancellationToken);
            if (response is null || response.Content.Headers.ContentType?.MediaType is not "application/json") return null;
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            var bytes = await ReadBoundedAsync(body, cancellationToken);
            using var json = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 8 });
            return json.RootElement.ValueKind == JsonValueKind.Array ? [.. json.RootElement.EnumerateArray().Select(Read).OfType<Entry>()] : null;
        }
        catch (JsonException)
        {
            return null;
        }
        catch (OriginException exception) when (exception.Failure is OriginFailure.Refused or OriginFailure.Broken)
        {
            return null;    // many servers give files and no listings
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBoundedAsync(Stream body, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[32 << 10];
        int read;
        while ((read = await body.ReadAsync(chunk, cancellationToken)) > 0)
        {
            if (buffer.Length + read > MaxListingBytes) throw new OriginException(OriginFailure.Broken, "The origin's listing is longer than this server takes.");
            buffer.Write(chunk, 0, read);
        }
        return buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
    }

    private static Entry? Read(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object || Text(element, "name") is not { Length: > 0 } name) return null;
        var isFolder = Text(element, "type") == "directory" || name.EndsWith('/');
        name = name.TrimEnd('/');
        // A listing names what lies in its folder, or below it: it leads nowhere else.
        if (name.Length == 0 || name.StartsWith('/') || name.Split('/').Any(static part => part is "" or "." or "..")) return null;
        long? length = element.TryGetProperty("size", out var size) && size.TryGetInt64(out var bytes) && bytes >= 0 ? bytes : null;
        return new Entry(name, isFolder, length, DateTimeOffset.TryParse(Text(element, "mtime"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var modified) ? modified : null);
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
