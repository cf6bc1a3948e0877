using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Cli.Import;

/// <summary>A file to send, as it was found.</summary>
internal sealed record ImportFile(string Path, long LengthBytes, DateTime ModifiedUtc, string? SopInstanceUid)
{
    /// <summary>Which file in which state: of its path, length and modification time. Says nothing to who reads it.</summary>
    public UInt128 Key { get; } = MakeKey(Path, LengthBytes, ModifiedUtc);

    private static UInt128 MakeKey(string path, long lengthBytes, DateTime modifiedUtc)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> numbers = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(numbers, lengthBytes);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], modifiedUtc.Ticks);
        hash.AppendData(numbers);
        hash.AppendData(MemoryMarshal.AsBytes(path.AsSpan()));
        Span<byte> digest = stackalloc byte[32];
        hash.GetHashAndReset(digest);
        return BinaryPrimitives.ReadUInt128BigEndian(digest);
    }
}
