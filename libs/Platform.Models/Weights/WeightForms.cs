namespace Platform.Models;

/// <summary>An ONNX file as two: its graph without weights, and the weights in another format. Put together they are the same file, byte for byte.</summary>
internal static class WeightForms
{
    /// <summary>Takes the weights out. What is not kept as raw bytes, or in another file, stays with the graph.</summary>
    /// <exception cref="ModelException">There is nothing to take out.</exception>
    public static async Task SplitAsync(string onnx, string graph, string weights, WeightFormat format, CancellationToken cancellationToken)
    {
        var raw = OnnxWeights.Scan(onnx).Initialisers.Where(IsTakenOut).ToList();
        if (raw.Count == 0) throw ModelException.Invalid("The model keeps no weights in its ONNX file.");
        if (raw.GroupBy(static initialiser => initialiser.Name, StringComparer.Ordinal).Any(static group => group.Skip(1).Any())) throw ModelException.Invalid("The model has two initialisers of one name.");
        await using (var stream = StoreFolder.OpenNew(weights))
        {
            await WeightFiles.WriteAsync([.. raw.Select(static initialiser => initialiser.Tensor!)], format, stream, cancellationToken).ConfigureAwait(false);
            RandomAccess.FlushToDisk(stream.SafeFileHandle);
        }
        await using (var stream = StoreFolder.OpenNew(graph))
        {
            await OnnxWeights.RewriteAsync(onnx, stream, static initialiser => IsTakenOut(initialiser) ? new MemoryPiece(default) : null, cancellationToken).ConfigureAwait(false);
            RandomAccess.FlushToDisk(stream.SafeFileHandle);
        }
    }

    /// <summary>Puts them together.</summary>
    public static async Task JoinAsync(string graph, string weights, string format, string onnx, CancellationToken cancellationToken)
    {
        if (!WeightFormats.TryParse(format, out var kind)) throw ModelException.Invalid($"{format} is no format of weights.");
        var byName = (await WeightFiles.ReadAsync(weights, kind, cancellationToken).ConfigureAwait(false)).ToDictionary(static tensor => tensor.Name, StringComparer.Ordinal);
        await using var stream = StoreFolder.OpenNew(onnx);
        await OnnxWeights.RewriteAsync(graph, stream, initialiser => initialiser.Raw is { } raw && raw.Start == raw.End ? byName.GetValueOrDefault(initialiser.Name)?.Data : null, cancellationToken).ConfigureAwait(false);
        RandomAccess.FlushToDisk(stream.SafeFileHandle);
    }

    private static bool IsTakenOut(OnnxWeights.Initialiser initialiser) => initialiser is { Tensor.ByteLength: > 0, Raw: { } raw, IsExternal: false } && raw.End > raw.Start;
}
