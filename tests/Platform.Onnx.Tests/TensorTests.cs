using System.Runtime.CompilerServices;

namespace Platform.Onnx.Tests;

public class TensorTests
{
    [Theory]
    [InlineData(new long[] { }, 1)]
    [InlineData(new long[] { 0, 5 }, 0)]
    [InlineData(new long[] { 2, 3, 4 }, 24)]
    [InlineData(new long[] { 4_000_000_000, 4_000_000_000, 0 }, 0)]
    public void TryCount_Shape_MultipliesOut(long[] shape, long expected)
    {
        Assert.True(Tensor.TryCount(shape, out var count));
        Assert.Equal(expected, count);
    }

    [Theory]
    [InlineData(new long[] { -1 })]
    [InlineData(new long[] { 0, -1 })]
    [InlineData(new long[] { long.MaxValue, 2 })]
    [InlineData(new long[] { 1L << 32, 1L << 32 })]
    [InlineData(new long[] { 3, (1L << 62) + 1 })]
    public void TryCount_NoShape_IsRefused(long[] shape)
    {
        Assert.False(Tensor.TryCount(shape, out _));
        Assert.Throws<InvalidTensorException>(() => Tensor.Rent(TensorType.UInt8, shape));
    }

    [Fact]
    public void Rent_TooLarge_IsRefused() => Assert.Throws<InvalidTensorException>(() => Tensor.Rent(TensorType.Float64, 1 << 28));

    [Theory]
    [InlineData(TensorType.Float32, 1)]
    [InlineData(TensorType.UInt8, 4097)]
    [InlineData(TensorType.Int64, 70_000)]
    public void Rent_Memory_IsAlignedAndOfItsLength(TensorType type, long count)
    {
        using var tensor = Tensor.Rent(type, count);

        Assert.Equal(count * type.SizeOf(), tensor.Bytes.Length);
        Assert.Equal(tensor.Bytes.Length, tensor.Memory.Length);
        Assert.Equal(0, AddressOf(tensor) % 64);
    }

    [Fact]
    public void Dispose_Twice_GivesTheMemoryBackOnce()
    {
        var first = Tensor.Rent(TensorType.UInt8, 300_000);
        first.Dispose();
        first.Dispose();

        using var second = Tensor.Rent(TensorType.UInt8, 300_000);
        using var third = Tensor.Rent(TensorType.UInt8, 300_000);

        Assert.NotEqual(AddressOf(second), AddressOf(third));
        Assert.Throws<ObjectDisposedException>(() => first.Bytes.Length);
        Assert.Throws<ObjectDisposedException>(() => first.Memory);
    }

    [Fact]
    public void AsSpan_OtherType_IsRefused()
    {
        using var tensor = Tensor.Rent(TensorType.Float16, 4);

        Assert.Equal(4, tensor.AsSpan<Half>().Length);
        Assert.Throws<InvalidTensorException>(() => tensor.AsSpan<short>().Length);
    }

    [Fact]
    public void Pool_MoreThanItKeeps_IsLeftToTheCollector()
    {
        var tensors = Enumerable.Range(0, 8).Select(_ => Tensor.Rent(TensorType.UInt8, 16 << 20)).ToList();
        foreach (var tensor in tensors) tensor.Dispose();

        Assert.InRange(TensorPool.IdleBytes, 1, TensorPool.CapacityBytes);
    }

    private static unsafe long AddressOf(Tensor tensor) => (long)Unsafe.AsPointer(ref tensor.Bytes[0]);
}
