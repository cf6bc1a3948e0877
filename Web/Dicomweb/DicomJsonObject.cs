using System.Globalization;
using System.Text.Json;

namespace Web.Dicomweb;

/// <summary>One data set of a DICOM JSON answer (PS3.18 F), read leniently: what is missing or malformed reads as absent.</summary>
internal readonly struct DicomJsonObject(JsonElement element)
{
    public string? GetString(string tag) => First(tag) is { } value ? AsString(value) : null;

    public int? GetInt32(string tag) => First(tag) switch
    {
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt32(out var value) => value,
        { ValueKind: JsonValueKind.String } text when int.TryParse(text.GetString(), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) => value,
        _ => null,
    };

    public string[] GetStrings(string tag) =>
        Values(tag) is { } values ? [.. values.EnumerateArray().Select(AsString).OfType<string>()] : [];

    /// <summary>Date of a DA value, or null where it is absent or no date.</summary>
    public DateOnly? GetDate(string tag) =>
        DateOnly.TryParseExact(GetString(tag), "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date : null;

    /// <summary>Hours and minutes of a TM value, or null.</summary>
    public TimeOnly? GetTime(string tag) =>
        GetString(tag) is { Length: >= 4 } text
        && TimeOnly.TryParseExact(text.AsSpan(0, 4), "HHmm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null;

    /// <summary>A person's name as shown to people: alphabetic, with the ideographic group behind it where there is one.</summary>
    public PersonName GetPersonName(string tag) =>
        First(tag) is { ValueKind: JsonValueKind.Object } name
            ? new PersonName(Group(name, "Alphabetic"), Group(name, "Ideographic"))
            : new PersonName(GetString(tag), null);

    private JsonElement? Values(string tag) =>
        element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(tag, out var attribute) && attribute.ValueKind == JsonValueKind.Object
        && attribute.TryGetProperty("Value", out var values) && values.ValueKind == JsonValueKind.Array ? values : null;

    private JsonElement? First(string tag) => Values(tag) is { } values && values.GetArrayLength() > 0 ? values[0] : null;

    private static string? Group(JsonElement name, string group) => name.TryGetProperty(group, out var value) ? AsString(value) : null;

    private static string? AsString(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString() is { Length: > 0 } text ? text : null,
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };
}
