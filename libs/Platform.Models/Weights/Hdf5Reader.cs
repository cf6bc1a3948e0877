using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;

namespace Platform.Models;

/// <summary>
/// Reads the numeric datasets of an HDF5 file as h5py writes them by default (File Format Specification 3.0): superblocks 0 to 3, groups as symbol tables or as links in their header, contiguous, compact
/// and chunked datasets, chunks deflated and shuffled. What lies elsewhere (dense links, other filters, big endian numbers, virtual and external data) is refused by name. Every address is held
/// to the file, every object is visited once.
/// </summary>
internal sealed class Hdf5Reader : IDisposable
{
    private const int MaxObjects = WeightLimits.MaxTensors, MaxDepth = 32, MaxHeaderBytes = 1 << 20, MaxContinuations = 256, MaxTreeNodes = 1_000_000;
    private const int MaxHeapBytes = 64 << 20;

    private readonly string _path;
    private readonly Microsoft.Win32.SafeHandles.SafeFileHandle _file;
    private readonly long _length;
    private readonly List<WeightTensor> _tensors = [];
    private readonly HashSet<long> _seen = [];
    private long _base;
    private int _treeNodes;

    private Hdf5Reader(string path)
    {
        _path = path;
        _file = File.OpenHandle(path);
        _length = RandomAccess.GetLength(_file);
    }

    public static IReadOnlyList<WeightTensor> Read(string path, CancellationToken cancellationToken)
    {
        using var reader = new Hdf5Reader(path);
        reader.ReadObject(reader.FindRoot(), "", 0, cancellationToken);
        return reader._tensors.Count > 0 ? reader._tensors : throw Wrong("has no datasets");
    }

    public void Dispose() => _file.Dispose();

    // II: the superblock is at 0, 512, 1024, ...
    private long FindRoot()
    {
        for (long at = 0; at + 96 <= _length; at = at == 0 ? 512 : at * 2)
        {
            var block = Bytes(at, 96);
            if (!block.AsSpan(0, 8).SequenceEqual((ReadOnlySpan<byte>)[0x89, (byte)'H', (byte)'D', (byte)'F', 0x0D, 0x0A, 0x1A, 0x0A])) continue;
            _base = at;
            var version = block[8];
            var (offsets, lengths) = version < 2 ? (block[13], block[14]) : (block[9], block[10]);
            if (offsets != 8 || lengths != 8) throw Wrong("has addresses that are not of 8 bytes");
            return version switch
            {
                0 => I64(block, 64),
                1 => I64(block, 68),
                2 or 3 => I64(block, 36),
                _ => throw Wrong("is of a version that is not read"),
            };
        }
        throw Wrong("is none");
    }

    private void ReadObject(long address, string name, int depth, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (depth > MaxDepth || _seen.Count > MaxObjects) throw Wrong("nests too deep or has too many objects");
        if (name.Length > WeightLimits.MaxNameLength) throw Wrong("has a name that is too long");
        // A second link to an object, or a way back up: read once.
        if (!_seen.Add(address)) return;
        var messages = ReadMessages(address);
        if (messages.FirstOrDefault(static message => message.Type == 0x11) is { Body: not null } table)
        {
            ReadSymbolTable(I64(Check(table.Body, 16), 0), I64(table.Body, 8), name, depth, cancellationToken);
            return;
        }
        if (messages.Exists(static message => message.Type == 0x08))
        {
            if (ReadDataset(messages, name) is { } tensor) _tensors.Add(tensor);
            return;
        }
        foreach (var (type, body) in messages)
        {
            if (type == 0x06) ReadLink(body, name, depth, cancellationToken);
            // IV.A.2.c: a heap's address says that links lie there.
            if (type == 0x02 && Check(body, 2)[1] is var flags && I64(Check(body, 2 + ((flags & 1) != 0 ? 8 : 0) + 8), 2 + ((flags & 1) != 0 ? 8 : 0)) != -1)
                throw Wrong("keeps a group's links in a heap, which is not read: write it with h5py's defaults");
        }
    }

