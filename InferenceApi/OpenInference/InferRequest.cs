using System.Text.Json;

namespace InferenceApi.OpenInference;

/// <summary>The JSON part of a request, as far as it can be read without the tensors.</summary>
internal sealed record InferRequest(string? Id, TimeSpan? Timeout, bool BinaryOutput, IReadOnlyList<RequestInput> Inputs, IReadOnlyList<RequestOutput>? Outputs)
{
    private const int MaxTensors = 256, MaxRank = 16, MaxName = 1024;

    /// <summary>Reads the JSON once, over everything but the values, whose place is remembered.</summary>
    /// <exception cref="InvalidRequestException">It is not a request.</exception>
    public static InferRequest Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { AllowMultipleValues = false });
            var request = ReadRequest(ref reader);
            if (reader.Read()) throw new InvalidRequestException("There is more behind the request's JSON.");
            return request;
        }
        catch (JsonException exception)
        {
            throw new InvalidRequestException($"The request is no JSON (line {exception.LineNumber + 1}, byte {exception.BytePositionInLine}).");
        }
    }

    private static InferRequest ReadRequest(ref Utf8JsonReader reader)
    {
        string? id = null;
        var parameters = Parameters.None;
        List<RequestInput>? inputs = null;
        List<RequestOutput>? outputs = null;
        Open(ref reader, "The request");
        while (NextMember(ref reader) is { } member)
        {
            switch (member)
            {
                case "id": id = Text(ref reader, member); break;
                case "parameters": parameters = Parameters.Read(ref reader); break;
                case "inputs": inputs = List(ref reader, member, static (ref Utf8JsonReader input) => RequestInput.Read(ref input)); break;
                case "outputs": outputs = List(ref reader, member, static (ref Utf8JsonReader output) => RequestOutput.Read(ref output)); break;
                default: reader.Skip(); break;
            }
        }
        if (inputs is null || inputs.Count == 0) throw new InvalidRequestException("'inputs' is missing or empty.");
        return new InferRequest(id, parameters.Timeout, parameters.BinaryDataOutput, inputs, outputs is { Count: > 0 } ? outputs : null);
    }

    internal delegate T ReadItem<T>(ref Utf8JsonReader reader);

    internal static List<T> List<T>(ref Utf8JsonReader reader, string name, ReadItem<T> read)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw new InvalidRequestException($"'{name}' is no list.");
        var list = new List<T>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (list.Count == MaxTensors) throw new InvalidRequestException($"'{name}' has more than {MaxTensors} entries.");
            list.Add(read(ref reader));
        }
        return list;
    }

    internal static void Open(ref Utf8JsonReader reader, string what)
    {
        if (reader.TokenType == JsonTokenType.None) reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) throw new InvalidRequestException($"{what} is no object.");
    }

    /// <summary>Moves to the next member's value; null at the object's end.</summary>
    internal static string? NextMember(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.EndObject) return null;
        var name = reader.GetString();
        reader.Read();
        return name;
    }

    internal static string Text(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.Length > MaxName) throw new InvalidRequestException($"'{name}' is no text of at most {MaxName} bytes.");
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new InvalidRequestException($"'{name}' is no valid Unicode.");
        }
    }

    internal static long[] Shape(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw new InvalidRequestException("'shape' is no list.");
        var shape = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (shape.Count == MaxRank || reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var size) || size < 0)
                throw new InvalidRequestException($"'shape' is no list of at most {MaxRank} whole numbers from 0.");
            shape.Add(size);
        }
        return [.. shape];
    }
}

/// <summary>An input: what it says of itself, and where its values are.</summary>
/// <param name="BinaryBytes">How many bytes of the binary part are its values; null where they are in the JSON.</param>
/// <param name="Data">Where its <c>data</c> stands in the JSON.</param>
internal sealed record RequestInput(string Name, string Datatype, long[] Shape, long? BinaryBytes, Range Data)
{
    public static RequestInput Read(ref Utf8JsonReader reader)
    {
        string? name = null, datatype = null;
        long[]? shape = null;
        var parameters = Parameters.None;
        Range? data = null;
        InferRequest.Open(ref reader, "An input");
        while (InferRequest.NextMember(ref reader) is { } member)
        {
            switch (member)
            {
                case "name": name = InferRequest.Text(ref reader, member); break;
                case "datatype": datatype = InferRequest.Text(ref reader, member); break;
                case "shape": shape = InferRequest.Shape(ref reader); break;
                case "parameters": parameters = Parameters.Read(ref reader); break;
                case "data":
                    var from = (int)reader.TokenStartIndex;
                    reader.Skip();
                    data = from..(int)reader.BytesConsumed;
                    break;
                default: reader.Skip(); break;
            }
        }
        if (name is null || datatype is null || shape is null) throw new InvalidRequestException("An input lacks 'name', 'datatype' or 'shape'.");
        if (data is null == parameters.BinaryDataSize is null) throw new InvalidRequestException($"Input '{name}' has neither 'data' nor 'binary_data_size', or both.");
        return new RequestInput(name, datatype, shape, parameters.BinaryDataSize, data ?? default);
    }
}

/// <summary>An output that is asked for.</summary>
internal sealed record RequestOutput(string Name, bool? Binary)
{
    public static RequestOutput Read(ref Utf8JsonReader reader)
    {
        string? name = null;
        var parameters = Parameters.None;
        InferRequest.Open(ref reader, "An output");
        while (InferRequest.NextMember(ref reader) is { } member)
        {
            switch (member)
            {
                case "name": name = InferRequest.Text(ref reader, member); break;
                case "parameters": parameters = Parameters.Read(ref reader); break;
                default: reader.Skip(); break;
            }
        }
        return name is null ? throw new InvalidRequestException("An output lacks 'name'.") : new RequestOutput(name, parameters.BinaryData);
    }
}

/// <summary>The parameters that we know; others are ignored, as the protocol allows, but for those that would change the answer.</summary>
internal readonly record struct Parameters(long? BinaryDataSize, bool? BinaryData, bool BinaryDataOutput, TimeSpan? Timeout)
{
    public static Parameters None => default;

    public static Parameters Read(ref Utf8JsonReader reader)
    {
        var parameters = None;
        InferRequest.Open(ref reader, "'parameters'");
        while (InferRequest.NextMember(ref reader) is { } member)
        {
            switch (member)
            {
                case "binary_data_size": parameters = parameters with { BinaryDataSize = Number(ref reader, member) }; break;
                case "binary_data": parameters = parameters with { BinaryData = Flag(ref reader, member) }; break;
                case "binary_data_output": parameters = parameters with { BinaryDataOutput = Flag(ref reader, member) }; break;
                case "timeout": parameters = parameters with { Timeout = TimeSpan.FromMicroseconds(Math.Clamp(Number(ref reader, member), 1, TimeSpan.MicrosecondsPerDay)) }; break;
                case "classification" or "sequence_id" or "shared_memory_region": throw new InvalidRequestException($"The parameter '{member}' is not supported.");
                default: reader.Skip(); break;
            }
        }
        return parameters;
    }

    private static long Number(ref Utf8JsonReader reader, string name) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) && number >= 0 ? number : throw new InvalidRequestException($"'{name}' is no whole number from 0.");

    private static bool Flag(ref Utf8JsonReader reader, string name) => reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => throw new InvalidRequestException($"'{name}' is neither true nor false."),
    };
}
