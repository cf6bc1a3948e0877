namespace Platform.Codecs.Jpeg;

/// <summary>Decodes the entropy-coded data of one scan (T.81 annexes F and G).</summary>
internal ref struct JpegScanDecoder
{
    private readonly JpegHeaders _headers;
    private readonly JpegScan _scan;
    private readonly CancellationToken _cancellationToken;
    private EntropyReader _reader;
    private int _endOfBandRun;
    private int _dc0, _dc1, _dc2, _dc3; // predictions, by component

    public JpegScanDecoder(ReadOnlySpan<byte> bytes, JpegHeaders headers, in JpegScan scan, CancellationToken cancellationToken)
    {
        _headers = headers;
        _scan = scan;
        _cancellationToken = cancellationToken;
        _reader = new EntropyReader(bytes, headers.Position);
        for (var i = 0; i < scan.Count; i++) headers.Components[scan[i]].IsDecoded = true;
    }

    /// <summary>Decodes whole blocks and transforms them at once.</summary>
    public void DecodeSequential(Span<ushort> samples, ReadOnlySpan<int> offsets)
    {
        CheckTables(needsDc: true, needsAc: true);
        Span<short> block = stackalloc short[64];
        var precision = _headers.Precision;
        var walk = new Walk(_headers, _scan);
        while (walk.Next(out var component, out var row, out var column))
        {
            if (walk.IsRestart) Restart(walk.Restarts);
            if (walk.IsRowStart) _cancellationToken.ThrowIfCancellationRequested();
            ref readonly var header = ref _headers.Components[component];
            if (!_headers.HasQuantization[header.Quantization]) throw new InvalidFrameException("A quantization table is missing.", _reader.Position);
            block.Clear();
            DecodeBlock(component, header, block);
            var stride = 8 * header.BlockColumns;
            InverseDct.Transform(block, _headers.Quantization[header.Quantization], samples[(64 * offsets[component] + 8 * row * stride + 8 * column)..], stride, precision);
        }
        _headers.Position = _reader.FindEnd();
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
        }
        _headers.Position = _reader.FindEnd();
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

    private void Restart(int restarts)
    {
        _reader.ReadRestart(restarts - 1);
        _dc0 = _dc1 = _dc2 = _dc3 = 0;
        _endOfBandRun = 0;
    }

    private int AddDc(int component, int difference) => component switch
    {
        0 => _dc0 += difference,
        1 => _dc1 += difference,
        2 => _dc2 += difference,
        _ => _dc3 += difference,
    };

    private int ReadDcDifference(in JpegComponent component)
    {
        var category = _headers.Dc[component.DcTable].Decode(ref _reader);
        if (category > 15) throw new InvalidFrameException("A difference has more than 15 bits.", _reader.Position);
        return _reader.ReadExtended(category);
    }

    private void DecodeBlock(int component, in JpegComponent header, scoped Span<short> block)
    {
        block[0] = (short)AddDc(component, ReadDcDifference(header));
        var table = _headers.Ac[header.AcTable];
        for (var k = 1; k < 64; k++)
        {
            var symbol = table.Decode(ref _reader);
            int run = symbol >> 4, size = symbol & 15;
            if (size == 0)
            {
                if (run != 15) return; // end of block
                k += 15;
                continue;
            }
            k += run;
            if (k > 63) throw new InvalidFrameException("A run leaves its block.", _reader.Position);
            block[ZigZag.ToNatural[k]] = (short)_reader.ReadExtended(size);
        }
    }

    private void DecodeDcBand(int component, in JpegComponent header, scoped Span<short> block)
    {
        if (_scan.High == 0) block[0] = (short)(AddDc(component, ReadDcDifference(header)) << _scan.Low);
        else if (_reader.Read(1) != 0) block[0] |= (short)(1 << _scan.Low);
    }

    private void DecodeAcFirst(in JpegComponent header, scoped Span<short> block)
    {
        if (_endOfBandRun > 0)
        {
            _endOfBandRun--;
            return;
        }
        var table = _headers.Ac[header.AcTable];
        for (var k = _scan.SpectralStart; k <= _scan.SpectralEnd; k++)
        {
            var symbol = table.Decode(ref _reader);
            int run = symbol >> 4, size = symbol & 15;
            if (size == 0)
            {
                if (run < 15)
                {
                    _endOfBandRun = (1 << run) + _reader.Read(run) - 1;
                    return;
                }
                k += 15;
                continue;
            }
            k += run;
            if (k > _scan.SpectralEnd) throw new InvalidFrameException("A run leaves its band.", _reader.Position);
            block[ZigZag.ToNatural[k]] = (short)(_reader.ReadExtended(size) << _scan.Low);
        }
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
                var symbol = table.Decode(ref _reader);
                int run = symbol >> 4, size = symbol & 15;
                short value = 0;
                if (size == 1)
                {
                    value = _reader.Read(1) != 0 ? bit : (short)-bit;
                }
                else if (size != 0)
                {
                    throw new InvalidFrameException("A refined coefficient has more than one bit.", _reader.Position);
                }
                else if (run < 15)
                {
                    _endOfBandRun = (1 << run) + _reader.Read(run);
                    break;
                }
                k = SkipZeros(block, k, run, bit);
                if (value == 0) continue;
                if (k > _scan.SpectralEnd) throw new InvalidFrameException("A run leaves its band.", _reader.Position);
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
        private int _unitRow, _unitColumn = -1, _unit = -1;
        private int _at, _blockRow, _blockColumn; // within the MCU

        public bool IsRestart { get; private set; }
        public int Restarts { get; private set; }
        public bool IsRowStart { get; private set; }

        public bool Next(out int component, out int row, out int column)
        {
            IsRestart = IsRowStart = false;
            if (_unit < 0 || !NextInUnit())
            {
                if (!NextUnit())
                {
                    component = row = column = 0;
                    return false;
                }
            }
            component = _scan[_at];
            row = _isInterleaved ? _unitRow * _headers.Components[component].V + _blockRow : _unitRow;
            column = _isInterleaved ? _unitColumn * _headers.Components[component].H + _blockColumn : _unitColumn;
            return true;
        }

        private bool NextInUnit()
        {
            if (!_isInterleaved) return false;
            ref readonly var component = ref _headers.Components[_scan[_at]];
            if (++_blockColumn < component.H) return true;
            _blockColumn = 0;
            if (++_blockRow < component.V) return true;
            _blockRow = 0;
            return ++_at < _scan.Count;
        }

        private bool NextUnit()
        {
            _at = _blockRow = _blockColumn = 0;
            _unit++;
            if (++_unitColumn == _unitColumns)
            {
                _unitColumn = 0;
                if (++_unitRow == _unitRows) return false;
            }
            IsRowStart = _unitColumn == 0;
            if (_headers.RestartInterval > 0 && _unit > 0 && _unit % _headers.RestartInterval == 0)
            {
                IsRestart = true;
                Restarts++;
            }
            return true;
        }
    }
}
