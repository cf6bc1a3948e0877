using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Platform.TieredCache;

/// <summary>
/// The name of a value: everything derived is a value of (content, recipe). A struct that is compared field by field,
/// so that a hit needs neither strings nor hashing.
/// </summary>
/// <param name="Content">What it was made from (<see cref="ContentId"/>).</param>
/// <param name="Kind">What it is.</param>
/// <param name="Recipe">How it was made.</param>
/// <param name="Index">Which part: the zero-based frame, tile or chunk; 0 where there is one.</param>
public readonly record struct CacheKey(Digest256 Content, EntryKind Kind, RecipeId Recipe, int Index)
{
    // A content digest is uniform, but who chooses contents could choose colliding ones: the seed is this process's secret.
    private static readonly ulong Seed = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)) | 1;

    /// <summary>The size of the binary form in bytes.</summary>
    internal const int Size = Digest256.Size + 1 + RecipeId.Size + 4;

    /// <summary>64 well-mixed bits of the whole key, stable within the process only.</summary>
    internal ulong Hash64
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            var mixed = (Content.First64 ^ Recipe.Low ^ ((ulong)(uint)Index << 8) ^ (byte)Kind) * Seed;
            mixed ^= mixed >> 32;
            mixed *= 0x9E3779B97F4A7C15;
            return mixed ^ (mixed >> 29);
        }
    }

    /// <inheritdoc/>
    public override int GetHashCode() => (int)Hash64;

    /// <summary>Reads what <see cref="CopyTo"/> wrote.</summary>
    internal static CacheKey Read(ReadOnlySpan<byte> bytes) => new(new Digest256(bytes[..Digest256.Size]), (EntryKind)bytes[Digest256.Size],
        RecipeId.Read(bytes[(Digest256.Size + 1)..]), BinaryPrimitives.ReadInt32BigEndian(bytes[(Size - 4)..]));

    /// <summary>Writes the binary form (<see cref="Size"/> bytes), which outer tiers store under and check.</summary>
    internal void CopyTo(Span<byte> destination)
    {
        Content.CopyTo(destination);
        destination[Digest256.Size] = (byte)Kind;
        Recipe.CopyTo(destination[(Digest256.Size + 1)..]);
        BinaryPrimitives.WriteInt32BigEndian(destination[(Size - 4)..], Index);
    }

    /// <summary>The name of the value outside this process: SHA-256 of the binary form, length-prefixed with its purpose.</summary>
    internal Digest256 ToId()
    {
        Span<byte> key = stackalloc byte[Size];
        CopyTo(key);
        var builder = new DigestBuilder(stackalloc byte[128], "k1"u8);
        builder.Add(key);
        return builder.Finish();
    }
}
