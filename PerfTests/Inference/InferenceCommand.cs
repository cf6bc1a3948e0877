using System.CommandLine;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using PerfTests.Measuring;
using PerfTests.Report;
using Platform.Onnx;

namespace PerfTests.Inference;

/// <summary>
/// <c>inference</c>: a model through InferenceApi beside the runtime alone. One caller: a bare run with a binding, the same through Platform.Onnx, and over HTTP
/// with binary tensors, one after another in each round. Many callers: predictions a second over HTTP beside the ways to use the runtime alone.
/// </summary>
internal static class InferenceCommand
{
    private static readonly Dictionary<string, string> NoConditions = [];

    public static Command Create()
    {
        var model = new Option<FileInfo>("--model") { Required = true, Description = "The .onnx file." };
        var shape = new Option<string>("--shape") { DefaultValueFactory = _ => "1,1,512,512", Description = "Of its one float32 input." };
        var url = new Option<string?>("--url") { Description = "A running InferenceApi; without it only in this process." };
        var name = new Option<string>("--name") { DefaultValueFactory = _ => "ct-lung", Description = "The model's name there." };
        var seconds = new Option<int>("--seconds") { DefaultValueFactory = _ => 8, Description = "For one caller; and for each window of many." };
        var callers = new Option<int>("--callers") { DefaultValueFactory = _ => 16 };
        var results = new Option<DirectoryInfo?>("--results") { Description = "Keep a result file in this folder." };
        var command = new Command("inference", "A model through InferenceApi beside the runtime alone.") { model, shape, url, name, seconds, callers, results };
        command.SetAction((parse, token) => RunAsync(parse.GetValue(model)!.FullName, [.. parse.GetValue(shape)!.Split(',').Select(static size => long.Parse(size, CultureInfo.InvariantCulture))],
            parse.GetValue(url) is { } address ? new Uri(address) : null, parse.GetValue(name)!, TimeSpan.FromSeconds(parse.GetValue(seconds)), parse.GetValue(callers), parse.GetValue(results)?.FullName, token));
        return command;
    }

    private static async Task<int> RunAsync(string model, long[] shape, Uri? url, string name, TimeSpan window, int callers, string? folder, CancellationToken cancellationToken)
    {
        var startedAt = TimeProvider.System.GetUtcNow();
        var started = TimeProvider.System.GetTimestamp();
        using var client = url is null ? null : await InferClient.CreateAsync(url, name, shape, cancellationToken);
        if (client is not null) await client.InferAsync(cancellationToken); // loads it
        List<Measurement> measurements = [.. await OneCallerAsync(model, shape, client, window, cancellationToken)];
        if (client is not null) measurements.AddRange(await ManyCallersAsync(model, shape, client, window, callers, cancellationToken));
        var (commit, isModified) = Commit.Read();
        var result = new ResultFile
        {
            Name = $"inference-{name}",
            StartedAt = startedAt,
            DurationSeconds = Math.Round(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 1),
            Commit = commit,
            IsModified = isModified,
            Machine = Machine.Read(),
            Parameters = new() { ["shape"] = string.Join('x', shape), ["model bytes"] = new FileInfo(model).Length.ToString(CultureInfo.InvariantCulture), ["callers"] = callers.ToString(CultureInfo.InvariantCulture) },
            Targets = new() { ["ours"] = "this commit", ["bare"] = $"ONNX Runtime {OnnxRuntimeLibrary.Version}, {Environment.ProcessorCount} threads" },
            Measurements = measurements,
        };
        Console.WriteLine(MarkdownTable.Print(result));
        if (folder is not null) Console.WriteLine(Path.GetRelativePath(Environment.CurrentDirectory, result.WriteTo(folder)));
        return 0;
    }

    private static async Task<List<Measurement>> OneCallerAsync(string model, long[] shape, InferClient? client, TimeSpan window, CancellationToken cancellationToken)
    {
        using var bare = new Bare(model, shape, Environment.ProcessorCount);
        using var session = OnnxSession.Load(model, new OnnxSessionOptions { Device = "cpu" });
        using var x = Tensor.Rent(TensorType.Float32, shape);
        x.Bytes.Clear();
        var outputs = new Tensor?[session.Outputs.Length];
        var (alone, ours, http) = (new List<double>(), new List<double>(), new List<double>());
        var since = TimeProvider.System.GetTimestamp();
        for (var round = 0; TimeProvider.System.GetElapsedTime(since) < window; round++)
        {
            // Who comes first changes from round to round.
            if (round % 2 == 0) Time(alone, bare.Run);
            Time(ours, () => session.Run([x], outputs, CancellationToken.None));
            if (round % 2 == 1) Time(alone, bare.Run);
            if (client is null) continue;
            var before = Clock.Now;
            await client.InferAsync(cancellationToken);
            http.Add((Clock.Now - before) / 1e6);
        }
        foreach (var output in outputs) output?.Dispose();
        List<Measurement> measurements = [Of("bare", "one caller, in process", alone), Of("ours", "one caller, in process", ours)];
        if (client is not null) measurements.Add(Of("ours", "one caller, over HTTP", http));
        return measurements;

        static Measurement Of(string target, string scenario, List<double> times) => Measurement.Of(scenario, target, "time", "ms", NoConditions, times.Count, 0, [.. times.Skip(times.Count / 10)]);

        static void Time(List<double> times, Action run)
        {
            var before = Clock.Now;
            run();
            times.Add((Clock.Now - before) / 1e6);
        }
    }

