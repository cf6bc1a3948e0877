using System.Collections.Immutable;

namespace Platform.Models;

/// <summary>A tensor of a weights file: what it is called, its type and shape, and where its bytes are. Elements are little endian, in C order.</summary>
public sealed record WeightTensor(string Name, TensorElement Element, ImmutableArray<long> Shape, WeightData Data)
{
    /// <summary>Bytes that shape and type ask for.</summary>
    public long ByteLength => BytesOf(Element, Shape);

    internal static long BytesOf(TensorElement element, ImmutableArray<long> shape)
    {
        if (shape.Length > WeightLimits.MaxRank) throw ModelException.Invalid($"A tensor has {shape.Length} dimensions; {WeightLimits.MaxRank} are allowed.");
        long bytes = element.Size();
        foreach (var size in shape)
        {
            if (size < 0) throw ModelException.Invalid("A tensor has a negative dimension.");
            if (size == 0) return 0;
            if (bytes > WeightLimits.MaxTensorBytes / size) throw ModelException.Invalid("A tensor is larger than allowed.");
            bytes *= size;
        }
        return bytes;
    }
}

/// <summary>Bounds of weights files, whatever they claim.</summary>
internal static class WeightLimits
{
    public const int MaxTensors = 65_534, MaxRank = 16, MaxNameLength = 1024;
    public const long MaxTensorBytes = 8L << 30;

    /// <summary>Of what must be taken apart in memory.</summary>
    public const int MaxMemoryBytes = 1 << 30;
}

/// <summary>Bytes of a tensor, in a file or in memory. Reads anew each time.</summary>
public abstract class WeightData
{
    /// <summary>Bytes.</summary>
    public abstract long Length { get; }

    /// <summary>Writes all of them.</summary>
    /// <exception cref="ModelException">They are not there as the file says.</exception>
    public abstract Task CopyToAsync(Stream destination, CancellationToken cancellationToken);

    /// <summary>All bytes; for tensors that fit memory.</summary>
    public async Task<byte[]> ToArrayAsync(CancellationToken cancellationToken)
    {
        if (Length > WeightLimits.MaxMemoryBytes) throw ModelException.Invalid("A tensor is too large to be taken apart in memory.");
        var bytes = new byte[Length];
        await CopyToAsync(new MemoryStream(bytes), cancellationToken).ConfigureAwait(false);
        return bytes;
    }
}

/// <summary>A piece of a file.</summary>
internal sealed class FilePiece(string path, long offset, long length) : WeightData
{
    private const int BufferBytes = 256 << 10;

    public override long Length => length;

    public override async Task CopyToAsync(Stream destination, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path);
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (long done = 0; done < length;)
            {
                var read = await RandomAccess.ReadAsync(file, buffer.AsMemory(0, (int)Math.Min(buffer.Length, length - done)), offset + done, cancellationToken).ConfigureAwait(false);
                if (read == 0) throw ModelException.Invalid("A tensor lies beyond the end of its file.");
                await destination.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                done += read;
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>Bytes in memory.</summary>
internal sealed class MemoryPiece(ReadOnlyMemory<byte> bytes) : WeightData
{
    public override long Length => bytes.Length;

    public override async Task CopyToAsync(Stream destination, CancellationToken cancellationToken) => await destination.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
}

/// <summary>Bytes that must be worked out, each time anew: inflated, or put in order.</summary>
internal sealed class MadePiece(long length, Func<CancellationToken, Task<ReadOnlyMemory<byte>>> make) : WeightData
{
    public override long Length => length;

    public override async Task CopyToAsync(Stream destination, CancellationToken cancellationToken)
    {
        var bytes = await make(cancellationToken).ConfigureAwait(false);
        if (bytes.Length != length) throw ModelException.Invalid("A tensor has other bytes than its shape asks for.");
        await destination.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
    }
}
