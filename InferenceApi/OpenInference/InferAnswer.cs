using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using InferenceApi.Predictions;
using InferenceApi.Problems;
using InferenceApi.Sessions;
using Platform.Onnx;

namespace InferenceApi.OpenInference;

/// <summary>Writes outputs: values in JSON, or behind it as they lie in memory (binary tensor data extension).</summary>
internal static class InferAnswer
{
    private const int ValuesAtOnce = 4096;

    private static readonly JsonWriterOptions JsonForm = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>The outputs that are asked for, with their index; all where none is named.</summary>
    public static (int Index, bool Binary)[] Choose(InferRequest request, OnnxSession session)
    {
        if (request.Outputs is null) return [.. session.Outputs.Select((_, index) => (index, request.BinaryOutput))];
        return [.. request.Outputs.Select(output => (IndexOf(session, output.Name), output.Binary ?? request.BinaryOutput))];
    }

    public static async Task WriteAsync(HttpContext context, ModelSession model, InferRequest request, (int Index, bool Binary)[] chosen, Tensor[] outputs)
    {
        foreach (var (index, binary) in chosen)
        {
            if (binary) continue;
            var name = model.Session.Outputs[index].Name;
            if (!JsonValues.HasForm(outputs[index].Type)) throw new InvalidRequestException($"Output '{name}': {Datatypes.NameOf(outputs[index].Type)} has no form in JSON; ask for it as binary.");
            if (NonFinite.IndexIn(outputs[index]) >= 0)
            {
                await new Problem(ProblemTypes.NotFinite, "Not a finite number", StatusCodes.Status422UnprocessableEntity,
                    $"Output '{name}' has values that JSON has no form for (NaN or infinity); ask for it as binary.").ExecuteAsync(context);
                return;
            }
        }
        var response = context.Response;
        if (!Array.Exists(chosen, static output => output.Binary))
        {
            response.ContentType = "application/json";
            await using var json = new Utf8JsonWriter(response.BodyWriter, JsonForm);
            await WriteJsonAsync(json, model, request, chosen, outputs, () => response.BodyWriter.FlushAsync(context.RequestAborted).AsTask());
            await json.FlushAsync(context.RequestAborted);
            return;
        }
        var header = new ArrayBufferWriter<byte>(4096);
        await using (var json = new Utf8JsonWriter(header, JsonForm)) await WriteJsonAsync(json, model, request, chosen, outputs, static () => Task.CompletedTask);
        response.ContentType = "application/octet-stream";
        response.Headers[InferBody.HeaderLength] = header.WrittenCount.ToString(CultureInfo.InvariantCulture);
        response.ContentLength = header.WrittenCount + chosen.Where(static output => output.Binary).Sum(output => (long)outputs[output.Index].Bytes.Length);
        await response.BodyWriter.WriteAsync(header.WrittenMemory, context.RequestAborted);
        foreach (var (index, binary) in chosen) if (binary) await response.BodyWriter.WriteAsync(outputs[index].Memory, context.RequestAborted);
    }

    private static async Task WriteJsonAsync(Utf8JsonWriter json, ModelSession model, InferRequest request, (int Index, bool Binary)[] chosen, Tensor[] outputs, Func<Task> flush)
    {
        json.WriteStartObject();
        json.WriteString("model_name"u8, model.Manifest.Name);
        json.WriteString("model_version"u8, model.Manifest.Version);
        if (request.Id is not null) json.WriteString("id"u8, request.Id);
        json.WriteStartArray("outputs"u8);
        foreach (var (index, binary) in chosen)
        {
            var tensor = outputs[index];
            json.WriteStartObject();
            json.WriteString("name"u8, model.Session.Outputs[index].Name);
            json.WriteString("datatype"u8, Datatypes.NameOf(tensor.Type));
            json.WriteStartArray("shape"u8);
            foreach (var size in tensor.Shape) json.WriteNumberValue(size);
            json.WriteEndArray();
            if (binary)
            {
                json.WriteStartObject("parameters"u8);
                json.WriteNumber("binary_data_size"u8, tensor.Bytes.Length);
                json.WriteEndObject();
            }
            else
            {
                json.WriteStartArray("data"u8);
                for (var at = 0L; at < tensor.Count;)
                {
                    at = JsonValues.Write(json, tensor, at, ValuesAtOnce);
                    json.Flush();
                    await flush();
                }
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static int IndexOf(OnnxSession session, string name)
    {
        for (var i = 0; i < session.Outputs.Length; i++) if (session.Outputs[i].Name == name) return i;
        throw new InvalidRequestException($"The model has no output '{name}'.");
    }
}
