using System.Collections.Immutable;

namespace Platform.Models;

/// <summary>A <c>.pkl</c>: a pickle of a dict of numpy arrays. Written in protocol 4, so that <c>pickle.load</c> gives <c>dict[str, numpy.ndarray]</c>.</summary>
internal static class PickleFile
{
    private const string What = "pickle";

    public static IReadOnlyList<WeightTensor> Read(string path, CancellationToken cancellationToken)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 64 << 10);
        var root = new PickleReader(file, What).Read(cancellationToken);
        var tensors = PickleTensors.Collect(root, What, (name, value) => value is PickleArray array ? ToTensor(path, name, array) : null);
        return tensors.Count > 0 ? tensors : throw ModelException.Invalid("The pickle has no arrays.");
    }

    public static async Task WriteAsync(IReadOnlyList<WeightTensor> tensors, Stream stream, CancellationToken cancellationToken)
    {
        var pickle = new PickleWriter(stream);
        await pickle.WriteAsync([0x80, 4, (byte)'}', (byte)'('], cancellationToken).ConfigureAwait(false);
        foreach (var tensor in tensors)
        {
            pickle.Text(tensor.Name).Global("numpy.core.multiarray", "_reconstruct").Global("numpy", "ndarray").Integer(0).Op(0x85).Op('C').Op(1).Op('b').Op(0x87).Op('R');
            pickle.Op('(').Integer(1).Tuple(tensor.Shape);
            pickle.Global("numpy", "dtype").Text(CodeOf(tensor)).Op(0x89).Op(0x88).Op(0x87).Op('R');
            pickle.Op('(').Integer(3).Text(tensor.Element.Size() == 1 ? "|" : "<").Op('N').Op('N').Op('N').Integer(-1).Integer(-1).Integer(0).Op('t').Op('b');
            pickle.Op(0x89).BytesHeader(tensor.ByteLength);
            await pickle.FlushAsync(cancellationToken).ConfigureAwait(false);
            await tensor.Data.CopyToAsync(stream, cancellationToken).ConfigureAwait(false);
            pickle.Op('t').Op('b');
        }
        pickle.Op('u').Op('.');
        await pickle.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private static WeightTensor ToTensor(string path, string name, PickleArray array)
    {
        if (array is not { Dtype: { } dtype, Bytes: { } bytes }) throw ModelException.Invalid($"The pickle's {name} is an array without values.");
        if (!dtype.IsLittleEndian) throw ModelException.Invalid($"The pickle's {name} is big endian, which is not read.");
        var shape = array.Shape.ToImmutableArray();
        var length = WeightTensor.BytesOf(dtype.Element, shape);
        if (bytes.Length != length) throw ModelException.Invalid($"The pickle's {name} has other bytes than its shape asks for.");
        WeightData data = bytes.Inline is { } inline ? new MemoryPiece(inline) : new FilePiece(path, bytes.Offset, length);
        if (array.IsFortran && shape.Length > 1 && length > 0)
        {
            var source = data;
            var strides = new long[shape.Length];
            for (var (i, stride) = (0, 1L); i < strides.Length; stride *= shape[i++]) strides[i] = stride;
            data = new MadePiece(length, async token => PickleTensors.Gather(await source.ToArrayAsync(token).ConfigureAwait(false), dtype.Element.Size(), shape, strides, 0));
        }
        return new WeightTensor(name, dtype.Element, shape, data);
    }

    private static string CodeOf(WeightTensor tensor) => tensor.Element switch
    {
        TensorElement.Float64 => "f8",
        TensorElement.Float32 => "f4",
        TensorElement.Float16 => "f2",
        TensorElement.Int64 => "i8",
        TensorElement.Int32 => "i4",
        TensorElement.Int16 => "i2",
        TensorElement.Int8 => "i1",
        TensorElement.UInt64 => "u8",
        TensorElement.UInt32 => "u4",
        TensorElement.UInt16 => "u2",
        TensorElement.UInt8 => "u1",
        TensorElement.Bool => "b1",
        _ => throw ModelException.Invalid($"{tensor.Name} is {tensor.Element.ToName()}, which numpy does not have: .safetensors and .pt do."),
    };
}
