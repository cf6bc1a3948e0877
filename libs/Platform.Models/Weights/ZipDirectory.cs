using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Platform.Models;

/// <summary>
/// The members of a zip, with where their bytes are (PKWARE APPNOTE 4.3, zip64 included). Bounded whatever it claims: a directory of at most 32 MB, names once each and without a way out of a folder,
/// stored or deflated, not encrypted.
/// </summary>
internal static class ZipDirectory
{
    private const int EndBytes = 22, LocatorBytes = 20, MaxCommentBytes = 65_535, MaxDirectoryBytes = 32 << 20, MaxMembers = 200_000;
    private const uint EndMark = 0x06054b50, LocatorMark = 0x07064b50, Zip64EndMark = 0x06064b50, EntryMark = 0x02014b50, LocalMark = 0x04034b50;

    /// <summary>Members by name. Folders are left out.</summary>
    public static IReadOnlyDictionary<string, ZipMember> Read(string path, string what)
    {
        using var file = File.OpenHandle(path);
        var fileLength = RandomAccess.GetLength(file);
        var (directoryStart, directoryLength, count) = FindDirectory();
        if (directoryLength > MaxDirectoryBytes || count > MaxMembers) throw Wrong("has too many members");
        var directory = Piece(directoryStart, (int)directoryLength);
        var members = new Dictionary<string, ZipMember>(StringComparer.Ordinal);
        var at = 0;
        for (long i = 0; i < count; i++)
        {
            var entry = directory.AsSpan(at);
            if (entry.Length < 46 || BinaryPrimitives.ReadUInt32LittleEndian(entry) != EntryMark) throw Wrong("has a directory that is cut short");
            var flags = U16(entry, 8);
            var method = U16(entry, 10);
            long packed = U32(entry, 20), length = U32(entry, 24), local = U32(entry, 42);
            int nameLength = U16(entry, 28), extraLength = U16(entry, 30), commentLength = U16(entry, 32);
            if (entry.Length < 46 + nameLength + extraLength + commentLength) throw Wrong("has a directory that is cut short");
            var name = Encoding.UTF8.GetString(entry.Slice(46, nameLength));
            ReadZip64(entry.Slice(46 + nameLength, extraLength), ref length, ref packed, ref local);
            at += 46 + nameLength + extraLength + commentLength;
            if (name.EndsWith('/') && length == 0) continue;
            if (!ManifestReader.IsPath(name)) throw Wrong($"has a member that climbs out of its folder or has no usable name: {Shown(name)}");
            if ((flags & 1) != 0) throw Wrong($"is encrypted: {Shown(name)}");
            if (method is not (0 or 8)) throw Wrong($"has a member of a compression that is not read: {Shown(name)}");
            if (length < 0 || packed < 0 || local < 0 || local > fileLength || packed > fileLength || (method == 0 && packed != length)) throw Wrong($"has a member outside the file: {Shown(name)}");
            // A local header is read when the member is: its length is needed to find the bytes.
            if (!members.TryAdd(name, new ZipMember(name, method == 8, local, packed, length, what))) throw Wrong($"has two members called {Shown(name)}");
        }
        return members;

        (long Start, long Length, long Count) FindDirectory()
        {
            if (fileLength < EndBytes) throw Wrong("is no zip");
            var tailLength = (int)Math.Min(fileLength, EndBytes + MaxCommentBytes + LocatorBytes);
            var tailStart = fileLength - tailLength;
            var tail = Piece(tailStart, tailLength);
            for (var end = tail.Length - EndBytes; end >= 0; end--)
            {
                if (BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end)) != EndMark || end + EndBytes + U16(tail, end + 20) != tail.Length) continue;
                long count = U16(tail, end + 10), length = U32(tail, end + 12), start = U32(tail, end + 16);
                if (end >= LocatorBytes && BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end - LocatorBytes)) == LocatorMark)
                {
                    var wide = BinaryPrimitives.ReadInt64LittleEndian(tail.AsSpan(end - LocatorBytes + 8));
                    if (wide < 0 || wide > fileLength - 56) throw Wrong("has a directory outside the file");
                    var record = Piece(wide, 56);
                    if (BinaryPrimitives.ReadUInt32LittleEndian(record) != Zip64EndMark) throw Wrong("has a directory outside the file");
                    count = BinaryPrimitives.ReadInt64LittleEndian(record.AsSpan(32));
                    length = BinaryPrimitives.ReadInt64LittleEndian(record.AsSpan(40));
                    start = BinaryPrimitives.ReadInt64LittleEndian(record.AsSpan(48));
                }
                if (start < 0 || length < 0 || count < 0 || start > fileLength || length > fileLength - start) throw Wrong("has a directory outside the file");
                return (start, length, count);
            }
            throw Wrong("is no zip");
        }

        byte[] Piece(long offset, int length)
        {
            var bytes = new byte[length];
            for (var done = 0; done < length;)
            {
                var read = RandomAccess.Read(file, bytes.AsSpan(done), offset + done);
                if (read == 0) throw Wrong("ends early");
                done += read;
            }
            return bytes;
        }

        ModelException Wrong(string rule) => ModelException.Invalid($"The {what} {rule}.");
    }

    internal static long DataStart(Microsoft.Win32.SafeHandles.SafeFileHandle file, ZipMember member, string what)
    {
        Span<byte> header = stackalloc byte[30];
        if (RandomAccess.Read(file, header, member.HeaderStart) != header.Length || BinaryPrimitives.ReadUInt32LittleEndian(header) != LocalMark) throw ModelException.Invalid($"The {what} has a member outside the file: {Shown(member.Name)}.");
        var start = member.HeaderStart + 30 + U16(header, 26) + U16(header, 28);
        if (start > RandomAccess.GetLength(file) - member.PackedLength) throw ModelException.Invalid($"The {what} has a member outside the file: {Shown(member.Name)}.");
        return start;
    }

    // APPNOTE 4.5.3: only the fields that do not fit are there, in this order.
    private static void ReadZip64(ReadOnlySpan<byte> extra, ref long length, ref long packed, ref long local)
    {
        while (extra.Length >= 4)
        {
            var size = U16(extra, 2);
            if (size > extra.Length - 4) return;
            if (U16(extra, 0) == 1)
            {
                var field = extra.Slice(4, size);
                Take(ref length, ref field);
                Take(ref packed, ref field);
                Take(ref local, ref field);
                return;
            }
            extra = extra[(4 + size)..];
        }

        static void Take(ref long value, ref ReadOnlySpan<byte> field)
        {
            if (value != uint.MaxValue || field.Length < 8) return;
            value = BinaryPrimitives.ReadInt64LittleEndian(field);
            field = field[8..];
        }
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    internal static string Shown(string name) => new([.. name.Take(100).Select(static letter => char.IsControl(letter) ? '?' : letter)]);
}

