using System.Buffers.Binary;

namespace Platform.Dicom.Pixels;

public sealed partial class FrameIndex
{
    private const int MaxFragments = 8_000_000;
    private const uint ItemTag = 0xE000FFFE, SequenceDelimitation = 0xE0DDFFFE;     // as read in little endian

    /// <summary>
    /// Finds the frames of a file; null where it has no pixel data. Of native pixels nothing is read; of encapsulated ones the offset tables
    /// and the headers of fragments, and only where those do not tell frames apart a few bytes at their ends (PS3.5 A.4).
    /// Throws <see cref="DicomParseException"/> where the frames cannot be told.
    /// </summary>
    /// <param name="source">What the file was read from; for a deflated file see <see cref="DicomSource.FromFile"/>.</param>
    /// <param name="file">The file, read with or without its pixels.</param>
    public static async ValueTask<FrameIndex?> ReadAsync(DicomSource source, DicomFile file, CancellationToken cancellationToken = default)
    {
        if (file.PixelData is not { } pixels) return null;
        var isDeflated = file.TransferSyntax.IsDeflated;
        var isDescribed = PixelDescription.TryRead(file.Dataset, out var description);
        if (pixels.Length is { } length)
        {
            if (pixels.Tag.Element is 0x0008 or 0x0009) description = description with { BitsAllocated = pixels.Tag.Element == 0x0008 ? 32 : 64 };
            else if (!isDescribed) throw new DicomParseException("Rows, columns or bits of the pixel data are not given.", pixels.Offset, pixels.Tag);
            if (description.Rows == 0 || description.Columns == 0) throw new DicomParseException("Rows or columns of the pixel data are not given.", pixels.Offset, pixels.Tag);
            return new FrameIndex(description.FrameCount, pixels.Offset, length, description.FrameBits, UnitOf(pixels.Vr, description.BitsAllocated), file.TransferSyntax.IsBigEndian, isDeflated);
        }

        var frameCount = IsVideo(file.TransferSyntax) ? 1 : Math.Max(1, description.FrameCount);
        var scan = new FragmentScan(source, pixels.Offset);
        var offsets = await scan.ReadBasicOffsetsAsync(cancellationToken).ConfigureAwait(false);
        if (await ReadExtendedAsync(source, file, frameCount, scan.FirstFragment, cancellationToken).ConfigureAwait(false) is { } extended)
            return new FrameIndex(extended, null, isDeflated);

        await scan.ReadFragmentsAsync(withEnds: false, cancellationToken).ConfigureAwait(false);
        var fragments = scan.Fragments.ToArray();
        if (fragments.Length == 0) throw new DicomParseException("Encapsulated pixel data hold no fragment.", pixels.Offset, pixels.Tag);
        if (fragments.Length == frameCount) return new FrameIndex(fragments, null, isDeflated);
        if (frameCount == 1) return new FrameIndex(fragments, [0, fragments.Length], isDeflated);
        if (fragments.Length < frameCount) throw new DicomParseException($"There are {fragments.Length} fragments for {frameCount} frames.", pixels.Offset, pixels.Tag);

        if (offsets.Length == frameCount && FirstsFromOffsets(offsets, fragments, scan.FirstFragment) is { } told) return new FrameIndex(fragments, told, isDeflated);
        await scan.ReadFragmentsAsync(withEnds: true, cancellationToken).ConfigureAwait(false);
        var firsts = scan.FirstsFromStreams(frameCount)
            ?? throw new DicomParseException($"Which of {fragments.Length} fragments belong to which of {frameCount} frames cannot be told.", pixels.Offset, pixels.Tag);
        return new FrameIndex(fragments, firsts, isDeflated);
    }

    // OW is swapped by words even where pixels are bytes or bits (PS3.5 A.3); wider pixels are swapped whole.
    private static int UnitOf(DicomVr vr, int bitsAllocated) => bitsAllocated switch
    {
        16 => 2,
        32 => 4,
        64 => 8,
        _ => vr.UnitBytes,
    };

    private static bool IsVideo(DicomTransferSyntax syntax) => syntax.Uid.StartsWith("1.2.840.10008.1.2.4.10", StringComparison.Ordinal);

