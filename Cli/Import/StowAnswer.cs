using System.Globalization;
using System.Text.Json;

namespace Cli.Import;

/// <summary>The Store Instances Response Module (PS3.18 I.2): what became of the instances of a request.</summary>
internal sealed class StowAnswer
{
    /// <summary>Warning Reason of our server for an instance that was there already, byte for byte.</summary>
    private const int WasStored = 0x0111;

    /// <summary>Instances that are stored: their study, and whether they were before.</summary>
    public Dictionary<string, (string Study, bool WasStored)> Stored { get; } = new(StringComparer.Ordinal);

    /// <summary>Instances that are not, and why not.</summary>
    public Dictionary<string, int> Failed { get; } = new(StringComparer.Ordinal);

    /// <summary>Reasons of failures that the server could give no UID for.</summary>
    public List<int> Others { get; } = [];

    public static StowAnswer Read(JsonElement root)
    {
        // Some servers answer with an array of one.
        if (root.ValueKind == JsonValueKind.Array && root.GetArrayLength() > 0) root = root[0];
        var answer = new StowAnswer();
        foreach (var item in Items(root, "00081199"))
            if (First(item, "00081155")?.GetString() is { } uid)
                answer.Stored[uid] = (StudyOf(First(item, "00081190")?.GetString() ?? First(root, "00081190")?.GetString()), Number(item, "00081196") == WasStored);
        foreach (var item in Items(root, "00081198"))
            if (First(item, "00081155")?.GetString() is { } uid)
                answer.Failed[uid] = Number(item, "00081197") ?? 0x0110;
        foreach (var item in Items(root, "0008119A")) answer.Others.Add(Number(item, "00081197") ?? 0x0110);
        return answer;
    }

    /// <summary>A Failure Reason (0008,1197) in words (PS3.18 table I.2-2, PS3.7 annex C).</summary>
    public static string Describe(int reason) => reason switch
    {
        0x0110 => "the server could not store it; its log says why",
        0x0111 => "the server has an instance with this SOP Instance UID and other content, which it keeps",
        0x0122 => "the server does not take this SOP class",
        0x0124 => "the server does not permit it",
        >= 0xA700 and <= 0xA7FF => "the server is out of space, or the instance is longer than it takes",
        0xA901 => "it belongs to another study than the request",
        >= 0xA900 and <= 0xA9FF => "a UID that names it is missing or none",
        0xC122 => "the server does not know its transfer syntax",
        >= 0xC000 and <= 0xCFFF => "the file is broken or cut short: the server cannot read it",
        _ => string.Create(CultureInfo.InvariantCulture, $"the server refuses it with reason {reason:X4}")
    };

    // .../studies/{study}/series/...
    private static string StudyOf(string? url)
    {
        var parts = url?.Split('/') ?? [];
        var at = Array.LastIndexOf(parts, "studies");
        return at >= 0 && at + 1 < parts.Length ? parts[at + 1] : "";
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement root, string key) => Values(root, key) is { } values ? values.EnumerateArray() : default;

    private static JsonElement? First(JsonElement root, string key) => Values(root, key) is { } values && values.GetArrayLength() > 0 && values[0].ValueKind == JsonValueKind.String ? values[0] : null;

    private static int? Number(JsonElement root, string key) =>
        Values(root, key) is { } values && values.GetArrayLength() > 0 && values[0].ValueKind == JsonValueKind.Number && values[0].TryGetInt32(out var number) ? number : null;

    private static JsonElement? Values(JsonElement root, string key) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(key, out var attribute) && attribute.ValueKind == JsonValueKind.Object
        && attribute.TryGetProperty("Value", out var values) && values.ValueKind == JsonValueKind.Array ? values : null;
}
