using System.Text.Json;
using System.Text.Json.Nodes;

namespace Platform.Models.Tests;

/// <summary>Writes manifests of small models.</summary>
internal static class ManifestBuilder
{
    public static JsonObject Json(string name, params JsonObject[] files) => new()
    {
        ["schema"] = 1,
        ["name"] = name,
        ["version"] = "1.0",
        ["task"] = "other",
        ["licence"] = "MIT",
        ["files"] = new JsonArray([.. files]),
        ["runs"] = (string?)files[0]["path"],
        ["inputs"] = JsonNode.Parse("""[ { "name": "x", "element": "float32", "shape": ["N", 4], "unit": "any" } ]"""),
        ["outputs"] = JsonNode.Parse("""[ { "name": "y", "element": "float32", "shape": ["N", 4], "unit": "any" } ]"""),
    };

    public static JsonObject File(string path, string? sha256 = null, long? bytes = null, string? source = null, params string[] urls)
    {
        var file = new JsonObject { ["path"] = path };
        if (sha256 is not null) file["sha256"] = sha256;
        if (bytes is not null) file["bytes"] = bytes;
        if (source is not null) file["source"] = source;
        if (urls.Length > 0) file["urls"] = new JsonArray([.. urls.Select(static url => (JsonNode)url)]);
        return file;
    }

    public static void Save(this JsonObject manifest, string folder) =>
        System.IO.File.WriteAllText(Path.Combine(folder, (string)manifest["name"]! + ".json"), manifest.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));

    public static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
