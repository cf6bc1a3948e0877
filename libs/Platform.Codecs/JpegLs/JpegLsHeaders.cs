using System.Buffers.Binary;

namespace Platform.Codecs.JpegLs;

/// <summary>One scan's header (T.87 C.2.3).</summary>
internal readonly record struct JpegLsScan(int Count, byte First, int Near, int Interleave, int PointTransform);

/// <summary>The markers of a JPEG-LS stream (T.87 annex C), read one after the other. Kept per thread and used again.</summary>
internal sealed class JpegLsHeaders
{
    private const byte Soi = 0xD8, Eoi = 0xD9, Sos = 0xDA, Dri = 0xDD, Sof55 = 0xF7, Lse = 0xF8, App8 = 0xE8;
    private const int MaxSegments = 1000;

    [ThreadStatic]
    private static JpegLsHeaders? t_instance;

    private int _segments;
    private bool _hasFrame;
    private int _maxValue, _t1, _t2, _t3, _reset;

    public int Width { get; private set; }

    public int Height { get; private set; }

    public int Precision { get; private set; }

    public int ComponentCount { get; private set; }

    /// <summary>The components' identifiers, in the order of the frame header.</summary>
    public byte[] Components { get; } = new byte[4];

    /// <summary>Where reading goes on, in bytes from the start of the frame.</summary>
    public int Position { get; set; }

    /// <summary>The marker that was read last; its segment, or the data after it, is what is being read.</summary>
    public int Marker { get; private set; }

    /// <summary>The state of the scan that is being decoded.</summary>
    public JpegLsState State { get; } = new();

