using System.Text.Json;
using Platform.Onnx;

namespace InferenceApi.OpenInference;

/// <summary>Values of tensors from and to JSON: flat or nested lists in row-major order, written flat.</summary>
internal static class JsonValues
{
    private delegate bool TryRead<T>(ref Utf8JsonReader reader, out T value);

    /// <summary>Reads a list into a tensor, which it must fill.</summary>
    /// <exception cref="InvalidRequestException">Other values, or another number of them.</exception>
    public static void Read(ReadOnlySpan<byte> json, Tensor tensor, string name)
    {
        switch (tensor.Type)
        {
            case TensorType.Float32: Read(json, tensor.AsSpan<float>(), name, static (ref Utf8JsonReader reader, out float value) => reader.TryGetSingle(out value)); break;
            case TensorType.Float64: Read(json, tensor.AsSpan<double>(), name, static (ref Utf8JsonReader reader, out double value) => reader.TryGetDouble(out value)); break;
            case TensorType.Int8: Read(json, tensor.AsSpan<sbyte>(), name, static (ref Utf8JsonReader reader, out sbyte value) => reader.TryGetSByte(out value)); break;
            case TensorType.Int16: Read(json, tensor.AsSpan<short>(), name, static (ref Utf8JsonReader reader, out short value) => reader.TryGetInt16(out value)); break;
            case TensorType.Int32: Read(json, tensor.AsSpan<int>(), name, static (ref Utf8JsonReader reader, out int value) => reader.TryGetInt32(out value)); break;
            case TensorType.Int64: Read(json, tensor.AsSpan<long>(), name, static (ref Utf8JsonReader reader, out long value) => reader.TryGetInt64(out value)); break;
            case TensorType.UInt8: Read(json, tensor.AsSpan<byte>(), name, static (ref Utf8JsonReader reader, out byte value) => reader.TryGetByte(out value)); break;
            case TensorType.UInt16: Read(json, tensor.AsSpan<ushort>(), name, static (ref Utf8JsonReader reader, out ushort value) => reader.TryGetUInt16(out value)); break;
            case TensorType.UInt32: Read(json, tensor.AsSpan<uint>(), name, static (ref Utf8JsonReader reader, out uint value) => reader.TryGetUInt32(out value)); break;
            case TensorType.UInt64: Read(json, tensor.AsSpan<ulong>(), name, static (ref Utf8JsonReader reader, out ulong value) => reader.TryGetUInt64(out value)); break;
            case TensorType.Bool: ReadFlags(json, tensor.Bytes, name); break;
            default: throw new InvalidRequestException($"Input '{name}': {Datatypes.NameOf(tensor.Type)} has no form in JSON; send it as binary.");
        }
    }

    /// <summary>Writes the values from <paramref name="from"/> on, at most <paramref name="count"/>, as numbers of the list that is open; gives where to go on.</summary>
    public static long Write(Utf8JsonWriter json, Tensor tensor, long from, int count)
    {
        var to = Math.Min(tensor.Count, from + count);
        for (var i = (int)from; i < to; i++)
        {
            switch (tensor.Type)
            {
                case TensorType.Float32: json.WriteNumberValue(tensor.AsSpan<float>()[i]); break;
                case TensorType.Float64: json.WriteNumberValue(tensor.AsSpan<double>()[i]); break;
                case TensorType.Int8: json.WriteNumberValue(tensor.AsSpan<sbyte>()[i]); break;
                case TensorType.Int16: json.WriteNumberValue(tensor.AsSpan<short>()[i]); break;
                case TensorType.Int32: json.WriteNumberValue(tensor.AsSpan<int>()[i]); break;
                case TensorType.Int64: json.WriteNumberValue(tensor.AsSpan<long>()[i]); break;
                case TensorType.UInt8: json.WriteNumberValue(tensor.Bytes[i]); break;
                case TensorType.UInt16: json.WriteNumberValue(tensor.AsSpan<ushort>()[i]); break;
                case TensorType.UInt32: json.WriteNumberValue(tensor.AsSpan<uint>()[i]); break;
                case TensorType.UInt64: json.WriteNumberValue(tensor.AsSpan<ulong>()[i]); break;
                default: json.WriteBooleanValue(tensor.Bytes[i] != 0); break;
            }
        }
        return to;
    }

    public static bool HasForm(TensorType type) => type is not (TensorType.Float16 or TensorType.BFloat16);

    private static void Read<T>(ReadOnlySpan<byte> json, Span<T> values, string name, TryRead<T> read)
    {
        var reader = new Utf8JsonReader(json);
        var at = 0;
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.EndArray) continue;
            if (at == values.Length) throw TooMany(name, values.Length);
            if (reader.TokenType != JsonTokenType.Number || !read(ref reader, out values[at])) throw Wrong(name, at);
            at++;
        }
        if (at < values.Length) throw TooFew(name, at, values.Length);
    }

    private static void ReadFlags(ReadOnlySpan<byte> json, Span<byte> values, string name)
    {
        var reader = new Utf8JsonReader(json);
        var at = 0;
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.EndArray) continue;
            if (at == values.Length) throw TooMany(name, values.Length);
            values[at] = reader.TokenType switch
            {
                JsonTokenType.True => 1,
                JsonTokenType.False => 0,
                JsonTokenType.Number when reader.TryGetByte(out var flag) && flag <= 1 => flag,
                _ => throw Wrong(name, at),
            };
            at++;
        }
        if (at < values.Length) throw TooFew(name, at, values.Length);
    }

    private static InvalidRequestException Wrong(string name, int at) => new($"Input '{name}': value {at} is not of its datatype.");

    private static InvalidRequestException TooMany(string name, int count) => new($"Input '{name}' has more values than the {count} of its shape.");

    private static InvalidRequestException TooFew(string name, int actual, int count) => new($"Input '{name}' has {actual} values; its shape has {count}.");
}
