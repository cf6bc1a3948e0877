using System.Collections.Immutable;
using System.IO.Compression;

namespace Platform.Models;

/// <summary>
/// A <c>.pt</c> of PyTorch 1.6 and later: a zip with a pickle that describes tensors and a member for each storage. Written so that <c>torch.load</c> gives a dict of tensors.
/// </summary>
internal static class TorchFile
{
    private const string What = "PyTorch file";
    private const int MaxPickleBytes = 64 << 20;

    public static async Task<IReadOnlyList<WeightTensor>> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var zip = ZipDirectory.Read(path, What);
        var pickles = zip.Keys.Where(static name => name == "data.pkl" || name.EndsWith("/data.pkl", StringComparison.Ordinal)).ToArray();
        if (pickles.Length != 1) throw ModelException.Invalid("The PyTorch file has no data.pkl: it is none, or of before PyTorch 1.6; torch.save of a newer one makes one that is read.");
        var folder = pickles[0][..^"data.pkl".Length];
        if (zip.ContainsKey(folder + "constants.pkl") || zip.Keys.Any(name => name.StartsWith(folder + "code/", StringComparison.Ordinal)))
            throw ModelException.Invalid("The PyTorch file holds TorchScript, which is code: a state_dict is read, nothing is executed.");
        if (zip.TryGetValue(folder + "byteorder", out var order) && System.Text.Encoding.ASCII.GetString(await order.ReadAsync(path, 16, cancellationToken).ConfigureAwait(false)) != "little")
            throw ModelException.Invalid("The PyTorch file is big endian, which is not read.");
        var pickle = await zip[pickles[0]].ReadAsync(path, MaxPickleBytes, cancellationToken).ConfigureAwait(false);
        var root = new PickleReader(new MemoryStream(pickle), What).Read(cancellationToken);
        var tensors = PickleTensors.Collect(root, What, (name, value) => value is PickleTensor tensor ? ToTensor(path, zip, folder, name, tensor) : null);
        return tensors.Count > 0 ? tensors : throw ModelException.Invalid("The PyTorch file has no tensors.");
    }

    public static async Task WriteAsync(IReadOnlyList<WeightTensor> tensors, Stream stream, CancellationToken cancellationToken)
    {
        using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        await using (var member = Add("archive/data.pkl"))
        {
            var pickle = new PickleWriter(member);
            await pickle.WriteAsync([0x80, 2, (byte)'}', (byte)'('], cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < tensors.Count; i++)
            {
                var tensor = tensors[i];
                pickle.Text(tensor.Name).Global("torch._utils", "_rebuild_tensor_v2").Op('(').Op('(').Text("storage").Global("torch", StorageOf(tensor)).Text(Key(i)).Text("cpu")
                    .Integer(tensor.ByteLength / tensor.Element.Size()).Op('t').Op('Q').Integer(0).Tuple(tensor.Shape).Tuple(StridesOf(tensor.Shape)).Op(0x89)
                    .Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R');
            }
            pickle.Op('u').Op('.');
            await pickle.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        for (var i = 0; i < tensors.Count; i++)
        {
            await using var member = Add("archive/data/" + Key(i));
            await tensors[i].Data.CopyToAsync(member, cancellationToken).ConfigureAwait(false);
        }
        await using (var member = Add("archive/version")) await member.WriteAsync("3\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);

        Stream Add(string name)
        {
            var entry = zip.CreateEntry(name, CompressionLevel.NoCompression);
            entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);   // the same weights, the same file
            return entry.Open();
        }

        static string Key(int index) => index.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private static WeightTensor ToTensor(string path, IReadOnlyDictionary<string, ZipMember> zip, string folder, string name, PickleTensor tensor)
    {
        var (storage, shape, size) = (tensor.Storage, tensor.Size.ToImmutableArray(), tensor.Storage.Element.Size());
        var length = WeightTensor.BytesOf(storage.Element, shape);
        if (tensor.Stride.Length != shape.Length) throw Wrong("has other strides than dimensions");
        if (!zip.TryGetValue(folder + "data/" + storage.Key, out var member)) throw Wrong("has no bytes");
        if (storage.Count > WeightLimits.MaxTensorBytes / size || member.Length != storage.Count * size) throw Wrong("has other bytes than it says");
        if (length == 0) return new WeightTensor(name, storage.Element, shape, new MemoryPiece(default));
        if (length > member.Length) throw Wrong("repeats its storage");
        // The farthest element must be inside, without an overflow on the way there.
        Int128 last = tensor.Offset;
        for (var i = 0; i < shape.Length; i++) last += (Int128)(shape[i] - 1) * tensor.Stride[i];
        if (tensor.Offset < 0 || last >= storage.Count) throw Wrong("lies outside its storage");

        WeightData data;
        if (tensor.Stride.AsSpan().SequenceEqual(StridesOf(shape)) || IsContiguous()) data = member.Piece(path, tensor.Offset * size, length);
        else data = new MadePiece(length, async token => PickleTensors.Gather(await member.Piece(path, 0, member.Length).ToArrayAsync(token).ConfigureAwait(false), size, shape, tensor.Stride, tensor.Offset));
        return new WeightTensor(name, storage.Element, shape, data);

        // The stride of a dimension of 1 says nothing.
        bool IsContiguous()
        {
            var strides = StridesOf(shape);
            for (var i = 0; i < shape.Length; i++)
                if (shape[i] != 1 && strides[i] != tensor.Stride[i]) return false;
            return true;
        }

        ModelException Wrong(string rule) => ModelException.Invalid($"The PyTorch file's {name} {rule}.");
    }

    private static long[] StridesOf(ImmutableArray<long> shape)
    {
        var strides = new long[shape.Length];
        for (var (i, stride) = (shape.Length - 1, 1L); i >= 0; stride *= Math.Max(1, shape[i--])) strides[i] = stride;
        return strides;
    }

    private static string StorageOf(WeightTensor tensor) => tensor.Element switch
    {
        TensorElement.Float64 => "DoubleStorage",
        TensorElement.Float32 => "FloatStorage",
        TensorElement.Float16 => "HalfStorage",
        TensorElement.BFloat16 => "BFloat16Storage",
        TensorElement.Int64 => "LongStorage",
        TensorElement.Int32 => "IntStorage",
        TensorElement.Int16 => "ShortStorage",
        TensorElement.Int8 => "CharStorage",
        TensorElement.UInt8 => "ByteStorage",
        TensorElement.Bool => "BoolStorage",
        _ => throw ModelException.Invalid($"{tensor.Name} is {tensor.Element.ToName()}, which PyTorch does not have: .safetensors does."),
    };
}
