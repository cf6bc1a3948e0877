using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Platform.Onnx;

/// <summary>
/// Arrays that the collector does not move, in sizes of powers of two from 4 KiB. At most <see cref="CapacityBytes"/> lie idle; what comes back beyond that,
/// or is larger than that, is left to the collector.
/// </summary>
internal static class TensorPool
{
    public const int Alignment = 64;
    public const long CapacityBytes = 64 << 20;
    private const int SmallestShift = 12;

    private static readonly Stack<byte[]>[] Idle = [.. Enumerable.Range(0, 32 - SmallestShift).Select(static _ => new Stack<byte[]>())];
    private static long _idleBytes;
    private static long _rented;

    /// <summary>How many arrays are out. Zero when nobody holds a tensor.</summary>
    public static long Rented => Interlocked.Read(ref _rented);

    public static long IdleBytes
    {
        get { lock (Idle) return _idleBytes; }
    }

    /// <summary>An array with room for <paramref name="length"/> bytes from an aligned offset.</summary>
    public static (byte[] Buffer, int Offset) Rent(int length)
    {
        var shift = Math.Max(SmallestShift, 32 - BitOperations.LeadingZeroCount((uint)Math.Max(0, length - 1)));
        byte[]? buffer = null;
        if (shift < 31)
        {
            lock (Idle)
            {
                if (Idle[shift - SmallestShift].TryPop(out buffer)) _idleBytes -= buffer.Length;
            }
        }
        buffer ??= GC.AllocateUninitializedArray<byte>((shift < 31 ? 1 << shift : length) + Alignment, pinned: true);
        Interlocked.Increment(ref _rented);
        return (buffer, OffsetOf(buffer));
    }

    public static void Return(byte[] buffer)
    {
        Interlocked.Decrement(ref _rented);
#if DEBUG
        buffer.AsSpan().Fill(0xDB); // whoever still reads it sees that at once
#endif
        var size = buffer.Length - Alignment;
        if (!BitOperations.IsPow2(size)) return;
        lock (Idle)
        {
            if (_idleBytes + buffer.Length > CapacityBytes) return;
            _idleBytes += buffer.Length;
            Idle[BitOperations.Log2((uint)size) - SmallestShift].Push(buffer);
        }
    }

    private static unsafe int OffsetOf(byte[] buffer) => (int)(-(nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(buffer)) & (Alignment - 1));
}
