using System.Buffers;
using Platform.Codecs.Jpeg2000;

namespace Platform.Codecs.Htj2k;

/// <summary>What is to be known of a stream without decoding it.</summary>
public static class Htj2kStream
{
    // A gigasample in blocks of 64 x 64, in some 20 MB: the size that a stream claims may be a lie.
    private const int MostBlocks = 1 << 18;

    /// <summary>
    /// The length of the prefix that holds each resolution, smallest first, as <see cref="Htj2kFrameEncoder"/> tells of its own streams.
    /// The last is the stream's length. Of any stream of JPEG 2000, whoever made it.
    /// </summary>
    /// <param name="stream">The stream. Its beginning is enough where the main header tells the lengths of tile-parts (TLM) that are one resolution each.</param>
    /// <returns>
    /// None where the resolutions do not come one after the other: several tiles, another progression, one that changes; or where the
    /// beginning does not tell.
    /// </returns>
    /// <exception cref="InvalidFrameException">The stream is broken, or claims more than 262,144 blocks.</exception>
    public static long[] ReadResolutionEnds(ReadOnlySequence<byte> stream)
    {
        using var pooled = PooledBytes.Contiguous(stream, out var data);
        var headers = new CodestreamHeaders();
        headers.ReadMain(data);
        if (headers.TileCount != 1) return [];
        headers.ReadTile(data, 0);
        var progression = headers.DefaultProgression.Order;
        if (headers.Progressions.Count > 0 || !(progression is ProgressionOrder.Rlcp or ProgressionOrder.Rpcl || (progression == ProgressionOrder.Lrcp && headers.Layers == 1))) return [];
        var resolutions = headers.StyleOf(0).Levels + 1;
        for (var i = 1; i < headers.ComponentCount; i++) if (headers.StyleOf(i).Levels + 1 != resolutions) return [];

        var layout = new TileLayout();
        layout.Build(headers, 0, 0, headers.TileParts[0].Start, MostBlocks);
        if (FromTilePartLengths(headers, layout, resolutions) is { } told) return told;

        var ends = new List<long>();
        new PacketReader(data, headers, layout, new PacketOrder(), 0) { ResolutionEnds = ends }.ReadAll(mayBeCut: true, CancellationToken.None);
        if (ends.Count != resolutions) return [];
        ends[^1] = data.Length;
        return [.. ends];
    }

    /// <summary>Null where TLM is missing, or where a tile-part that is there is not one resolution by its PLT.</summary>
    private static long[]? FromTilePartLengths(CodestreamHeaders headers, TileLayout layout, int resolutions)
    {
        if (headers.TilePartLengths.Count != resolutions) return null;
        for (var part = 0; part < Math.Min(headers.TileParts.Count, resolutions); part++)
        {
            var packets = 0;
            for (var c = 0; c < headers.ComponentCount; c++) packets += layout.ResolutionOf(c, part).PrecinctColumns * layout.ResolutionOf(c, part).PrecinctRows * headers.Layers;
            if (headers.TileParts[part].Packets != packets) return null;
        }
        var ends = new long[resolutions];
        long at = headers.TileParts[0].Start;
        for (var r = 0; r < resolutions; r++) ends[r] = at += headers.TilePartLengths[r];
        ends[^1] += 2; // EOC
        return ends;
    }
}
