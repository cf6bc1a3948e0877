using System.Text.Json.Nodes;

namespace Platform.Models;

/// <summary>What an ONNX file says of its inputs and outputs (GraphProto.input = 11, output = 12), as a manifest has it.</summary>
internal static class OnnxSignature
{
    private const int MaxValues = 4096;

    /// <summary>Inputs that are no initialisers, and outputs, as the members of a manifest with the unit "any".</summary>
    public static (JsonArray Inputs, JsonArray Outputs) Read(string path)
    {
        var layout = OnnxWeights.Scan(path);
        var weights = layout.Initialisers.Select(static initialiser => initialiser.Name).ToHashSet(StringComparer.Ordinal);
        var (inputs, outputs) = (new JsonArray(), new JsonArray());
        using var wire = new WireReader(path) { Position = layout.GraphStart };
        while (wire.Next(layout.GraphEnd) is { } field)
        {
            if (field is { Number: 11 or 12, Kind: WireKind.Bytes })
            {
                if (inputs.Count + outputs.Count == MaxValues) throw ModelException.Invalid("The ONNX file has too many inputs and outputs.");
                if (ReadValue(wire, field) is { } value && !(field.Number == 11 && weights.Contains((string)value["name"]!))) (field.Number == 11 ? inputs : outputs).Add((JsonNode)value);
            }
            wire.Position = field.End;
        }
        return (inputs, outputs);
    }

    // ValueInfoProto: name = 1, type = 2; TypeProto: tensor_type = 1; its elem_type = 1, shape = 2; TensorShapeProto: dim = 1.
    private static JsonObject? ReadValue(WireReader wire, WireField at)
    {
        string? name = null;
        TensorElement? element = null;
        var shape = new JsonArray();
        foreach (var field in Fields(wire, at))
        {
            if (field is { Number: 1, Kind: WireKind.Bytes }) name = wire.Text(field, 400);
            if (field is not { Number: 2, Kind: WireKind.Bytes }) continue;
            foreach (var tensor in Fields(wire, field).Where(static type => type is { Number: 1, Kind: WireKind.Bytes }))
            {
                foreach (var part in Fields(wire, tensor))
                {
                    if (part is { Number: 1, Kind: WireKind.Varint }) element = OnnxWeights.ElementOf((long)part.Value);
                    if (part is not { Number: 2, Kind: WireKind.Bytes }) continue;
                    foreach (var dimension in Fields(wire, part).Where(static dimension => dimension is { Number: 1, Kind: WireKind.Bytes })) shape.Add(ReadDimension(wire, dimension, shape.Count));
                }
            }
        }
        return name is { Length: > 0 } && element is { } kind && shape.Count > 0 ? new JsonObject { ["name"] = name, ["element"] = kind.ToName(), ["shape"] = shape, ["unit"] = "any" } : null;
    }

    private static JsonNode ReadDimension(WireReader wire, WireField at, int index)
    {
        foreach (var field in Fields(wire, at))
        {
            if (field is { Number: 1, Kind: WireKind.Varint, Value: > 0 and <= int.MaxValue }) return JsonValue.Create((long)field.Value);
            if (field is { Number: 2, Kind: WireKind.Bytes } && wire.Text(field, 400) is var symbol && ManifestReader.IsName(symbol)) return JsonValue.Create(symbol);
        }
        return JsonValue.Create("d" + index.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    private static List<WireField> Fields(WireReader wire, WireField of)
    {
        var fields = new List<WireField>();
        wire.Position = of.BodyStart;
        while (wire.Next(of.End) is { } field)
        {
            if (fields.Count == MaxValues) throw ModelException.Invalid("The ONNX file says too much of an input or output.");
            fields.Add(field);
        }
        return fields;
    }
}
