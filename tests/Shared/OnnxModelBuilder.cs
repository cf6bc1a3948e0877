using System.Buffers.Binary;
using System.Text;

namespace Platform.Tests.Shared;

/// <summary>Writes small ONNX models, protobuf field by field: one graph, opset 13 unless told otherwise.</summary>
public sealed class OnnxModelBuilder
{
    /// <summary>Element types as ONNX numbers them.</summary>
    public const int Float = 1, UInt8 = 2, Int32 = 6, Int64 = 7, String = 8, Bool = 9, Float16 = 10;

    private readonly Message _graph = new Message().Text(2, "graph");
    private readonly List<(string Key, string Value)> _metadata = [];
    private int _names;

    public int Opset { get; init; } = 13;

    /// <summary>y = x * factor over [N, width].</summary>
    public static byte[] Scale(float factor = 2, long width = 4) => new OnnxModelBuilder()
        .Input("x", Float, "N", width).Output("y", Float, "N", width)
        .Floats("factor", [factor], 1).Node("Mul", ["x", "factor"], ["y"]).Build();

    /// <summary>y = x through <paramref name="layers"/> products with a matrix of size x size (its entries 1 / size, so that means survive): work that takes time.</summary>
    public static byte[] Work(int size, int layers)
    {
        var builder = new OnnxModelBuilder().Input("x", Float, "N", size).Output("y", Float, "N", size)
            .Floats("weights", [.. Enumerable.Repeat(1f / size, size * size)], size, size);
        for (var i = 0; i < layers; i++) builder.Node("MatMul", [i == 0 ? "x" : $"h{i}", "weights"], [i == layers - 1 ? "y" : $"h{i + 1}"]);
        return builder.Build();
    }

    /// <summary>A dimension is a number, or a name for an open one, or null for an open one without a name.</summary>
    public OnnxModelBuilder Input(string name, int type, params object?[] shape) => Value(11, name, type, shape);

    public OnnxModelBuilder Output(string name, int type, params object?[] shape) => Value(12, name, type, shape);

    public OnnxModelBuilder Floats(string name, float[] values, params long[] shape)
    {
        var raw = new byte[values.Length * 4];
        Buffer.BlockCopy(values, 0, raw, 0, raw.Length);
        return Initializer(name, Float, raw, shape);
    }

    public OnnxModelBuilder Longs(string name, long[] values, params long[] shape)
    {
        var raw = new byte[values.Length * 8];
        Buffer.BlockCopy(values, 0, raw, 0, raw.Length);
        return Initializer(name, Int64, raw, shape);
    }

    /// <summary>An operator; attributes are numbers, or lists of whole numbers.</summary>
    public OnnxModelBuilder Node(string operation, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes)
    {
        var node = new Message();
        foreach (var input in inputs) node.Text(1, input);
        foreach (var output in outputs) node.Text(2, output);
        node.Text(3, $"n{_names++}").Text(4, operation);
        foreach (var (name, value) in attributes)
        {
            var attribute = new Message().Text(1, name);
            switch (value)
            {
                case float number:
                    attribute.Single(2, number).Number(20, 1);
                    break;
                case long[] numbers:
                    foreach (var number in numbers) attribute.Number(8, number);
                    attribute.Number(20, 7);
                    break;
                default:
                    attribute.Number(3, Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture)).Number(20, 2);
                    break;
            }
            node.Nested(5, attribute);
        }
        _graph.Nested(1, node);
        return this;
    }

    public OnnxModelBuilder Metadata(string key, string value)
    {
        _metadata.Add((key, value));
        return this;
    }

    public byte[] Build()
    {
        var model = new Message().Number(1, 7).Text(2, "platform-tests").Nested(7, _graph).Nested(8, new Message().Text(1, "").Number(2, Opset));
        foreach (var (key, value) in _metadata) model.Nested(14, new Message().Text(1, key).Text(2, value));
        return model.ToArray();
    }

    private OnnxModelBuilder Initializer(string name, int type, byte[] raw, long[] shape)
    {
        var tensor = new Message();
        foreach (var size in shape) tensor.Number(1, size);
        _graph.Nested(5, tensor.Number(2, type).Text(8, name).Bytes(9, raw));
        return this;
    }

    private OnnxModelBuilder Value(int field, string name, int type, object?[] shape)
    {
        var dimensions = new Message();
        foreach (var size in shape)
        {
            dimensions.Nested(1, size switch
            {
                null => new Message(),
                string symbol => new Message().Text(2, symbol),
                _ => new Message().Number(1, Convert.ToInt64(size, System.Globalization.CultureInfo.InvariantCulture)),
            });
        }
        var tensor = new Message().Number(1, type).Nested(2, dimensions);
        _graph.Nested(field, new Message().Text(1, name).Nested(2, new Message().Nested(1, tensor)));
        return this;
    }

    /// <summary>A protobuf message: fields by number.</summary>
    private sealed class Message
    {
        private readonly MemoryStream _bytes = new();

        public Message Number(int field, long value)
        {
            Varint((ulong)field << 3);
            Varint((ulong)value);
            return this;
        }

        public Message Single(int field, float value)
        {
            Varint((ulong)field << 3 | 5);
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
            _bytes.Write(bytes);
            return this;
        }

        public Message Bytes(int field, ReadOnlySpan<byte> value)
        {
            Varint((ulong)field << 3 | 2);
            Varint((ulong)value.Length);
            _bytes.Write(value);
            return this;
        }

        public Message Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

        public Message Nested(int field, Message value) => Bytes(field, value.ToArray());

        public byte[] ToArray() => _bytes.ToArray();

        private void Varint(ulong value)
        {
            for (; value >= 0x80; value >>= 7) _bytes.WriteByte((byte)(value | 0x80));
            _bytes.WriteByte((byte)value);
        }
    }
}
