using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using Platform.Codecs.Jpeg2000;

namespace Platform.Codecs.Htj2k;

/// <summary>What <see cref="Htj2kFrameEncoder"/> needs of memory; kept per thread. Planes of samples are rented for each frame.</summary>
internal sealed unsafe class CodestreamEncoder(bool isVectorized = true)
{
    private const int MinLevels = 5, LowestSide = 64, BlockExponent = 6;

    [ThreadStatic]
    private static CodestreamEncoder? t_instance;

    private readonly CodestreamHeaders _headers = new();
    private readonly TileLayout _layout = new();
    private readonly PacketOrder _order = new();
    private readonly HtBlockEncoder _blocks = new(isVectorized);
    private readonly int[]?[] _planes = new int[]?[CodestreamHeaders.MaxComponents];
    private readonly byte[] _main = new byte[512];
    private readonly StructList<Packet> _packets = new();
    private readonly int[] _resolutionPackets = new int[ComponentStyle.MaxLevels + 2]; // the number of packets before each resolution
    private byte[] _heads = [], _bodies = [];
    private int _headsLength, _bodiesLength;

    private struct Packet
    {
        public int Head, HeadLength, Body, BodyLength;

        public readonly int Length => HeadLength + BodyLength;
    }

    public static CodestreamEncoder OfThread => t_instance ??= new CodestreamEncoder();

    public void Encode(ReadOnlySpan<byte> pixels, in FrameDescription frame, IBufferWriter<byte> stream, IList<long>? resolutionEnds, CancellationToken cancellationToken)
    {
        var levels = MinLevels;
        while (Math.Max(frame.Rows, frame.Columns) > LowestSide << levels) levels++;
        var mainLength = WriteMainHeader(frame, levels);
        // The layout follows from the header, here as it does for who reads it.
        _headers.ReadMain(_main.AsSpan(0, mainLength + CloseHeader(mainLength)));
        _headers.ReadTile(_main, 0);
        _layout.Build(_headers, 0, 0, 0);
        _packets.Clear();
        _headsLength = _bodiesLength = 0;
        try
        {
            Transform(pixels, frame, levels, cancellationToken);
            WritePackets(levels, cancellationToken);
            WriteStream(mainLength, levels, stream, resolutionEnds);
        }
        finally
        {
            for (var i = 0; i < _planes.Length; i++)
            {
                if (_planes[i] is { } plane) ArrayPool<int>.Shared.Return(plane);
                _planes[i] = null;
            }
            if (_bodies.Length > 0) ArrayPool<byte>.Shared.Return(_bodies);
            if (_heads.Length > 0) ArrayPool<byte>.Shared.Return(_heads);
            _bodies = _heads = [];
            _layout.Trim();
            _order.Trim();
        }
    }

    /// <summary>SOC, SIZ, CAP, COD, QCD (T.800 annex A, T.814 annex A). Returns their length.</summary>
    private int WriteMainHeader(in FrameDescription frame, int levels)
    {
        var at = 0;
        var isColour = HasTransform(frame);
        Put16(J2kMarker.Soc);
        Put16(J2kMarker.Siz);
        Put16(38 + 3 * frame.SamplesPerPixel);
        Put16(0x4000); // capabilities are in CAP
        Put32(frame.Columns);
        Put32(frame.Rows);
        Put32(0);
        Put32(0);
        Put32(frame.Columns);
        Put32(frame.Rows);
        Put32(0);
        Put32(0);
        Put16(frame.SamplesPerPixel);
        for (var i = 0; i < frame.SamplesPerPixel; i++)
        {
            Put8((frame.BitsStored - 1) | (frame.IsSigned ? 0x80 : 0));
            Put8(1);
            Put8(1);
        }

        // Bits that no coefficient exceeds: the 5/3 analysis gains at most 2.93 in LL, 4.9 in HL and LH, 7.96 in HH; RCT one bit.
        var bits = frame.BitsStored + (isColour ? 1 : 0);
        Put16(J2kMarker.Cap);
        Put16(8);
        Put32(0x00020000); // Part 15
        Put16(MagnitudeParameter(bits + 3)); // only HT blocks, one set of passes each, reversible
        Put16(J2kMarker.Cod);
        Put16(12);
        Put8(0); // largest precincts, neither SOP nor EPH
        Put8((int)ProgressionOrder.Rpcl);
        Put16(1);
        Put8(isColour ? 1 : 0);
        Put8(levels);
        Put8(BlockExponent - 2);
        Put8(BlockExponent - 2);
        Put8(ComponentStyle.HighThroughput);
        Put8(1);
        Put16(J2kMarker.Qcd);
        Put16(4 + 3 * levels);
        Put8(1 << 5); // one guard bit: M_b is the exponent
        Put8((bits + 1) << 3);
        for (var i = 0; i < levels; i++)
        {
            Put8((bits + 2) << 3);
            Put8((bits + 2) << 3);
            Put8((bits + 3) << 3);
        }
        return at;

        void Put8(int value) => _main[at++] = (byte)value;
        void Put16(int value)
        {
            BinaryPrimitives.WriteUInt16BigEndian(_main.AsSpan(at), (ushort)value);
            at += 2;
        }
        void Put32(int value)
        {
            BinaryPrimitives.WriteInt32BigEndian(_main.AsSpan(at), value);
            at += 4;
        }
    }

