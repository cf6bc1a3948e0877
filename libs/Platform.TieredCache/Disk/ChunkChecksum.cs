using System.Numerics;
using System.Runtime.InteropServices;

namespace Platform.TieredCache;

/// <summary>
/// 64 bits over the bytes of a chunk: four CRC-32C in parallel over interleaved words, so that the processor's CRC unit is
/// kept busy, folded by multiplications that lose nothing of a change in one of them. Any change within 32 consecutive bits is
/// found; any other goes unseen with a chance of at most 2^-32. It finds accidents, not forgers: who can write the folder can write checksums.
/// </summary>
internal static class ChunkChecksum
{
    public const int Size = sizeof(ulong);

    /// <param name="bytes">The bytes.</param>
    /// <param name="seed">Different for every chunk of every file, so that a chunk in another's place does not match.</param>
    public static ulong Compute(ReadOnlySpan<byte> bytes, ulong seed)
    {
        var (a, b, c, d) = ((uint)seed, (uint)(seed >> 32), ~(uint)seed, ~(uint)(seed >> 32));
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        var i = 0;
        for (; i + 4 <= words.Length; i += 4)
        {
            a = BitOperations.Crc32C(a, words[i]);
            b = BitOperations.Crc32C(b, words[i + 1]);
            c = BitOperations.Crc32C(c, words[i + 2]);
            d = BitOperations.Crc32C(d, words[i + 3]);
        }

        foreach (var value in bytes[(i * sizeof(ulong))..]) a = BitOperations.Crc32C(a, value);
        d = BitOperations.Crc32C(d, (ulong)bytes.Length);
        return BitOperations.RotateLeft((((ulong)b << 32) | a) * 0x9E3779B97F4A7C15, 31) ^ ((((ulong)d << 32) | c) * 0xD6E8FEB86659FD93);
    }
}
