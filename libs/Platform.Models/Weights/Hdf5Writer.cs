using System.Buffers.Binary;
using System.Text;

namespace Platform.Models;

/// <summary>
/// Writes an HDF5 file with one contiguous dataset a tensor in the root group, in the oldest form of the format (File Format Specification 3.0: superblock 0, a symbol table, version 1 object headers),
/// which every reader knows. A slash cannot stand in a link's name: it is written %2F, and % as %25.
/// </summary>
internal static class Hdf5Writer
{
    private const long Undefined = -1;
    private const int SuperblockBytes = 96, InternalK = 16, TreeBytes = 24 + (2 * InternalK + 1) * 8 + 2 * InternalK * 8, EntryBytes = 40, HeapHeaderBytes = 32, RootHeaderBytes = 40;

    public static async Task WriteAsync(IReadOnlyList<WeightTensor> tensors, Stream stream, CancellationToken cancellationToken)
    {
        // Symbol tables are searched by name: in byte order.
        var sorted = tensors.Select(static tensor => (Name: Encoding.UTF8.GetBytes(Escape(tensor.Name)), Tensor: tensor)).ToList();
        sorted.Sort(static (a, b) => a.Name.AsSpan().SequenceCompareTo(b.Name));
        foreach (var (_, tensor) in sorted) _ = TypeOf(tensor);

        var leafK = Math.Max(4, (sorted.Count + 1) / 2);   // one node holds them all
        var nameOffsets = new long[sorted.Count];
        long heapBytes = 8;                                // an empty name comes first
        for (var i = 0; i < sorted.Count; i++)
        {
            nameOffsets[i] = heapBytes;
            heapBytes += Align(sorted[i].Name.Length + 1);
        }
        long rootAt = SuperblockBytes, treeAt = rootAt + RootHeaderBytes, heapAt = treeAt + TreeBytes, heapDataAt = heapAt + HeapHeaderBytes, nodeAt = heapDataAt + heapBytes;
        var headersAt = nodeAt + 8 + 2L * leafK * EntryBytes;
        var headers = sorted.Select(static item => Header(item.Tensor)).ToList();
        var dataAt = Align(headersAt + headers.Sum(static header => header.Length));
        var addresses = new long[sorted.Count];
        var end = dataAt;
        for (var i = 0; i < sorted.Count; i++)
        {
            addresses[i] = end;
            end = Align(end + sorted[i].Tensor.ByteLength);
        }

        var to = new Bytes();
        // II.A: superblock, version 0.
        to.Raw([0x89, (byte)'H', (byte)'D', (byte)'F', 0x0D, 0x0A, 0x1A, 0x0A]).Byte(0).Byte(0).Byte(0).Byte(0).Byte(0).Byte(8).Byte(8).Byte(0)
            .U16((ushort)leafK).U16(InternalK).U32(0).U64(0).U64(Undefined).U64(end).U64(Undefined);
        to.U64(0).U64(rootAt).U32(1).U32(0).U64(treeAt).U64(heapAt);
        // The root group's object header: one message, the symbol table (IV.A.2.r).
        to.Byte(1).Byte(0).U16(1).U32(1).U32(24).U32(0).U16(0x11).U16(16).U32(0).U64(treeAt).U64(heapAt);
        // III.A.1: a B-tree with one child, which lies between the first name and the last.
        to.Raw("TREE"u8).Byte(0).Byte(0).U16((ushort)(sorted.Count > 0 ? 1 : 0)).U64(Undefined).U64(Undefined).U64(0).U64(sorted.Count > 0 ? nodeAt : 0).U64(sorted.Count > 0 ? nameOffsets[^1] : 0).Fill(heapAt);
        // III.D: local heap; 1 says that nothing in it is free.
        to.Raw("HEAP"u8).U32(0).U64(heapBytes).U64(1).U64(heapDataAt).U64(0);
        foreach (var (name, _) in sorted) to.Raw(name).Fill(Align(to.Length + 1 - heapDataAt) + heapDataAt);
        to.Fill(nodeAt);
        // III.B: symbol table node.
        to.Raw("SNOD"u8).Byte(1).Byte(0).U16((ushort)sorted.Count);
        var headerAt = headersAt;
        for (var i = 0; i < sorted.Count; i++)
        {
            to.U64(nameOffsets[i]).U64(headerAt).U32(0).U32(0).U64(0).U64(0);
            headerAt += headers[i].Length;
        }
        to.Fill(headersAt);
        for (var i = 0; i < sorted.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(headers[i].AsSpan(headers[i].Length - 24 + 2 + 0), sorted[i].Tensor.ByteLength == 0 ? Undefined : addresses[i]);
            to.Raw(headers[i]);
        }
        to.Fill(dataAt);
        await stream.WriteAsync(to.Written, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < sorted.Count; i++)
        {
            var tensor = sorted[i].Tensor;
            await tensor.Data.CopyToAsync(stream, cancellationToken).ConfigureAwait(false);
            await stream.WriteAsync(new byte[Align(tensor.ByteLength) - tensor.ByteLength], cancellationToken).ConfigureAwait(false);
        }
    }

