using System.Buffers;

namespace Platform.Dicom.Parsing;

/// <summary>
/// Drives the parser over a source: reads as little as it asks for, in few calls, into one pooled buffer that grows with what has arrived,
/// never with what a header claims.
/// </summary>
internal sealed class FileLoader : IDisposable
{
    private const int FirstReadBytes = 16 * 1024;       // holds the header of nearly every image
    private const int LargestReadAheadBytes = 256 * 1024;

    private readonly DicomReadOptions _options;
    private readonly ElementParser _parser;
    private SourceCursor? _cursor;                      // null: all is in _memory
    private InflatingCursor? _deflated;
    private ReadOnlyMemory<byte> _memory;
    private byte[]? _buffer;
    private int _filled;
    private long _toSkip;
    private bool _isAtEnd;
    private byte[]? _scratch;

    public FileLoader(SourceCursor cursor, DicomReadOptions options)
    {
        _options = options;
        _cursor = cursor;
        _parser = new ElementParser(options, canSkip: true, cursor.Length);
        var first = cursor.Length is { } length ? Math.Min(length, options.StopBeforePixels ? FirstReadBytes : options.MaxBufferBytes) : FirstReadBytes;
        _buffer = ArrayPool<byte>.Shared.Rent((int)Math.Max(first, 256));
    }

    public FileLoader(ReadOnlyMemory<byte> memory, DicomReadOptions options)
    {
        _options = options;
        _memory = memory;
        _isAtEnd = true;
        _parser = new ElementParser(options, canSkip: false, memory.Length);
    }

    public DicomFile Load(CancellationToken cancellationToken)
    {
        while (!TryParse())
        {
            cancellationToken.ThrowIfCancellationRequested();
            while (_toSkip > 0 && !_isAtEnd) Dropped(_cursor!.Read(Scratch().Span));
            Took(_cursor!.Read(Room().Span));
        }
        return TakeFile();
    }

    public async ValueTask<DicomFile> LoadAsync(CancellationToken cancellationToken)
    {
        while (!TryParse())
        {
            while (_toSkip > 0 && !_isAtEnd) Dropped(await _cursor!.ReadAsync(Scratch(), cancellationToken).ConfigureAwait(false));
            Took(await _cursor!.ReadAsync(Room(), cancellationToken).ConfigureAwait(false));
        }
        return TakeFile();
    }

    public void Dispose()
    {
        _parser.Dispose();
        _cursor?.Dispose();
        if (_buffer is { } buffer) ArrayPool<byte>.Shared.Return(buffer);
        _buffer = null;
    }

    /// <summary>Parses what is there; false when more must be read first.</summary>
    private bool TryParse()
    {
        while (true)
        {
            var state = _buffer is { } buffer ? _parser.Advance(buffer.AsSpan(0, _filled), _isAtEnd) : _parser.Advance(_memory.Span, _isAtEnd);
            switch (state)
            {
                case ParserState.Done:
                    return true;
                case ParserState.NeedsBytes:
                    if (_isAtEnd) throw new DicomParseException("The source ends too early.", _filled);
                    return false;
                case ParserState.SkipsBytes:
                    Skip();
                    break;
                case ParserState.Inflates:
                    Inflate();
                    break;
            }
        }
    }

    private void Skip()
    {
        // The parser only skips what is not in the buffer whole; a beginning of it may be.
        var bytes = _parser.SkipBytes - (_filled - _parser.Position);
        _filled = _parser.Position;
        _parser.Skipped();
        if (!_cursor!.TrySkip(bytes)) _toSkip = bytes;
    }

    private void Inflate()
    {
        var start = _parser.Position;
        ReadOnlyMemory<byte> head;
        if (_cursor is null)
        {
            head = _memory[start..];
            _cursor = new SequenceCursor(ReadOnlySequence<byte>.Empty);
            _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(FirstReadBytes, start));
            _memory.Span[..start].CopyTo(_buffer);
            _memory = default;
        }
        else
        {
            head = _buffer.AsSpan(start, _filled - start).ToArray();
        }
        _filled = start;
        _isAtEnd = false;
        _cursor = _deflated = new InflatingCursor(head, _cursor, _options.MaxInflatedBytes, keepsCompressed: !_options.StopBeforePixels);
    }

    private Memory<byte> Scratch() => (_scratch ??= new byte[64 * 1024]).AsMemory(0, (int)Math.Min(_scratch.Length, _toSkip));

    private void Dropped(int read)
    {
        _toSkip -= read;
        _isAtEnd = read == 0;
    }

    /// <summary>Where the next bytes go: at least one, at most what is worth reading at once.</summary>
    private Memory<byte> Room()
    {
        var wanted = _parser.WantedBytes;
        if (wanted > _options.MaxBufferBytes) throw new DicomParseException("The source holds more than the limit.", _filled);
        var ahead = Math.Max(wanted - _filled, Math.Clamp(_filled, FirstReadBytes, LargestReadAheadBytes));
        if (!_options.StopBeforePixels) ahead = Math.Max(ahead, _buffer!.Length - _filled);
        if (_filled + (long)ahead > _buffer!.Length && wanted > _buffer.Length) Grow(wanted);
        return _buffer.AsMemory(_filled, Math.Min(ahead, _buffer.Length - _filled));
    }

    private void Grow(int wanted)
    {
        // Without a known length the claim of a header may be a lie: double what has arrived instead.
        var size = _cursor!.Length is null ? Math.Min(Math.Max(wanted, 1), 2L * _buffer!.Length) : Math.Max(wanted, 2L * _filled);
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(size, _buffer!.Length + 1L), _options.MaxBufferBytes));
        _buffer.AsSpan(0, _filled).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer!);
        _buffer = larger;
    }

    private void Took(int read)
    {
        _filled += read;
        _isAtEnd = read == 0;
    }

    private DicomFile TakeFile()
    {
        var buffer = _buffer;
        _buffer = null;
        var bytes = buffer is null ? _memory : buffer.AsMemory(0, _filled);
        var sourceLength = _cursor is null ? _memory.Length : _cursor.Length ?? (_options.StopBeforePixels ? null : _filled);
        return new DicomFile(_parser, _parser.TakeTable(bytes, buffer), sourceLength, !_options.StopBeforePixels, _deflated?.Compressed ?? default);
    }
}