    // III.A.1, III.B, III.D
    private void ReadSymbolTable(long treeAddress, long heapAddress, string group, int depth, CancellationToken cancellationToken)
    {
        var heap = Bytes(heapAddress, 32);
        if (!heap.AsSpan(0, 4).SequenceEqual("HEAP"u8)) throw Wrong("has no heap where one is named");
        var names = I64(heap, 8) is >= 0 and <= MaxHeapBytes and var size ? Bytes(I64(heap, 24), (int)size) : throw Wrong("has too many names");
        Visit(treeAddress, 0);

        void Visit(long address, int level)
        {
            if (++_treeNodes > MaxTreeNodes || level > MaxDepth || !_seen.Add(address)) throw Wrong("has a tree that is too large or holds itself");
            var head = Bytes(address, 24);
            if (!head.AsSpan(0, 4).SequenceEqual("TREE"u8) || head[4] != 0) throw Wrong("has no tree where one is named");
            var count = U16(head, 6);
            var entries = Bytes(address + 24, count * 16 + 8);
            for (var i = 0; i < count; i++)
            {
                var child = I64(entries, i * 16 + 8);
                if (head[5] > 0) Visit(child, level + 1);
                else ReadNode(child);
            }
        }

        void ReadNode(long address)
        {
            var head = Bytes(address, 8);
            if (!head.AsSpan(0, 4).SequenceEqual("SNOD"u8)) throw Wrong("has no symbols where some are named");
            var entries = Bytes(address + 8, U16(head, 6) * 40);
            for (var at = 0; at < entries.Length; at += 40)
            {
                // II.C: a soft link points to a name: what it names is read where it is.
                if (U32(entries, at + 16) == 2) continue;
                var nameAt = I64(entries, at);
                if (nameAt < 0 || nameAt >= names.Length) throw Wrong("has a name outside its heap");
                var end = names.AsSpan((int)nameAt).IndexOf((byte)0);
                if (end < 0) throw Wrong("has a name without an end");
                ReadObject(I64(entries, at + 8), Join(group, Encoding.UTF8.GetString(names, (int)nameAt, end)), depth + 1, cancellationToken);
            }
        }
    }

    // IV.A.2.g
    private void ReadLink(byte[] body, string group, int depth, CancellationToken cancellationToken)
    {
        var flags = Check(body, 2)[1];
        var at = 2;
        var kind = (flags & 8) != 0 ? Check(body, at + 1)[at++] : 0;
        if ((flags & 4) != 0) at += 8;
        if ((flags & 16) != 0) at++;
        var width = 1 << (flags & 3);
        Check(body, at + width);
        long length = 0;
        for (var i = width - 1; i >= 0; i--) length = length << 8 | body[at + i];
        at += width;
        if (length is <= 0 or > WeightLimits.MaxNameLength) throw Wrong("has a link without a name");
        Check(body, at + (int)length);
        var name = Encoding.UTF8.GetString(body, at, (int)length);
        at += (int)length;
        if (kind == 0) ReadObject(I64(Check(body, at + 8), at), Join(group, name), depth + 1, cancellationToken);
    }

    /// <summary>The messages of an object's header, continuations followed (IV.A.1).</summary>
    private List<(int Type, byte[] Body)> ReadMessages(long address)
    {
        var messages = new List<(int, byte[])>();
        var start = Bytes(address, 16);
        var isNew = start.AsSpan(0, 4).SequenceEqual("OHDR"u8);
        var blocks = new Queue<(long Address, long Length)>();
        var flags = 0;
        if (isNew)
        {
            flags = start[5];
            var at = 6 + ((flags & 32) != 0 ? 16 : 0) + ((flags & 16) != 0 ? 4 : 0);
            var width = 1 << (flags & 3);
            var head = Bytes(address, at + width);
            long size = 0;
            for (var i = width - 1; i >= 0; i--) size = size << 8 | head[at + i];
            blocks.Enqueue((address + at + width, size));
        }
        else
        {
            if (start[0] != 1) throw Wrong("has no object where one is named");
            blocks.Enqueue((address + 16, U32(start, 8)));
        }

        for (var count = 0; blocks.TryDequeue(out var block); count++)
        {
            if (count == MaxContinuations || block.Length is < 0 or > MaxHeaderBytes) throw Wrong("has an object header that is too large");
            var bytes = Bytes(block.Address, (int)block.Length);
            var at = 0;
            if (isNew && count > 0)
            {
                if (bytes.Length < 8 || !bytes.AsSpan(0, 4).SequenceEqual("OCHK"u8)) throw Wrong("has no continuation where one is named");
                (at, bytes) = (4, bytes[..^4]);   // its checksum
            }
            var headBytes = isNew ? 4 + ((flags & 4) != 0 ? 2 : 0) : 8;
            while (at + headBytes <= bytes.Length)
            {
                var type = isNew ? bytes[at] : U16(bytes, at);
                var size = U16(bytes, at + (isNew ? 1 : 2));
                var messageFlags = bytes[at + (isNew ? 3 : 4)];
                at += headBytes;
                if (size > bytes.Length - at) throw Wrong("has a message that is cut short");
                if ((messageFlags & 2) != 0 && type is 0x01 or 0x03 or 0x08 or 0x0B) throw Wrong("shares messages between objects, which is not read");
                var body = bytes.AsSpan(at, size).ToArray();
                at += size;
                if (type == 0x10) blocks.Enqueue((I64(Check(body, 16), 0), I64(body, 8)));
                else if (messages.Count < 4096) messages.Add((type, body));
                else throw Wrong("has an object header that is too large");
            }
        }
        return messages;
    }