    internal static string Escape(string name) => name.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal) is var escaped && escaped is "." or ".." ? escaped.Replace(".", "%2E", StringComparison.Ordinal) : escaped;

    /// <summary>A dataset's object header; the address of its data is written in later, 22 bytes before the end.</summary>
    private static byte[] Header(WeightTensor tensor)
    {
        var body = new Bytes();
        // IV.A.2.b: dataspace, version 1.
        var space = new Bytes().Byte(1).Byte((byte)tensor.Shape.Length).Byte(0).Byte(0).U32(0);
        foreach (var size in tensor.Shape) space.U64(size);
        Message(0x01, space);
        Message(0x03, TypeOf(tensor));
        // IV.A.2.f: fill value, version 2: nothing is filled.
        Message(0x05, new Bytes().Byte(2).Byte(2).Byte(2).Byte(0));
        // IV.A.2.i: data layout, version 3, contiguous.
        Message(0x08, new Bytes().Byte(3).Byte(1).U64(Undefined).U64(tensor.ByteLength));
        return new Bytes().Byte(1).Byte(0).U16(4).U32(1).U32((uint)body.Length).U32(0).Raw(body.Written.Span).ToArray();

        void Message(ushort type, Bytes message)
        {
            message.Fill(Align(message.Length));
            body.U16(type).U16((ushort)message.Length).Byte(0).Byte(0).Byte(0).Byte(0).Raw(message.Written.Span);
        }
    }

    // IV.A.2.d: datatype, version 1.
    private static Bytes TypeOf(WeightTensor tensor)
    {
        var size = tensor.Element.Size();
        return tensor.Element switch
        {
            TensorElement.Float16 => Float(10, 5, 15),
            TensorElement.Float32 => Float(23, 8, 127),
            TensorElement.Float64 => Float(52, 11, 1023),
            TensorElement.Int8 or TensorElement.Int16 or TensorElement.Int32 or TensorElement.Int64 => Integer(isSigned: true, size),
            TensorElement.UInt8 or TensorElement.UInt16 or TensorElement.UInt32 or TensorElement.UInt64 => Integer(isSigned: false, size),
            // As h5py does: an enumeration of two.
            TensorElement.Bool => new Bytes().Byte(0x18).U16(2).Byte(0).U32(1).Raw(Integer(isSigned: true, 1).Written.Span).Raw("FALSE\0\0\0"u8).Raw("TRUE\0\0\0\0"u8).Byte(0).Byte(1),
            _ => throw ModelException.Invalid($"{tensor.Name} is {tensor.Element.ToName()}, which HDF5 does not have: .safetensors and .pt do."),
        };

        static Bytes Integer(bool isSigned, int size) => new Bytes().Byte(0x10).Byte((byte)(isSigned ? 8 : 0)).Byte(0).Byte(0).U32((uint)size).U16(0).U16((ushort)(8 * size));

        Bytes Float(int mantissa, int exponent, uint bias) => new Bytes().Byte(0x11).Byte(0x20).Byte((byte)(8 * size - 1)).Byte(0).U32((uint)size)
            .U16(0).U16((ushort)(8 * size)).Byte((byte)mantissa).Byte((byte)exponent).Byte(0).Byte((byte)mantissa).U32(bias);
    }

    private static long Align(long length) => (length + 7) & ~7L;

    /// <summary>Little endian, growing.</summary>
    private sealed class Bytes
    {
        private readonly System.Buffers.ArrayBufferWriter<byte> _to = new();

        public long Length => _to.WrittenCount;

        public ReadOnlyMemory<byte> Written => _to.WrittenMemory;

        public byte[] ToArray() => _to.WrittenSpan.ToArray();

        public Bytes Raw(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_to.GetSpan(bytes.Length + 1));
            _to.Advance(bytes.Length);
            return this;
        }

        public Bytes Byte(byte value) => Raw([value]);

        public Bytes U16(ushort value)
        {
            Span<byte> bytes = stackalloc byte[2];
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
            return Raw(bytes);
        }

        public Bytes U32(uint value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
            return Raw(bytes);
        }

        public Bytes U64(long value)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            return Raw(bytes);
        }

        /// <summary>Zeros up to a place.</summary>
        public Bytes Fill(long until) => Raw(new byte[until - Length]);
    }
}
