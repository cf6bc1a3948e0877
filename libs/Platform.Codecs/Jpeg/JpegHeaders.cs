namespace Platform.Codecs.Jpeg;

/// <summary>One colour component of a JPEG frame (T.81 B.2.2).</summary>
internal struct JpegComponent
{
    public byte Id, H, V, Quantization;
    public int DcTable, AcTable;        // of the current scan
    public int Width, Height;           // in samples
    public int BlockColumns, BlockRows; // in blocks, padded to whole MCUs
    public bool IsDecoded;
}

/// <summary>One scan (T.81 B.2.3).</summary>
internal struct JpegScan
{
    public int Count;                   // components
    public int First, Second, Third, Fourth;
    public int SpectralStart, SpectralEnd, High, Low;

    public readonly int this[int i] => i switch { 0 => First, 1 => Second, 2 => Third, _ => Fourth };
}

/// <summary>
/// The tables and headers of one stream, filled marker by marker. Kept per thread and used again: nothing is allocated per frame.
/// </summary>
internal sealed class JpegHeaders
{
    public const int MaxComponents = 4, MaxScans = 100;

    [ThreadStatic]
    private static JpegHeaders? t_instance;

    public readonly ushort[][] Quantization = [new ushort[64], new ushort[64], new ushort[64], new ushort[64]];
    public readonly bool[] HasQuantization = new bool[4];
    public readonly HuffmanTable[] Dc = [new(), new(), new(), new()];
    public readonly HuffmanTable[] Ac = [new(), new(), new(), new()];
    public readonly EntropySegment Segment = new();
    public readonly JpegComponent[] Components = new JpegComponent[MaxComponents];

    public byte Process { get; private set; }
    public int Precision { get; private set; }
    public int Height { get; private set; }
    public int Width { get; private set; }
    public int ComponentCount { get; private set; }
    public int MaxH { get; private set; }
    public int MaxV { get; private set; }
    public int RestartInterval { get; private set; }
    public int McuColumns { get; private set; }
    public int McuRows { get; private set; }

    /// <summary>The colour transform of Adobe's APP14 (0 none, 1 YCbCr), or -1.</summary>
    public int AdobeTransform { get; private set; }

    public bool HasJfif { get; private set; }

    /// <summary>Where the next marker is looked for, in bytes from the frame's start.</summary>
    public int Position { get; set; }

    /// <summary>The marker that was read last; its segment, or the data after it, is what is being read.</summary>
    public int Marker { get; private set; }

    private int _scans;

    /// <summary>Starts on a stream.</summary>
    public static JpegHeaders Begin(ReadOnlySpan<byte> data)
    {
        var headers = t_instance ??= new JpegHeaders();
        Array.Clear(headers.HasQuantization);
        foreach (var table in headers.Dc) table.Clear();
        foreach (var table in headers.Ac) table.Clear();
        headers.Process = 0;
        headers.Marker = 0xFF00 | JpegMarker.Soi;
        headers.ComponentCount = headers.RestartInterval = headers._scans = 0;
        headers.AdobeTransform = -1;
        headers.HasJfif = false;
        if (data.Length < 4 || data[0] != 0xFF || data[1] != JpegMarker.Soi) throw new InvalidFrameException("The frame does not begin as a JPEG stream.", 0);
        headers.Position = 2;
        return headers;
    }

    /// <summary>Reads on to the next scan: true with <see cref="Position"/> at its entropy-coded data, false at the end of the image.</summary>
    public bool ReadToScan(ReadOnlySpan<byte> data, out JpegScan scan)
    {
        scan = default;
        while (true)
        {
            // A stream that ends without EOI after its last scan is whole all the same.
            if (!TryReadMarker(data, out var marker) || marker == JpegMarker.Eoi) return false;
            Marker = 0xFF00 | marker;
            if (marker is JpegMarker.Tem or (>= JpegMarker.Rst0 and <= JpegMarker.Rst7)) continue;
            var length = Position + 2 <= data.Length ? data[Position] << 8 | data[Position + 1] : 0;
            if (length < 2 || Position + length > data.Length) throw new InvalidFrameException($"The segment of marker 0x{marker:X2} is cut off.", Position);
            var segment = data.Slice(Position + 2, length - 2);
            var offset = Position + 2;
            Position += length;
            switch (marker)
            {
                case JpegMarker.Dqt: ReadQuantization(segment, offset); break;
                case JpegMarker.Dht: ReadHuffman(segment, offset); break;
                case JpegMarker.Dri:
                    if (segment.Length < 2) throw new InvalidFrameException("The restart interval is cut off.", offset);
                    RestartInterval = segment[0] << 8 | segment[1];
                    break;
                case JpegMarker.App0: HasJfif |= segment.StartsWith("JFIF\0"u8); break;
                case JpegMarker.App14:
                    if (segment.Length >= 12 && segment.StartsWith("Adobe"u8)) AdobeTransform = segment[11];
                    break;
                case JpegMarker.Sos:
                    if (++_scans > MaxScans) throw new InvalidFrameException("The frame has too many scans.", offset);
                    scan = ReadScan(segment, offset);
                    return true;
                case JpegMarker.Jpg or JpegMarker.Dac: break;
                case >= JpegMarker.Sof0 and <= JpegMarker.Sof15: ReadFrame(marker, segment, offset); break;
            }
        }
    }

