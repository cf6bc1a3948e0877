using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>A tensor: over memory of the library, over memory that the caller keeps in place until this is disposed, or over pinned managed memory.</summary>
public unsafe class OrtValue : IDisposable
{
    private readonly ValueHandle _handle;
    private MemoryHandle _pin;

    internal OrtValue(nint value, MemoryHandle pin = default)
    {
        _handle = new ValueHandle(value);
        _pin = pin;
        int type;
        OrtApi.Check(OrtApi.GetValueType(value, &type));
        OnnxType = (OnnxValueType)type;
    }

    public OnnxValueType OnnxType { get; }

    public bool IsTensor => OnnxType == OnnxValueType.ONNX_TYPE_TENSOR;

    internal nint Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle.DangerousGetHandle();
        }
    }

    public static OrtValue CreateTensorValueWithData(OrtMemoryInfo memInfo, TensorElementType elementType, long[] shape, nint dataBufferPtr, long bufferLengthInBytes)
    {
        nint value;
        fixed (long* dimensions = shape)
        {
            OrtApi.Check(OrtApi.CreateTensorWithDataAsOrtValue(memInfo.Pointer, (void*)dataBufferPtr, (nuint)bufferLengthInBytes, dimensions, (nuint)shape.Length, (int)elementType, &value));
        }
        GC.KeepAlive(memInfo);
        return new OrtValue(value);
    }

    public static OrtValue CreateTensorValueFromMemory<T>(OrtMemoryInfo memoryInfo, Memory<T> memory, long[] shape) where T : unmanaged
    {
        var pin = memory.Pin();
        try
        {
            nint value;
            fixed (long* dimensions = shape)
            {
                OrtApi.Check(OrtApi.CreateTensorWithDataAsOrtValue(memoryInfo.Pointer, pin.Pointer, (nuint)memory.Length * (nuint)sizeof(T), dimensions, (nuint)shape.Length, (int)ElementTypes.Of<T>(), &value));
            }
            GC.KeepAlive(memoryInfo);
            return new OrtValue(value, pin);
        }
        catch
        {
            pin.Dispose();
            throw;
        }
    }

    public static OrtValue CreateTensorValueFromMemory<T>(T[] data, long[] shape) where T : unmanaged => CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, new Memory<T>(data), shape);

    public static OrtValue CreateAllocatedTensorValue(OrtAllocator allocator, TensorElementType elementType, long[] shape)
    {
        nint value;
        fixed (long* dimensions = shape)
        {
            OrtApi.Check(OrtApi.CreateTensorAsOrtValue(allocator.Pointer, dimensions, (nuint)shape.Length, (int)elementType, &value));
        }
        return new OrtValue(value);
    }

    public ReadOnlySpan<T> GetTensorDataAsSpan<T>() where T : unmanaged => GetTensorMutableDataAsSpan<T>();

    public Span<T> GetTensorMutableDataAsSpan<T>() where T : unmanaged
    {
        var type = GetTensorTypeAndShape().ElementDataType;
        if (type != ElementTypes.Of<T>()) throw new OnnxRuntimeException(2, $"The tensor holds {type}, not {ElementTypes.Of<T>()}");
        return MemoryMarshal.Cast<byte, T>(GetTensorMutableRawData());
    }

    public Span<byte> GetTensorMutableRawData()
    {
        var facts = GetTensorTypeAndShape();
        void* data;
        OrtApi.Check(OrtApi.GetTensorMutableData(Pointer, &data));
        return new Span<byte>(data, checked((int)(facts.ElementCount * ElementTypes.SizeOf(facts.ElementDataType))));
    }

    public OrtTensorTypeAndShapeInfo GetTensorTypeAndShape()
    {
        nint info;
        OrtApi.Check(OrtApi.GetTensorTypeAndShape(Pointer, &info));
        try
        {
            return new OrtTensorTypeAndShapeInfo(info);
        }
        finally
        {
            OrtApi.ReleaseTensorTypeAndShapeInfo(info);
        }
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        // The library lets go of the memory before it may move.
        _handle.Dispose();
        _pin.Dispose();
        _pin = default;
    }

    private sealed class ValueHandle : SafeHandle
    {
        public ValueHandle(nint value) : base(0, ownsHandle: true) => SetHandle(value);

        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            OrtApi.ReleaseValue(handle);
            return true;
        }
    }
}

/// <summary>What a tensor is made of; a copy, so that it outlives the tensor.</summary>
public unsafe struct OrtTensorTypeAndShapeInfo
{
    internal OrtTensorTypeAndShapeInfo(nint info)
    {
        int type;
        nuint rank;
        OrtApi.Check(OrtApi.GetTensorElementType(info, &type));
        OrtApi.Check(OrtApi.GetDimensionsCount(info, &rank));
        ElementDataType = (TensorElementType)type;
        Shape = new long[rank];
        fixed (long* dimensions = Shape)
        {
            OrtApi.Check(OrtApi.GetDimensions(info, dimensions, rank));
        }
    }

    public TensorElementType ElementDataType { get; }

    public long[] Shape { get; }

    public int DimensionsCount => Shape.Length;

    public bool IsString => ElementDataType == TensorElementType.String;

    public long ElementCount
    {
        get
        {
            var count = 1L;
            foreach (var dimension in Shape) count = checked(count * dimension);
            return count;
        }
    }
}
