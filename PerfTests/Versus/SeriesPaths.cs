using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PerfTests.Client;

namespace PerfTests.Versus;

/// <summary>The paths of one series below a DICOMweb root, the same on every server that holds it.</summary>
internal sealed record SeriesPaths(string Study, string Series, IReadOnlyList<string> Instances)
{
    public string Root => $"/studies/{Study}/series/{Series}";

    public string Metadata => Root + "/metadata";

    public string SearchInstances => Root + "/instances";

    public IEnumerable<string> Frames => Instances.Select(instance => $"{Root}/instances/{instance}/frames/1");

    /// <summary>Finds a series on a server by searching: the named one, or the largest; its first <paramref name="limit"/> instances by number.</summary>
    public static SeriesPaths Find(Target target, string? seriesUid, int limit)
    {
        using var connection = new HttpConnection(target.Endpoint);
        (string Study, string Series, int Count)? best = null;
        foreach (var study in Search(connection, target, "/studies?limit=200"))
        {
            var studyUid = Text(study, "0020000D") ?? throw new InvalidDataException("A study has no UID.");
            foreach (var series in Search(connection, target, $"/studies/{studyUid}/series?includefield=00201209"))
            {
                var uid = Text(series, "0020000E") ?? throw new InvalidDataException("A series has no UID.");
                if (seriesUid is not null && uid != seriesUid) continue;
                var count = int.TryParse(Text(series, "00201209"), out var related) ? related : Search(connection, target, $"/studies/{studyUid}/series/{uid}/instances").Count;
                if (best is null || count > best.Value.Count) best = (studyUid, uid, count);
            }
        }

        if (best is not { } found) throw new InvalidOperationException(seriesUid is null ? $"{target.Name} holds no series." : $"{target.Name} does not hold series {seriesUid}.");
        var instances = Search(connection, target, $"/studies/{found.Study}/series/{found.Series}/instances")
            .Select(i => (Uid: Text(i, "00080018")!, Number: int.TryParse(Text(i, "00200013"), out var n) ? n : 0))
            .OrderBy(i => i.Number).ThenBy(i => i.Uid, StringComparer.Ordinal).Select(i => i.Uid).Take(limit).ToList();
        return new SeriesPaths(found.Study, found.Series, instances);
    }

    public static int CountInstances(Target target, string study)
    {
        using var connection = new HttpConnection(target.Endpoint);
        return Search(connection, target, $"/studies/{study}/series").Sum(series => Search(connection, target, $"/studies/{study}/series/{Text(series, "0020000E")}/instances").Count);
    }

    /// <summary>
    /// SHA-256 of each frame's bytes as the server gives them, bare or out of a multipart of one: what is compared
    /// before anything is timed, and what warms the server up.
    /// </summary>
    public List<string> DigestFrames(Target target)
    {
        using var connection = new HttpConnection(target.Endpoint);
        return [.. Frames.Select(path =>
        {
            var (response, body, contentType) = FetchWhole(connection, target.Get(path, target.FrameAccept));
            if (response.Status != 200) throw new InvalidDataException($"{target.Name} answers {response.Status} to {path}.");
            return Convert.ToHexStringLower(SHA256.HashData(Multipart.TryUnwrap(body, contentType, out var part) ? part : body));
        })];
    }

    public static (Response Response, byte[] Body, string ContentType) FetchWhole(HttpConnection connection, Request request)
    {
        using var body = new MemoryStream();
        var contentType = "";
        connection.Reader.Body = body.Write;
        connection.Reader.Header = (name, value) =>
        {
            if (Ascii.EqualsIgnoreCase(name, "content-type"u8)) contentType = Encoding.UTF8.GetString(value);
        };
        try
        {
            return (connection.Send(request.Bytes, request.IsHead), body.ToArray(), contentType);
        }
        finally
        {
            connection.Reader.Body = null;
            connection.Reader.Header = null;
        }
    }

    private static List<JsonElement> Search(HttpConnection connection, Target target, string path)
    {
        var (response, body, _) = FetchWhole(connection, target.Get(path, "Accept: application/dicom+json"));
        if (response.Status == 204) return [];
        if (response.Status != 200) throw new InvalidDataException($"{target.Name} answers {response.Status} to {path}.");
        return [.. JsonDocument.Parse(body).RootElement.EnumerateArray()];
    }

    private static string? Text(JsonElement item, string tag)
        => item.TryGetProperty(tag, out var attribute) && attribute.TryGetProperty("Value", out var values) && values.GetArrayLength() > 0 ? values[0].ToString() : null;
}

/// <summary>The body of a multipart answer of one part.</summary>
internal static class Multipart
{
    public static bool TryUnwrap(byte[] body, string contentType, out ReadOnlySpan<byte> part)
    {
        part = default;
        if (!contentType.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase)) return false;
        var at = contentType.IndexOf("boundary=", StringComparison.OrdinalIgnoreCase);
        if (at < 0) return false;
        var boundary = Encoding.ASCII.GetBytes("\r\n--" + contentType[(at + 9)..].Split(';')[0].Trim().Trim('"'));
        ReadOnlySpan<byte> bytes = body;
        var head = bytes.IndexOf("\r\n\r\n"u8);
        if (head < 0) return false;
        part = bytes[(head + 4)..];
        var end = part.IndexOf(boundary);
        if (end < 0) return false;
        part = part[..end];
        return true;
    }
}
