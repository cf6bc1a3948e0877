using System.Buffers;
using System.Runtime.InteropServices;
using Platform.Codecs.Htj2k;

namespace Platform.Codecs.Jpeg2000;

/// <summary>
/// Decodes a codestream of JPEG 2000 into a frame: packets, blocks, wavelet, component transform, samples. Kept per thread with its
/// memory; planes of samples are rented for each tile.
/// </summary>
internal sealed unsafe class CodestreamDecoder(bool isVectorized = true)
{
    [ThreadStatic]
    private static CodestreamDecoder? t_instance;

    private readonly CodestreamHeaders _headers = new();
    private readonly TileLayout _layout = new();
    private readonly PacketOrder _order = new();
    private readonly HtBlockDecoder _blocks = new(isVectorized);
    private readonly EbcotBlockDecoder _codedBlocks = new();
    private readonly int[]?[] _planes = new int[]?[CodestreamHeaders.MaxComponents];
    private byte[] _joined = [];

    public static CodestreamDecoder OfThread => t_instance ??= new CodestreamDecoder();

    /// <summary>As <see cref="IFrameDecoder.Decode"/>.</summary>
    public FrameDescription Decode(ReadOnlySequence<byte> encoded, in FrameDescription expected, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken)
    {
        FrameLimits.Check(expected, options with { ReduceLevels = 0, MaxFrameBytes = long.MaxValue });
        ArgumentOutOfRangeException.ThrowIfNegative(options.ReduceLevels);
        using var pooled = PooledBytes.Contiguous(encoded, out var data);
        try
        {
            _headers.ReadMain(data);
            var produced = Describe(expected, options);
            using var frame = PooledBytes.Zeroed(FrameLimits.CheckLength(produced.ByteLength, options));
            produced = DecodeTiles(data, produced, frame.Span, options, cancellationToken);
            if (expected.IsSigned != _headers.IsSigned(0)) SampleBits.Normalize(frame.Span, produced); // the data set says how the bits are to be read
            pixels.Write(frame.Span);
            return produced;
        }
        catch (InvalidFrameException exception)
        {
            exception.Locate(_headers.Marker, _headers.MarkerOffset);
            throw;
        }
        finally
        {
            _layout.Trim();
            _order.Trim();
            if (_joined.Length > 1 << 20) _joined = [];
        }
    }

    private FrameDescription Describe(in FrameDescription expected, in DecodeOptions options)
    {
        if (_headers.Width != expected.Columns || _headers.Height != expected.Rows || _headers.ComponentCount != expected.SamplesPerPixel)
            throw new InvalidFrameException($"The stream holds {_headers.Width} x {_headers.Height} x {_headers.ComponentCount}, {expected.Columns} x {expected.Rows} x {expected.SamplesPerPixel} expected.");
        if (expected.BitsAllocated == 1) throw new InvalidFrameException("JPEG 2000 does not hold packed samples of one bit.");
        for (var i = 0; i < _headers.ComponentCount; i++)
        {
            if (_headers.PrecisionOf(i) != _headers.PrecisionOf(0) || _headers.IsSigned(i) != _headers.IsSigned(0)) throw new InvalidFrameException("Components of different kinds are not supported.");
        }
        var precision = _headers.PrecisionOf(0);
        if (precision > expected.BitsAllocated) throw new InvalidFrameException($"Samples of {precision} bits do not fit {expected.BitsAllocated}.");
        if (options.ReduceLevels > ComponentStyle.MaxLevels) throw new InvalidFrameException($"The stream has no {options.ReduceLevels} levels to leave out.");
        var reduce = options.ReduceLevels;
        return expected with
        {
            Columns = TileLayout.CeilShift(_headers.X1, reduce) - TileLayout.CeilShift(_headers.X0, reduce),
            Rows = TileLayout.CeilShift(_headers.Y1, reduce) - TileLayout.CeilShift(_headers.Y0, reduce),
            BitsStored = precision,
            IsPlanar = false,
            // Components are RGB where the stream is to be transformed back, and also where the data set says that it is and the stream does not.
            Photometric = expected.Photometric is Photometric.YbrRct or Photometric.YbrIct ? Photometric.Rgb : expected.Photometric,
        };
    }

