using System.Buffers;
using Platform.Codecs;

namespace ImageApi.Frames;

/// <summary>A decoded frame: interleaved, little endian. Its memory belongs to the pool, so it is disposed once.</summary>
internal sealed class DecodedPixels(FrameDescription frame, byte[] rented, int length) : IDisposable
{
    private byte[]? _rented = rented;

    public FrameDescription Frame => frame;

    public ReadOnlySpan<byte> Span => _rented is null ? throw new ObjectDisposedException(nameof(DecodedPixels)) : _rented.AsSpan(0, length);

    /// <summary>The same pixels under another description, brought into its form in place; this one is empty afterwards.</summary>
    public DecodedPixels As(FrameDescription other, Action<Span<byte>, FrameDescription> change)
    {
        if (_rented is null) throw new ObjectDisposedException(nameof(DecodedPixels));
        change(_rented.AsSpan(0, length), other);
        return new DecodedPixels(other, Interlocked.Exchange(ref _rented, null)!, length);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _rented, null) is { } bytes) ArrayPool<byte>.Shared.Return(bytes);
    }
}