    private WeightTensor? ReadDataset(List<(int Type, byte[] Body)> messages, string name)
    {
        byte[] Needed(int type) => messages.Find(message => message.Type == type).Body ?? throw Bad("lacks its type, shape or place");
        if (ElementOf(Needed(0x03)) is not { } element) return null;   // texts and the like
        var shape = ShapeOf(Needed(0x01));
        var bytes = WeightTensor.BytesOf(element, shape);
        var layout = Needed(0x08);
        if (Check(layout, 2)[0] is not (3 or 4)) throw Bad("has a layout of a version that is not read");
        var filters = messages.Find(static message => message.Type == 0x0B).Body is { } pipeline ? FiltersOf(pipeline) : [];
        WeightData data;
        switch (layout[1])
        {
            case 0:
                int size = U16(Check(layout, 4), 2);
                if (size != bytes) throw Bad("has other bytes than its shape asks for");
                data = new MemoryPiece(Check(layout, 4 + size).AsMemory(4, size));
                break;
            case 1:
                var (address, length) = (I64(Check(layout, 18), 2), I64(layout, 10));
                if (bytes == 0) data = new MemoryPiece(default);
                else if (address == -1) data = new MadePiece(bytes, _ => Task.FromResult<ReadOnlyMemory<byte>>(new byte[bytes]));   // never written: zeros
                else if (length != bytes || !IsInside(address, bytes)) throw Bad("has other bytes than its shape asks for");
                else data = new FilePiece(_path, _base + address, bytes);
                if (address == -1 && bytes > WeightLimits.MaxMemoryBytes) throw Bad("is larger than allowed");
                break;
            case 2 when layout[0] == 3:
                data = Chunked(layout);
                break;
            default:
                throw Bad("has a layout that is not read: write it with h5py's defaults");
        }
        return new WeightTensor(Unescape(name), element, shape, data);

        MadePiece Chunked(byte[] body)
        {
            var rank = shape.Length;
            if (Check(body, 3)[2] != rank + 1) throw Bad("has chunks of another rank");
            Check(body, 11 + 4 * (rank + 1));
            var tree = I64(body, 3);
            var chunk = Enumerable.Range(0, rank).Select(i => (long)U32(body, 11 + 4 * i)).ToArray();
            if (U32(body, 11 + 4 * rank) != element.Size() || chunk.Contains(0)) throw Bad("has chunks that are none");
            var chunkBytes = WeightTensor.BytesOf(element, [.. chunk]);
            if (bytes > WeightLimits.MaxMemoryBytes || chunkBytes > WeightLimits.MaxMemoryBytes) throw Bad("is larger than a chunked dataset may be");
            var chunks = new List<(long[] At, long Address, int Stored, uint Mask)>();
            if (tree != -1 && bytes > 0) VisitChunks(tree, rank, chunks, 0);
            return new MadePiece(bytes, async token =>
            {
                var all = new byte[bytes];
                foreach (var (at, address, stored, mask) in chunks)
                    Place(all, await UnpackAsync(address, stored, mask, (int)chunkBytes, filters, element.Size(), token).ConfigureAwait(false), at, chunk, shape, element.Size());
                return all;
            });
        }

        ModelException Bad(string rule) => ModelException.Invalid($"The HDF5 file's {name} {rule}.");
    }