    private FrameDescription DecodeTiles(ReadOnlySpan<byte> data, FrameDescription produced, Span<byte> frame, in DecodeOptions options, CancellationToken cancellationToken)
    {
        var next = 0;
        for (var tile = 0; tile < _headers.TileCount; tile++)
        {
            if (next == _headers.TileParts.Count || _headers.TileParts[next].Tile != tile)
            {
                if (!options.AllowTruncated) throw new InvalidFrameException($"Tile {tile} is missing.");
                continue;
            }
            var first = next;
            while (next < _headers.TileParts.Count && _headers.TileParts[next].Tile == tile) next++;
            _headers.ReadTile(data, first);
            if (_headers.HasComponentTransform && _headers.ComponentCount == 3) produced = produced with { Photometric = Photometric.Rgb };
            DecodeTile(data, tile, first, produced, frame, options, cancellationToken);
        }
        return produced;
    }

    private void DecodeTile(ReadOnlySpan<byte> data, int tile, int first, in FrameDescription produced, Span<byte> frame, in DecodeOptions options, CancellationToken cancellationToken)
    {
        var offset = _headers.TileParts[first].Start;
        var reduce = options.ReduceLevels;
        var areLevelsEqual = true;
        for (var i = 0; i < _headers.ComponentCount; i++)
        {
            if (reduce > _headers.StyleOf(i).Levels) throw new InvalidFrameException($"The stream has no {reduce} levels to leave out.", offset);
            areLevelsEqual &= _headers.StyleOf(i).Levels == _headers.StyleOf(0).Levels;
        }

        // Where resolutions come one after the other, those that are left out need not be read, nor be there.
        var order = _headers.DefaultProgression.Order;
        var isByResolution = _headers.Progressions.Count == 0 && areLevelsEqual && (order is ProgressionOrder.Rlcp or ProgressionOrder.Rpcl || (order == ProgressionOrder.Lrcp && _headers.Layers == 1));
        _layout.Build(_headers, tile, isByResolution ? reduce : 0, offset);
        new PacketReader(data, _headers, _layout, _order, first).ReadAll(options.AllowTruncated, cancellationToken);

        try
        {
            for (var i = 0; i < _headers.ComponentCount; i++) DecodeComponent(data, i, _headers.StyleOf(i).Levels + 1 - reduce, cancellationToken);
            Write(tile, reduce, produced, frame);
        }
        finally
        {
            for (var i = 0; i < _planes.Length; i++)
            {
                if (_planes[i] is { } plane) ArrayPool<int>.Shared.Return(plane);
                _planes[i] = null;
            }
        }
    }

    private void DecodeComponent(ReadOnlySpan<byte> data, int component, int resolutions, CancellationToken cancellationToken)
    {
        var style = _headers.StyleOf(component);
        var length = _layout.Place(component, resolutions);
        if (length > Array.MaxLength) throw new InvalidFrameException("The tile is too large.");
        var rented = _planes[component] = ArrayPool<int>.Shared.Rent((int)length);
        fixed (int* plane = rented)
        {
            for (var r = 0; r < resolutions; r++)
            {
                ref var resolution = ref _layout.ResolutionOf(component, r);
                for (var p = resolution.FirstPrecinct; p < resolution.FirstPrecinct + resolution.PrecinctColumns * resolution.PrecinctRows; p++)
                {
                    for (var b = 0; b < resolution.BandCount; b++) DecodePart(data, style, _layout.Parts[_layout.Precincts[p].FirstPart + b], plane, cancellationToken);
                }
            }

            var widest = _layout.ResolutionOf(component, resolutions - 1).Width;
            var scratch = ArrayPool<int>.Shared.Rent(Wavelet53.ScratchLength(widest));
            fixed (int* s = scratch)
            {
                for (var r = 1; r < resolutions; r++)
                {
                    var level = _layout.LevelOf(component, r, plane);
                    if (style.IsReversible) Wavelet53.Inverse(level, s, isVectorized, cancellationToken);
                    else Wavelet97.Inverse(level, cancellationToken);
                }
            }
            ArrayPool<int>.Shared.Return(scratch);
        }
    }

