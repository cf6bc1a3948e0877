using System.Buffers.Binary;
using System.IO.Compression;

namespace Platform.Tests.Shared;

/// <summary>
/// Makes synthetic NIfTI files: a small int16 volume by default, every field of the header changeable. The same settings give the same bytes.
/// </summary>
/// <example><c>new NiftiBuilder { Sizes = [4, 5, 6], DataType = 16 }.Set(112, 2f).BuildGzip()</c></example>
public sealed class NiftiBuilder
{
    private readonly List<Action<byte[]>> _changes = [];

    /// <summary>1 or 2.</summary>
    public int Version { get; init; } = 1;

    public bool IsBigEndian { get; init; }

    /// <summary>A header of a pair: <see cref="BuildHeader"/> and <see cref="BuildVoxels"/> are its halves.</summary>
    public bool IsPair { get; init; }

    public long[] Sizes { get; init; } = [6, 5, 4];

    /// <summary>In mm: column, row, slice.</summary>
    public double[] Spacing { get; init; } = [1, 2, 3];

    /// <summary>The header's code: 2 uint8, 4 int16, 16 float32 and so on.</summary>
    public short DataType { get; init; } = 4;

    public int BitsPerVoxel { get; init; } = 16;

    public double Slope { get; init; } = 1;

    public double Intercept { get; init; }

    /// <summary>Bytes of an extension between header and voxels, a multiple of 16.</summary>
    public int ExtensionBytes { get; init; }

    /// <summary>Three rows of four; null leaves <c>sform_code</c> 0.</summary>
    public double[]? SForm { get; init; }

    /// <summary>b, c, d, x, y, z and the third axis' sign; null leaves <c>qform_code</c> 0.</summary>
    public double[]? QForm { get; init; }

    /// <summary>The voxels' bytes, in the file's byte order; by default the number of each voxel, as int16.</summary>
    public byte[]? Voxels { get; init; }

    private int HeaderBytes => Version == 2 ? 540 : 348;
    private int VoxelOffset => IsPair ? 0 : HeaderBytes + 4 + ExtensionBytes;

    /// <summary>Puts a number at an offset of the finished file, in its byte order.</summary>
    public NiftiBuilder Set<T>(int at, T value)
        where T : struct
    {
        _changes.Add(file => Put(file, at, value));
        return this;
    }

    public byte[] Build()
    {
        byte[] file = [.. BuildHeader(), .. Extension(), .. BuildVoxels()];
        return file;
    }

    public byte[] BuildGzip(CompressionLevel level = CompressionLevel.Optimal) => Gzip(Build(), level);

    public static byte[] Gzip(byte[] bytes, CompressionLevel level = CompressionLevel.Optimal)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, level, leaveOpen: true)) gzip.Write(bytes);
        return packed.ToArray();
    }

    public byte[] BuildVoxels()
    {
        if (Voxels is not null) return Voxels;
        var count = Sizes.Aggregate(1L, static (product, size) => product * size);
        var voxels = new byte[(count * BitsPerVoxel + 7) / 8];
        if (BitsPerVoxel == 16) for (var i = 0; i < count; i++) Put(voxels, 2 * i, (short)i);
        return voxels;
    }

    public byte[] BuildHeader()
    {
        var header = new byte[HeaderBytes];
        Put(header, 0, HeaderBytes);
        if (Version == 2)
        {
            (IsPair ? "ni2\0\r\n\x1A\n"u8 : "n+2\0\r\n\x1A\n"u8).CopyTo(header.AsSpan(4));
            Put(header, 12, DataType);
            Put(header, 14, (short)BitsPerVoxel);
            Put(header, 16, (long)Sizes.Length);
            for (var i = 0; i < 7; i++) Put(header, 24 + 8 * i, i < Sizes.Length ? Sizes[i] : 1L);
            Put(header, 104, QForm?[6] ?? 1.0);
            for (var i = 0; i < Spacing.Length; i++) Put(header, 112 + 8 * i, Spacing[i]);
            Put(header, 168, (long)VoxelOffset);
            Put(header, 176, Slope);
            Put(header, 184, Intercept);
            Put(header, 344, QForm is null ? 0 : 1);
            Put(header, 348, SForm is null ? 0 : 2);
            for (var i = 0; i < 6 && QForm is not null; i++) Put(header, 352 + 8 * i, QForm[i]);
            for (var i = 0; i < 12 && SForm is not null; i++) Put(header, 400 + 8 * i, SForm[i]);
            Put(header, 500, 2 | 8);
        }
        else
        {
            (IsPair ? "ni1\0"u8 : "n+1\0"u8).CopyTo(header.AsSpan(344));
            Put(header, 40, (short)Sizes.Length);
            for (var i = 0; i < 7; i++) Put(header, 42 + 2 * i, i < Sizes.Length ? (short)Sizes[i] : (short)1);
            Put(header, 70, DataType);
            Put(header, 72, (short)BitsPerVoxel);
            Put(header, 76, (float)(QForm?[6] ?? 1.0));
            for (var i = 0; i < Spacing.Length; i++) Put(header, 80 + 4 * i, (float)Spacing[i]);
            Put(header, 108, (float)VoxelOffset);
            Put(header, 112, (float)Slope);
            Put(header, 116, (float)Intercept);
            header[123] = 2 | 8;
            Put(header, 252, (short)(QForm is null ? 0 : 1));
            Put(header, 254, (short)(SForm is null ? 0 : 2));
            for (var i = 0; i < 6 && QForm is not null; i++) Put(header, 256 + 4 * i, (float)QForm[i]);
            for (var i = 0; i < 12 && SForm is not null; i++) Put(header, 280 + 4 * i, (float)SForm[i]);
        }
        foreach (var change in _changes) change(header);
        return header;
    }

    private byte[] Extension()
    {
        if (IsPair) return [];
        var extension = new byte[4 + ExtensionBytes];
        if (ExtensionBytes == 0) return extension;
        extension[0] = 1;
        Put(extension, 4, ExtensionBytes);
        Put(extension, 8, 6); // a comment
        extension.AsSpan(12).Fill((byte)'x');
        return extension;
    }

    private void Put<T>(byte[] to, int at, T value)
        where T : struct
    {
        var span = to.AsSpan(at);
        switch (value)
        {
            case short v when IsBigEndian: BinaryPrimitives.WriteInt16BigEndian(span, v); break;
            case short v: BinaryPrimitives.WriteInt16LittleEndian(span, v); break;
            case int v when IsBigEndian: BinaryPrimitives.WriteInt32BigEndian(span, v); break;
            case int v: BinaryPrimitives.WriteInt32LittleEndian(span, v); break;
            case long v when IsBigEndian: BinaryPrimitives.WriteInt64BigEndian(span, v); break;
            case long v: BinaryPrimitives.WriteInt64LittleEndian(span, v); break;
            case float v when IsBigEndian: BinaryPrimitives.WriteSingleBigEndian(span, v); break;
            case float v: BinaryPrimitives.WriteSingleLittleEndian(span, v); break;
            case double v when IsBigEndian: BinaryPrimitives.WriteDoubleBigEndian(span, v); break;
            case double v: BinaryPrimitives.WriteDoubleLittleEndian(span, v); break;
            case byte v: to[at] = v; break;
            default: throw new InvalidOperationException($"{typeof(T).Name} is not written here.");
        }
    }
}
