using System.Buffers.Text;

namespace PerfTests.Client;

/// <summary>Where bytes come from: a socket, or a test's array cut in pieces.</summary>
internal interface IByteSource
{
    /// <summary>Fills some of the span; 0 at the end.</summary>
    int Receive(Span<byte> into);
}

/// <summary>What an answer was, without its body.</summary>
internal readonly record struct Response(int Status, long BodyBytes, long HeaderBytes, bool Closes, long FirstByteAt);

/// <summary>The server sent something that is no HTTP/1.1 answer, or hung up in the middle of one.</summary>
internal sealed class ProtocolException(string message) : IOException(message);

/// <summary>
/// Reads HTTP/1.1 answers from one connection: content-length, chunked and close-delimited bodies (RFC 9112 6.3),
/// answers without a body, interim answers. The body is counted and forgotten unless somebody wants it. All lengths
/// are bounded: header lines 16 KB, headers 64 KB, chunk-size lines 1 KB.
/// </summary>
internal sealed class ResponseReader(IByteSource source, int bufferBytes = 256 << 10)
{
    private const int MaxLineBytes = 16 << 10, MaxHeaderBytes = 64 << 10, MaxChunkLineBytes = 1 << 10;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(Math.Max(bufferBytes, 2 * MaxLineBytes), pinned: true);
    private int _from, _to;
    private long _headerBytes;

    /// <summary>Gets each piece of the body; the span is valid during the call. Null: the body is skipped.</summary>
    public Action<ReadOnlySpan<byte>>? Body { get; set; }

    /// <summary>Gets each header line, name and value; null: they are skipped.</summary>
    public HeaderHandler? Header { get; set; }

    public delegate void HeaderHandler(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value);

    /// <summary>Forgets what is buffered, for a new connection.</summary>
    public void Reset() => _from = _to = 0;

    /// <summary>Reads one whole answer to a request of that method.</summary>
    /// <exception cref="ProtocolException">It is not one.</exception>
    public Response Read(bool isHead = false)
    {
        _headerBytes = 0;
        long firstByteAt = 0;
        while (true)
        {
            var status = ReadStatusLine(ref firstByteAt);
            var (length, isChunked, closes) = ReadHeaders();
            if (status is >= 100 and < 200 and not 101) continue;
            if (isHead || status is 204 or 304) return new Response(status, 0, _headerBytes, closes, firstByteAt);
            var body = isChunked ? ReadChunks() : length is { } known ? Skip(known) : SkipToEnd(ref closes);
            return new Response(status, body, _headerBytes, closes, firstByteAt);
        }
    }

    private int ReadStatusLine(ref long firstByteAt)
    {
        if (_from == _to && !Fill()) throw new ProtocolException("The server closed the connection before it answered.");
        if (firstByteAt == 0) firstByteAt = Measuring.Clock.Now;
        var line = ReadLine(MaxLineBytes);
        if (line.Length < 12 || !line.StartsWith("HTTP/1."u8) || line[7] is not ((byte)'0' or (byte)'1') || line[8] != ' '
            || !Utf8Parser.TryParse(line.Slice(9, 3), out int status, out var used) || used != 3 || status is < 100 or > 599
            || (line.Length > 12 && line[12] != ' '))
        {
            throw new ProtocolException("No status line.");
        }

        return status;
    }

    private (long? Length, bool IsChunked, bool Closes) ReadHeaders()
    {
        long? length = null;
        var (isChunked, closes) = (false, false);
        while (true)
        {
            var line = ReadLine(MaxLineBytes);
            if (line.IsEmpty) break;
            if (_headerBytes > MaxHeaderBytes) throw new ProtocolException("The headers are too long.");
            var colon = line.IndexOf((byte)':');
            if (colon <= 0) throw new ProtocolException("A header line has no name.");
            var name = line[..colon];
            var value = Trim(line[(colon + 1)..]);
            Header?.Invoke(name, value);
            if (Is(name, "content-length"u8))
            {
                if (value.IsEmpty || !Utf8Parser.TryParse(value, out long parsed, out var used) || used != value.Length || !IsDigit(value[0]))
                    throw new ProtocolException("A content length is no number.");
                if (length is { } other && other != parsed) throw new ProtocolException("There are two content lengths.");
                length = parsed;
            }
            else if (Is(name, "transfer-encoding"u8))
            {
                if (!Is(value, "chunked"u8)) throw new ProtocolException("A transfer coding is not known.");
                isChunked = true;
            }
            else if (Is(name, "connection"u8))
            {
                closes |= Is(value, "close"u8);
            }
        }

        if (isChunked && length is not null) throw new ProtocolException("There are a content length and a transfer coding.");
        return (length, isChunked, closes);
    }

    private long ReadChunks()
    {
        long body = 0;
        while (true)
        {
            var line = ReadLine(MaxChunkLineBytes);
            var end = line.IndexOf((byte)';');
            var digits = Trim(end < 0 ? line : line[..end]);
            if (digits.Length is 0 or > 15 || !Utf8Parser.TryParse(digits, out long size, out var used, 'x') || used != digits.Length)
                throw new ProtocolException("A chunk has no size.");
            if (size == 0) break;
            body += Skip(size);
            if (!ReadLine(MaxChunkLineBytes).IsEmpty) throw new ProtocolException("A chunk does not end where it should.");
        }

        while (!ReadLine(MaxLineBytes).IsEmpty)
            if (_headerBytes > MaxHeaderBytes) throw new ProtocolException("The trailers are too long.");
        return body;
    }

    private long Skip(long bytes)
    {
        var left = bytes;
        while (true)
        {
            var have = (int)Math.Min(left, _to - _from);
            if (have > 0) Body?.Invoke(_buffer.AsSpan(_from, have));
            _from += have;
            left -= have;
            if (left == 0) return bytes;
            if (!Fill()) throw new ProtocolException("The body ends early.");
        }
    }

    private long SkipToEnd(ref bool closes)
    {
        closes = true;
        long bytes = 0;
        do
        {
            if (_to > _from) Body?.Invoke(_buffer.AsSpan(_from, _to - _from));
            bytes += _to - _from;
            _from = _to;
        }
        while (Fill());
        return bytes;
    }

    private ReadOnlySpan<byte> ReadLine(int maxBytes)
    {
        var scanned = 0;
        while (true)
        {
            var at = _buffer.AsSpan(_from + scanned, _to - _from - scanned).IndexOf((byte)'\n');
            if (at >= 0)
            {
                var line = _buffer.AsSpan(_from, scanned + at);
                _headerBytes += line.Length + 1;
                _from += line.Length + 1;
                return line is [.. var text, (byte)'\r'] ? text : line;
            }

            scanned = _to - _from;
            if (scanned > maxBytes) throw new ProtocolException("A line is too long.");
            if (!Fill()) throw new ProtocolException("The headers end early.");
        }
    }

    private bool Fill()
    {
        if (_from == _to)
        {
            _from = _to = 0;
        }
        else if (_to == _buffer.Length)
        {
            // Only lines are kept over a fill, and they are shorter than half the buffer.
            _buffer.AsSpan(_from, _to - _from).CopyTo(_buffer);
            (_from, _to) = (0, _to - _from);
        }

        var received = source.Receive(_buffer.AsSpan(_to));
        _to += received;
        return received > 0;
    }

    private static bool IsDigit(byte value) => value is >= (byte)'0' and <= (byte)'9';

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> value) => value.Trim(" \t"u8);

    private static bool Is(ReadOnlySpan<byte> value, ReadOnlySpan<byte> lowerCase) => System.Text.Ascii.EqualsIgnoreCase(value, lowerCase);
}