    /// <summary>Starts on a stream, with this thread's instance.</summary>
    public static JpegLsHeaders Begin(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 4 || bytes[0] != 0xFF || bytes[1] != Soi) throw new InvalidFrameException("The frame is no JPEG stream.", 0);
        var headers = t_instance ??= new JpegLsHeaders();
        (headers._segments, headers._hasFrame) = (0, false);
        headers._maxValue = headers._t1 = headers._t2 = headers._t3 = headers._reset = 0;
        headers.Width = headers.Height = headers.Precision = headers.ComponentCount = 0;
        (headers.Marker, headers.Position) = (0xFF00 | Soi, 2);
        return headers;
    }

    /// <summary>The parameters of a scan with this allowed error: what the stream has said, else the defaults.</summary>
    public JpegLsParameters GetParameters(int near) => new(_maxValue == 0 ? (1 << Precision) - 1 : _maxValue, near, _t1, _t2, _t3, _reset);

    /// <summary>Reads up to the next scan's data. False at the end of the image.</summary>
    public bool ReadToScan(ReadOnlySpan<byte> bytes, out JpegLsScan scan)
    {
        scan = default;
        while (true)
        {
            while (Position + 1 < bytes.Length && bytes[Position] == 0xFF && bytes[Position + 1] == 0xFF) Position++;
            if (Position + 1 >= bytes.Length) return false;
            if (bytes[Position] != 0xFF) throw new InvalidFrameException("A marker is missing.", Position);
            var marker = bytes[Position + 1];
            Marker = 0xFF00 | marker;
            if (marker == Eoi) return false;
            if (++_segments > MaxSegments) throw new InvalidFrameException("The frame has too many segments.", Position);
            if (Position + 4 > bytes.Length) throw new InvalidFrameException("A segment is cut off.", Position);
            var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(Position + 2)..]);
            if (length < 2 || length > bytes.Length - Position - 2) throw new InvalidFrameException("A segment leaves the frame.", Position);
            var segment = bytes.Slice(Position + 4, length - 2);
            switch (marker)
            {
                case Sof55:
                    ReadFrame(segment);
                    break;
                case Lse:
                    ReadPreset(segment);
                    break;
                case Dri when segment.ContainsAnyExcept((byte)0):
                    throw new InvalidFrameException("Restart intervals are not supported in JPEG-LS.", Position);
                case App8 when segment.Length >= 5 && segment.StartsWith("mrfx"u8) && segment[4] != 0:
                    throw new InvalidFrameException("The colour transforms of JPEG-LS extensions are not supported.", Position);
                case Sos:
                    scan = ReadScan(segment);
                    Position += 2 + length;
                    return true;
                case >= 0xC0 and <= 0xCF and not 0xC4 and not 0xC8 and not 0xCC:
                    throw new InvalidFrameException($"The stream is not JPEG-LS (process 0x{marker:X2}).", Position);
            }

            Position += 2 + length;
        }
    }

    private void ReadFrame(ReadOnlySpan<byte> segment)
    {
        if (_hasFrame) throw new InvalidFrameException("The stream has two frame headers.", Position);
        if (segment.Length < 6) throw new InvalidFrameException("The frame header is cut off.", Position);
        Precision = segment[0];
        Height = BinaryPrimitives.ReadUInt16BigEndian(segment[1..]);
        Width = BinaryPrimitives.ReadUInt16BigEndian(segment[3..]);
        ComponentCount = segment[5];
        if (Precision is < 2 or > 16) throw new InvalidFrameException($"Samples of {Precision} bits are not JPEG-LS.", Position);
        if (ComponentCount is < 1 or > 4 || segment.Length < 6 + 3 * ComponentCount) throw new InvalidFrameException($"A frame of {ComponentCount} components is not supported.", Position);
        for (var i = 0; i < ComponentCount; i++)
        {
            Components[i] = segment[6 + 3 * i];
            if (segment[7 + 3 * i] != 0x11) throw new InvalidFrameException("Subsampled components are not supported in JPEG-LS.", Position);
            if (Components.AsSpan(0, i).Contains(Components[i])) throw new InvalidFrameException("Two components have one identifier.", Position);
        }

        _hasFrame = true;
    }

    // C.2.4.1: preset coding parameters; mapping tables are for palettes, which DICOM keeps in the data set.
    private void ReadPreset(ReadOnlySpan<byte> segment)
    {
        if (segment.Length < 1) throw new InvalidFrameException("A parameter segment is empty.", Position);
        if (segment[0] is 2 or 3) return;
        if (segment[0] != 1 || segment.Length < 11) throw new InvalidFrameException($"Parameters of kind {segment[0]} are not supported.", Position);
        _maxValue = BinaryPrimitives.ReadUInt16BigEndian(segment[1..]);
        _t1 = BinaryPrimitives.ReadUInt16BigEndian(segment[3..]);
        _t2 = BinaryPrimitives.ReadUInt16BigEndian(segment[5..]);
        _t3 = BinaryPrimitives.ReadUInt16BigEndian(segment[7..]);
        _reset = BinaryPrimitives.ReadUInt16BigEndian(segment[9..]);
        if (_hasFrame && _maxValue >= 1 << Precision) throw new InvalidFrameException($"A largest sample of {_maxValue} does not fit {Precision} bits.", Position);
    }

    private JpegLsScan ReadScan(ReadOnlySpan<byte> segment)
    {
        if (!_hasFrame) throw new InvalidFrameException("A scan stands before the frame header.", Position);
        if (segment.Length < 1 || segment[0] is < 1 or > 4 || segment.Length < 4 + 2 * segment[0]) throw new InvalidFrameException("The scan header is cut off.", Position);
        int count = segment[0];
        var first = Components.AsSpan(0, ComponentCount).IndexOf(segment[1]);
        if (first < 0 || first + count > ComponentCount) throw new InvalidFrameException("A scan has a component that the frame has not.", Position);
        for (var i = 0; i < count; i++)
        {
            if (segment[1 + 2 * i] != Components[first + i]) throw new InvalidFrameException("A scan's components are out of order.", Position);
            if (segment[2 + 2 * i] != 0) throw new InvalidFrameException("Mapping tables are not supported in JPEG-LS.", Position);
        }

        var (near, interleave, transform) = (segment[1 + 2 * count], segment[2 + 2 * count], segment[3 + 2 * count] & 15);
        if (interleave > 2 || (count == 1) != (interleave == 0)) throw new InvalidFrameException($"{count} components cannot be interleaved as {interleave}.", Position);
        if (transform >= Precision) throw new InvalidFrameException("The point transform leaves no bits.", Position);
        return new JpegLsScan(count, (byte)first, near, interleave, transform);
    }
}