    private bool TryReadMarker(ReadOnlySpan<byte> data, out byte marker)
    {
        marker = 0;
        while (Position < data.Length && data[Position] != 0xFF) Position++;
        while (Position < data.Length && data[Position] == 0xFF) Position++;
        if (Position >= data.Length) return false;
        marker = data[Position++];
        return true;
    }

    private void ReadQuantization(ReadOnlySpan<byte> segment, int offset)
    {
        while (segment.Length > 0)
        {
            int precision = segment[0] >> 4, id = segment[0] & 15, size = precision == 0 ? 1 : 2;
            if (precision > 1 || id > 3 || segment.Length < 1 + 64 * size) throw new InvalidFrameException("A quantization table is broken.", offset);
            for (var i = 0; i < 64; i++)
            {
                Quantization[id][ZigZag.ToNatural[i]] = size == 1 ? segment[1 + i] : (ushort)(segment[1 + 2 * i] << 8 | segment[2 + 2 * i]);
            }
            HasQuantization[id] = true;
            segment = segment[(1 + 64 * size)..];
        }
    }

    private void ReadHuffman(ReadOnlySpan<byte> segment, int offset)
    {
        while (segment.Length > 0)
        {
            if (segment.Length < 17) throw new InvalidFrameException("A Huffman table is cut off.", offset);
            int kind = segment[0] >> 4, id = segment[0] & 15, total = 0;
            foreach (var count in segment.Slice(1, 16)) total += count;
            if (kind > 1 || id > 3 || total > 256 || segment.Length < 17 + total) throw new InvalidFrameException("A Huffman table is broken.", offset);
            (kind == 0 ? Dc : Ac)[id].Define(segment.Slice(1, 16), segment.Slice(17, total), offset);
            segment = segment[(17 + total)..];
        }
    }

    private void ReadFrame(byte marker, ReadOnlySpan<byte> segment, int offset)
    {
        if (ComponentCount > 0) throw new InvalidFrameException("A second frame begins.", offset);
        if (segment.Length < 6) throw new InvalidFrameException("The frame header is cut off.", offset);
        Process = marker;
        Precision = segment[0];
        Height = segment[1] << 8 | segment[2];
        Width = segment[3] << 8 | segment[4];
        var count = segment[5];
        if (Height == 0 || Width == 0) throw new InvalidFrameException("The frame has no pixels.", offset);
        if (count is < 1 or > MaxComponents || segment.Length < 6 + 3 * count) throw new InvalidFrameException("The frame header is broken.", offset);
        MaxH = MaxV = 1;
        for (var i = 0; i < count; i++)
        {
            var (id, sampling, table) = (segment[6 + 3 * i], segment[7 + 3 * i], segment[8 + 3 * i]);
            int h = sampling >> 4, v = sampling & 15;
            if (h is < 1 or > 4 || v is < 1 or > 4 || table > 3) throw new InvalidFrameException("A component's header is broken.", offset);
            Components[i] = new JpegComponent { Id = id, H = (byte)h, V = (byte)v, Quantization = table };
            MaxH = Math.Max(MaxH, h);
            MaxV = Math.Max(MaxV, v);
        }
        ComponentCount = count;
        McuColumns = (Width + 8 * MaxH - 1) / (8 * MaxH);
        McuRows = (Height + 8 * MaxV - 1) / (8 * MaxV);
        foreach (ref var component in Components.AsSpan(0, count))
        {
            component.Width = (Width * component.H + MaxH - 1) / MaxH;
            component.Height = (Height * component.V + MaxV - 1) / MaxV;
            component.BlockColumns = McuColumns * component.H;
            component.BlockRows = McuRows * component.V;
        }
    }

    private JpegScan ReadScan(ReadOnlySpan<byte> segment, int offset)
    {
        if (ComponentCount == 0) throw new InvalidFrameException("A scan begins before its frame.", offset);
        var count = segment.Length > 0 ? segment[0] : 0;
        if (count is < 1 or > MaxComponents || segment.Length < 4 + 2 * count) throw new InvalidFrameException("The scan header is broken.", offset);
        Span<int> indices = stackalloc int[4];
        for (var i = 0; i < count; i++)
        {
            var (id, tables) = (segment[1 + 2 * i], segment[2 + 2 * i]);
            var index = 0;
            while (index < ComponentCount && Components[index].Id != id) index++;
            if (index == ComponentCount || indices[..i].Contains(index)) throw new InvalidFrameException("A scan names a component that the frame does not have.", offset);
            if (tables >> 4 > 3 || (tables & 15) > 3) throw new InvalidFrameException("The scan header is broken.", offset);
            Components[index].DcTable = tables >> 4;
            Components[index].AcTable = tables & 15;
            indices[i] = index;
        }
        return new JpegScan
        {
            Count = count,
            First = indices[0],
            Second = indices[1],
            Third = indices[2],
            Fourth = indices[3],
            SpectralStart = segment[1 + 2 * count],
            SpectralEnd = segment[2 + 2 * count],
            High = segment[3 + 2 * count] >> 4,
            Low = segment[3 + 2 * count] & 15,
        };
    }
}
