using System.Buffers.Binary;
using System.Text;

namespace Platform.Models.Tests;

/// <summary>Writes small ONNX files on the wire format: y = x * scale + shift, with whatever weights a test wants, and fields that nobody knows.</summary>
internal sealed class OnnxBuilder
{
    private readonly List<byte[]> _initialisers = [];

    /// <summary>A weight in raw_data.</summary>
    public OnnxBuilder Raw(string name, int type, long[] shape, byte[] bytes)
    {
        _initialisers.Add([.. Shape(shape), .. Number(2, type), .. Bytes(8, Encoding.UTF8.GetBytes(name)), .. Bytes(9, bytes)]);
        return this;
    }

    public OnnxBuilder Floats(string name, params float[] values)
    {
        var bytes = new byte[values.Length * 4];
        for (var i = 0; i < values.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * 4), values[i]);
        return Raw(name, 1, [values.Length], bytes);
    }

    /// <summary>A weight in int64_data.</summary>
    public OnnxBuilder Integers(string name, params long[] values)
    {
        _initialisers.Add([.. Shape([values.Length]), .. Number(2, 7), .. Bytes(7, [.. values.SelectMany(static value => Varint((ulong)value))]), .. Bytes(8, Encoding.UTF8.GetBytes(name))]);
        return this;
    }

    /// <summary>A weight in another file.</summary>
    public OnnxBuilder External(string name, long[] shape, string file, long offset)
    {
        _initialisers.Add([.. Shape(shape), .. Number(2, 1), .. Bytes(8, Encoding.UTF8.GetBytes(name)),
            .. Bytes(13, [.. Bytes(1, "location"u8), .. Bytes(2, Encoding.UTF8.GetBytes(file))]),
            .. Bytes(13, [.. Bytes(1, "offset"u8), .. Bytes(2, Encoding.ASCII.GetBytes(offset.ToString(System.Globalization.CultureInfo.InvariantCulture)))]), .. Number(14, 1)]);
        return this;
    }

    public byte[] Build()
    {
        byte[] graph =
        [
            .. Bytes(1, [.. Bytes(1, "x"u8), .. Bytes(1, "scale"u8), .. Bytes(2, "s"u8), .. Bytes(4, "Mul"u8)]),
            .. Bytes(1, [.. Bytes(1, "s"u8), .. Bytes(1, "shift"u8), .. Bytes(2, "y"u8), .. Bytes(4, "Add"u8)]),
            .. Bytes(2, "graph"u8),
            .. _initialisers.SelectMany(static initialiser => Bytes(5, initialiser)),
            .. Bytes(11, Value("x")),
            .. Bytes(12, Value("y")),
            .. Bytes(900, "a field of tomorrow"u8),
        ];
        return [.. Number(1, 8), .. Bytes(2, "tests"u8), .. Bytes(7, graph), .. Bytes(8, [.. Bytes(1, ""u8), .. Number(2, 13)]), .. Number(901, 77)];
    }

    internal static byte[] Bytes(int field, ReadOnlySpan<byte> bytes) => [.. Varint((ulong)field << 3 | 2), .. Varint((ulong)bytes.Length), .. bytes];

    internal static byte[] Number(int field, long value) => [.. Varint((ulong)field << 3), .. Varint((ulong)value)];

    private static byte[] Shape(long[] shape) => [.. shape.SelectMany(static size => Number(1, size))];

    // float [N, 4]
    private static byte[] Value(string name) =>
        [.. Bytes(1, Encoding.UTF8.GetBytes(name)), .. Bytes(2, Bytes(1, [.. Number(1, 1), .. Bytes(2, [.. Bytes(1, Bytes(2, "N"u8)), .. Bytes(1, Number(1, 4))])]))];

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
