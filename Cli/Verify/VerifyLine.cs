using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cli.Verify;

/// <summary>
/// One line of the answer to <c>POST /api/catalog/verify</c>, which is newline-delimited JSON (<c>application/x-ndjson</c>), written while the server
/// compares its catalog with what is stored:
/// <code>
/// {"type":"progress","checked":1200,"total":5000}
/// {"type":"problem","kind":"missing","origin":"store","study":"1.2","instance":"1.2.3","detail":"..."}
/// {"type":"summary","checked":5000,"problems":1,"bytes":123456789}
/// </code>
/// The last line is the summary; an answer that ends without one is not whole. With <c>?content=true</c> every stored byte is read and
/// compared with the digest that was noted when it was stored. Kinds: missing, changed, damaged, not-indexed, conflict, several-patients.
/// </summary>
internal sealed record VerifyLine
{
    public string? Type { get; init; }

    /// <summary>Instances compared so far, or in all.</summary>
    public long Checked { get; init; }

    /// <summary>Instances to compare, where known.</summary>
    public long Total { get; init; }

    /// <summary>Problems found, in the summary.</summary>
    public long Problems { get; init; }

    /// <summary>Bytes read, in the summary.</summary>
    public long Bytes { get; init; }

    public string? Kind { get; init; }

    public string? Origin { get; init; }

    public string? Study { get; init; }

    public string? Instance { get; init; }

    public string? Detail { get; init; }

    public static VerifyLine? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, VerifyJson.Default.VerifyLine);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(VerifyLine))]
internal sealed partial class VerifyJson : JsonSerializerContext;
