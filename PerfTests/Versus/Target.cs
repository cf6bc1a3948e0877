using PerfTests.Client;

namespace PerfTests.Versus;

/// <summary>A server that is measured: its DICOMweb root, how it wants to be asked for frames, and what it takes part in.</summary>
internal sealed record Target(string Name, Endpoint Endpoint)
{
    /// <summary>The frame itself, in any transfer syntax; what our viewer asks for.</summary>
    private const string SinglePart = "Accept: application/octet-stream;transfer-syntax=*";

    /// <summary>The same as a multipart of one, which is all that some servers can.</summary>
    private const string MultiPart = "Accept: multipart/related; type=application/octet-stream; transfer-syntax=*";

    public string FrameAccept { get; init; } = SinglePart;

    /// <summary>Headers sent with everything.</summary>
    public IReadOnlyList<string> Headers { get; init; } = [];

    /// <summary>Scenarios that it takes part in; null: all.</summary>
    public IReadOnlySet<string>? Only { get; init; }

    /// <summary>The server's process, for its memory and CPU time; null where unknown.</summary>
    public int? ProcessId { get; init; }

    public bool TakesPartIn(string scenario) => Only is null || Only.Contains(scenario);

    public Request Get(string path, params string[] headers) => Request.Get(Endpoint, path, [.. Headers, .. headers]);

    /// <summary>
    /// Reads the options <c>name=value</c>. Targets whose name begins with "nginx" serve frames only, and "orthanc" and
    /// caches before it are asked for multiparts, unless told otherwise.
    /// </summary>
    public static List<Target> Parse(string[] targets, string[] headers, string[] only, string[] processes, string[] frameAccepts)
    {
        var parsed = targets.Select(Split).Select(t => new Target(t.Name, Endpoint.Parse(t.Value))).ToList();
        if (parsed.DistinctBy(t => t.Name).Count() != parsed.Count) throw new ArgumentException("Two targets have one name.");
        foreach (var (name, _) in headers.Concat(only).Concat(processes).Concat(frameAccepts).Select(Split))
            if (parsed.All(t => t.Name != name)) throw new ArgumentException($"There is no target '{name}'.");
        return [.. parsed.Select(t => t with
        {
            Headers = Of(headers, t.Name),
            Only = Of(only, t.Name) is { Count: > 0 } scenarios ? scenarios.SelectMany(s => s.Split(',')).ToHashSet()
                : t.Name.StartsWith("nginx", StringComparison.Ordinal) ? new HashSet<string> { "frames", "frames-series", Htj2kScenarios.Frames } : null,
            ProcessId = Of(processes, t.Name) is [var id] ? int.Parse(id) : null,
            FrameAccept = Of(frameAccepts, t.Name) is [var accept] ? $"Accept: {accept}"
                : t.Name.StartsWith("orthanc", StringComparison.Ordinal) || t.Name == "nginx-cache" ? MultiPart : SinglePart,
        })];
    }

    internal static (string Name, string Value) Split(string option)
        => option.IndexOf('=') is > 0 and var at ? (option[..at], option[(at + 1)..]) : throw new ArgumentException($"'{option}' is not NAME=VALUE.");

    private static List<string> Of(string[] options, string name) => [.. options.Select(Split).Where(o => o.Name == name).Select(o => o.Value)];
}