    // III.A.1, node type 1
    private void VisitChunks(long address, int rank, List<(long[] At, long Address, int Stored, uint Mask)> chunks, int level)
    {
        if (++_treeNodes > MaxTreeNodes || level > MaxDepth || !_seen.Add(address)) throw Wrong("has a tree that is too large or holds itself");
        var head = Bytes(address, 24);
        if (!head.AsSpan(0, 4).SequenceEqual("TREE"u8) || head[4] != 1) throw Wrong("has no tree where one is named");
        var keyBytes = 8 + 8 * (rank + 1);
        var count = U16(head, 6);
        var entries = Bytes(address + 24, count * (keyBytes + 8) + keyBytes);
        for (var i = 0; i < count; i++)
        {
            var at = i * (keyBytes + 8);
            var child = I64(entries, at + keyBytes);
            if (head[5] > 0)
            {
                VisitChunks(child, rank, chunks, level + 1);
                continue;
            }
            var stored = U32(entries, at);
            if (stored > WeightLimits.MaxMemoryBytes || !IsInside(child, stored)) throw Wrong("has a chunk outside the file");
            if (chunks.Count == MaxTreeNodes) throw Wrong("has too many chunks");
            chunks.Add(([.. Enumerable.Range(0, rank).Select(dimension => I64(entries, at + 8 + 8 * dimension))], child, (int)stored, U32(entries, at + 4)));
        }
    }

    private async Task<byte[]> UnpackAsync(long address, int stored, uint mask, int chunkBytes, int[] filters, int elementSize, CancellationToken cancellationToken)
    {
        var bytes = await new FilePiece(_path, _base + address, stored).ToArrayAsync(cancellationToken).ConfigureAwait(false);
        for (var i = filters.Length - 1; i >= 0; i--)
        {
            if ((mask & 1u << i) != 0) continue;
            bytes = filters[i] == 1 ? await InflateAsync(bytes, chunkBytes, cancellationToken).ConfigureAwait(false) : Unshuffle(bytes, elementSize);
        }
        return bytes.Length == chunkBytes ? bytes : throw Wrong("has a chunk of another length than its shape asks for");
    }

    private static async Task<byte[]> InflateAsync(byte[] packed, int length, CancellationToken cancellationToken)
    {
        var bytes = new byte[length];
        try
        {
            await using var inflate = new ZLibStream(new MemoryStream(packed), CompressionMode.Decompress);
            if (await inflate.ReadAtLeastAsync(bytes, length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) == length) return bytes;
        }
        catch (InvalidDataException)
        {
        }
        throw Wrong("has a chunk that cannot be inflated");
    }

    private static byte[] Unshuffle(byte[] shuffled, int size)
    {
        var bytes = new byte[shuffled.Length];
        var count = shuffled.Length / size;
        for (var plane = 0; plane < size; plane++)
            for (var i = 0; i < count; i++) bytes[i * size + plane] = shuffled[plane * count + i];
        shuffled.AsSpan(count * size).CopyTo(bytes.AsSpan(count * size));
        return bytes;
    }

    private static void Place(byte[] all, byte[] piece, long[] at, long[] chunk, ImmutableArray<long> shape, int size)
    {
        var rank = chunk.Length;
        for (var i = 0; i < rank; i++)
            if (at[i] < 0 || at[i] >= shape[i] || at[i] % chunk[i] != 0) throw Wrong("has a chunk at no place");
        var last = rank - 1;
        var rowBytes = (int)(Math.Min(chunk[last], shape[last] - at[last]) * size);
        var index = new long[rank];
        while (true)
        {
            long from = 0, to = 0;
            for (var i = 0; i < rank; i++)
            {
                from = from * chunk[i] + index[i];
                to = to * shape[i] + at[i] + index[i];
            }
            piece.AsSpan((int)(from * size), rowBytes).CopyTo(all.AsSpan((int)(to * size)));
            var dimension = last - 1;
            for (; dimension >= 0; dimension--)
            {
                if (++index[dimension] < chunk[dimension] && at[dimension] + index[dimension] < shape[dimension]) break;
                index[dimension] = 0;
            }
            if (dimension < 0) return;
        }
    }

