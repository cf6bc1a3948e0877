using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Platform.Models;

/// <summary>
/// The initialisers of an ONNX file, read and replaced on the wire format itself (protobuf encoding; onnx.proto: ModelProto.graph = 7, GraphProto.initializer = 5, TensorProto). All else is kept
/// byte for byte, known or not, so that a file whose weights are taken out and put back is the same file.
/// </summary>
internal static class OnnxWeights
{
    private const int GraphField = 7, InitialiserField = 5;
    private const int DimsField = 1, TypeField = 2, FloatsField = 4, Int32sField = 5, Int64sField = 7, NameField = 8, RawField = 9, DoublesField = 10, UInt64sField = 11, ExternalField = 13, LocationField = 14;
    private const int MaxExternalEntries = 16;
    private const long MaxMessageBytes = int.MaxValue;

    /// <summary>One initialiser, and where in the file it is.</summary>
    /// <param name="Start">Of its tag within the graph.</param>
    /// <param name="BodyStart">Of its TensorProto.</param>
    /// <param name="End">Behind it.</param>
    /// <param name="Tensor">Null where its values are of a kind that is not kept elsewhere, such as texts.</param>
    /// <param name="Raw">Where its raw_data field begins, where its bytes begin, and where they end; null where it has none.</param>
    /// <param name="IsExternal">Its bytes are in another file.</param>
    internal sealed record Initialiser(long Start, long BodyStart, long End, string Name, WeightTensor? Tensor, (long FieldStart, long Start, long End)? Raw, bool IsExternal);

    internal sealed record Layout(long Length, long GraphTagStart, long GraphStart, long GraphEnd, IReadOnlyList<Initialiser> Initialisers);

    /// <summary>The weights that are kept in an ONNX file, and beside it where it says so.</summary>
    public static IReadOnlyList<WeightTensor> Read(string path) =>
        [.. Scan(path).Initialisers.Select(static initialiser => initialiser.Tensor).OfType<WeightTensor>()];