/// <summary>A member of a zip.</summary>
internal sealed record ZipMember(string Name, bool IsDeflated, long HeaderStart, long PackedLength, long Length, string What)
{
    /// <summary>A piece of its bytes.</summary>
    public WeightData Piece(string path, long offset, long length)
    {
        if (IsDeflated) return new MadePiece(length, async token => (await ReadAsync(path, WeightLimits.MaxMemoryBytes, token).ConfigureAwait(false)).AsMemory((int)offset, (int)length));
        using var file = File.OpenHandle(path);
        return new FilePiece(path, ZipDirectory.DataStart(file, this, What) + offset, length);
    }

    /// <summary>All of it, in memory.</summary>
    public async Task<byte[]> ReadAsync(string path, int maxBytes, CancellationToken cancellationToken)
    {
        if (Length > maxBytes) throw Wrong("is larger than allowed");
        await using var stream = Open(path);
        var bytes = new byte[Length];
        try
        {
            if (await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) != bytes.Length) throw Wrong("ends early");
        }
        catch (InvalidDataException failure)
        {
            throw ModelException.Invalid($"The {What}'s member {ZipDirectory.Shown(Name)} cannot be inflated.", failure);
        }
        return bytes;
    }

    /// <summary>Its bytes in order; at most <see cref="Length"/> of them are to be read.</summary>
    public Stream Open(string path)
    {
        using var handle = File.OpenHandle(path);
        var start = ZipDirectory.DataStart(handle, this, What);
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 64 << 10) { Position = start };
        var packed = new BoundedStream(file, PackedLength);
        return IsDeflated ? new DeflateStream(packed, CompressionMode.Decompress) : packed;
    }

    private ModelException Wrong(string rule) => ModelException.Invalid($"The {What}'s member {ZipDirectory.Shown(Name)} {rule}.");
}
