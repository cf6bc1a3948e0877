using System.Buffers;
using System.Buffers.Binary;

namespace Platform.Nifti.Gzip;

/// <summary>
/// Inflates a gzip file of any number of members (RFC 1952), in order, from its beginning or from a point of a <see cref="GzipIndex"/>.
/// Checks every member's checksum and length where it has seen all of it. Holds about 450 KB whatever the file says. Not thread-safe.
/// </summary>
internal sealed class GzipReader : IDisposable
{
    private const int InputBytes = 128 << 10;
    private const int TrailerBytes = 8;
    private const int MaxHeaderBytes = 256 << 10;   // an extra field of 64 KB, a name and a comment

    private readonly NiftiSource _source;
    private readonly Inflater _inflater = new();
    private byte[]? _input = ArrayPool<byte>.Shared.Rent(InputBytes);
    private int _start;
    private int _end;
    private long _next;          // offset in the source of what comes behind the input
    private bool _isSourceAtEnd;
    private Place _place = Place.Header;
    private bool _sawMemberBegin;
    private long _blockBit;      // where the current block's header begins
    private uint _crc;
    private uint _memberBytes;   // modulo 2^32, as the trailer has it

    private enum Place { Header, Body, Trailer, End }

    public GzipReader(NiftiSource source) => _source = source;

    /// <summary>Continues at a point; <see cref="Position"/> begins with the point's.</summary>
    public static async ValueTask<GzipReader> ResumeAsync(NiftiSource source, GzipIndex.Point point, CancellationToken cancellationToken)
    {
        var reader = new GzipReader(source) { _place = Place.Body, Position = point.Offset };
        try
        {
            reader._inflater.Reset(point.Window.Span);
            if (point.BlockBit != point.InputBit)
            {
                await reader.SeekAsync(point.BlockBit, cancellationToken).ConfigureAwait(false);
                reader._inflater.ReadHeaderOnly(reader._input.AsSpan(reader._start, reader._end - reader._start));
            }
            await reader.SeekAsync(point.InputBit, cancellationToken).ConfigureAwait(false);
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Inflated bytes from the file's beginning to the end of the last chunk.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes of the source that have been used.</summary>
    public long SourcePosition => _next - (_end - _start);

    /// <summary>Takes the points where inflating can begin again; null where nobody wants them.</summary>
    public GzipIndex.Builder? Index { get; init; }

    public static bool LooksLikeGzip(ReadOnlySpan<byte> bytes) => bytes.Length >= 3 && bytes[0] == 0x1F && bytes[1] == 0x8B && bytes[2] == 8;

    /// <summary>The next inflated bytes, some 10 to 130 KB; valid until the next call. Empty at the end.</summary>
    /// <exception cref="InvalidNiftiException">Not gzip, damaged, or cut short.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            switch (_place)
            {
                case Place.End:
                    return default;
                case Place.Header:
                    if (!await ReadHeaderAsync(cancellationToken).ConfigureAwait(false)) return default;
                    continue;
                case Place.Trailer:
                    await ReadTrailerAsync(cancellationToken).ConfigureAwait(false);
                    continue;
            }

            if (_end - _start < Inflater.MinInputBytes && !_isSourceAtEnd) await FillAsync(cancellationToken).ConfigureAwait(false);
            var state = Run();
            var made = _inflater.Take();
            if (made.Length > 0)
            {
                if (_sawMemberBegin) _crc = Crc32.Append(_crc, made.Span);
                Index?.Add(made.Span);
                _memberBytes += (uint)made.Length;
                Position += made.Length;
            }
            var bit = SourcePosition * 8 - _inflater.BitsLeft;
            if (state == InflateState.Done) _place = Place.Trailer;
            else if (state == InflateState.AtBlock) _blockBit = bit;
            if (state == InflateState.AtBlock || (state == InflateState.HasOutput && _inflater.IsAtSymbol)) Index?.At(Position, bit, _blockBit, _inflater.Window);
            if (made.Length > 0) return made;
        }
    }

    public void Dispose()
    {
        _inflater.Dispose();
        if (_input is { } input) ArrayPool<byte>.Shared.Return(input);
        _input = null;
    }

    private InflateState Run()
    {
        var state = _inflater.Run(_input.AsSpan(_start, _end - _start), _isSourceAtEnd, out var consumed);
        _start += consumed;
        return state;
    }