    /// <summary>
    /// Copies an ONNX file with other bytes in its initialisers. <paramref name="replace"/> gives the new bytes of one, or null to leave it as it is; type and shape stay.
    /// </summary>
    public static async Task RewriteAsync(string path, Stream to, Func<Initialiser, WeightData?> replace, CancellationToken cancellationToken)
    {
        var layout = Scan(path);
        var changes = new List<(Initialiser At, WeightData Data, long NewLength)>();
        var graphLength = layout.GraphEnd - layout.GraphStart;
        foreach (var initialiser in layout.Initialisers)
        {
            if (replace(initialiser) is not { } data) continue;
            var newLength = NewBodyLength(path, initialiser, data.Length);
            changes.Add((initialiser, data, newLength));
            graphLength += TagLength(InitialiserField) + VarintLength(newLength) + newLength - (initialiser.End - initialiser.Start);
        }
        if (graphLength > MaxMessageBytes) throw ModelException.Invalid("The ONNX file would become larger than its format allows.");

        await new FilePiece(path, 0, layout.GraphTagStart).CopyToAsync(to, cancellationToken).ConfigureAwait(false);
        await WriteHeaderAsync(GraphField, graphLength).ConfigureAwait(false);
        var at = layout.GraphStart;
        foreach (var (initialiser, data, newLength) in changes)
        {
            await CopyAsync(at, initialiser.Start).ConfigureAwait(false);
            await WriteHeaderAsync(InitialiserField, newLength).ConfigureAwait(false);
            await WriteBodyAsync(initialiser, data).ConfigureAwait(false);
            at = initialiser.End;
        }
        await CopyAsync(at, layout.Length).ConfigureAwait(false);

        async Task CopyAsync(long from, long until) => await new FilePiece(path, from, until - from).CopyToAsync(to, cancellationToken).ConfigureAwait(false);

        async Task WriteHeaderAsync(int field, long length) => await to.WriteAsync(FieldHeader(field, length), cancellationToken).ConfigureAwait(false);

        async Task WriteBodyAsync(Initialiser initialiser, WeightData data)
        {
            foreach (var (start, end, isRaw) in Kept(path, initialiser))
            {
                if (!isRaw)
                {
                    await CopyAsync(start, end).ConfigureAwait(false);
                    continue;
                }
                await WriteHeaderAsync(RawField, data.Length).ConfigureAwait(false);
                await data.CopyToAsync(to, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    internal static Layout Scan(string path)
    {
        using var wire = new WireReader(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        (long TagStart, long Start, long End)? graph = null;
        var hasVersion = false;
        while (wire.Next(wire.Length) is { } field)
        {
            hasVersion |= field.Number == 1 && field.Kind == WireKind.Varint;
            if (field.Number != GraphField || field.Kind != WireKind.Bytes) continue;
            if (graph is not null) throw ModelException.Invalid("The ONNX file has two graphs.");
            graph = (field.Start, field.BodyStart, field.End);
        }
        if (graph is not { } found || !hasVersion) throw ModelException.Invalid("The file is no ONNX model.");
        var initialisers = new List<Initialiser>();
        wire.Position = found.Start;
        while (wire.Next(found.End) is { } field)
        {
            if (field.Number != InitialiserField || field.Kind != WireKind.Bytes) continue;
            if (initialisers.Count == WeightLimits.MaxTensors) throw ModelException.Invalid("The ONNX file has too many initialisers.");
            initialisers.Add(ReadInitialiser(wire, field, path, folder));
            wire.Position = field.End;
        }
        return new Layout(wire.Length, found.TagStart, found.Start, found.End, initialisers);
    }

    private static Initialiser ReadInitialiser(WireReader wire, WireField at, string path, string folder)
    {
        var shape = ImmutableArray.CreateBuilder<long>();
        string? name = null;
        long type = 0, location = 0;
        (long FieldStart, long Start, long End)? raw = null;
        (int Number, long Start, long End)? typed = null;
        var external = new Dictionary<string, string>(StringComparer.Ordinal);
        wire.Position = at.BodyStart;
        while (wire.Next(at.End) is { } field)
        {
            switch (field.Number, field.Kind)
            {
                case (DimsField, WireKind.Varint):
                    AddDimension((long)field.Value);
                    break;
                case (DimsField, WireKind.Bytes):
                    wire.Position = field.BodyStart;
                    while (wire.Position < field.End) AddDimension((long)wire.Varint(field.End));
                    break;
                case (TypeField, WireKind.Varint):
                    type = (long)field.Value;
                    break;
                case (NameField, WireKind.Bytes):
                    name = wire.Text(field, WeightLimits.MaxNameLength);
                    break;
                case (RawField, WireKind.Bytes):
                    if (raw is not null) throw Wrong("has its bytes twice");
                    raw = (field.Start, field.BodyStart, field.End);
                    break;
                case (LocationField, WireKind.Varint):
                    location = (long)field.Value;
                    break;
                case (ExternalField, WireKind.Bytes):
                    if (external.Count == MaxExternalEntries) throw Wrong("says too much of where it is");
                    var (key, value) = ReadEntry(wire, field);
                    external[key] = value;
                    break;
                case (FloatsField or Int32sField or Int64sField or DoublesField or UInt64sField, WireKind.Bytes):
                    // A list in several pieces is legal and nobody writes it: left alone.
                    typed = typed is null ? (field.Number, field.BodyStart, field.End) : (0, 0, 0);
                    break;
                case (FloatsField or Int32sField or Int64sField or DoublesField or UInt64sField, _):
                    typed = (0, 0, 0);
                    break;
            }
            wire.Position = field.End;
        }
        name ??= "";
        var data = ElementOf(type) is { } element ? DataOf(element, WeightTensor.BytesOf(element, shape.ToImmutable())) : null;
        return new Initialiser(at.Start, at.BodyStart, at.End, name, data is null || name.Length == 0 ? null : new WeightTensor(name, ElementOf(type)!.Value, shape.ToImmutable(), data), raw, location == 1);

        WeightData? DataOf(TensorElement kind, long bytes)
        {
            if (location == 1) return External(bytes);
            if (raw is { } r)
            {
                // Empty where it was taken out: the graph alone.
                if (r.End - r.Start != bytes && r.End != r.Start) throw Wrong("has other bytes than its shape asks for");
                return r.End - r.Start == bytes ? new FilePiece(path, r.Start, bytes) : null;
            }
            if (typed is not { Number: > 0 } t) return bytes == 0 ? new MemoryPiece(default) : null;
            if (t.Number is FloatsField && kind == TensorElement.Float32 || t.Number is DoublesField && kind == TensorElement.Float64)
                return t.End - t.Start == bytes ? new FilePiece(path, t.Start, bytes) : throw Wrong("has other values than its shape asks for");
            return t.Number is Int32sField or Int64sField or UInt64sField ? new MemoryPiece(Varints(kind, t.Start, t.End, bytes)) : null;
        }

        FilePiece External(long bytes)
        {
            if (!external.TryGetValue("location", out var file) || !ManifestReader.IsPath(file)) throw Wrong("is in a file outside its folder");
            var offset = external.TryGetValue("offset", out var text) ? long.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number) && number >= 0 ? number : throw Wrong("is at no place") : 0;
            var outside = Path.Combine(folder, file);
            if (!File.Exists(outside) || new FileInfo(outside).Length - bytes < offset) throw Wrong($"lies beyond the end of {file}");
            return new FilePiece(outside, offset, bytes);
        }

        // TensorProto: int32_data holds all that is narrower than 32 bits, bool and float16 too, a value each.
        byte[] Varints(TensorElement kind, long start, long end, long bytes)
        {
            if (bytes > WeightLimits.MaxMemoryBytes || bytes / kind.Size() > end - start) throw Wrong("has fewer values than its shape asks for");
            var values = new byte[bytes];
            var back = wire.Position;
            wire.Position = start;
            Span<byte> wide = stackalloc byte[8];
            for (var to = 0; to < values.Length; to += kind.Size())
            {
                BinaryPrimitives.WriteUInt64LittleEndian(wide, wire.Varint(end));
                wide[..kind.Size()].CopyTo(values.AsSpan(to));
            }
            if (wire.Position != end) throw Wrong("has more values than its shape asks for");
            wire.Position = back;
            return values;
        }

        void AddDimension(long size)
        {
            if (shape.Count == WeightLimits.MaxRank) throw Wrong("has too many dimensions");
            shape.Add(size);
        }

        ModelException Wrong(string what) => ModelException.Invalid($"The ONNX file's initialiser {name ?? "(without a name)"} {what}.");
    }

    private static (string Key, string Value) ReadEntry(WireReader wire, WireField at)
    {
        var (key, value) = ("", "");
        wire.Position = at.BodyStart;
        while (wire.Next(at.End) is { } field)
        {
            if (field is { Number: 1, Kind: WireKind.Bytes }) key = wire.Text(field, 1024);
            else if (field is { Number: 2, Kind: WireKind.Bytes }) value = wire.Text(field, 1024);
            wire.Position = field.End;
        }
        return (key, value);
    }

    /// <summary>A TensorProto's fields that stay, in order, and the place of the raw bytes; at the end where it had none.</summary>
    private static List<(long Start, long End, bool IsRaw)> Kept(string path, Initialiser initialiser)
    {
        using var wire = new WireReader(path);
        var pieces = new List<(long, long, bool)>();
        var hasRaw = false;
        wire.Position = initialiser.BodyStart;
        while (wire.Next(initialiser.End) is { } field)
        {
            switch (field.Number)
            {
                case RawField when field.Kind == WireKind.Bytes:
                    pieces.Add((field.Start, field.End, true));
                    hasRaw = true;
                    break;
                case FloatsField or Int32sField or Int64sField or DoublesField or UInt64sField or ExternalField or LocationField:
                    break;
                default:
                    pieces.Add((field.Start, field.End, false));
                    break;
            }
            wire.Position = field.End;
        }
        if (!hasRaw) pieces.Add((0, 0, true));
        return pieces;
    }

    private static long NewBodyLength(string path, Initialiser initialiser, long dataLength) =>
        Kept(path, initialiser).Sum(piece => piece.IsRaw ? TagLength(RawField) + VarintLength(dataLength) + dataLength : piece.End - piece.Start);

    // onnx.proto, TensorProto.DataType.
    internal static TensorElement? ElementOf(long type) => type switch
    {
        1 => TensorElement.Float32,
        2 => TensorElement.UInt8,
        3 => TensorElement.Int8,
        4 => TensorElement.UInt16,
        5 => TensorElement.Int16,
        6 => TensorElement.Int32,
        7 => TensorElement.Int64,
        9 => TensorElement.Bool,
        10 => TensorElement.Float16,
        11 => TensorElement.Float64,
        12 => TensorElement.UInt32,
        13 => TensorElement.UInt64,
        16 => TensorElement.BFloat16,
        _ => null,
    };

    private static byte[] FieldHeader(int field, long length)
    {
        var bytes = new byte[TagLength(field) + VarintLength(length)];
        var at = 0;
        foreach (var number in (ReadOnlySpan<ulong>)[(ulong)field << 3 | 2, (ulong)length])
        {
            var left = number;
            for (; left >= 0x80; left >>= 7) bytes[at++] = (byte)(left | 0x80);
            bytes[at++] = (byte)left;
        }
        return bytes;
    }

    private static int TagLength(int field) => VarintLength((long)field << 3);

    private static int VarintLength(long value)
    {
        var length = 1;
        for (var left = (ulong)value; left >= 0x80; left >>= 7) length++;
        return length;
    }
}
