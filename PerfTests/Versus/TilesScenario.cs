using System.Globalization;
using System.Text;
using System.Text.Json;
using PerfTests.Client;
using static PerfTests.Versus.VersusRun;

namespace PerfTests.Versus;

/// <summary>
/// Tiles of a whole slide or a large frame, in any order: cold, when the server was told to forget tiles and frames, and warm. Decoded frames that a server still
/// holds beside its cache help it as they help a person who pans; <c>ImageApi:Tiles:DecodedBytes=0</c> takes that help away.
/// </summary>
internal static class TilesScenario
{
    public const string Name = "tiles";

    /// <summary>Measures.</summary>
    /// <param name="run">Takes the results.</param>
    /// <param name="targets">Servers that have the same slide.</param>
    /// <param name="series">Series Instance UID; null for the first slide listed.</param>
    /// <param name="requests">Warm requests per round and target; the slide's tiles are asked for once each where they are cold.</param>
    /// <param name="seed">Of the order.</param>
    public static void Run(VersusRun run, IReadOnlyList<Target> targets, string? series, int requests, int seed)
    {
        var slides = targets.ToDictionary(static target => target.Name, target => Find(target, series));
        foreach (var connections in (int[])[1, 6])
        {
            run.Interleave($"{Name}, cold, {connections} connections", targets, (target, round) =>
            {
                Forget(target, "Tile");
                Forget(target, "Frame");
                Measure(run, target, "cold", connections, Shuffled(slides[target.Name], seed + round), null);
            });
            run.Interleave($"{Name}, warm, {connections} connections", targets, (target, round) =>
                Measure(run, target, "warm", connections, Shuffled(slides[target.Name], seed + round), requests));
        }
    }

    private static void Measure(VersusRun run, Target target, string cache, int connections, List<string> tiles, int? count)
    {
        var root = Root(target);
        var load = LoadRun.Closed(root, [.. tiles.Select(path => Request.Get(root, path, [.. target.Headers, "Accept: image/jpeg"]))], connections, count ?? tiles.Count, run.CancellationToken);
        if (load.FirstError is not null) Console.Error.WriteLine($"{target.Name}, {Name}: {load.FirstError}");
        run.Add(Name, target.Name, Conditions(("cache", cache), ("connections", connections), ("tiles", tiles.Count)), load);
    }

    /// <summary>The addresses of all tiles, at most 400 of each level.</summary>
    private static List<string> Find(Target target, string? series)
    {
        using var list = Ask(target, "/api/slides");
        var slide = list.RootElement.GetProperty("slides").EnumerateArray().FirstOrDefault(each => series is null || each.GetProperty("series").GetString() == series);
        if (slide.ValueKind == JsonValueKind.Undefined) throw new InvalidOperationException($"{target.Name} lists no such slide.");
        using var described = Ask(target, $"/api/dicom/{slide.GetProperty("study").GetString()}/slide?series={slide.GetProperty("series").GetString()}");
        var template = described.RootElement.GetProperty("tiles").GetString()!;
        var tiles = new List<string>();
        foreach (var level in described.RootElement.GetProperty("levels").EnumerateArray())
        {
            var (number, columns, rows) = (level.GetProperty("level").GetInt32(), level.GetProperty("columns").GetInt32(), level.GetProperty("rows").GetInt32());
            tiles.AddRange(Enumerable.Range(0, Math.Min(400, columns * rows)).Select(i => template
                .Replace("{level}", Text(number), StringComparison.Ordinal).Replace("{x}", Text(i % columns), StringComparison.Ordinal).Replace("{y}", Text(i / columns), StringComparison.Ordinal)));
        }
        return tiles;
    }

    private static List<string> Shuffled(List<string> tiles, int seed)
    {
        var shuffled = tiles.ToArray();
        new Random(seed).Shuffle(shuffled);
        return [.. shuffled];
    }

    private static JsonDocument Ask(Target target, string path)
    {
        var root = Root(target);
        using var connection = new HttpConnection(root);
        using var body = new MemoryStream();
        connection.Reader.Body = piece => body.Write(piece);
        var response = connection.Send(Request.Get(root, path, [.. target.Headers]).Bytes);
        if (response.Status != 200) throw new InvalidDataException($"{target.Name} answers {response.Status} to {path}.");
        return JsonDocument.Parse(body.ToArray());
    }

    private static void Forget(Target target, string kind)
    {
        var root = Root(target);
        using var connection = new HttpConnection(root);
        var response = connection.Send(Request.Post(root, "/api/cache/clear", [.. target.Headers, "Content-Type: application/json"], Encoding.ASCII.GetBytes($$"""{"confirm":true,"kind":"{{kind}}"}""")).Bytes);
        if (response.Status is < 200 or > 299) throw new InvalidDataException($"{target.Name} answers {response.Status} when it is told to forget.");
    }

    private static Endpoint Root(Target target) => target.Endpoint with { BasePath = "" };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
