using System.Runtime.InteropServices;
using Platform.Onnx;

namespace InferenceApi.Batching;

/// <summary>
/// Loads a model, warms it with tensors of the shapes that it will see, and finds by measuring which mix of threads, concurrent runs and samples in a run
/// answers most per second. More threads in one run are preferred where they are as good: a single caller then waits less.
/// </summary>
internal sealed class RunPlanner(BatchingOptions options, TimeProvider time)
{
    /// <summary>How much better one way must be to be taken instead of a simpler one.</summary>
    private const double WorthIt = 1.05;

    /// <summary>How far a sample's result may differ between a run of its own and a shared one, relative to the largest value.</summary>
    private const float Tolerance = 1e-3f;

    /// <summary>Labels at the edge of a decision may fall to either side.</summary>
    private const double DifferentLabels = 1e-3;

    private static readonly TimeSpan ShortestWindow = TimeSpan.FromMilliseconds(20);

    /// <summary>Loads a model that was measured before, and warms it. The session is the caller's.</summary>
    public static OnnxSession Load(RunPlan plan, Func<int, OnnxSession> load, Func<OnnxSession, long[][]> shapes, CancellationToken cancellationToken)
    {
        var session = load(plan.Threads);
        try
        {
            TryWarm(session, shapes(session), cancellationToken);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Loads, warms and measures; takes at most a few times <see cref="BatchingOptions.MeasureFor"/>, plus the loading. The session is the caller's.</summary>
    /// <param name="load">Loads the model for a number of threads.</param>
    /// <param name="threads">Threads that may be used altogether.</param>
    /// <param name="shapes">What the inputs look like, one sample.</param>
    public (OnnxSession Session, RunPlan Plan) Plan(Func<int, OnnxSession> load, int threads, Func<OnnxSession, long[][]> shapes, CancellationToken cancellationToken)
    {
        var session = load(threads);
        OnnxSession? other = null;
        try
        {
            var single = shapes(session);
            var started = time.GetTimestamp();
            var simple = new RunPlan(threads, 1, 1, TimeSpan.Zero);
            if (!TryWarm(session, single, cancellationToken) || options.MeasureFor == TimeSpan.Zero) return (session, simple);
            if (SecondsPerSample(session, single, 1, 1, cancellationToken) is not { } perSample) return (session, simple);
            simple = simple with { PerSample = TimeSpan.FromSeconds(perSample) };
            // A run that takes long keeps the machine busy by itself, and measuring it would keep the first caller waiting.
            if (perSample > options.MeasureFor.TotalSeconds / 8) return (session, simple);
            var isBatchable = IsBatchable(session, single, cancellationToken);
            var best = BestBatch(session, single, simple, isBatchable, started, cancellationToken);
            if (threads > 1 && session.Device.Device.Kind == DeviceKind.Cpu && time.GetElapsedTime(started) < options.MeasureFor)
            {
                other = load(1);
                if (TryWarm(other, single, cancellationToken) && SecondsPerSample(other, single, 1, threads, cancellationToken) is { } seconds)
                {
                    var alternative = BestBatch(other, single, new RunPlan(1, threads, 1, TimeSpan.FromSeconds(seconds)), isBatchable, started, cancellationToken);
                    if (best.PerSample > alternative.PerSample * WorthIt) (session, other, best) = (other, session, alternative);
                }
            }
            return (session, best);
        }
        catch
        {
            session.Dispose();
            throw;
        }
        finally
        {
            other?.Dispose();
        }
    }

    private RunPlan BestBatch(OnnxSession session, long[][] single, RunPlan best, bool isBatchable, long started, CancellationToken cancellationToken)
    {
        var bytes = single.Zip(session.Inputs, static (shape, input) => Tensor.TryCount(shape, out var count) ? count * input.Type.SizeOf() : 0).Sum();
        var most = (int)Math.Min(options.MaxBatch, options.MaxBatchBytes / Math.Max(1, bytes));
        for (var batch = 2; isBatchable && batch <= most && time.GetElapsedTime(started) < options.MeasureFor; batch *= 2)
        {
            if (SecondsPerSample(session, single, batch, best.Workers, cancellationToken) is not { } seconds || seconds * WorthIt > best.PerSample.TotalSeconds) break;
            best = best with { MaxBatch = batch, PerSample = TimeSpan.FromSeconds(seconds) };
        }
        return best;
    }

    /// <summary>The first run allocates what later ones use. False where the model does not take these shapes, which were a guess: it can be used all the same.</summary>
    private static bool TryWarm(OnnxSession session, long[][] shapes, CancellationToken cancellationToken)
    {
        using var run = new Trial(session, shapes, 1);
        try
        {
            run.Run(cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is OnnxRunException or InvalidTensorException)
        {
            return false;
        }
    }

    /// <summary>The best of three short windows, because others use the machine too; null where the model fails on so many.</summary>
    private double? SecondsPerSample(OnnxSession session, long[][] single, int batch, int workers, CancellationToken cancellationToken)
    {
        var runs = Enumerable.Range(0, workers).Select(_ => new Trial(session, single, batch)).ToArray();
        try
        {
            var best = double.MaxValue;
            for (var window = 0; window < 3; window++)
            {
                var since = time.GetTimestamp();
                var done = 0;
                if (workers == 1)
                {
                    done = RunFor(runs[0], since, cancellationToken);
                }
                else
                {
                    var threads = runs.Select(run => new Thread(() => Interlocked.Add(ref done, RunFor(run, since, cancellationToken))) { IsBackground = true }).ToArray();
                    foreach (var thread in threads) thread.Start();
                    foreach (var thread in threads) thread.Join();
                }
                cancellationToken.ThrowIfCancellationRequested();
                if (done == 0) return null;
                best = Math.Min(best, time.GetElapsedTime(since).TotalSeconds / done / batch);
            }
            return best;
        }
        finally
        {
            foreach (var run in runs) run.Dispose();
        }
    }

    private int RunFor(Trial run, long since, CancellationToken cancellationToken)
    {
        var done = 0;
        try
        {
            do
            {
                run.Run(cancellationToken);
                done++;
            }
            while (time.GetElapsedTime(since) < ShortestWindow);
        }
        catch (Exception exception) when (exception is OnnxRunException or OperationCanceledException)
        {
            return 0;
        }
        return done;
    }

    /// <summary>
    /// True where samples can share a run without changing each other's results: every input and output has an open first dimension, and two different samples
    /// give together what each gives alone. A model that normalises over the batch does not.
    /// </summary>
    private static bool IsBatchable(OnnxSession session, long[][] single, CancellationToken cancellationToken)
    {
        if (!session.Inputs.Concat(session.Outputs).All(static info => info.Shape.Length > 0 && info.Shape[0].Size is null)) return false;
        using var both = new Trial(session, single, 2, fill: 1);
        using var first = both.Part(0);
        using var second = both.Part(1);
        try
        {
            both.Run(cancellationToken);
            first.Run(cancellationToken);
            second.Run(cancellationToken);
        }
        catch (OnnxRunException)
        {
            return false;
        }
        for (var i = 0; i < session.Outputs.Length; i++)
        {
            var whole = both.Outputs[i]!;
            if (whole.Shape.Length == 0 || whole.Shape[0] != 2 || !first.Outputs[i]!.Shape[1..].SequenceEqual(whole.Shape[1..])) return false;
            var half = whole.Bytes.Length / 2;
            if (!IsSame(whole.Type, whole.Bytes[..half], first.Outputs[i]!.Bytes) || !IsSame(whole.Type, whole.Bytes[half..], second.Outputs[i]!.Bytes)) return false;
        }
        return true;
    }

    private static bool IsSame(TensorType type, ReadOnlySpan<byte> together, ReadOnlySpan<byte> alone)
    {
        if (together.Length != alone.Length) return false;
        if (type == TensorType.Float32)
        {
            var a = MemoryMarshal.Cast<byte, float>(together);
            var b = MemoryMarshal.Cast<byte, float>(alone);
            var scale = 1e-6f;
            foreach (var value in b) if (float.IsFinite(value)) scale = Math.Max(scale, Math.Abs(value));
            for (var i = 0; i < a.Length; i++) if (!(Math.Abs(a[i] - b[i]) <= Tolerance * scale) && !a[i].Equals(b[i])) return false;
            return true;
        }
        var different = 0;
        for (var i = 0; i < together.Length; i++) if (together[i] != alone[i]) different++;
        return different <= together.Length * DifferentLabels;
    }

    /// <summary>Tensors for one run after another, the same ones each time.</summary>
    private sealed class Trial : IDisposable
    {
        private readonly OnnxSession _session;
        private readonly long[][] _single;

        public Trial(OnnxSession session, long[][] single, int batch, int fill = 0)
        {
            (_session, _single) = (session, single);
            Inputs = [.. single.Zip(session.Inputs, (shape, input) => Tensor.Rent(input.Type, batch == 1 ? shape : [shape[0] * batch, .. shape[1..]]))];
            var random = new Random(1);
            foreach (var input in Inputs) Fill(input, fill == 0 ? null : random);
            Outputs = new Tensor?[session.Outputs.Length];
        }

        public Tensor[] Inputs { get; }

        public Tensor?[] Outputs { get; }

        public void Run(CancellationToken cancellationToken) => _session.Run(Inputs, Outputs, cancellationToken);

        /// <summary>One sample of two, with the same values.</summary>
        public Trial Part(int index)
        {
            var part = new Trial(_session, _single, 1);
            for (var i = 0; i < Inputs.Length; i++)
            {
                var bytes = part.Inputs[i].Bytes;
                Inputs[i].Bytes.Slice(bytes.Length * index, bytes.Length).CopyTo(bytes);
            }
            return part;
        }

        public void Dispose()
        {
            foreach (var tensor in Inputs) tensor.Dispose();
            foreach (var tensor in Outputs) tensor?.Dispose();
        }

        // Numbers that pictures have too; indices stay within any table.
        private static void Fill(Tensor tensor, Random? random)
        {
            tensor.Bytes.Clear();
            if (random is null) return;
            switch (tensor.Type)
            {
                case TensorType.Float32:
                    foreach (ref var value in tensor.AsSpan<float>()) value = random.NextSingle() * 2 - 1;
                    break;
                case TensorType.UInt8:
                    random.NextBytes(tensor.Bytes);
                    break;
            }
        }
    }
}
