using System.Buffers;
using System.Buffers.Binary;

namespace Platform.Nifti.Gzip;

/// <summary>Why <see cref="Inflater.Run"/> came back.</summary>
internal enum InflateState
{
    /// <summary>Give it more input.</summary>
    NeedsInput,

    /// <summary>Take what it made.</summary>
    HasOutput,

    /// <summary>A block ended and another one follows: the place where inflating can begin again.</summary>
    AtBlock,

    /// <summary>The last block ended.</summary>
    Done,
}

/// <summary>
/// Inflates one deflate stream (RFC 1951), and can begin at any symbol: the 32 KB before it, its position in bits and that of its block's header are
/// all it takes. That is what the framework's inflater cannot do, and the reason that there is this one. The caller owns the input; what was made lies
/// in a window of this object until <see cref="Take"/>. Not thread-safe.
/// </summary>
internal sealed class Inflater : IDisposable
{
    public const int WindowBytes = 32 << 10;

    /// <summary>Input that must be there unless it is the last: more than the longest block header (14 + 19 * 3 + 320 * 14 bits).</summary>
    public const int MinInputBytes = 1024;

    private const int BufferBytes = 2 * WindowBytes + (128 << 10);
    private const int MaxMatch = 258;

    private static ReadOnlySpan<ushort> LengthBase => [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
    private static ReadOnlySpan<byte> LengthBits => [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
    private static ReadOnlySpan<ushort> DistanceBase => [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
    private static ReadOnlySpan<byte> DistanceBits => [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
    private static ReadOnlySpan<byte> CodeLengthOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private readonly HuffmanTable _literals = new(288, 11);
    private readonly HuffmanTable _distances = new(32, 9);
    private readonly HuffmanTable _codeLengths = new(19, 7);
    private readonly byte[] _lengths = new byte[320];
    private byte[]? _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _taken;   // what the caller has taken ends here
    private int _end;     // what was made ends here
    private ulong _bits;
    private int _bitCount;
    private Mode _mode = Mode.Header;
    private bool _isLastBlock;
    private int _storedLeft;

    private enum Mode { Header, Stored, Coded, Between, Done }

    /// <summary>Begins a stream, or continues one at a block, with the up to 32 KB before it.</summary>
    public void Reset(ReadOnlySpan<byte> window = default)
    {
        var buffer = _buffer ?? throw new ObjectDisposedException(nameof(Inflater));
        window.CopyTo(buffer);
        _taken = _end = window.Length;
        (_bits, _bitCount) = (0, 0);
        (_mode, _isLastBlock, _storedLeft) = (Mode.Header, false, 0);
    }

    /// <summary>Bits of the last byte that was consumed which belong to what follows: 0 to 7.</summary>
    public int BitsLeft => _bitCount;

    /// <summary>Hands out what was made since; valid until the next <see cref="Run"/>.</summary>
    public ReadOnlyMemory<byte> Take()
    {
        var made = Buffer.AsMemory(_taken, _end - _taken);
        _taken = _end;
        return made;
    }

    /// <summary>The last 32 KB that were made, fewer near the beginning.</summary>
    public ReadOnlySpan<byte> Window => Buffer.AsSpan(Math.Max(0, _end - WindowBytes), Math.Min(_end, WindowBytes));

    /// <summary>Whether what follows is a symbol of a coded block, so that inflating can begin there once the block's header was read.</summary>
    public bool IsAtSymbol => _mode == Mode.Coded;

    /// <summary>Reads no more than a block's header; the next bits may then be those of any of its symbols.</summary>
    /// <exception cref="InvalidNiftiException">It is none of a coded block.</exception>
    public void ReadHeaderOnly(ReadOnlySpan<byte> input)
    {
        var position = 0;
        ReadBlockHeader(input, ref position);
        if (_mode != Mode.Coded) throw Broken("A block is of another type than it was.");
        (_bits, _bitCount) = (0, 0);
    }

    /// <summary>Where the next bit lies inside of a byte: that byte, and how many of its bits came before.</summary>
    public void BeginInside(byte first, int bitsBefore) => (_bits, _bitCount) = ((ulong)first >> bitsBefore, 8 - bitsBefore);

    private byte[] Buffer => _buffer ?? throw new ObjectDisposedException(nameof(Inflater));

    /// <summary>
    /// Inflates until something is to be told. Comes back with at most 7 unused bits (<see cref="BitsLeft"/>) of the last byte that
    /// <paramref name="consumed"/> counts.
    /// </summary>
    /// <param name="input">At least <see cref="MinInputBytes"/> unless <paramref name="isLast"/>.</param>
    /// <param name="isLast">No input comes after this.</param>
    /// <param name="consumed">Bytes of the input that were used.</param>
    /// <exception cref="InvalidNiftiException">Not deflate, or cut short.</exception>
    public InflateState Run(ReadOnlySpan<byte> input, bool isLast, out int consumed)
    {
        consumed = 0;
        if (_mode == Mode.Between) _mode = Mode.Header;
        while (true)
        {
            if (_taken > BufferBytes - WindowBytes && _taken == _end) Slide();
            switch (_mode)
            {
                case Mode.Done:
                    return InflateState.Done;
                case Mode.Header:
                    if (!isLast && input.Length - consumed < MinInputBytes) return InflateState.NeedsInput;
                    ReadBlockHeader(input, ref consumed);
                    continue;
                case Mode.Stored:
                    if (_storedLeft > 0)
                    {
                        var count = Math.Min(Math.Min(_storedLeft, input.Length - consumed), BufferBytes - _end);
                        if (count == 0)
                        {
                            if (_end == BufferBytes) return Output();
                            return isLast ? throw Truncated() : InflateState.NeedsInput;
                        }
                        input.Slice(consumed, count).CopyTo(Buffer.AsSpan(_end));
                        consumed += count;
                        _end += count;
                        _storedLeft -= count;
                        continue;
                    }
                    EndBlock();
                    break;
                case Mode.Coded:
                    var isEnd = Decode(input, isLast, ref consumed);
                    if (!isEnd) return BufferBytes - _end < MaxMatch + 8 ? Output() : InflateState.NeedsInput;
                    EndBlock();
                    break;
            }
            return _mode == Mode.Done ? InflateState.Done : InflateState.AtBlock;
        }
    }

    public void Dispose()
    {
        if (_buffer is { } buffer) ArrayPool<byte>.Shared.Return(buffer);
        _buffer = null;
    }

    private InflateState Output()
    {
        if (_taken == _end) throw new InvalidOperationException("There is room and no output.");
        return InflateState.HasOutput;
    }

    private void EndBlock() => _mode = _isLastBlock ? Mode.Done : Mode.Between;

    private void Slide()
    {
        var keep = Math.Min(WindowBytes, _end);
        Buffer.AsSpan(_end - keep, keep).CopyTo(Buffer);
        _taken = _end = keep;
    }

    private uint ReadBits(ReadOnlySpan<byte> input, ref int position, int count)
    {
        while (_bitCount < count)
        {
            if (position >= input.Length) throw Truncated();
            _bits |= (ulong)input[position++] << _bitCount;
            _bitCount += 8;
        }
        var value = (uint)(_bits & ((1UL << count) - 1));
        _bits >>= count;
        _bitCount -= count;
        return value;
    }

    private void ReadBlockHeader(ReadOnlySpan<byte> input, ref int position)
    {
        _isLastBlock = ReadBits(input, ref position, 1) == 1;
        switch (ReadBits(input, ref position, 2))
        {
            case 0:
                (_bits, _bitCount) = (0, 0);   // fewer than 8: to the next byte
                if (input.Length - position < 4) throw Truncated();
                _storedLeft = BinaryPrimitives.ReadUInt16LittleEndian(input[position..]);
                if (_storedLeft != (ushort)~BinaryPrimitives.ReadUInt16LittleEndian(input[(position + 2)..])) throw Broken("A stored block's length contradicts itself.");
                position += 4;
                _mode = Mode.Stored;
                break;
            case 1:
                var lengths = _lengths.AsSpan(0, 288);
                lengths[..144].Fill(8);
                lengths[144..256].Fill(9);
                lengths[256..280].Fill(7);
                lengths[280..].Fill(8);
                _literals.TryBuild(lengths);
                lengths[..32].Fill(5);
                _distances.TryBuild(lengths[..32]);
                _mode = Mode.Coded;
                break;
            case 2:
                ReadCodes(input, ref position);
                _mode = Mode.Coded;
                break;
            default:
                throw Broken("A block is of no known type.");
        }
    }

    // RFC 1951 3.2.7
    private void ReadCodes(ReadOnlySpan<byte> input, ref int position)
    {
        var literalCount = (int)ReadBits(input, ref position, 5) + 257;
        var distanceCount = (int)ReadBits(input, ref position, 5) + 1;
        var codeLengthCount = (int)ReadBits(input, ref position, 4) + 4;
        if (literalCount > 286 || distanceCount > 30) throw Broken("A block has more codes than there are.");
        var lengths = _lengths.AsSpan();
        lengths[..19].Clear();
        for (var i = 0; i < codeLengthCount; i++) lengths[CodeLengthOrder[i]] = (byte)ReadBits(input, ref position, 3);
        if (!_codeLengths.TryBuild(lengths[..19], allowsSingle: false)) throw Broken("The code of the code lengths is none.");

        var total = literalCount + distanceCount;
        for (var i = 0; i < total;)
        {
            while (_bitCount < 7 && position < input.Length)
            {
                _bits |= (ulong)input[position++] << _bitCount;
                _bitCount += 8;
            }
            int entry = _codeLengths.Fast[(int)_bits & _codeLengths.FastMask];
            if (entry == 0) throw Broken("A code length is none.");
            if ((entry & 15) > _bitCount) throw Truncated();
            _bits >>= entry & 15;
            _bitCount -= entry & 15;
            var symbol = entry >> 4;
            if (symbol < 16)
            {
                lengths[i++] = (byte)symbol;
                continue;
            }
            if (symbol == 16 && i == 0) throw Broken("A repeated code length has none before it.");
            var value = symbol == 16 ? lengths[i - 1] : (byte)0;
            var repeat = symbol switch { 16 => 3 + (int)ReadBits(input, ref position, 2), 17 => 3 + (int)ReadBits(input, ref position, 3), _ => 11 + (int)ReadBits(input, ref position, 7) };
            if (i + repeat > total) throw Broken("Code lengths are repeated beyond their number.");
            lengths.Slice(i, repeat).Fill(value);
            i += repeat;
        }
        if (lengths[256] == 0) throw Broken("A block has no end.");
        if (!_literals.TryBuild(lengths[..literalCount]) || !_distances.TryBuild(lengths.Slice(literalCount, distanceCount))) throw Broken("A block's codes are no prefix code.");
        // Whole bytes go back: between calls at most 7 bits are held.
        GiveBack(ref position, ref _bits, ref _bitCount);
    }

    private static void GiveBack(ref int position, ref ulong bits, ref int bitCount)
    {
        position -= bitCount >> 3;
        bitCount &= 7;
        bits &= (1UL << bitCount) - 1;
    }

    /// <summary>Decodes symbols until the block ends (true), or the input or the room for output does.</summary>
    private bool Decode(ReadOnlySpan<byte> input, bool isLast, ref int consumed)
    {
        var buffer = Buffer.AsSpan(0, BufferBytes);
        var literals = _literals.Fast;
        var distances = _distances.Fast;
        var (literalMask, distanceMask) = (_literals.FastMask, _distances.FastMask);
        var (bits, bitCount, position, end) = (_bits, _bitCount, consumed, _end);
        // A symbol with all that follows it has at most 48 bits.
        var lastFast = input.Length - 16;
        var isBlockEnd = false;
        while (end <= BufferBytes - MaxMatch - 8)
        {
            if (position <= lastFast)
            {
                bits |= BinaryPrimitives.ReadUInt64LittleEndian(input[position..]) << bitCount;
                position += (63 - bitCount) >> 3;
                bitCount |= 56;
            }
            else
            {
                if (!isLast) break;
                while (bitCount <= 48 && position < input.Length)
                {
                    bits &= (1UL << bitCount) - 1;
                    bits |= (ulong)input[position++] << bitCount;
                    bitCount += 8;
                }
                if (position == input.Length) bits &= (1UL << bitCount) - 1;
            }

            int entry = literals[(int)bits & literalMask];
            if (entry == 0 && (entry = _literals.FindLong(bits)) == 0) throw bitCount < HuffmanTable.MaxBits ? Truncated() : Broken("No code begins like this.");
            bits >>= entry & 15;
            bitCount -= entry & 15;
            var symbol = entry >> 4;
            if (symbol < 256)
            {
                if (bitCount < 0) throw Truncated();
                buffer[end++] = (byte)symbol;
                // More literals from what is loaded (fewer than 64): runs of them are most of a noisy image.
                while (bitCount >= HuffmanTable.MaxBits && (entry = literals[(int)bits & literalMask]) is not 0 and < 256 << 4)
                {
                    bits >>= entry & 15;
                    bitCount -= entry & 15;
                    buffer[end++] = (byte)(entry >> 4);
                }
                continue;
            }
            if (symbol == 256)
            {
                if (bitCount < 0) throw Truncated();
                isBlockEnd = true;
                break;
            }
            if (symbol > 285) throw Broken("A length is none.");
            var extra = LengthBits[symbol - 257];
            var length = LengthBase[symbol - 257] + (int)(bits & ((1UL << extra) - 1));
            bits >>= extra;
            bitCount -= extra;

            entry = distances[(int)bits & distanceMask];
            if (entry == 0 && (entry = _distances.FindLong(bits)) == 0) throw bitCount < HuffmanTable.MaxBits ? Truncated() : Broken("No distance begins like this.");
            bits >>= entry & 15;
            bitCount -= entry & 15;
            symbol = entry >> 4;
            if (symbol > 29) throw Broken("A distance is none.");
            extra = DistanceBits[symbol];
            var distance = DistanceBase[symbol] + (int)(bits & ((1UL << extra) - 1));
            bits >>= extra;
            bitCount -= extra;
            if (bitCount < 0) throw Truncated();
            if (distance > end) throw Broken("A distance leads before the beginning.");
            Copy(buffer, end, distance, length);
            end += length;
        }
        // What the fast way loaded beyond bitCount is read again.
        GiveBack(ref position, ref bits, ref bitCount);
        (_bits, _bitCount, consumed, _end) = (bits, bitCount, position, end);
        return isBlockEnd;
    }

    private static void Copy(Span<byte> buffer, int end, int distance, int length)
    {
        if (distance >= length)
        {
            buffer.Slice(end - distance, length).CopyTo(buffer[end..]);
        }
        else if (distance == 1)
        {
            buffer.Slice(end, length).Fill(buffer[end - 1]);
        }
        else
        {
            for (var i = 0; i < length; i++) buffer[end + i] = buffer[end + i - distance];
        }
    }

    private static InvalidNiftiException Broken(string message) => new("The compressed data are damaged. " + message);

    private static InvalidNiftiException Truncated() => new("The compressed data end too early.");
}