    // T.814 table A.5: MAGB in Ccap15
    private static int MagnitudeParameter(int bits) => bits <= 8 ? 0 : bits < 28 ? bits - 8 : 13 + bits / 4;

    /// <summary>An empty tile-part behind the main header, so that it can be read.</summary>
    private int CloseHeader(int at)
    {
        ReadOnlySpan<byte> empty = [0xFF, 0x90, 0, 10, 0, 0, 0, 0, 0, 14, 0, 1, 0xFF, 0x93];
        empty.CopyTo(_main.AsSpan(at));
        return empty.Length;
    }

    private static bool HasTransform(in FrameDescription frame) =>
        frame.SamplesPerPixel == 3 && frame.Photometric is Photometric.Rgb or Photometric.YbrRct or Photometric.YbrIct;

    private void Transform(ReadOnlySpan<byte> pixels, in FrameDescription frame, int levels, CancellationToken cancellationToken)
    {
        for (var i = 0; i < frame.SamplesPerPixel; i++)
        {
            var length = _layout.Place(i, levels + 1);
            if (length > Array.MaxLength) throw new ArgumentException("The frame is too large.", nameof(frame));
            _planes[i] = ArrayPool<int>.Shared.Rent((int)length);
        }
        var image = _layout.ResolutionOf(0, levels);
        fixed (int* a = _planes[0], b = _planes[1], c = _planes[2])
        fixed (byte* source = pixels)
        {
            var shift = frame.IsSigned ? 0 : 1 << (frame.BitsStored - 1);
            var isColour = HasTransform(frame);
            for (var y = 0; y < image.Height; y++)
            {
                var at = image.Offset + (long)y * image.Stride;
                var row = source + (long)y * image.Width * frame.SamplesPerPixel * frame.BytesPerSample;
                for (var i = 0; i < frame.SamplesPerPixel; i++) ReadSamples(row, (i == 0 ? a : i == 1 ? b : c) + at, frame, i, shift);
                if (isColour) ComponentTransform.ForwardReversible(a + at, b + at, c + at, image.Width);
            }

            var scratch = ArrayPool<int>.Shared.Rent(Wavelet53.ScratchLength(image.Width));
            fixed (int* s = scratch)
            {
                for (var i = 0; i < frame.SamplesPerPixel; i++)
                {
                    for (var r = levels; r > 0; r--) Wavelet53.Forward(_layout.LevelOf(i, r, i == 0 ? a : i == 1 ? b : c), s, isVectorized, cancellationToken);
                }
            }
            ArrayPool<int>.Shared.Return(scratch);
        }
    }

