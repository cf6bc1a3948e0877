using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;

namespace Platform.Models;

/// <summary>
/// The safetensors format: eight bytes with the length of a JSON header, the header, the tensors' bytes without gaps. A header is at most 100 MB, as in the reference implementation, and must
/// account for every byte.
/// </summary>
internal static class SafetensorsFile
{
    private const int MaxHeaderBytes = 100_000_000, HeaderAlignment = 8;

    private static readonly (string Name, TensorElement Element)[] Elements =
    [
        ("F64", TensorElement.Float64), ("F32", TensorElement.Float32), ("F16", TensorElement.Float16), ("BF16", TensorElement.BFloat16),
        ("I64", TensorElement.Int64), ("I32", TensorElement.Int32), ("I16", TensorElement.Int16), ("I8", TensorElement.Int8),
        ("U64", TensorElement.UInt64), ("U32", TensorElement.UInt32), ("U16", TensorElement.UInt16), ("U8", TensorElement.UInt8), ("BOOL", TensorElement.Bool),
    ];

    public static async Task<IReadOnlyList<WeightTensor>> ReadAsync(string path, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path);
        var fileLength = RandomAccess.GetLength(file);
        var start = new byte[8];
        if (fileLength < 8) throw Wrong("is shorter than its header");
        await ReadExactlyAsync(file, start, 0, cancellationToken).ConfigureAwait(false);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (headerLength > MaxHeaderBytes || headerLength > (ulong)(fileLength - 8)) throw Wrong("has a header longer than the file or than allowed");
        var header = new byte[(int)headerLength];
        await ReadExactlyAsync(file, header, 8, cancellationToken).ConfigureAwait(false);
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(header, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
        }
        catch (JsonException failure)
        {
            throw ModelException.Invalid("The safetensors file has a header that is no JSON.", failure);
        }
        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) throw Wrong("has a header that is no object");
            var dataStart = 8 + (long)headerLength;
            var dataLength = fileLength - dataStart;
            var tensors = new List<(long Begin, long End, WeightTensor Tensor)>();
            try
            {
                foreach (var member in root.EnumerateObject())
                {
                    if (member.NameEquals("__metadata__"u8)) continue;
                    if (tensors.Count == WeightLimits.MaxTensors) throw Wrong("has too many tensors");
                    tensors.Add(ReadTensor(member, path, dataStart, dataLength));
                }
            }
            catch (InvalidOperationException failure)
            {
                throw ModelException.Invalid("The safetensors file has a name that is no valid Unicode.", failure);
            }
            long at = 0;
            foreach (var (begin, end, tensor) in tensors.OrderBy(static tensor => tensor.Begin).ThenBy(static tensor => tensor.End))
            {
                if (begin != at) throw Wrong($"has a gap or an overlap before {tensor.Name}");
                at = end;
            }
            if (at != dataLength) throw Wrong("has bytes that belong to no tensor");
            return [.. tensors.Select(static tensor => tensor.Tensor)];
        }
    }

    public static async Task WriteAsync(IReadOnlyList<WeightTensor> tensors, Stream stream, CancellationToken cancellationToken)
    {
        using var header = new MemoryStream();
        await using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            long at = 0;
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", Elements.First(element => element.Element == tensor.Element).Name);
                json.WriteStartArray("shape");
                foreach (var size in tensor.Shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += tensor.ByteLength);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        // Spaces after the JSON let the first tensor begin at a multiple of eight.
        while (header.Length % HeaderAlignment != 0) header.WriteByte((byte)' ');
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        await stream.WriteAsync(length, cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync(header.ToArray(), cancellationToken).ConfigureAwait(false);
        foreach (var tensor in tensors) await tensor.Data.CopyToAsync(stream, cancellationToken).ConfigureAwait(false);
    }

    private static (long Begin, long End, WeightTensor Tensor) ReadTensor(JsonProperty member, string path, long dataStart, long dataLength)
    {
        var name = member.Name;
        if (name.Length is 0 or > WeightLimits.MaxNameLength) throw Wrong("has a tensor whose name is empty or too long");
        if (member.Value.ValueKind != JsonValueKind.Object
            || !member.Value.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !member.Value.TryGetProperty("shape", out var shape) || shape.ValueKind != JsonValueKind.Array || shape.GetArrayLength() > WeightLimits.MaxRank
            || !member.Value.TryGetProperty("data_offsets", out var offsets) || offsets.ValueKind != JsonValueKind.Array || offsets.GetArrayLength() != 2)
            throw Wrong($"does not say type, shape and place of {name}");
        var element = Elements.FirstOrDefault(element => dtype.ValueEquals(element.Name));
        if (element.Name is null) throw Wrong($"has {name} of a type that is not known");
        var sizes = ImmutableArray.CreateBuilder<long>();
        foreach (var size in shape.EnumerateArray())
            sizes.Add(size.ValueKind == JsonValueKind.Number && size.TryGetInt64(out var number) && number >= 0 ? number : throw Wrong($"has {name} of a shape that is none"));
        if (offsets[0].ValueKind != JsonValueKind.Number || offsets[1].ValueKind != JsonValueKind.Number || !offsets[0].TryGetInt64(out var begin) || !offsets[1].TryGetInt64(out var end)
            || begin < 0 || end < begin || end > dataLength) throw Wrong($"has {name} outside the file");
        var tensorShape = sizes.ToImmutable();
        if (WeightTensor.BytesOf(element.Element, tensorShape) != end - begin) throw Wrong($"has {name} with other bytes than its shape asks for");
        return (begin, end, new WeightTensor(name, element.Element, tensorShape, new FilePiece(path, dataStart + begin, end - begin)));
    }

    private static async Task ReadExactlyAsync(Microsoft.Win32.SafeHandles.SafeFileHandle file, Memory<byte> bytes, long offset, CancellationToken cancellationToken)
    {
        for (var done = 0; done < bytes.Length;)
        {
            var read = await RandomAccess.ReadAsync(file, bytes[done..], offset + done, cancellationToken).ConfigureAwait(false);
            if (read == 0) throw Wrong("ends early");
            done += read;
        }
    }

    private static ModelException Wrong(string what) => ModelException.Invalid($"The safetensors file {what}.");
}