    private void DecodePart(ReadOnlySpan<byte> data, ComponentStyle style, in PrecinctPart part, int* plane, CancellationToken cancellationToken)
    {
        ref var band = ref _layout.Bands[part.Band];
        for (var i = part.FirstBlock; i < part.FirstBlock + part.Columns * part.Rows; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ref var block = ref _layout.Blocks[i];
            var target = plane + band.Offset + (long)block.Y * band.Stride + block.X;
            if (!DecodeBlock(data, style, band, block))
            {
                for (var y = 0; y < block.Height; y++) new Span<int>(target + (long)y * band.Stride, block.Width).Clear();
                continue;
            }
            var samples = (style.BlockStyle & ComponentStyle.HighThroughput) != 0 ? _blocks.Samples : _codedBlocks.Samples;
            if (style.IsReversible) BlockSamples.ToIntegers(samples, HtBlockDecoder.StrideOf(block.Width), target, band.Stride, block.Width, block.Height);
            else BlockSamples.ToFloats(samples, HtBlockDecoder.StrideOf(block.Width), (float*)target, band.Stride, block.Width, block.Height, band.Step);
        }
    }

    /// <summary>False: the block is all zero.</summary>
    private bool DecodeBlock(ReadOnlySpan<byte> data, ComponentStyle style, in Band band, in Block block)
    {
        if (block.Passes == 0) return false;
        var offset = _layout.Chunks[block.FirstChunk].Offset;
        if ((style.BlockStyle & ComponentStyle.HighThroughput) == 0) return DecodeCodedBlock(data, style.BlockStyle, band, block, offset);
        var cleanup = Join(data, block, 0, 0, out var cleanupPasses);
        if (cleanup.Length == 0) return false;
        var refinement = Join(data, block, 1, cleanup.Length, out var refinementPasses);
        if (block.MissingPlanes >= band.MagnitudeBits) throw new InvalidFrameException("A block has no bit-plane.", offset);
        _blocks.Decode(cleanup, refinement, cleanupPasses + refinementPasses, block.Width, block.Height, block.MissingPlanes, band.MagnitudeBits - 1 - block.MissingPlanes,
            (style.BlockStyle & ComponentStyle.VerticallyCausal) != 0, offset);
        return true;
    }

    /// <summary>A block of Part 1 (T.800 annex D): a cleanup pass, then three passes for each bit-plane below.</summary>
    private bool DecodeCodedBlock(ReadOnlySpan<byte> data, int style, in Band band, in Block block, int offset)
    {
        var highest = band.MagnitudeBits - 1 - block.MissingPlanes;
        if (highest < 0) throw new InvalidFrameException("A block has no bit-plane.", offset);
        _codedBlocks.Begin(block.Width, block.Height, band.Orientation, (style & ComponentStyle.VerticallyCausal) != 0);
        var pass = 2;       // as if two passes came before the first, so that pass / 3 counts bit-planes and pass % 3 tells the kind
        for (var segment = 0; segment <= block.Segments; segment++)
        {
            var bytes = Join(data, block, segment, 0, out _);
            var passes = PassesOf(block, segment);
            if (passes == 0) break;
            // D.6: with the bypass, from the fifth bit-plane on all passes but the cleanup are raw.
            var isRaw = (style & ComponentStyle.Bypass) != 0 && pass >= 12 && pass % 3 != 2;
            _codedBlocks.BeginSegment(bytes, isRaw);
            for (; passes > 0; passes--, pass++)
            {
                var plane = highest - pass / 3;
                if (plane < 0) throw new InvalidFrameException("A block has more passes than bit-planes.", offset);
                switch (pass % 3)
                {
                    case 0:
                        _codedBlocks.PropagateSignificance(plane, isRaw);
                        break;
                    case 1:
                        _codedBlocks.RefineMagnitudes(plane, isRaw);
                        break;
                    default:
                        _codedBlocks.CleanUp(plane);
                        if ((style & ComponentStyle.SegmentationSymbols) != 0 && !_codedBlocks.ReadSegmentationSymbol()) throw new InvalidFrameException("A block's coding went wrong.", offset);
                        break;
                }
                if ((style & ComponentStyle.ResetContexts) != 0) _codedBlocks.ResetContexts();
            }
        }
        return true;
    }