    private static int[]? FirstsFromOffsets(uint[] offsets, FrameSegment[] fragments, long origin)
    {
        var firsts = new int[offsets.Length + 1];
        firsts[^1] = fragments.Length;
        for (int frame = 0, fragment = 0; frame < offsets.Length; frame++)
        {
            while (fragment < fragments.Length && fragments[fragment].Offset - 8 - origin < offsets[frame]) fragment++;
            if (fragment == fragments.Length || fragments[fragment].Offset - 8 - origin != offsets[frame]) return null;
            if (frame > 0 && fragment <= firsts[frame - 1]) return null;
            firsts[frame] = fragment;
        }
        return firsts[0] == 0 ? firsts : null;
    }

    // The extended offset table (PS3.3 C.7.6.3.1.8): one fragment a frame, where each is and how long without padding.
    private static async ValueTask<FrameSegment[]?> ReadExtendedAsync(DicomSource source, DicomFile file, int frameCount, long origin, CancellationToken cancellationToken)
    {
        if (!file.Dataset.TryGetElement(DicomTags.ExtendedOffsetTable, out var offsets) || !file.Dataset.TryGetElement(DicomTags.ExtendedOffsetTableLengths, out var lengths)) return null;
        if (offsets.Length != 8L * frameCount || lengths.Length != 8L * frameCount || frameCount > MaxFragments) return null;
        var offsetBytes = await BytesOfAsync(source, offsets, cancellationToken).ConfigureAwait(false);
        var lengthBytes = await BytesOfAsync(source, lengths, cancellationToken).ConfigureAwait(false);
        var frames = new FrameSegment[frameCount];
        var header = new byte[8];
        var end = origin;
        for (var i = 0; i < frameCount; i++)
        {
            var offset = BinaryPrimitives.ReadUInt64LittleEndian(offsetBytes.Span[(8 * i)..]);
            var length = BinaryPrimitives.ReadUInt64LittleEndian(lengthBytes.Span[(8 * i)..]);
            if (offset > long.MaxValue / 4 || length >= uint.MaxValue) return null;
            var at = origin + (long)offset;
            if (at < end) return null;
            // A table that lies would serve a stretch of something else: each entry must point at a fragment of just that length.
            if (await source.ReadAsync(at, header, cancellationToken).ConfigureAwait(false) < 8) return null;
            var stored = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4));
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) != ItemTag || stored < length || stored > length + 1) return null;
            frames[i] = new FrameSegment(at + 8, (long)length);
            end = at + 8 + stored;
        }
        return frames;
    }

    private static async ValueTask<ReadOnlyMemory<byte>> BytesOfAsync(DicomSource source, DicomElement element, CancellationToken cancellationToken)
    {
        if (!element.IsDeferred) return element.Value;
        var bytes = new byte[element.Length];
        var read = await source.ReadAsync(element.Offset, bytes, cancellationToken).ConfigureAwait(false);
        return read == bytes.Length ? bytes : throw new DicomParseException("The source ends before a value does.", element.Offset, element.Tag);
    }

    /// <summary>Walks over the items of encapsulated pixel data, little endian always, one small read each.</summary>
    private sealed class FragmentScan(DicomSource source, long start)
    {
        private const int PeekBytes = 16;

        private readonly List<bool> _begins = [], _ends = [];   // by fragment: a stream begins, ends with it
        private readonly byte[] _window = new byte[2 * PeekBytes + 8];

        public List<FrameSegment> Fragments { get; } = [];

        /// <summary>Where the first fragment's header is; offset tables count from there.</summary>
        public long FirstFragment { get; private set; }

        public async ValueTask<uint[]> ReadBasicOffsetsAsync(CancellationToken cancellationToken)
        {
            if (await source.ReadAsync(start, _window.AsMemory(0, 8), cancellationToken).ConfigureAwait(false) < 8) throw Broken("The source ends before the basic offset table does.", start);
            var length = BinaryPrimitives.ReadUInt32LittleEndian(_window.AsSpan(4));
            if (BinaryPrimitives.ReadUInt32LittleEndian(_window) != ItemTag || length > 4L * MaxFragments) throw Broken("Encapsulated pixel data do not begin with a basic offset table.", start);
            if (source.Length is { } known && start + 8 + length > known) throw Broken("The source ends before the basic offset table does.", start);
            FirstFragment = start + 8 + length;
            if (length == 0 || length % 4 != 0) return [];
            var bytes = new byte[length];
            if (await source.ReadAsync(start + 8, bytes, cancellationToken).ConfigureAwait(false) < bytes.Length) throw Broken("The source ends before the basic offset table does.", start);
            var offsets = new uint[length / 4];
            for (var i = 0; i < offsets.Length; i++) offsets[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4 * i));
            return offsets;
        }

        /// <summary>Reads every fragment's header, and with it the end of the fragment before and its own beginning when asked for.</summary>
        public async ValueTask ReadFragmentsAsync(bool withEnds, CancellationToken cancellationToken)
        {
            Fragments.Clear();
            _begins.Clear();
            _ends.Clear();
            var at = FirstFragment;
            long lastLength = 0;
            while (true)
            {
                var before = withEnds ? (int)Math.Min(PeekBytes, lastLength) : 0;
                var read = await source.ReadAsync(at - before, _window.AsMemory(0, before + 8 + (withEnds ? PeekBytes : 0)), cancellationToken).ConfigureAwait(false);
                if (withEnds && Fragments.Count > 0) _ends.Add(EndsStream(_window.AsSpan(0, Math.Min(before, read))));
                if (read < before + 8) return;      // cut off: what is missing shows when it is read
                var tag = BinaryPrimitives.ReadUInt32LittleEndian(_window.AsSpan(before));
                if (tag == SequenceDelimitation) return;
                var length = BinaryPrimitives.ReadUInt32LittleEndian(_window.AsSpan(before + 4));
                if (tag != ItemTag || length == uint.MaxValue) throw Broken("Encapsulated pixel data hold something that is no fragment.", at);
                if (Fragments.Count == MaxFragments) throw Broken("There are more fragments than the limit.", at);
                if (withEnds) _begins.Add(BeginsStream(_window.AsSpan(before + 8, (int)Math.Min(read - before - 8, length))));
                Fragments.Add(new FrameSegment(at + 8, length));
                lastLength = length;
                at += 8 + length;
            }
        }

        /// <summary>
        /// The first fragment of each frame, by where compressed streams begin and end: by both, else by the one that gives the right number.
        /// </summary>
        public int[]? FirstsFromStreams(int frameCount) =>
            Firsts(frameCount, i => _begins[i] && _ends[i - 1]) ?? Firsts(frameCount, i => _ends[i - 1]) ?? Firsts(frameCount, i => _begins[i]);

        private int[]? Firsts(int frameCount, Func<int, bool> isFirst)
        {
            var firsts = new List<int>(frameCount + 1) { 0 };
            for (var i = 1; i < Fragments.Count && firsts.Count <= frameCount; i++)
            {
                if (isFirst(i)) firsts.Add(i);
            }
            if (firsts.Count != frameCount) return null;
            firsts.Add(Fragments.Count);
            return [.. firsts];
        }

        // JPEG and JPEG-LS begin with SOI, JPEG 2000 with SOC and SIZ, JPEG XL with its own, RLE with a count of segments and the first's place.
        private static bool BeginsStream(ReadOnlySpan<byte> head) =>
            head.StartsWith(Soi) || head.StartsWith(SocSiz) || head.StartsWith(JxlStream) || head.StartsWith(JxlBox)
            || (head.Length >= 8 && BinaryPrimitives.ReadUInt32LittleEndian(head) is >= 1 and <= 15 && BinaryPrimitives.ReadUInt32LittleEndian(head[4..]) == 64);

        // EOI and EOC are the same marker; what may follow is padding.
        private static bool EndsStream(ReadOnlySpan<byte> tail) => tail.LastIndexOf(EndMarker) >= 0;

        private static ReadOnlySpan<byte> Soi => [0xFF, 0xD8, 0xFF];
        private static ReadOnlySpan<byte> SocSiz => [0xFF, 0x4F, 0xFF, 0x51];
        private static ReadOnlySpan<byte> JxlStream => [0xFF, 0x0A];
        private static ReadOnlySpan<byte> JxlBox => [0, 0, 0, 0x0C, (byte)'J', (byte)'X', (byte)'L', (byte)' '];
        private static ReadOnlySpan<byte> EndMarker => [0xFF, 0xD9];

        private static DicomParseException Broken(string message, long at) => new(message, at, PixelDataTag);
    }
}
