using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;

namespace Platform.Dicom.Json;

/// <summary>
/// Writes JSON tokens into a buffer writer without checking their order. Not <see cref="System.Text.Json.Utf8JsonWriter"/>, because the
/// tokens of DICOM JSON are few, known and short, and a series has a hundred thousand of them.
/// </summary>
internal ref struct JsonOutput(IBufferWriter<byte> to)
{
    private const int Block = 4096;

    // RFC 8259 7: what must be escaped. Bytes of UTF-8 from 80 on stand for themselves.
    private static readonly SearchValues<byte> s_escaped = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(b => (byte)b), (byte)'"', (byte)'\\']);

    private readonly IBufferWriter<byte> _to = to;
    private Span<byte> _span;
    private int _used;

    /// <summary>Hands everything written to the buffer writer; more may follow.</summary>
    public void Flush()
    {
        _to.Advance(_used);
        _span = default;
        _used = 0;
    }

    /// <summary>At least <paramref name="length"/> bytes to write to; <see cref="Advance"/> says how many were.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Get(int length)
    {
        if (_span.Length - _used < length) Grow(length);
        return _span[_used..];
    }

    public void Advance(int length) => _used += length;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Byte(byte value)
    {
        Get(1)[0] = value;
        _used++;
    }

    /// <summary>Bytes as they are, of any length.</summary>
    public void Raw(scoped ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= Block)
        {
            bytes.CopyTo(Get(bytes.Length));
            _used += bytes.Length;
            return;
        }

        while (!bytes.IsEmpty)
        {
            var room = Get(Math.Min(bytes.Length, Block));
            var taken = Math.Min(room.Length, bytes.Length);
            bytes[..taken].CopyTo(room);
            _used += taken;
            bytes = bytes[taken..];
        }
    }

    /// <summary>A string from valid UTF-8.</summary>
    public void String(scoped ReadOnlySpan<byte> utf8)
    {
        Byte((byte)'"');
        StringPart(utf8);
        Byte((byte)'"');
    }

    /// <summary>The inside of a string.</summary>
    public void StringPart(scoped ReadOnlySpan<byte> utf8)
    {
        while (utf8.IndexOfAny(s_escaped) is var at && at >= 0)
        {
            Raw(utf8[..at]);
            EscapeByte(utf8[at]);
            utf8 = utf8[(at + 1)..];
        }

        Raw(utf8);
    }

    /// <summary>A string from UTF-16; a lone surrogate becomes U+FFFD.</summary>
    public void String(scoped ReadOnlySpan<char> text)
    {
        Byte((byte)'"');
        Span<byte> utf8 = stackalloc byte[768];
        while (!text.IsEmpty)
        {
            System.Text.Unicode.Utf8.FromUtf16(text, utf8, out var read, out var written);
            StringPart(utf8[..written]);
            text = text[read..];
        }

        Byte((byte)'"');
    }

    /// <summary>A string of base64.</summary>
    public void Base64String(scoped ReadOnlySpan<byte> bytes)
    {
        const int Step = Block / 4 * 3;
        Byte((byte)'"');
        while (!bytes.IsEmpty)
        {
            var room = Get(Block);
            var isLast = bytes.Length <= Step;
            Base64.EncodeToUtf8(isLast ? bytes : bytes[..Step], room, out var read, out var written, isLast);
            _used += written;
            bytes = bytes[read..];
        }

        Byte((byte)'"');
    }

    public void Number<T>(T value) where T : IUtf8SpanFormattable
    {
        value.TryFormat(Get(32), out var written, default, System.Globalization.CultureInfo.InvariantCulture);
        _used += written;
    }

    private void EscapeByte(byte value)
    {
        var room = Get(6);
        room[0] = (byte)'\\';
        var letter = value switch
        {
            (byte)'"' => (byte)'"',
            (byte)'\\' => (byte)'\\',
            (byte)'\n' => (byte)'n',
            (byte)'\r' => (byte)'r',
            (byte)'\t' => (byte)'t',
            (byte)'\f' => (byte)'f',
            (byte)'\b' => (byte)'b',
            _ => (byte)0
        };
        if (letter != 0)
        {
            room[1] = letter;
            _used += 2;
            return;
        }

        "u00"u8.CopyTo(room[1..]);
        room[4] = (byte)(value >> 4 == 0 ? '0' : '1');
        room[5] = "0123456789ABCDEF"u8[value & 0xF];
        _used += 6;
    }

    private void Grow(int length)
    {
        _to.Advance(_used);
        _used = 0;
        _span = _to.GetSpan(Math.Max(length, Block));
    }
}