    private static void ReadSamples(byte* row, int* target, in FrameDescription frame, int component, int shift)
    {
        int x = 0, width = frame.Columns, step = frame.SamplesPerPixel;
        if (frame.BitsAllocated == 8)
        {
            if (frame.IsSigned) for (; x < width; x++) target[x] = (sbyte)row[x * step + component];
            else for (; x < width; x++) target[x] = row[x * step + component] - shift;
            return;
        }
        var words = (ushort*)row;
        if (step == 1 && BitConverter.IsLittleEndian)
        {
            var shifts = Vector256.Create(shift);
            for (; x + 16 <= width; x += 16)
            {
                var value = Vector256.Load(words + x);
                var (low, high) = frame.IsSigned ? Vector256.Widen(value.AsInt16()) : (Vector256.WidenLower(value).AsInt32(), Vector256.WidenUpper(value).AsInt32());
                (low - shifts).Store(target + x);
                (high - shifts).Store(target + x + 8);
            }
        }
        for (; x < width; x++)
        {
            var value = BinaryPrimitives.ReadUInt16LittleEndian(new ReadOnlySpan<byte>(words + x * step + component, 2));
            target[x] = (frame.IsSigned ? (short)value : value) - shift;
        }
    }

    private void WritePackets(int levels, CancellationToken cancellationToken)
    {
        Array.Clear(_resolutionPackets);
        var precincts = _order.Sort(_layout, _headers, _headers.DefaultProgression);
        fixed (int* a = _planes[0], b = _planes[1], c = _planes[2])
        {
            foreach (var index in precincts)
            {
                ref var precinct = ref _layout.Precincts[index];
                WritePacket(precinct, precinct.Component == 0 ? a : precinct.Component == 1 ? b : c, cancellationToken);
                _resolutionPackets[precinct.Number + 1] = _packets.Count;
            }
        }
        // A resolution may have no packets: a frame of one row has no rows between others.
        for (var r = 1; r <= levels + 1; r++) _resolutionPackets[r] = Math.Max(_resolutionPackets[r], _resolutionPackets[r - 1]);
    }

    private void WritePacket(in Precinct precinct, int* plane, CancellationToken cancellationToken)
    {
        var body = _bodiesLength;
        var bands = _layout.Resolutions[precinct.Resolution].BandCount;
        var hasBlocks = false;
        var count = 0;
        for (var p = 0; p < bands; p++)
        {
            ref var part = ref _layout.Parts[precinct.FirstPart + p];
            ref var band = ref _layout.Bands[part.Band];
            count += part.Columns * part.Rows;
            for (var i = 0; i < part.Columns * part.Rows; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                ref var block = ref _layout.Blocks[part.FirstBlock + i];
                Reserve(ref _bodies, _bodiesLength, HtBlockEncoder.MaxLength + 16);
                var length = _blocks.Encode(plane + band.Offset + (long)block.Y * band.Stride + block.X, band.Stride, block.Width, block.Height, band.MagnitudeBits, _bodies.AsSpan(_bodiesLength));
                if (length < 0) throw new ArgumentException("The pixels have more bits than the frame says are stored.");
                block.Passes = length; // here the length, until the header says it
                _bodiesLength += length;
                hasBlocks |= length > 0;
                _layout.Trees.Set(part.InclusionTree, i, length > 0 ? 0 : 1);
                _layout.Trees.Set(part.PlanesTree, i, band.MagnitudeBits - 1);
            }
        }

        Reserve(ref _heads, _headsLength, 256 + 32 * count);
        var bits = new PacketBitWriter(_heads.AsSpan(_headsLength));
        bits.Write(hasBlocks ? 1 : 0, 1);
        for (var p = 0; p < bands && hasBlocks; p++)
        {
            ref var part = ref _layout.Parts[precinct.FirstPart + p];
            for (var i = 0; i < part.Columns * part.Rows; i++)
            {
                var length = _layout.Blocks[part.FirstBlock + i].Passes;
                _layout.Trees.Write(ref bits, part.InclusionTree, i, 1);
                if (length == 0) continue;
                _layout.Trees.Write(ref bits, part.PlanesTree, i, _layout.Bands[part.Band].MagnitudeBits);
                bits.Write(0, 1); // one pass
                var lengthBits = Math.Max(3, 32 - int.LeadingZeroCount(length));
                for (var more = lengthBits - 3; more > 0; more--) bits.Write(1, 1);
                bits.Write(0, 1);
                bits.Write(length, lengthBits);
            }
        }
        bits.Align();
        _packets[_packets.Add(1)] = new Packet { Head = _headsLength, HeadLength = bits.Length, Body = body, BodyLength = _bodiesLength - body };
        _headsLength += bits.Length;
    }

