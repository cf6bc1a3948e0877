using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using Platform.TieredCache;

namespace ImageApi.Frames;

/// <summary>
/// The small value beside a frame: its <see cref="FrameFacts"/>, and the beginning of its progressive form as far as the picture at a quarter, so that a
/// preview of a whole series neither reads nor keeps the frames in memory. Little endian: digest (32), length (8), count of resolutions (4), their ends (8 each),
/// the beginning.
/// </summary>
internal static class FrameHead
{
    /// <summary>At most so much of a stream is kept here: a quarter of 2048 x 2048 is about 250 KB and is read from its frame.</summary>
    public const int MaxPrefixBytes = 64 << 10;

    /// <summary>The resolutions that are left out of what is kept here: half, and all.</summary>
    public const int LevelsLeftOut = 2;

    private const int FixedBytes = Digest256.Size + sizeof(long) + sizeof(int), MaxResolutions = 33;

    /// <summary>How many bytes of a stream with these resolutions are kept.</summary>
    public static int PrefixOf(ImmutableArray<long> ends)
    {
        for (var i = Math.Max(0, ends.Length - 1 - LevelsLeftOut); i >= 0 && ends.Length > 0; i--)
            if (ends[i] <= MaxPrefixBytes) return (int)ends[i];
        return 0;
    }

    public static int LengthOf(FrameFacts facts) => FixedBytes + (facts.ResolutionEnds.Length * sizeof(long));

    public static void Write(FrameFacts facts, IBufferWriter<byte> to)
    {
        var length = LengthOf(facts);
        var span = to.GetSpan(length);
        facts.PixelDigest.CopyTo(span);
        BinaryPrimitives.WriteInt64LittleEndian(span[Digest256.Size..], facts.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span[(Digest256.Size + sizeof(long))..], facts.ResolutionEnds.Length);
        for (var i = 0; i < facts.ResolutionEnds.Length; i++) BinaryPrimitives.WriteInt64LittleEndian(span[(FixedBytes + (i * sizeof(long)))..], facts.ResolutionEnds[i]);
        to.Advance(length);
    }

    /// <summary>The facts, and the beginning of the stream.</summary>
    /// <exception cref="InvalidDataException">The value is none of these.</exception>
    public static FrameFacts Read(ReadOnlySequence<byte> value, out ReadOnlySequence<byte> prefix)
    {
        Span<byte> fixedPart = stackalloc byte[FixedBytes];
        if (value.Length < FixedBytes) throw new InvalidDataException("The head of a frame is too short.");
        value.Slice(0, FixedBytes).CopyTo(fixedPart);
        var count = BinaryPrimitives.ReadInt32LittleEndian(fixedPart[^sizeof(int)..]);
        if (count is < 0 or > MaxResolutions || value.Length < FixedBytes + ((long)count * sizeof(long))) throw new InvalidDataException("The head of a frame tells of too many resolutions.");
        Span<byte> numbers = stackalloc byte[count * sizeof(long)];
        value.Slice(FixedBytes, numbers.Length).CopyTo(numbers);
        var ends = ImmutableArray.CreateBuilder<long>(count);
        for (var i = 0; i < count; i++) ends.Add(BinaryPrimitives.ReadInt64LittleEndian(numbers[(i * sizeof(long))..]));
        prefix = value.Slice(FixedBytes + numbers.Length);
        return new FrameFacts(new Digest256(fixedPart[..Digest256.Size]), BinaryPrimitives.ReadInt64LittleEndian(fixedPart[Digest256.Size..]), ends.DrainToImmutable());
    }
}
