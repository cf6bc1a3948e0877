using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Platform.Onnx;

/// <summary>
/// Numbers in rented memory that does not move, 64-byte aligned, dense and in row-major order. It has one owner, who disposes it; the memory then goes to
/// the next who rents. Nobody may read or write it, or hold a span or memory of it, after that. What it holds at first is undefined.
/// Not for several threads at once.
/// </summary>
public sealed class Tensor : IDisposable
{
    /// <summary>The largest tensor, in bytes: what one array holds.</summary>
    public const long MaxBytes = 0x7FFFFFC7 - TensorPool.Alignment;

    private readonly long[] _shape;
    private readonly int _length;
    private readonly int _offset;
    private byte[]? _buffer;
    private OrtValue? _value;

    private Tensor(TensorType type, long[] shape, long count, int length)
    {
        (Type, _shape, Count, _length) = (type, shape, count, length);
        (_buffer, _offset) = TensorPool.Rent(length);
    }

    public TensorType Type { get; }

    /// <summary>Sizes in the order of memory, slowest first; empty for a scalar.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>How many elements there are.</summary>
    public long Count { get; }

    /// <summary>All elements as they lie in memory, little endian. Valid until disposed.</summary>
    public Span<byte> Bytes => Buffer.AsSpan(_offset, _length);

    /// <summary>As <see cref="Bytes"/>, for asynchronous reading and writing.</summary>
    public Memory<byte> Memory => Buffer.AsMemory(_offset, _length);

    private byte[] Buffer => _buffer ?? throw new ObjectDisposedException(nameof(Tensor));

    /// <summary>The runtime's view of this memory.</summary>
    internal OrtValue Value => _value ??= OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, Type.ToRuntime(), _shape, AddressOf(Buffer, _offset), _length);

    /// <summary>Rents a tensor.</summary>
    /// <exception cref="InvalidTensorException">A size is negative, or the whole exceeds <see cref="MaxBytes"/>.</exception>
    public static Tensor Rent(TensorType type, params ReadOnlySpan<long> shape)
    {
        if (!TryCount(shape, out var count) || count > MaxBytes / type.SizeOf())
            throw new InvalidTensorException($"A tensor of [{string.Join(", ", shape.ToArray())}] is larger than {MaxBytes} bytes, or has a negative size.");
        return new Tensor(type, shape.ToArray(), count, (int)(count * type.SizeOf()));
    }

    /// <summary>The number of elements of a shape; false where a size is negative, or where there are more than 63 bits can count.</summary>
    public static bool TryCount(ReadOnlySpan<long> shape, out long count)
    {
        count = shape.Contains(0) ? 0 : 1;
        foreach (var size in shape)
        {
            if (size < 0 || count > long.MaxValue / Math.Max(1, size)) return false;
            count *= size;
        }
        return true;
    }

    /// <summary>The elements as <typeparamref name="T"/>. Valid until disposed.</summary>
    /// <exception cref="InvalidTensorException">They are of another type.</exception>
    public Span<T> AsSpan<T>() where T : unmanaged => Type.Is<T>()
        ? MemoryMarshal.Cast<byte, T>(Bytes)
        : throw new InvalidTensorException($"The tensor holds {Type}, not {typeof(T).Name}.");

    public bool HasShape(ReadOnlySpan<long> shape) => shape.SequenceEqual(_shape);

    public void Dispose()
    {
        // The runtime lets go before the memory goes to somebody else; whoever comes second finds nothing to return.
        var buffer = Interlocked.Exchange(ref _buffer, null);
        if (buffer is null) return;
        _value?.Dispose();
        TensorPool.Return(buffer);
    }

    private static unsafe nint AddressOf(byte[] pinned, int offset) => (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned)) + offset;
}