    // IV.A.2.l: 1 deflate, 2 shuffle.
    private static int[] FiltersOf(byte[] body)
    {
        var (version, count) = (Check(body, 2)[0], body[1]);
        var filters = new int[count];
        var at = version == 1 ? 8 : 2;
        for (var i = 0; i < count; i++)
        {
            int id = U16(Check(body, at + 2), at);
            at += 2;
            var nameLength = version == 1 || id >= 256 ? U16(Check(body, at + 2), at) : 0;
            if (version == 1 || id >= 256) at += 2;
            var values = U16(Check(body, at + 4), at + 2);
            at += 4 + (version == 1 ? nameLength + 7 & ~7 : nameLength) + values * 4 + (version == 1 && values % 2 != 0 ? 4 : 0);
            filters[i] = id is 1 or 2 ? id : throw Wrong($"uses the filter {id}, which is not read: gzip and shuffle are");
        }
        return filters;
    }

    // IV.A.2.b
    private static ImmutableArray<long> ShapeOf(byte[] body)
    {
        var (version, rank) = (Check(body, 4)[0], body[1]);
        if (version is not (1 or 2) || rank > WeightLimits.MaxRank) throw Wrong("has a shape that is not read");
        if (version == 2 && body[3] == 2) throw Wrong("has a dataset without values");
        var at = version == 1 ? 8 : 4;
        Check(body, at + 8 * rank);
        return [.. Enumerable.Range(0, rank).Select(i => I64(body, at + 8 * i))];
    }

    // IV.A.2.d; null for what is no number.
    private static TensorElement? ElementOf(byte[] body)
    {
        var (kind, bits, size) = (Check(body, 8)[0] & 15, body[1], U32(body, 4));
        switch (kind)
        {
            case 0:
                if ((bits & 1) != 0 && size > 1) throw Wrong("has big endian numbers, which are not read");
                if (U16(Check(body, 12), 8) != 0 || U16(body, 10) != 8 * size) return null;
                return (size, (bits & 8) != 0) switch
                {
                    (1, true) => TensorElement.Int8,
                    (1, false) => TensorElement.UInt8,
                    (2, true) => TensorElement.Int16,
                    (2, false) => TensorElement.UInt16,
                    (4, true) => TensorElement.Int32,
                    (4, false) => TensorElement.UInt32,
                    (8, true) => TensorElement.Int64,
                    (8, false) => TensorElement.UInt64,
                    _ => null,
                };
            case 1:
                if ((bits & 0x41) != 0) throw Wrong("has big endian numbers, which are not read");
                Check(body, 20);
                // Offset, precision, exponent and mantissa as IEEE 754 has them.
                return (size, body[12], body[13], body[15], U32(body, 16)) switch
                {
                    (2, 10, 5, 10, 15) => TensorElement.Float16,
                    (4, 23, 8, 23, 127) => TensorElement.Float32,
                    (8, 52, 11, 52, 1023) => TensorElement.Float64,
                    _ => null,
                };
            case 8:
                return size == 1 && body.AsSpan().IndexOf("TRUE"u8) > 0 ? TensorElement.Bool : null;
            default:
                return null;
        }
    }

    private bool IsInside(long address, long length) => address >= 0 && length >= 0 && address <= _length - _base && length <= _length - _base - address;

    private byte[] Bytes(long address, int length)
    {
        if (!IsInside(address, length)) throw Wrong("points beyond its end");
        var bytes = new byte[length];
        for (var done = 0; done < length;)
        {
            var read = RandomAccess.Read(_file, bytes.AsSpan(done), _base + address + done);
            if (read == 0) throw Wrong("ends early");
            done += read;
        }
        return bytes;
    }

    private static string Join(string group, string name) => group.Length == 0 ? name : group + "/" + name;

    private static string Unescape(string name) => name.Replace("%2F", "/", StringComparison.Ordinal).Replace("%2E", ".", StringComparison.Ordinal).Replace("%25", "%", StringComparison.Ordinal);

    private static byte[] Check(byte[] body, int length) => body.Length >= length ? body : throw Wrong("has a message that is cut short");

    private static ushort U16(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

    private static uint U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));

    private static long I64(byte[] bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));

    private static ModelException Wrong(string rule) => ModelException.Invalid($"The HDF5 file {rule}.");
}
