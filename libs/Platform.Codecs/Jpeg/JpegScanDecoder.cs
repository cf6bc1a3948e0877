using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Platform.Codecs.Jpeg;

/// <summary>Decodes the entropy-coded data of one scan (T.81 annexes F and G).</summary>
internal unsafe ref struct JpegScanDecoder
{
    private readonly ReadOnlySpan<byte> _frame;
    private readonly JpegHeaders _headers;
    private readonly JpegScan _scan;
    private readonly EntropySegment _segment;
    private readonly CancellationToken _cancellationToken;
    private EntropyReader _reader;
    private int _endOfBandRun;
    private fixed int _dc[JpegHeaders.MaxComponents]; // predictions

    public JpegScanDecoder(ReadOnlySpan<byte> frame, JpegHeaders headers, in JpegScan scan, EntropySegment segment, CancellationToken cancellationToken)
    {
        _frame = frame;
        _headers = headers;
        _scan = scan;
        _segment = segment;
        _cancellationToken = cancellationToken;
        _reader = segment.Begin(frame, headers.Position);
        for (var i = 0; i < scan.Count; i++) headers.Components[scan[i]].IsDecoded = true;
    }

    /// <summary>Decodes whole blocks and transforms them at once.</summary>
    public void DecodeSequential(Span<ushort> samples, ReadOnlySpan<int> offsets)
    {
        CheckTables(needsDc: true, needsAc: true);
        for (var i = 0; i < _scan.Count; i++)
        {
            if (!_headers.HasQuantization[_headers.Components[_scan[i]].Quantization]) throw new InvalidFrameException("A quantization table is missing.", _headers.Position);
        }
        // One component: its blocks row by row. Several: MCUs, of as many blocks of each as its sampling factors say (A.2).
        var isInterleaved = _scan.Count > 1;
        ref readonly var only = ref _headers.Components[_scan.First];
        var (columns, rows) = isInterleaved ? (_headers.McuColumns, _headers.McuRows) : ((only.Width + 7) / 8, (only.Height + 7) / 8);
        var (untilRestart, restarts) = (_headers.RestartInterval, 0);
        for (var row = 0; row < rows; row++)
        {
            _cancellationToken.ThrowIfCancellationRequested();
            for (var column = 0; column < columns; column++)
            {
                if (_headers.RestartInterval > 0 && untilRestart-- == 0)
                {
                    Restart(++restarts);
                    untilRestart = _headers.RestartInterval - 1;
                }
                for (var i = 0; i < _scan.Count; i++)
                {
                    var component = _scan[i];
                    ref readonly var header = ref _headers.Components[component];
                    var (across, down) = isInterleaved ? (header.H, header.V) : ((byte)1, (byte)1);
                    var plane = samples.Slice(64 * offsets[component], 64 * header.BlockColumns * header.BlockRows);
                    for (var v = 0; v < down; v++)
                    {
                        for (var h = 0; h < across; h++) DecodeAndTransform(component, header, plane, row * down + v, column * across + h);
                    }
                }
            }
        }
        _headers.Position = _segment.FindEnd(_frame);
    }

    private void DecodeAndTransform(int component, in JpegComponent header, Span<ushort> plane, int row, int column)
    {
        var block = stackalloc short[64];   // zeroed
        var last = DecodeBlock(component, header, block);
        var stride = 8 * header.BlockColumns;
        var target = plane.Slice(8 * row * stride + 8 * column, 7 * stride + 8);
        var quantization = _headers.Quantization[header.Quantization];
        if (last == 0) InverseDct.TransformFlat(block[0], quantization[0], target, stride, _headers.Precision);
        else InverseDct.Transform(new ReadOnlySpan<short>(block, 64), quantization, target, stride, _headers.Precision);
    }

    /// <summary>Decodes what this scan adds to the coefficients (annex G).</summary>
    public void DecodeProgressive(Span<short> coefficients, ReadOnlySpan<int> offsets)
    {
        var (start, end, high, low) = (_scan.SpectralStart, _scan.SpectralEnd, _scan.High, _scan.Low);
        if (start > end || end > 63 || low > 13 || (high != 0 && high != low + 1) || (start == 0 ? end != 0 : _scan.Count != 1))
            throw new InvalidFrameException("A progressive scan's header is broken.", _headers.Position);
        CheckTables(needsDc: start == 0 && high == 0, needsAc: start > 0);
        var walk = new Walk(_headers, _scan);
        while (walk.Next(out var component, out var row, out var column))
        {
            if (walk.IsRestart) Restart(walk.Restarts);
            if (walk.IsRowStart) _cancellationToken.ThrowIfCancellationRequested();
            ref readonly var header = ref _headers.Components[component];
            var block = coefficients.Slice(64 * (offsets[component] + row * header.BlockColumns + column), 64);
            if (start == 0) DecodeDcBand(component, header, block);
            else if (high == 0) DecodeAcFirst(header, block);
            else DecodeAcRefinement(header, block);
            if (_reader.IsCutOff) throw Broken(_reader, "");
        }
        _headers.Position = _segment.FindEnd(_frame);
    }

    private readonly void CheckTables(bool needsDc, bool needsAc)
    {
        for (var i = 0; i < _scan.Count; i++)
        {
            ref readonly var component = ref _headers.Components[_scan[i]];
            if ((needsDc && !_headers.Dc[component.DcTable].IsDefined) || (needsAc && !_headers.Ac[component.AcTable].IsDefined))
                throw new InvalidFrameException("A Huffman table is missing.", _headers.Position);
        }
    }

    private readonly InvalidFrameException Broken(in EntropyReader reader, string message) => _segment.Broken(_frame, reader, message);

    private void Restart(int restarts)
    {
        _reader = _segment.Restart(_frame, _reader, restarts - 1);
        for (var i = 0; i < JpegHeaders.MaxComponents; i++) _dc[i] = 0;
        _endOfBandRun = 0;
    }

    private int ReadDcDifference(ref EntropyReader reader, in JpegComponent component)
    {
        var entry = reader.Decode(_headers.Dc[component.DcTable], out var bits);
        var category = (int)(entry >> 8 & 0xFF);
        if (entry == 0) throw Broken(reader, "No Huffman code stands here.");
        if (category > 15) throw Broken(reader, "A difference has more than 15 bits.");
        return EntropyReader.Extend(bits, (int)(entry >> 16), category);
    }

    /// <summary>The position of the last coefficient, in the stream's order.</summary>
    private int DecodeBlock(int component, in JpegComponent header, short* block)
    {
        var reader = _reader;
        var table = _headers.Ac[header.AcTable];
        block[0] = (short)(_dc[component] += ReadDcDifference(ref reader, header));
        ref var order = ref MemoryMarshal.GetReference(ZigZag.ToNatural);
        int k = 0, last = 0;
        while (k < 63)
        {
            var entry = reader.Decode(table, out var bits);
            var size = (int)(entry >> 8 & 15);
            k += (int)(entry >> 12 & 15) + 1;
            if (size == 0)
            {
                if ((entry & 0xF000) == 0xF000) continue;   // sixteen zeros
                if (entry == 0) throw Broken(reader, "No Huffman code stands here.");
                break;                                      // end of block
            }
            if (k > 63) throw Broken(reader, "A run leaves its block.");
            block[Unsafe.Add(ref order, k)] = (short)EntropyReader.Extend(bits, (int)(entry >> 16), size);
            last = k;
        }
        if (reader.IsCutOff) throw Broken(reader, "");
        _reader = reader;
        return last;
    }

    private void DecodeDcBand(int component, in JpegComponent header, scoped Span<short> block)
    {
        if (_scan.High == 0) block[0] = (short)((_dc[component] += ReadDcDifference(ref _reader, header)) << _scan.Low);
        else if (_reader.Read(1) != 0) block[0] |= (short)(1 << _scan.Low);
    }

    private void DecodeAcFirst(in JpegComponent header, scoped Span<short> block)
    {
        if (_endOfBandRun > 0)
        {
            _endOfBandRun--;
            return;
        }
        var reader = _reader;
        var table = _headers.Ac[header.AcTable];
        for (var k = _scan.SpectralStart; k <= _scan.SpectralEnd; k++)
        {
            var entry = reader.Decode(table, out var bits);
            int run = (int)(entry >> 12 & 15), size = (int)(entry >> 8 & 15);
            if (size == 0)
            {
                if (entry == 0) throw Broken(reader, "No Huffman code stands here.");
                if (run < 15)
                {
                    _endOfBandRun = (1 << run) + reader.Read(run) - 1;
                    break;
                }
                k += 15;
                continue;
            }
            k += run;
            if (k > _scan.SpectralEnd) throw Broken(reader, "A run leaves its band.");
            block[ZigZag.ToNatural[k]] = (short)(EntropyReader.Extend(bits, (int)(entry >> 16), size) << _scan.Low);
        }
        _reader = reader;
    }

    // G.1.2.3: one more bit for every coefficient that is not zero yet known, and new ones of magnitude one between them.
    private void DecodeAcRefinement(in JpegComponent header, scoped Span<short> block)
    {
        var bit = (short)(1 << _scan.Low);
        var k = _scan.SpectralStart;
        if (_endOfBandRun == 0)
        {
            var table = _headers.Ac[header.AcTable];
            for (; k <= _scan.SpectralEnd; k++)
            {
                var entry = _reader.Decode(table, out var bits);
                int run = (int)(entry >> 12 & 15), size = (int)(entry >> 8 & 15);
                short value = 0;
                if (size == 1)
                {
                    value = EntropyReader.Extend(bits, (int)(entry >> 16), 1) > 0 ? bit : (short)-bit;
                }
                else if (size != 0)
                {
                    throw Broken(_reader, "A refined coefficient has more than one bit.");
                }
                else if (entry == 0)
                {
                    throw Broken(_reader, "No Huffman code stands here.");
                }
                else if (run < 15)
                {
                    _endOfBandRun = (1 << run) + _reader.Read(run);
                    break;
                }
                k = SkipZeros(block, k, run, bit);
                if (value == 0) continue;
                if (k > _scan.SpectralEnd) throw Broken(_reader, "A run leaves its band.");
                block[ZigZag.ToNatural[k]] = value;
            }
        }
        if (_endOfBandRun > 0)
        {
            SkipZeros(block, k, 64, bit);
            _endOfBandRun--;
        }
    }

    /// <summary>Passes <paramref name="run"/> zeros, refining what is not zero on the way; the position of the zero after them, or beyond the band.</summary>
    private int SkipZeros(scoped Span<short> block, int k, int run, short bit)
    {
        for (; k <= _scan.SpectralEnd; k++)
        {
            ref var coefficient = ref block[ZigZag.ToNatural[k]];
            if (coefficient == 0)
            {
                if (run-- == 0) return k;
            }
            else if (_reader.Read(1) != 0 && (coefficient & bit) == 0)
            {
                coefficient += coefficient > 0 ? bit : (short)-bit;
            }
        }
        return k;
    }

    /// <summary>Goes through the blocks of a scan in their order (T.81 A.2): interleaved by MCU, or row by row for one component.</summary>
    private ref struct Walk(JpegHeaders headers, JpegScan scan)
    {
        private readonly JpegHeaders _headers = headers;
        private readonly JpegScan _scan = scan;
        private readonly bool _isInterleaved = scan.Count > 1;
        private readonly int _unitColumns = scan.Count > 1 ? headers.McuColumns : (headers.Components[scan.First].Width + 7) / 8;
        private readonly int _unitRows = scan.Count > 1 ? headers.McuRows : (headers.Components[scan.First].Height + 7) / 8;
        private int _unitRow, _unitColumn = -1;
        private int _untilRestart = headers.RestartInterval > 0 ? headers.RestartInterval + 1 : 0;
        private int _at, _component = -1, _blockRow, _blockColumn; // within the MCU

        public bool IsRestart { get; private set; }
        public int Restarts { get; private set; }
        public bool IsRowStart { get; private set; }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool Next(out int component, out int row, out int column)
        {
            IsRestart = IsRowStart = false;
            if (_component < 0 || !NextInUnit())
            {
                if (!NextUnit())
                {
                    component = row = column = 0;
                    return false;
                }
            }
            component = _component;
            ref readonly var header = ref _headers.Components[component];
            row = _isInterleaved ? _unitRow * header.V + _blockRow : _unitRow;
            column = _isInterleaved ? _unitColumn * header.H + _blockColumn : _unitColumn;
            return true;
        }

        private bool NextInUnit()
        {
            if (!_isInterleaved) return false;
            ref readonly var component = ref _headers.Components[_component];
            if (++_blockColumn < component.H) return true;
            _blockColumn = 0;
            if (++_blockRow < component.V) return true;
            _blockRow = 0;
            if (++_at == _scan.Count) return false;
            _component = _scan[_at];
            return true;
        }

        private bool NextUnit()
        {
            _at = _blockRow = _blockColumn = 0;
            _component = _scan.First;
            if (++_unitColumn == _unitColumns)
            {
                _unitColumn = 0;
                if (++_unitRow == _unitRows) return false;
            }
            IsRowStart = _unitColumn == 0;
            if (_untilRestart > 0 && --_untilRestart == 0)
            {
                IsRestart = true;
                Restarts++;
                _untilRestart = _headers.RestartInterval;
            }
            return true;
        }
    }
}
