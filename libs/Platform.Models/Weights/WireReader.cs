using System.Text;

namespace Platform.Models;

/// <summary>How a field is encoded (protobuf encoding, "message structure").</summary>
internal enum WireKind
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// <summary>A field: where its tag begins, where its payload is, and a varint's value.</summary>
internal readonly record struct WireField(int Number, WireKind Kind, long Start, long BodyStart, long End, ulong Value);

/// <summary>Steps through the fields of a protobuf file without reading what they hold. Groups, which nothing of ONNX has, are refused.</summary>
internal sealed class WireReader : IDisposable
{
    private readonly FileStream _file;

    public WireReader(string path)
    {
        _file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 64 << 10);
        Length = _file.Length;
    }

    public long Length { get; }

    public long Position { get; set; }

    /// <summary>The next field before <paramref name="end"/>, and steps over it; null at the end.</summary>
    public WireField? Next(long end)
    {
        if (Position == end) return null;
        var start = Position;
        var tag = Varint(end);
        var (number, kind) = ((long)(tag >> 3), (WireKind)(tag & 7));
        if (number is <= 0 or > 0x1FFFFFFF) throw Wrong();
        var value = 0UL;
        long body, next;
        switch (kind)
        {
            case WireKind.Varint:
                body = Position;
                value = Varint(end);
                next = Position;
                break;
            case WireKind.Fixed64:
                (body, next) = (Position, Position + 8);
                break;
            case WireKind.Fixed32:
                (body, next) = (Position, Position + 4);
                break;
            case WireKind.Bytes:
                var length = Varint(end);
                if (length > (ulong)(end - Position)) throw Wrong();
                (body, next) = (Position, Position + (long)length);
                break;
            default:
                throw Wrong();
        }
        if (next > end) throw Wrong();
        Position = next;
        return new WireField((int)number, kind, start, body, next, value);
    }

    public ulong Varint(long end)
    {
        if (_file.Position != Position) _file.Position = Position;
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (Position >= end) throw Wrong();
            var next = _file.ReadByte();
            if (next < 0) throw Wrong();
            Position++;
            if (shift == 63 && next > 1) throw Wrong();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }
        throw Wrong();
    }

    public string Text(WireField field, int maxLength)
    {
        if (field.End - field.BodyStart > maxLength) throw Wrong();
        var bytes = new byte[field.End - field.BodyStart];
        _file.Position = field.BodyStart;
        _file.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    public void Dispose() => _file.Dispose();

    private static ModelException Wrong() => ModelException.Invalid("The file is no ONNX model, or is cut short.");
}