    private async ValueTask SeekAsync(long bit, CancellationToken cancellationToken)
    {
        (_start, _end, _next, _isSourceAtEnd) = (0, 0, bit >> 3, false);
        await FillAsync(cancellationToken).ConfigureAwait(false);
        var bitsBefore = (int)(bit & 7);
        if (bitsBefore > 0) _inflater.BeginInside(await NextByteAsync(cancellationToken).ConfigureAwait(false), bitsBefore);
    }

    /// <summary>Reads on, until a good deal is there or the source ends.</summary>
    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        var input = _input ?? throw new ObjectDisposedException(nameof(GzipReader));
        input.AsSpan(_start, _end - _start).CopyTo(input);
        (_start, _end) = (0, _end - _start);
        while (_end < Inflater.MinInputBytes && !_isSourceAtEnd)
        {
            var read = await _source.ReadAsync(_next, input.AsMemory(_end, InputBytes - _end), cancellationToken).ConfigureAwait(false);
            _end += read;
            _next += read;
            _isSourceAtEnd = read == 0;
        }
    }

    private async ValueTask<byte> NextByteAsync(CancellationToken cancellationToken)
    {
        if (_start == _end)
        {
            await FillAsync(cancellationToken).ConfigureAwait(false);
            if (_start == _end) throw Truncated();
        }
        return _input![_start++];
    }

    /// <summary>Reads a member's header (RFC 1952 2.3); false where there is none any more. Zeros behind the last member are padding.</summary>
    private async ValueTask<bool> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        var isFirst = SourcePosition == 0;
        if (_end - _start < Inflater.MinInputBytes && !_isSourceAtEnd) await FillAsync(cancellationToken).ConfigureAwait(false);
        if (!isFirst)
        {
            while (_start < _end && _input![_start] == 0)
            {
                _start++;
                if (_start == _end) await FillAsync(cancellationToken).ConfigureAwait(false);
            }
            if (_start == _end)
            {
                _place = Place.End;
                return false;
            }
        }
        var fixedPart = new byte[10];
        for (var i = 0; i < fixedPart.Length; i++) fixedPart[i] = await NextByteAsync(cancellationToken).ConfigureAwait(false);
        if (!LooksLikeGzip(fixedPart)) throw new InvalidNiftiException(isFirst ? "The file is not gzip." : "What follows the compressed data is none.", SourcePosition - fixedPart.Length);
        var flags = fixedPart[3];
        if ((flags & 0xE0) != 0) throw new InvalidNiftiException("The gzip header has flags that are not known.", SourcePosition);
        var left = MaxHeaderBytes;
        if ((flags & 4) != 0)
        {
            var length = await NextByteAsync(cancellationToken).ConfigureAwait(false) | await NextByteAsync(cancellationToken).ConfigureAwait(false) << 8;
            for (; length > 0; length--) await NextByteAsync(cancellationToken).ConfigureAwait(false);
        }
        for (var texts = (flags >> 3 & 1) + (flags >> 4 & 1); texts > 0; texts--)
        {
            while (await NextByteAsync(cancellationToken).ConfigureAwait(false) != 0)
            {
                if (--left == 0) throw new InvalidNiftiException("The gzip header does not end.", SourcePosition);
            }
        }
        if ((flags & 2) != 0)
        {
            await NextByteAsync(cancellationToken).ConfigureAwait(false);
            await NextByteAsync(cancellationToken).ConfigureAwait(false);
        }
        _inflater.Reset();
        (_crc, _memberBytes, _sawMemberBegin) = (0, 0, true);
        _place = Place.Body;
        _blockBit = SourcePosition * 8;
        Index?.At(Position, _blockBit, _blockBit, default);
        return true;
    }

    private async ValueTask ReadTrailerAsync(CancellationToken cancellationToken)
    {
        var trailer = new byte[TrailerBytes];
        for (var i = 0; i < trailer.Length; i++) trailer[i] = await NextByteAsync(cancellationToken).ConfigureAwait(false);
        if (_sawMemberBegin && (BinaryPrimitives.ReadUInt32LittleEndian(trailer) != _crc || BinaryPrimitives.ReadUInt32LittleEndian(trailer.AsSpan(4)) != _memberBytes))
            throw new InvalidNiftiException("The inflated data do not match their checksum.", SourcePosition - TrailerBytes);
        _place = Place.Header;
    }

    private InvalidNiftiException Truncated() => new("The compressed file ends too early.", SourcePosition);
}
