using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace ImageApi.Store;

/// <summary>The Store Instances Response Module (PS3.18 I.2) as one DICOM JSON object.</summary>
internal static class StoreResponse
{
    /// <summary>Warning Reason (0008,1196) of an instance that was there already: "duplicate SOP instance" (PS3.7 C.5.8), here harmless.</summary>
    private const int WasStoredReason = 0x0111;

    /// <param name="to">Receives the JSON.</param>
    /// <param name="result">What became of the instances.</param>
    /// <param name="root">The service's address, such as <c>http://host:5101/dicomweb</c>.</param>
    public static void Write(IBufferWriter<byte> to, StoreResult result, string root)
    {
        using var json = new Utf8JsonWriter(to);
        json.WriteStartObject();
        var studies = result.Outcomes.Where(outcome => outcome.IsStored).Select(outcome => outcome.StudyUid!).Distinct(StringComparer.Ordinal).Take(2).ToArray();
        if (studies is [var study]) WriteValue(json, "00081190", "UR", $"{root}/studies/{study}");
        WriteSequence(json, "00081198", result.Outcomes.Where(outcome => !outcome.IsStored && IsNamed(outcome)), (outcome, item) =>
        {
            WriteReference(item, outcome);
            WriteNumber(item, "00081197", (int)outcome.Failure);
        });
        WriteSequence(json, "00081199", result.Outcomes.Where(outcome => outcome.IsStored), (outcome, item) =>
        {
            WriteReference(item, outcome);
            WriteValue(item, "00081190", "UR", string.Create(CultureInfo.InvariantCulture, $"{root}/studies/{outcome.StudyUid}/series/{outcome.SeriesUid}/instances/{outcome.SopUid}"));
            if (outcome.WasStored) WriteNumber(item, "00081196", WasStoredReason);
        });

        // What could not be named (PS3.18 I.2.2, Other Failures Sequence), and the request's own end if it was broken.
        var others = result.Outcomes.Where(outcome => !outcome.IsStored && !IsNamed(outcome));
        if (result.Error is not null) others = others.Append(StoreOutcome.Refused(FailureReason.CannotUnderstand));
        WriteSequence(json, "0008119A", others, (outcome, item) => WriteNumber(item, "00081197", (int)outcome.Failure));
        json.WriteEndObject();
    }

    private static bool IsNamed(StoreOutcome outcome) => !string.IsNullOrEmpty(outcome.SopClassUid) && !string.IsNullOrEmpty(outcome.SopUid);

    private static void WriteReference(Utf8JsonWriter item, StoreOutcome outcome)
    {
        WriteValue(item, "00081150", "UI", outcome.SopClassUid!);
        WriteValue(item, "00081155", "UI", outcome.SopUid!);
    }

    private static void WriteSequence(Utf8JsonWriter json, string key, IEnumerable<StoreOutcome> outcomes, Action<StoreOutcome, Utf8JsonWriter> write)
    {
        var isOpen = false;
        foreach (var outcome in outcomes)
        {
            if (!isOpen)
            {
                json.WriteStartObject(key);
                json.WriteString("vr"u8, "SQ"u8);
                json.WriteStartArray("Value"u8);
                isOpen = true;
            }
            json.WriteStartObject();
            write(outcome, json);
            json.WriteEndObject();
        }
        if (!isOpen) return;
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, string key, string vr, string value)
    {
        json.WriteStartObject(key);
        json.WriteString("vr"u8, vr);
        json.WriteStartArray("Value"u8);
        json.WriteStringValue(value);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, string key, int value)
    {
        json.WriteStartObject(key);
        json.WriteString("vr"u8, "US"u8);
        json.WriteStartArray("Value"u8);
        json.WriteNumberValue(value);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
