using System.Buffers;
using System.Globalization;
using System.Text;

namespace ImageApi.Negotiation;

/// <summary>
/// Reads a <c>multipart</c> body (RFC 2046 5.1) part by part in one pooled buffer, whatever the length of parts and however the bytes arrive. Not thread-safe.
/// <code>
/// while (await reader.MoveToNextPartAsync(ct))
///     while ((await reader.ReadBodyAsync(ct)) is { Length: > 0 } bytes) ...
/// </code>
/// What breaks the rules is a <see cref="MultipartException"/>: no first boundary, a header that is none or too long, an end without the closing boundary.
/// The parts before it are whole and can be kept.
/// </summary>
internal sealed class MultipartReader : IDisposable
{
    private const int BufferBytes = 64 * 1024;
    private const int MaxHeaderBytes = 8 * 1024;
    private const int MaxHeaderCount = 16;
    private const int MaxBoundaryLength = 70;

    private readonly Stream _body;
    private readonly byte[] _delimiter;
    private byte[]? _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _start;
    private int _end;
    private int _given;
    private bool _isBodyEnded;
    private State _state = State.Preamble;

    /// <param name="body">The request's body. Not disposed.</param>
    /// <param name="boundary">1 to 70 characters of those that RFC 2046 allows.</param>
    /// <exception cref="MultipartException">The boundary is none.</exception>
    public MultipartReader(Stream body, string boundary)
    {
        if (!IsBoundary(boundary)) throw new MultipartException("The boundary has to be 1 to 70 characters of those that RFC 2046 allows.");
        _body = body;
        _delimiter = Encoding.ASCII.GetBytes("\r\n--" + boundary);
    }

    private enum State
    {
        Preamble,
        Body,
        BetweenParts,
        End,
    }

    /// <summary>The current part's Content-Type, or empty.</summary>
    public string ContentType { get; private set; } = "";

    /// <summary>The current part's Content-Location, or empty.</summary>
    public string ContentLocation { get; private set; } = "";

    /// <summary>The current part's Content-Disposition, or empty.</summary>
    public string ContentDisposition { get; private set; } = "";

    /// <summary>The current part's Content-Length, or null where it has none that is a number.</summary>
    public long? ContentLength { get; private set; }