    private void WriteStream(int mainLength, int levels, IBufferWriter<byte> stream, IList<long>? resolutionEnds)
    {
        // TLM: index 0, one byte for the tile, four for the length (T.800 A.7.1).
        var parts = levels + 1;
        Span<byte> tlm = stackalloc byte[6 + 5 * parts];
        BinaryPrimitives.WriteUInt16BigEndian(tlm, J2kMarker.Tlm);
        BinaryPrimitives.WriteUInt16BigEndian(tlm[2..], (ushort)(4 + 5 * parts));
        tlm[5] = 0x50;
        long at = mainLength + tlm.Length;
        for (var r = 0; r < parts; r++)
        {
            var length = PartLength(r);
            tlm[6 + 5 * r] = 0;
            BinaryPrimitives.WriteUInt32BigEndian(tlm[(7 + 5 * r)..], checked((uint)length));
            at += length;
            resolutionEnds?.Add(r < levels ? at : at + 2);
        }
        stream.Write(_main.AsSpan(0, mainLength));
        stream.Write(tlm);

        Span<byte> sot = stackalloc byte[12];
        for (var r = 0; r < parts; r++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(sot, J2kMarker.Sot);
            BinaryPrimitives.WriteUInt16BigEndian(sot[2..], 10);
            BinaryPrimitives.WriteUInt16BigEndian(sot[4..], 0);
            BinaryPrimitives.WriteUInt32BigEndian(sot[6..], (uint)PartLength(r));
            (sot[10], sot[11]) = ((byte)r, (byte)parts);
            stream.Write(sot);
            WritePacketLengths(r, stream);
            stream.Write<byte>([0xFF, 0x93]);
            for (var p = _resolutionPackets[r]; p < _resolutionPackets[r + 1]; p++)
            {
                ref var packet = ref _packets[p];
                stream.Write(_heads.AsSpan(packet.Head, packet.HeadLength));
                stream.Write(_bodies.AsSpan(packet.Body, packet.BodyLength));
            }
        }
        stream.Write<byte>([0xFF, 0xD9]);
    }

    private long PartLength(int resolution)
    {
        long packets = 0;
        for (var p = _resolutionPackets[resolution]; p < _resolutionPackets[resolution + 1]; p++) packets += _packets[p].Length;
        return 12 + PacketLengthsLength(resolution) + 2 + packets;
    }

    // How many packets a segment of PLT takes is fixed, so that its length is known beforehand; few frames need a second one.
    private const int PacketsPerSegment = 12_000;

    private long PacketLengthsLength(int resolution)
    {
        long length = 0;
        for (var first = _resolutionPackets[resolution]; first < _resolutionPackets[resolution + 1]; first += PacketsPerSegment)
        {
            length += 5;
            for (var p = first; p < Math.Min(first + PacketsPerSegment, _resolutionPackets[resolution + 1]); p++) length += Groups(_packets[p].Length);
        }
        return length;
    }

    private static int Groups(int value) => Math.Max(1, (38 - int.LeadingZeroCount(value)) / 7);

    /// <summary>PLT: each packet's length in groups of seven bits (T.800 A.7.3).</summary>
    private void WritePacketLengths(int resolution, IBufferWriter<byte> stream)
    {
        Span<byte> target = stackalloc byte[8];
        byte index = 0;
        for (var first = _resolutionPackets[resolution]; first < _resolutionPackets[resolution + 1]; first += PacketsPerSegment)
        {
            var end = Math.Min(first + PacketsPerSegment, _resolutionPackets[resolution + 1]);
            var length = 3;
            for (var p = first; p < end; p++) length += Groups(_packets[p].Length);
            BinaryPrimitives.WriteUInt16BigEndian(target, J2kMarker.Plt);
            BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)length);
            target[4] = index++;
            stream.Write(target[..5]);
            for (var p = first; p < end; p++)
            {
                int value = _packets[p].Length, groups = Groups(value);
                for (var g = 0; g < groups; g++) target[g] = (byte)(((value >> (7 * (groups - 1 - g))) & 0x7F) | (g < groups - 1 ? 0x80 : 0));
                stream.Write(target[..groups]);
            }
        }
    }

    private static void Reserve(ref byte[] buffer, int used, int more)
    {
        if (buffer.Length - used >= more) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * buffer.Length, checked(used + more)));
        buffer.AsSpan(0, used).CopyTo(larger);
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}
