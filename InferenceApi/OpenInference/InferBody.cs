using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using InferenceApi.Predictions;
using Platform.Onnx;

namespace InferenceApi.OpenInference;

/// <summary>
/// The body of a request: JSON, then, where <c>Inference-Header-Content-Length</c> says where the JSON ends, the values of binary inputs in their order
/// (binary tensor data extension). Binary values go from the connection straight into the tensors.
/// </summary>
internal sealed class InferBody : IDisposable
{
    public const string HeaderLength = "Inference-Header-Content-Length";

    private readonly List<IDisposable> _held = [];

    private InferBody(InferRequest request) => Request = request;

    public InferRequest Request { get; }

    /// <summary>In the model's order.</summary>
    public Tensor[] Inputs { get; private set; } = [];

    /// <summary>Reads a body for a model. What is allocated follows from what arrives, never from what it promises.</summary>
    public static async Task<InferBody> ReadAsync(HttpRequest http, OnnxSession session, OpenInferenceOptions options, PredictionService predictions, CancellationToken cancellationToken)
    {
        if (http.Headers.ContentEncoding.Count > 0) throw new BadHttpRequestException("Encoded bodies are not taken.", StatusCodes.Status415UnsupportedMediaType);
        if (http.ContentLength > options.MaxBodyBytes) throw new BadHttpRequestException("Too large.", StatusCodes.Status413PayloadTooLarge);
        var jsonBytes = JsonLength(http);
        using var json = await ReadJsonAsync(http.BodyReader, jsonBytes, options.MaxJsonBytes, predictions, cancellationToken);
        var body = new InferBody(InferRequest.Read(json.Bytes));
        try
        {
            await body.ReadTensorsAsync(http.BodyReader, json, session, jsonBytes is not null, predictions, cancellationToken);
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var held in _held) held.Dispose();
        _held.Clear();
    }

    private static int? JsonLength(HttpRequest http)
    {
        if (!http.Headers.TryGetValue(HeaderLength, out var text)) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length > 0 && !(length > http.ContentLength)
            ? length
            : throw new InvalidRequestException($"'{HeaderLength}' is no length within the body.");
    }

    private async Task ReadTensorsAsync(PipeReader reader, PooledJson json, OnnxSession session, bool hasBinary, PredictionService predictions, CancellationToken cancellationToken)
    {
        var inputs = new Tensor[session.Inputs.Length];
        foreach (var input in Request.Inputs)
        {
            var index = IndexOf(session, input.Name);
            if (inputs[index] is not null) throw new InvalidRequestException($"Input '{input.Name}' is there twice.");
            var type = TypeOf(session.Inputs[index], input);
            if (!Tensor.TryCount(input.Shape, out var count) || count > Tensor.MaxBytes / type.SizeOf()) throw new InvalidRequestException($"Input '{input.Name}' is larger than any tensor.");
            var bytes = count * type.SizeOf();
            if (input.BinaryBytes is { } promised)
            {
                if (!hasBinary) throw new InvalidRequestException($"Input '{input.Name}' is binary, but '{HeaderLength}' is missing.");
                if (promised != bytes) throw new InvalidRequestException($"Input '{input.Name}' has {promised} bytes; its shape and datatype have {bytes}.");
            }
            else if (count > json.Length)
            {
                throw new InvalidRequestException($"Input '{input.Name}' has fewer values than its shape, which has {count}."); // a value takes a byte at least
            }
            _held.Add(predictions.Reserve(bytes));
            var tensor = inputs[index] = Tensor.Rent(type, input.Shape);
            _held.Add(tensor);
            if (input.BinaryBytes is null) JsonValues.Read(json.Bytes[input.Data], tensor, input.Name);
            else await ReadBinaryAsync(reader, tensor.Memory, input.Name, cancellationToken);
        }
        if (hasBinary && !await IsAtEndAsync(reader, cancellationToken)) throw new InvalidRequestException("There are bytes behind the last tensor.");
        for (var i = 0; i < inputs.Length; i++) if (inputs[i] is null) throw new InvalidRequestException($"Input '{session.Inputs[i].Name}' is missing.");
        Inputs = inputs;
    }

    private static int IndexOf(OnnxSession session, string name)
    {
        for (var i = 0; i < session.Inputs.Length; i++) if (session.Inputs[i].Name == name) return i;
        throw new InvalidRequestException($"The model has no input '{name}'.");
    }

    private static TensorType TypeOf(TensorInfo expected, RequestInput actual)
    {
        if (!Datatypes.TryParse(actual.Datatype, out var type)) throw new InvalidRequestException($"Input '{actual.Name}': the datatype '{actual.Datatype}' is not supported.");
        if (type != expected.Type) throw new InvalidTensorException($"Input '{actual.Name}' is {Datatypes.NameOf(expected.Type)}, not {actual.Datatype}.");
        return type;
    }

    private static async Task ReadBinaryAsync(PipeReader reader, Memory<byte> values, string name, CancellationToken cancellationToken)
    {
        while (values.Length > 0)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var part = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, values.Length));
            part.CopyTo(values.Span);
            values = values[(int)part.Length..];
            reader.AdvanceTo(part.End);
            if (read.IsCompleted && part.Length == 0 && values.Length > 0) throw new InvalidRequestException($"The body ends within input '{name}'.");
        }
    }

    private static async Task<bool> IsAtEndAsync(PipeReader reader, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (!read.Buffer.IsEmpty) return false;
            if (read.IsCompleted) return true;
        }
    }

    private static async Task<PooledJson> ReadJsonAsync(PipeReader reader, int? length, int max, PredictionService predictions, CancellationToken cancellationToken)
    {
        if (length > max) throw new BadHttpRequestException("Too large.", StatusCodes.Status413PayloadTooLarge);
        var json = new PooledJson(predictions);
        try
        {
            while (length is null || json.Length < length)
            {
                var read = await reader.ReadAsync(cancellationToken);
                var part = length is { } all ? read.Buffer.Slice(0, Math.Min(read.Buffer.Length, all - json.Length)) : read.Buffer;
                if (part.Length > max - json.Length) throw new BadHttpRequestException("Too large.", StatusCodes.Status413PayloadTooLarge);
                json.Append(part);
                reader.AdvanceTo(part.End);
                if (!read.IsCompleted || part.Length > 0 && length is not null) continue;
                if (length is null || json.Length == length) break;
                throw new InvalidRequestException("The body ends within its JSON.");
            }
            return json;
        }
        catch
        {
            json.Dispose();
            throw;
        }
    }

    /// <summary>The JSON part in one piece, growing as it arrives.</summary>
    private sealed class PooledJson(PredictionService predictions) : IDisposable
    {
        private const int FirstBytes = 16 * 1024;

        private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBytes);
        private IDisposable? _reserved;

        public int Length { get; private set; }

        public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, Length);

        public void Append(ReadOnlySequence<byte> part)
        {
            var needed = Length + (int)part.Length;
            if (needed > _buffer.Length)
            {
                var larger = (int)Math.Min(Math.Max((long)_buffer.Length * 2, needed), Array.MaxLength);
                _reserved?.Dispose();
                _reserved = null;
                _reserved = predictions.Reserve(larger);
                var grown = ArrayPool<byte>.Shared.Rent(larger);
                Bytes.CopyTo(grown);
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = grown;
            }
            part.CopyTo(_buffer.AsSpan(Length));
            Length = needed;
        }

        public void Dispose()
        {
            _reserved?.Dispose();
            if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }
}
