namespace Platform.Models;

/// <summary>Reads and writes files of weights. Nothing in a file is executed; what it claims is held against what it has.</summary>
public static class WeightFiles
{
    /// <summary>The tensors of a file, in its order. Their bytes are read when asked for: the file must stay.</summary>
    /// <exception cref="ModelException">It is not what its format says, or asks for more than tensors.</exception>
    public static async Task<IReadOnlyList<WeightTensor>> ReadAsync(string path, WeightFormat format, CancellationToken cancellationToken)
    {
        var tensors = format switch
        {
            WeightFormat.Safetensors => await SafetensorsFile.ReadAsync(path, cancellationToken).ConfigureAwait(false),
            WeightFormat.Hdf5 => Hdf5Reader.Read(path, cancellationToken),
            WeightFormat.Torch => await TorchFile.ReadAsync(path, cancellationToken).ConfigureAwait(false),
            _ => PickleFile.Read(path, cancellationToken),
        };
        if (tensors.GroupBy(static tensor => tensor.Name, StringComparer.Ordinal).FirstOrDefault(static group => group.Skip(1).Any()) is { } twice) throw ModelException.Invalid($"The file has two tensors called {twice.Key}.");
        return tensors;
    }

    /// <summary>Writes tensors; a type that the format does not have is refused before the first byte.</summary>
    public static async Task WriteAsync(IReadOnlyList<WeightTensor> tensors, WeightFormat format, Stream stream, CancellationToken cancellationToken)
    {
        if (tensors.Count > WeightLimits.MaxTensors) throw ModelException.Invalid("These are too many tensors for one file.");
        await (format switch
        {
            WeightFormat.Safetensors => SafetensorsFile.WriteAsync(tensors, stream, cancellationToken),
            WeightFormat.Hdf5 => Hdf5Writer.WriteAsync(tensors, stream, cancellationToken),
            WeightFormat.Torch => TorchFile.WriteAsync(tensors, stream, cancellationToken),
            _ => PickleFile.WriteAsync(tensors, stream, cancellationToken),
        }).ConfigureAwait(false);
    }

    /// <summary>The weights of an ONNX file, those in files beside it included.</summary>
    public static IReadOnlyList<WeightTensor> ReadOnnx(string path) => OnnxWeights.Read(path);

    /// <summary>
    /// Writes an ONNX file whose initialisers have other weights. Each tensor must be an initialiser's in name, type and shape; each floating-point initialiser must be given. A prefix that all names
    /// share, such as <c>state_dict.</c>, is passed over.
    /// </summary>
    /// <exception cref="ModelException">They do not fit the graph; says which does not.</exception>
    public static async Task ReplaceOnnxAsync(string path, IReadOnlyList<WeightTensor> weights, Stream to, CancellationToken cancellationToken)
    {
        var byName = ByGraphNames(OnnxWeights.Scan(path).Initialisers, weights);
        await OnnxWeights.RewriteAsync(path, to, initialiser => byName.GetValueOrDefault(initialiser.Name)?.Data, cancellationToken).ConfigureAwait(false);
    }

    private static Dictionary<string, WeightTensor> ByGraphNames(IReadOnlyList<OnnxWeights.Initialiser> initialisers, IReadOnlyList<WeightTensor> weights)
    {
        var graph = initialisers.Where(static initialiser => initialiser.Tensor is not null).ToDictionary(static initialiser => initialiser.Name, static initialiser => initialiser.Tensor!, StringComparer.Ordinal);
        var prefix = weights.Any(tensor => graph.ContainsKey(tensor.Name)) ? "" : CommonPrefix();
        var byName = new Dictionary<string, WeightTensor>(StringComparer.Ordinal);
        foreach (var tensor in weights)
        {
            var name = tensor.Name[prefix.Length..];
            if (!graph.TryGetValue(name, out var at)) throw ModelException.Invalid($"The graph has no initialiser called {name}.");
            if (at.Element != tensor.Element) throw ModelException.Invalid($"{name} is {tensor.Element.ToName()}; the graph takes {at.Element.ToName()}.");
            if (!at.Shape.SequenceEqual(tensor.Shape)) throw ModelException.Invalid($"{name} is [{string.Join(", ", tensor.Shape)}]; the graph takes [{string.Join(", ", at.Shape)}].");
            byName.Add(name, tensor);
        }
        if (graph.Values.FirstOrDefault(tensor => tensor.Element is TensorElement.Float32 or TensorElement.Float64 or TensorElement.Float16 or TensorElement.BFloat16 && tensor.ByteLength > 0 && !byName.ContainsKey(tensor.Name)) is { } missing)
            throw ModelException.Invalid($"The weights lack {missing.Name}.");
        return byName;

        string CommonPrefix()
        {
            if (weights.Count == 0 || weights[0].Name.IndexOf('.', StringComparison.Ordinal) is not (> 0 and var dot)) return "";
            var candidate = weights[0].Name[..(dot + 1)];
            return weights.All(tensor => tensor.Name.StartsWith(candidate, StringComparison.Ordinal)) ? candidate : "";
        }
    }
}
