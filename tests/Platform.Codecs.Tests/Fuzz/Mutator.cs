using System.Buffers.Binary;
using Platform.Codecs.Png;

namespace Platform.Codecs.Tests.Fuzz;

/// <summary>
/// Broken streams from good ones, by a random number generator with a seed: what transfers do (bits flipped, stretches lost, repeated,
/// overwritten, the end cut off), and what somebody does who knows the format (segments lie about their lengths, headers about the
/// picture's size, segments are dropped, doubled or exchanged, two streams are spliced).
/// </summary>
internal static class Mutator
{
    /// <summary>A broken stream, of <paramref name="good"/> with something of <paramref name="other"/> perhaps.</summary>
    public static byte[] Mutate(byte[] good, byte[] other, Random random)
    {
        var bytes = new List<byte>(good);
        for (var times = random.Next(1, 4); times > 0 && bytes.Count > 4; times--)
        {
            // Headers are short and matter most: half of the changes go there.
            var at = random.Next(random.Next(2) == 0 ? Math.Min(bytes.Count, 200) : bytes.Count);
            var length = Math.Min(random.Next(1, 20), bytes.Count - at);
            switch (random.Next(12))
            {
                case 0 or 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: for (var i = 0; i < length; i++) bytes[at + i] = (byte)random.Next(256); break;
                case 3: bytes[at] = (byte)(random.Next(3) switch { 0 => 0, 1 => 0xFF, _ => bytes[at] + 1 }); break;
                case 4: bytes.RemoveRange(at, length); break;
                case 5: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                case 6: bytes.RemoveRange(at, bytes.Count - at); break;
                case 7: Splice(bytes, other, at, random); break;
                case 8 or 9: LieInSegment(bytes, random); break;
                case 10: MoveSegment(bytes, random); break;
                default: bytes.InsertRange(at, [0xFF, (byte)random.Next(256), 0, (byte)random.Next(12)]); break;
            }
        }
        return [.. bytes];
    }

    /// <summary>Gives the chunks of a PNG file the checksums that they should have, so that what lies behind is reached.</summary>
    public static void MendChecksums(byte[] file)
    {
        for (var at = 8; at + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            if (length > file.Length - at - 12) return;
            BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(at + 8 + (int)length), PngChunks.Crc(file.AsSpan(at + 4, 4 + (int)length)));
            at += 12 + (int)length;
        }
    }

    private static void Splice(List<byte> bytes, byte[] other, int at, Random random)
    {
        bytes.RemoveRange(at, bytes.Count - at);
        bytes.AddRange(other.AsSpan(random.Next(other.Length)));
    }

    // Numbers of 16 bits in the segment after a marker: its length first, then perhaps what it says of the picture.
    private static void LieInSegment(List<byte> bytes, Random random)
    {
        var segment = AnySegment(bytes, random);
        if (segment < 0) return;
        var at = segment + 2 + (random.Next(3) == 0 ? 0 : random.Next(2, 40));
        if (at + 2 > bytes.Count) return;
        var value = random.Next(6) switch { 0 => 0, 1 => 1, 2 => 0xFFFF, 3 => 0x7FFF, 4 => random.Next(65536), _ => (bytes[at] << 8 | bytes[at + 1]) + random.Next(-3, 4) };
        (bytes[at], bytes[at + 1]) = ((byte)(value >> 8), (byte)value);
    }

    private static void MoveSegment(List<byte> bytes, Random random)
    {
        var from = AnySegment(bytes, random);
        if (from < 0 || from + 4 > bytes.Count) return;
        var length = Math.Min(2 + (bytes[from + 2] << 8 | bytes[from + 3]), bytes.Count - from);
        var segment = bytes.GetRange(from, length);
        if (random.Next(2) == 0) bytes.RemoveRange(from, length);
        if (random.Next(3) == 0) return;
        var to = AnySegment(bytes, random);
        if (to >= 0) bytes.InsertRange(to, segment);
    }

    private static int AnySegment(List<byte> bytes, Random random)
    {
        Span<int> found = stackalloc int[32];
        var count = 0;
        for (var i = 0; i + 1 < bytes.Count && count < found.Length; i++)
        {
            if (bytes[i] == 0xFF && bytes[i + 1] is not (0 or 0xFF)) found[count++] = i;
        }
        return count == 0 ? -1 : found[random.Next(count)];
    }
}
