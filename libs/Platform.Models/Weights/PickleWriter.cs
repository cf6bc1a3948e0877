using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Platform.Models;

/// <summary>The few opcodes that a file of tensors needs.</summary>
internal sealed class PickleWriter(Stream stream)
{
    private readonly ArrayBufferWriter<byte> _pending = new();

    public PickleWriter Op(int opcode)
    {
        _pending.GetSpan(1)[0] = (byte)opcode;
        _pending.Advance(1);
        return this;
    }

    public PickleWriter Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Op('X');
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        _pending.Write(length);
        _pending.Write(bytes);
        return this;
    }

    public PickleWriter Global(string module, string name)
    {
        Op('c');
        _pending.Write(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));
        return this;
    }

    public PickleWriter Integer(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        if (value is >= 0 and <= 0xFF) return Op('K').Op((int)value);
        if (value is >= int.MinValue and <= int.MaxValue)
        {
            Op('J');
            BinaryPrimitives.WriteInt32LittleEndian(bytes, (int)value);
            _pending.Write(bytes[..4]);
            return this;
        }
        Op(0x8A).Op(8);
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        _pending.Write(bytes);
        return this;
    }

    public PickleWriter Tuple(IEnumerable<long> values)
    {
        Op('(');
        foreach (var value in values) Integer(value);
        return Op('t');
    }

    /// <summary>BINBYTES8; the bytes follow.</summary>
    public PickleWriter BytesHeader(long length)
    {
        Op(0x8E);
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        _pending.Write(bytes);
        return this;
    }

    public async Task WriteAsync(byte[] bytes, CancellationToken cancellationToken)
    {
        _pending.Write(bytes);
        await FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await stream.WriteAsync(_pending.WrittenMemory, cancellationToken).ConfigureAwait(false);
        _pending.ResetWrittenCount();
    }
}