    /// <summary>The passes of a segment whose packets are there; a chunk without bytes may have passes.</summary>
    private int PassesOf(in Block block, int segment)
    {
        var passes = 0;
        for (var i = block.FirstChunk; i >= 0; i = _layout.Chunks[i].Next)
        {
            if (_layout.Chunks[i].Segment == segment && _layout.Chunks[i].Offset != 0) passes += _layout.Chunks[i].Passes;
        }
        return passes;
    }

    /// <summary>The bytes of a block's codeword segment: as they lie where they are one stretch, else copied together behind <paramref name="used"/> bytes.</summary>
    private ReadOnlySpan<byte> Join(ReadOnlySpan<byte> data, in Block block, int segment, int used, out int passes)
    {
        passes = 0;
        int count = 0, only = -1;
        long length = 0;
        for (var i = block.FirstChunk; i >= 0; i = _layout.Chunks[i].Next)
        {
            ref var chunk = ref _layout.Chunks[i];
            if (chunk.Segment != segment || chunk.Length == 0) continue;
            passes += chunk.Passes;
            length += chunk.Length;
            only = i;
            count++;
        }
        if (count == 0) return default;
        if (count == 1) return data.Slice(_layout.Chunks[only].Offset, _layout.Chunks[only].Length);
        if (_joined.Length < used + length) Array.Resize(ref _joined, (int)Math.Max(used + length, 16_384));
        var at = used;
        for (var i = block.FirstChunk; i >= 0; i = _layout.Chunks[i].Next)
        {
            ref var chunk = ref _layout.Chunks[i];
            if (chunk.Segment != segment || chunk.Length == 0) continue;
            data.Slice(chunk.Offset, chunk.Length).CopyTo(_joined.AsSpan(at));
            at += chunk.Length;
        }
        return _joined.AsSpan(used, (int)length);
    }

    private void Write(int tile, int reduce, in FrameDescription produced, Span<byte> frame)
    {
        int x0 = TileLayout.CeilShift(_headers.X0, reduce), y0 = TileLayout.CeilShift(_headers.Y0, reduce), components = _headers.ComponentCount;
        var resolution = _layout.ResolutionOf(0, _headers.StyleOf(0).Levels - reduce);
        if (resolution.Width == 0 || resolution.Height == 0) return;
        var isReversible = _headers.StyleOf(0).IsReversible;
        fixed (int* a = _planes[0], b = components > 1 ? _planes[1] : null, c = components > 2 ? _planes[2] : null)
        {
            int* first = a + resolution.Offset, second = b, third = c;
            int secondStride = 0, thirdStride = 0;
            if (components > 1) Locate(1, reduce, b, isReversible, resolution, out second, out secondStride);
            if (components > 2) Locate(2, reduce, c, isReversible, resolution, out third, out thirdStride);
            var output = new SampleOutput(produced, _headers.IsSigned(0), isReversible);
            for (var y = 0; y < resolution.Height; y++)
            {
                int* r0 = first + (long)y * resolution.Stride, r1 = second + (long)y * secondStride, r2 = third + (long)y * thirdStride;
                if (_headers.HasComponentTransform && components == 3)
                {
                    if (isReversible) ComponentTransform.InverseReversible(r0, r1, r2, resolution.Width);
                    else ComponentTransform.InverseIrreversible((float*)r0, (float*)r1, (float*)r2, resolution.Width);
                }
                var at = ((long)(resolution.Y0 - y0 + y) * produced.Columns + (resolution.X0 - x0)) * components * produced.BytesPerSample;
                var row = frame.Slice((int)at, resolution.Width * components * produced.BytesPerSample);
                output.Write(r0, row, 0, components, resolution.Width);
                if (components > 1) output.Write(r1, row, 1, components, resolution.Width);
                if (components > 2) output.Write(r2, row, 2, components, resolution.Width);
            }
        }
    }

    private void Locate(int component, int reduce, int* plane, bool isReversible, in Resolution expected, out int* samples, out int stride)
    {
        var style = _headers.StyleOf(component);
        var resolution = _layout.ResolutionOf(component, style.Levels - reduce);
        if (style.IsReversible != isReversible || resolution.Width != expected.Width || resolution.Height != expected.Height) throw new InvalidFrameException("Components of different kinds are not supported.");
        samples = plane + resolution.Offset;
        stride = resolution.Stride;
    }
}
