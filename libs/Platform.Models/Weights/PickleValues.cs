namespace Platform.Models;

/// <summary>What a pickle may hold besides null, bool, long, double and string. Nothing here does anything.</summary>
internal sealed class PickleList : List<object?>;

internal sealed class PickleTuple(object?[] items)
{
    public object?[] Items { get; } = items;
}

/// <summary>A dict or OrderedDict, in order. A key set twice keeps the last value, as in Python.</summary>
internal sealed class PickleDict
{
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    public List<(object? Key, object? Value)> Items { get; } = [];

    public void Set(object? key, object? value)
    {
        if (key is string text)
        {
            if (_places.TryGetValue(text, out var place))
            {
                Items[place] = (key, value);
                return;
            }
            _places.Add(text, Items.Count);
        }
        Items.Add((key, value));
    }
}

/// <summary>Bytes: a short string of them here, a long one by its place in the stream.</summary>
internal sealed record PickleBytes(byte[]? Inline, long Offset, long Length);

/// <summary>One of the few names that a pickle may mention.</summary>
internal sealed record PickleGlobal(PickleName Kind, TensorElement? Element = null);

internal enum PickleName
{
    OrderedDict,
    Encode,
    Bytes,
    TorchStorage,
    TorchRebuildTensor,
    TorchRebuildParameter,
    TorchSize,
    NumpyReconstruct,
    NumpyFromBuffer,
    NumpyNdarray,
    NumpyDtype,
    NumpyScalar,
}

/// <summary>A storage of a PyTorch file, by its key.</summary>
internal sealed record PickleStorage(string Key, TensorElement Element, long Count);

/// <summary>A view on a storage; sizes and strides count elements.</summary>
internal sealed record PickleTensor(PickleStorage Storage, long Offset, long[] Size, long[] Stride);

internal sealed class PickleDtype(TensorElement element)
{
    public TensorElement Element { get; } = element;

    /// <summary>Elements of one byte have no order.</summary>
    public bool IsLittleEndian { get; set; } = true;
}

/// <summary>A numpy array; filled by BUILD.</summary>
internal sealed class PickleArray
{
    public long[] Shape { get; set; } = [];
    public PickleDtype? Dtype { get; set; }
    public bool IsFortran { get; set; }
    public PickleBytes? Bytes { get; set; }
}

/// <summary>A value that is of no interest, such as a numpy scalar.</summary>
internal sealed class PickleOpaque
{
    public static PickleOpaque Instance { get; } = new();
}