    private static async Task<List<Measurement>> ManyCallersAsync(string model, long[] shape, InferClient client, TimeSpan window, int callers, CancellationToken cancellationToken)
    {
        var cores = Environment.ProcessorCount;
        var ways = new List<(string Target, string Way, int Workers, int Threads, int Batch)> { ("bare", "one session, all threads", 1, cores, 1), ("bare", "a session a core", cores, 1, 1), ("bare", "batches of 8", 1, cores, 8), ("bare", "batches of 8, a session a core", cores, 1, 8) };
        var rates = ways.ToDictionary(static way => way.Way, static _ => new List<double>());
        var http = new List<double>();
        var alone = new List<double>();
        for (var round = 0; round < 3; round++)
        {
            foreach (var way in ways)
            {
                var sessions = Enumerable.Range(0, way.Workers).Select(_ => new Bare(model, [shape[0] * way.Batch, .. shape[1..]], way.Threads)).ToArray();
                rates[way.Way].Add(way.Batch * await RateAsync(way.Workers, window / 4, worker => { sessions[worker].Run(); return Task.CompletedTask; }));
                foreach (var session in sessions) session.Dispose();
            }
            http.Add(await RateAsync(callers, window / 4, _ => client.InferAsync(cancellationToken)));
            alone.Add(await RateAsync(1, window / 4, _ => client.InferAsync(cancellationToken)));
        }
        return
        [
            .. ways.Select(way => Measurement.Of($"many: {way.Way}", "bare", "rate", "1/s", NoConditions, 3, 0, [.. rates[way.Way]])),
            Measurement.Of($"many: {callers} callers over HTTP", "ours", "rate", "1/s", NoConditions, 3, 0, [.. http]),
            Measurement.Of("many: 1 caller over HTTP", "ours", "rate", "1/s", NoConditions, 3, 0, [.. alone]),
        ];
    }

    private static async Task<double> RateAsync(int workers, TimeSpan window, Func<int, Task> once)
    {
        var since = TimeProvider.System.GetTimestamp();
        var done = 0;
        await Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Run(async () =>
        {
            while (TimeProvider.System.GetElapsedTime(since) < window)
            {
                await once(worker);
                Interlocked.Increment(ref done);
            }
        })));
        return done / TimeProvider.System.GetElapsedTime(since).TotalSeconds;
    }

    /// <summary>The runtime alone: a session whose binding stays bound.</summary>
    private sealed class Bare : IDisposable
    {
        private readonly InferenceSession _session;
        private readonly OrtIoBinding _binding;
        private readonly RunOptions _options = new();
        private readonly OrtValue _input;

        public Bare(string model, long[] shape, int threads)
        {
            using var settings = new SessionOptions { IntraOpNumThreads = threads };
            settings.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            _session = new InferenceSession(model, settings);
            _binding = _session.CreateIoBinding();
            _input = OrtValue.CreateTensorValueFromMemory(GC.AllocateArray<float>(checked((int)shape.Aggregate(1L, static (a, b) => a * b)), pinned: true), shape);
            _binding.BindInput(_session.InputNames[0], _input);
            _binding.BindOutputToDevice(_session.OutputNames[0], OrtMemoryInfo.DefaultInstance);
            Run();
        }

        public void Run() => _session.RunWithBinding(_options, _binding);

        public void Dispose()
        {
            _binding.Dispose();
            _session.Dispose();
            _input.Dispose();
            _options.Dispose();
        }
    }

    /// <summary>The Open Inference Protocol with binary tensors.</summary>
    private sealed class InferClient : IDisposable
    {
        private readonly HttpClient _client = new();
        private readonly Uri _url;
        private readonly byte[] _body;
        private readonly string _headerLength;

        private InferClient(Uri url, string name, string? input, long[] shape)
        {
            _url = new Uri(url, $"/v2/models/{name}/infer");
            var bytes = shape.Aggregate(4L, static (a, b) => a * b);
            var header = Encoding.UTF8.GetBytes($$$"""{"inputs":[{"name":"{{{input}}}","shape":[{{{string.Join(',', shape)}}}],"datatype":"FP32","parameters":{"binary_data_size":{{{bytes}}}}}],"parameters":{"binary_data_output":true}}""");
            _body = [.. header, .. new byte[bytes]];
            _headerLength = header.Length.ToString(CultureInfo.InvariantCulture);
        }

        public static async Task<InferClient> CreateAsync(Uri url, string name, long[] shape, CancellationToken cancellationToken)
        {
            using var client = new HttpClient();
            using var metadata = JsonDocument.Parse(await client.GetByteArrayAsync(new Uri(url, $"/v2/models/{name}"), cancellationToken));
            return new InferClient(url, name, metadata.RootElement.GetProperty("inputs")[0].GetProperty("name").GetString(), shape);
        }

        public async Task InferAsync(CancellationToken cancellationToken)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _url) { Content = new ByteArrayContent(_body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            request.Content.Headers.Add("Inference-Header-Content-Length", _headerLength);
            using var response = await _client.SendAsync(request, cancellationToken);
            response.EnsureSuccessStatusCode();
            await response.Content.CopyToAsync(Stream.Null, cancellationToken);
        }

        public void Dispose() => _client.Dispose();
    }
}