    public static bool IsBoundary(string boundary)
    {
        if (boundary.Length is 0 or > MaxBoundaryLength || boundary[^1] == ' ') return false;
        foreach (var c in boundary)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"'()+_,-./:=? ".Contains(c, StringComparison.Ordinal)) return false;
        }
        return true;
    }

    /// <summary>Skips what is left of the current part and reads the next one's headers. False after the closing boundary.</summary>
    public async ValueTask<bool> MoveToNextPartAsync(CancellationToken cancellationToken)
    {
        if (_state == State.Preamble) await SkipPreambleAsync(cancellationToken);
        while (_state == State.Body) await ReadBodyAsync(cancellationToken);
        if (_state == State.End) return false;
        if (await ReadDelimiterLineEndAsync(cancellationToken))
        {
            _state = State.End;   // RFC 2046: what follows is an epilogue, to be ignored; the server drains it
            return false;
        }

        await ReadHeadersAsync(cancellationToken);
        _state = State.Body;
        return true;
    }

    /// <summary>The next bytes of the current part's body, valid until the next call; empty at its end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadBodyAsync(CancellationToken cancellationToken)
    {
        if (_state != State.Body) return default;
        _start += _given;
        _given = 0;
        for (var searched = 0; ;)
        {
            var available = _buffer.AsSpan(_start, _end - _start);
            var at = available[searched..].IndexOf(_delimiter);
            if (at == 0 && searched == 0)
            {
                _start += _delimiter.Length;
                _state = State.BetweenParts;
                return default;
            }

            // Without a delimiter in sight everything is body, but for an end that may be the delimiter's beginning.
            // Little is gathered into much first: what is given is written to a file.
            searched = at >= 0 ? searched + at : Math.Max(0, available.Length - (_delimiter.Length - 1));
            if (at >= 0 || searched >= BufferBytes / 2)
            {
                _given = searched;
                return _buffer.AsMemory(_start, searched);
            }
            await FillOrThrowAsync(cancellationToken);
        }
    }

    public void Dispose()
    {
        if (_buffer is not { } buffer) return;
        _buffer = null;
        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>The first delimiter may stand at the very beginning, without the line break that belongs to the later ones.</summary>
    private async ValueTask SkipPreambleAsync(CancellationToken cancellationToken)
    {
        var first = _delimiter.AsMemory(2);
        while (_end - _start < first.Length) await FillOrThrowAsync(cancellationToken);
        if (_buffer.AsSpan(_start, first.Length).SequenceEqual(first.Span))
        {
            _start += first.Length;
            _state = State.BetweenParts;
            return;
        }
        _state = State.Body;
        while (_state == State.Body) await ReadBodyAsync(cancellationToken);
    }

    /// <summary>Reads the rest of a delimiter's line: true when it is the closing one.</summary>
    private async ValueTask<bool> ReadDelimiterLineEndAsync(CancellationToken cancellationToken)
    {
        while (_end - _start < 2) await FillOrThrowAsync(cancellationToken);
        if (_buffer!.AsSpan(_start, 2).SequenceEqual("--"u8)) return true;
        for (var length = 0; ; length++)   // RFC 2046: spaces and tabs may stand before the line break
        {
            while (_end - _start < length + 2) await FillOrThrowAsync(cancellationToken);
            var next = _buffer.AsSpan(_start + length, 2);
            if (next.SequenceEqual("\r\n"u8))
            {
                _start += length + 2;
                return false;
            }
            if (next[0] is not ((byte)' ' or (byte)'\t') || length > 100) throw new MultipartException("A boundary is followed by something else than a line break.");
        }
    }

    private async ValueTask ReadHeadersAsync(CancellationToken cancellationToken)
    {
        (ContentType, ContentLocation, ContentDisposition, ContentLength) = ("", "", "", null);
        var total = 0;
        for (var count = 0; ; count++)
        {
            int length;
            while ((length = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8)) < 0)
            {
                if (_end - _start > MaxHeaderBytes) throw new MultipartException("A part's headers are too long.");
                await FillOrThrowAsync(cancellationToken);
            }

            // The blank line that ends the headers may be the line break of the next delimiter: a part without a body.
            if (length == 0)
            {
                while (_end - _start < _delimiter.Length + 2 && await FillAsync(cancellationToken)) { }
                if (!_buffer.AsSpan(_start, _end - _start).StartsWith(_delimiter)) _start += 2;
                return;
            }

            total += length;
            if (total > MaxHeaderBytes || count == MaxHeaderCount) throw new MultipartException("A part's headers are too long or too many.");
            ReadHeader(Encoding.Latin1.GetString(_buffer.AsSpan(_start, length)));
            _start += length + 2;
        }
    }

    private void ReadHeader(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0) throw new MultipartException("A part has a header line without a name.");
        var name = line.AsSpan(0, colon).Trim();
        if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)) ContentType = line[(colon + 1)..].Trim();
        else if (name.Equals("Content-Location", StringComparison.OrdinalIgnoreCase)) ContentLocation = line[(colon + 1)..].Trim();
        else if (name.Equals("Content-Disposition", StringComparison.OrdinalIgnoreCase)) ContentDisposition = line[(colon + 1)..].Trim();
        else if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            ContentLength = long.TryParse(line.AsSpan(colon + 1).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : null;
    }

    private async ValueTask FillOrThrowAsync(CancellationToken cancellationToken)
    {
        if (!await FillAsync(cancellationToken))
            throw new MultipartException(_state == State.Preamble ? "The body has no part with the boundary that its Content-Type names." : "The body ends before the closing boundary.");
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_buffer is null, this);
        if (_isBodyEnded) return false;
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        var read = await _body.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += read;
        _isBodyEnded = read == 0;
        return read > 0;
    }
}

/// <summary>A multipart body breaks the rules; the message says how, and is fit for the client.</summary>
internal sealed class MultipartException(string message) : Exception(message);
