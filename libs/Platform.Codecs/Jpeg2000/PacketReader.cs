using System.Buffers.Binary;
using System.Numerics;

namespace Platform.Codecs.Jpeg2000;

/// <summary>
/// Reads the packets of a tile (T.800 B.9, B.10; T.814 annex B): afterwards every block of the layout knows its passes and where
/// their bytes lie.
/// </summary>
internal ref struct PacketReader(ReadOnlySpan<byte> data, CodestreamHeaders headers, TileLayout layout, PacketOrder order, int firstPart)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private int _part = firstPart;
    private int _position = headers.TileParts[firstPart].BodyStart;

    /// <summary>Takes, where given, the end of the last packet of each resolution, for progressions that go by them.</summary>
    public IList<long>? ResolutionEnds { get; init; }

    /// <summary>Reads all packets of the layout's resolutions.</summary>
    /// <param name="mayBeCut">True: a stream that ends early is no error; the blocks have what came.</param>
    /// <param name="cancellationToken">Checked per packet.</param>
    public void ReadAll(bool mayBeCut, CancellationToken cancellationToken)
    {
        if (headers.Progressions.Count == 0)
        {
            Read(headers.DefaultProgression, mayBeCut, cancellationToken);
            return;
        }
        foreach (var progression in headers.Progressions)
        {
            if (!Read(progression, mayBeCut, cancellationToken)) return;
        }
    }

    private bool Read(in Progression progression, bool mayBeCut, CancellationToken cancellationToken)
    {
        var precincts = order.Sort(layout, headers, progression);
        var layers = Math.Min(progression.LayerEnd, headers.Layers);
        var first = 0;
        while (first < precincts.Length)
        {
            // The precincts within which a layer goes round: all (LRCP; with one layer it is RLCP), one resolution (RLCP), one (the others).
            var end = first + 1;
            if (progression.Order == ProgressionOrder.Lrcp && layers > 1) end = precincts.Length;
            else if (progression.Order is ProgressionOrder.Lrcp or ProgressionOrder.Rlcp) while (end < precincts.Length && layout.Precincts[precincts[end]].Number == layout.Precincts[precincts[first]].Number) end++;

            for (var layer = 0; layer < layers; layer++)
            {
                for (var i = first; i < end; i++)
                {
                    ref var precinct = ref layout.Precincts[precincts[i]];
                    if (precinct.NextLayer != layer) continue; // an earlier progression brought it
                    cancellationToken.ThrowIfCancellationRequested();
                    if (!ReadPacket(ref precinct, layer, mayBeCut)) return false;
                    precinct.NextLayer++;
                }
            }
            if (ResolutionEnds is not null && (end == precincts.Length || layout.Precincts[precincts[end]].Number != layout.Precincts[precincts[first]].Number)) ResolutionEnds.Add(_position);
            first = end;
        }
        return true;
    }

    /// <summary>False where the stream ends and may.</summary>
    private bool ReadPacket(ref Precinct precinct, int layer, bool mayBeCut)
    {
        while (_position >= headers.TileParts[_part].End)
        {
            if (_part + 1 == headers.TileParts.Count || headers.TileParts[_part + 1].Tile != headers.TileParts[_part].Tile) return Cut(mayBeCut);
            _position = headers.TileParts[++_part].BodyStart;
        }

        var end = headers.TileParts[_part].End;
        if (headers.MayHaveSop && _position + 6 <= end && BinaryPrimitives.ReadUInt16BigEndian(_data[_position..]) == J2kMarker.Sop) _position += 6;
        var start = _position;
        var firstChunk = layout.Chunks.Count;
        var bits = new PacketBits(_data[..end], _position);
        var bands = layout.Resolutions[precinct.Resolution].BandCount;
        var style = headers.StyleOf(precinct.Component).BlockStyle;
        var hasParts = bits.Read() != 0;
        if (hasParts)
        {
            for (var b = 0; b < bands; b++)
            {
                ref var part = ref layout.Parts[precinct.FirstPart + b];
                for (var i = 0; i < part.Columns * part.Rows; i++)
                {
                    ReadBlock(ref bits, part, i, layer, style, start);
                    if (bits.IsExhausted) return Cut(mayBeCut, firstChunk);
                }
            }
        }
        if (bits.IsExhausted) return Cut(mayBeCut, firstChunk);
        bits.Align();
        _position = bits.Position;
        if (headers.HasEph)
        {
            if (_position + 2 > end) return Cut(mayBeCut, firstChunk);
            if (BinaryPrimitives.ReadUInt16BigEndian(_data[_position..]) != J2kMarker.Eph) throw new InvalidFrameException("The packet header does not end (EPH).", _position);
            _position += 2;
        }

        // The bodies follow in the order of the headers.
        var chunks = layout.Chunks.Span[firstChunk..];
        foreach (ref var chunk in chunks)
        {
            if (chunk.Length > end - _position) return Cut(mayBeCut, firstChunk);
            chunk.Offset = _position;
            _position += chunk.Length;
        }
        return true;
    }

    // Chunks of an incomplete packet have no bytes: they keep the length 0, which the block decoders take for missing.
    private readonly bool Cut(bool mayBeCut, int firstChunk = int.MaxValue)
    {
        if (!mayBeCut) throw new InvalidFrameException("The packets are cut off.", _position);
        for (var i = firstChunk; i < layout.Chunks.Count; i++)
        {
            if (layout.Chunks[i].Offset == 0) layout.Chunks[i].Length = 0;
        }
        return false;
    }

    private readonly void ReadBlock(ref PacketBits bits, in PrecinctPart part, int leaf, int layer, int style, int offset)
    {
        ref var block = ref layout.Blocks[part.FirstBlock + leaf];
        if (block.IsIncluded)
        {
            if (bits.Read() == 0) return;
        }
        else
        {
            if (!layout.Trees.IsBelow(ref bits, part.InclusionTree, leaf, layer + 1)) return;
            var planes = 0;
            while (!layout.Trees.IsBelow(ref bits, part.PlanesTree, leaf, planes + 1))
            {
                if (++planes > 64) throw new InvalidFrameException("A block has more missing bit-planes than there are.", offset);
            }
            block.MissingPlanes = planes;
            block.IsIncluded = true;
        }

        var passes = ReadPasses(ref bits);
        while (bits.Read() != 0)
        {
            if (++block.LengthBits > 31) throw new InvalidFrameException("A block's length is out of range.", offset);
        }
        if ((style & ComponentStyle.HighThroughput) != 0) ReadHighThroughputLengths(ref bits, ref block, passes, offset);
        else ReadLengths(ref bits, ref block, passes, style, offset);
    }

    // T.800 table B.4
    private static int ReadPasses(ref PacketBits bits)
    {
        if (bits.Read() == 0) return 1;
        if (bits.Read() == 0) return 2;
        var n = bits.Read(2);
        if (n < 3) return 3 + n;
        n = bits.Read(5);
        if (n < 31) return 6 + n;
        return 37 + bits.Read(7);
    }

    /// <summary>
    /// The cleanup pass is a codeword segment, the two refinement passes are another. What precedes the cleanup pass by threes
    /// are placeholders: bit-planes that no bytes were spent on (T.814 B.3).
    /// </summary>
    private readonly void ReadHighThroughputLengths(ref PacketBits bits, ref Block block, int passes, int offset)
    {
        if (block.Passes == 0)
        {
            var placeholders = (passes - 1) / 3;
            block.MissingPlanes += placeholders;
            passes -= 3 * placeholders;
            AddChunk(ref bits, ref block, 0, 1, BitOperations.Log2((uint)(3 * placeholders + 1)), offset);
            passes--;
        }
        if (passes == 0) return;
        if (block.Passes + passes > 3) throw new InvalidFrameException("Blocks with more than one set of passes are not supported.", offset);
        AddChunk(ref bits, ref block, 1, passes, BitOperations.Log2((uint)passes), offset);
    }

    /// <summary>T.800 B.10.7: one length for each codeword segment, as the style ends them.</summary>
    private readonly void ReadLengths(ref PacketBits bits, ref Block block, int passes, int style, int offset)
    {
        if (block.Passes + passes > 3 * 31) throw new InvalidFrameException("A block has more passes than bit-planes.", offset);
        while (passes > 0)
        {
            var room = RoomInSegment(block.Passes - block.SegmentPasses, style) - block.SegmentPasses;
            if (room == 0)
            {
                block.Segments++;
                block.SegmentPasses = 0;
                continue;
            }
            var count = Math.Min(passes, room);
            AddChunk(ref bits, ref block, block.Segments, count, BitOperations.Log2((uint)count), offset);
            block.SegmentPasses += count;
            passes -= count;
        }
    }

    /// <summary>How many passes a segment takes whose first is the block's pass <paramref name="first"/>, from 0 (T.800 tables D.8 and D.9).</summary>
    private static int RoomInSegment(int first, int style)
    {
        if ((style & ComponentStyle.TerminateAll) != 0) return 1;
        if ((style & ComponentStyle.Bypass) == 0) return int.MaxValue;
        if (first < 10) return 10 - first;
        return (first - 10) % 3 == 0 ? 2 : 1; // significance and refinement raw, cleanup coded
    }

    private readonly void AddChunk(ref PacketBits bits, ref Block block, int segment, int passes, int extraBits, int offset)
    {
        var count = block.LengthBits + extraBits;
        if (count > 31) throw new InvalidFrameException("A block's length is out of range.", offset);
        var length = bits.Read(count);
        var index = layout.Chunks.Add(1);
        layout.Chunks[index] = new Chunk { Next = -1, Length = length, Passes = passes, Segment = segment };
        if (block.LastChunk < 0) block.FirstChunk = index;
        else layout.Chunks[block.LastChunk].Next = index;
        block.LastChunk = index;
        block.Passes += passes;
    }
}
