using InferenceApi.Predictions;
using Platform.Onnx;

namespace InferenceApi.Batching;

/// <summary>
/// The predictions of one loaded model: they wait in a bounded queue, callers take turns, and a worker takes as many as fit into one run. A prediction that
/// comes while a worker is idle runs at once. Workers are threads of their own, because a run blocks for as long as it takes.
/// <para>Ownership: input tensors are the caller's and may be disposed when <see cref="RunAsync"/> has returned or thrown, not before; output tensors are the
/// caller's where it returned.</para>
/// </summary>
internal sealed class BatchQueue : IAsyncDisposable
{
    private static readonly TimeSpan SmallestRetryAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _state = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly OnnxSession _session;
    private readonly RunPlan _plan;
    private readonly BatchingOptions _options;
    private readonly TimeProvider _time;
    private readonly PredictionMetrics _metrics;
    private readonly string _model;
    private readonly FairQueue _queue;
    private readonly List<Thread> _threads = [];
    private readonly List<TaskCompletionSource> _ended = [];
    private int _idle;
    private int _lastBatch = 1;
    private double _secondsPerSample;
    private bool _isStopping;

    public BatchQueue(OnnxSession session, RunPlan plan, BatchingOptions options, TimeProvider time, PredictionMetrics metrics, string model)
    {
        (_session, _plan, _options, _time, _metrics, _model) = (session, plan, options, time, metrics, model);
        _queue = new FairQueue(options.QueueCapacity, options.QueueCapacityPerCaller);
        _secondsPerSample = plan.PerSample.TotalSeconds;
    }

    public RunPlan Plan => _plan;

    /// <summary>How many predictions wait.</summary>
    public int Waiting
    {
        get { lock (_state) return _queue.Count; }
    }

    /// <summary>
    /// Runs a model on tensors that <see cref="OnnxSession.Check"/> took, when it is their turn. Null entries of <paramref name="outputs"/> are filled.
    /// Cancelled while it waits it leaves the queue; while it runs, the run ends unless others share it.
    /// </summary>
    /// <exception cref="BusyException">The queue, or the caller's part of it, is full.</exception>
    public async Task RunAsync(Tensor[] inputs, Tensor?[] outputs, string caller, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var prediction = new Prediction(inputs, outputs, _plan.MaxBatch > 1 ? (int)Math.Min(inputs[0].Shape[0], int.MaxValue) : 1, caller, _time.GetTimestamp());
        lock (_state)
        {
            ObjectDisposedException.ThrowIf(_isStopping, this);
            if (!_queue.TryAdd(prediction)) throw new BusyException($"{_queue.Count} predictions wait for this model already.", RetryAfter());
            if (_idle == 0 && _threads.Count < _plan.Workers) AddWorker();
        }
        _work.Release();
        await using (cancellationToken.UnsafeRegister(static (state, token) =>
        {
            var (queue, prediction) = ((BatchQueue, Prediction))state!;
            queue.Cancel(prediction, token);
        }, (this, prediction)))
        {
            await prediction.Done;
        }
        _metrics.Predicted(_model, _time.GetElapsedTime(prediction.Enqueued));
    }

    /// <summary>Waits for what runs; what waits fails.</summary>
    public async ValueTask DisposeAsync()
    {
        var unwanted = new List<Prediction>();
        Task[] ended;
        lock (_state)
        {
            _isStopping = true;
            while (_queue.Count > 0) _queue.Take(int.MaxValue, long.MaxValue, unwanted);
            ended = [.. _ended.Select(static source => source.Task)];
        }
        foreach (var prediction in unwanted) prediction.Fail(new BusyException("The model is being unloaded.", SmallestRetryAfter));
        _work.Release(_options.QueueCapacity + _plan.Workers); // more than the workers can use up on their way out
        await Task.WhenAll(ended);
        _work.Dispose();
    }

    private TimeSpan RetryAfter()
    {
        var wait = TimeSpan.FromSeconds(Math.Min(60, _queue.Samples * _secondsPerSample));
        return wait > SmallestRetryAfter ? wait : SmallestRetryAfter;
    }

    private void Cancel(Prediction prediction, CancellationToken token)
    {
        CancellationTokenSource? running = null;
        var waited = false;
        lock (_state)
        {
            prediction.IsUnwanted = true;
            if (_queue.Remove(prediction)) waited = true;
            else running = prediction.Running;
        }
        if (waited) prediction.Cancel(token);
        else running?.Cancel(); // ends at the next operator; only then are the inputs the caller's again
    }

    private void AddWorker()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                Work();
            }
            finally
            {
                ended.SetResult();
            }
        })
        { IsBackground = true, Name = $"predict {_model}" };
        _threads.Add(thread);
        _ended.Add(ended);
        thread.Start();
    }

    private void Work()
    {
        var batch = new List<Prediction>();
        while (true)
        {
            Interlocked.Increment(ref _idle);
            _work.Wait();
            Interlocked.Decrement(ref _idle);
            lock (_state)
            {
                if (_isStopping) return;
            }
            WaitForOthers();
            lock (_state) _queue.Take(_plan.MaxBatch, _options.MaxBatchBytes, batch);
            if (batch.Count == 0) continue; // its permit was for one that another worker took, or that was cancelled
            Execute(batch);
            batch.Clear();
        }
    }

    /// <summary>Where the last run had several samples the next will too: a moment's wait saves a run. An idle model does not come here.</summary>
    private void WaitForOthers()
    {
        if (_plan.MaxBatch == 1) return;
        int waiting, expected;
        lock (_state) (waiting, expected) = (_queue.Samples, Math.Min(_lastBatch, _plan.MaxBatch));
        if (waiting == 0 || waiting >= expected) return;
        var patience = TimeSpan.FromSeconds(Math.Min(_options.LongestWait.TotalSeconds, _secondsPerSample * _lastBatch / 2));
        var since = _time.GetTimestamp();
        while (_time.GetElapsedTime(since) is var waited && waited < patience)
        {
            // A permit comes with every prediction that joins; the run that follows takes them all.
            if (!_work.Wait(patience - waited)) return;
            lock (_state)
            {
                if (_isStopping || _queue.Samples >= expected) return;
            }
        }
    }

    private void Execute(List<Prediction> batch)
    {
        var stop = new CancellationTokenSource(); // not disposed: a late wish may still come, and it holds nothing
        var started = _time.GetTimestamp();
        lock (_state)
        {
            var samples = 0;
            foreach (var prediction in batch)
            {
                samples += prediction.Samples;
                if (batch.Count == 1) prediction.Running = stop;
                // Cancelled between the queue and here.
                if (batch.Count == 1 && prediction.IsUnwanted) stop.Cancel();
            }
            _lastBatch = samples;
        }
        foreach (var prediction in batch) _metrics.Waited(_model, _time.GetElapsedTime(prediction.Enqueued, started));
        _metrics.Batched(_model, batch.Count);
        if (batch.Count == 1)
        {
            RunAlone(batch[0], stop.Token);
        }
        else if (!TryRunTogether(batch))
        {
            // One that the model does not take must not fail the others.
            foreach (var prediction in batch) RunAlone(prediction, CancellationToken.None);
        }
        var seconds = _time.GetElapsedTime(started).TotalSeconds / _lastBatch / _plan.Workers;
        _secondsPerSample += (seconds - _secondsPerSample) * (_secondsPerSample == 0 ? 1 : 0.1);
    }

    private void RunAlone(Prediction prediction, CancellationToken stop)
    {
        try
        {
            _session.Run(prediction.Inputs, prediction.Outputs, stop);
            Finish(prediction, null);
        }
        catch (Exception exception)
        {
            Finish(prediction, exception);
        }
    }

    private void Finish(Prediction prediction, Exception? exception)
    {
        lock (_state) prediction.Running = null;
        if (exception is OperationCanceledException)
        {
            prediction.Cancel(new CancellationToken(true));
        }
        else if (exception is not null)
        {
            prediction.Fail(exception);
        }
        else if (prediction.IsUnwanted)
        {
            // It ended before the wish arrived: nobody is there to own the outputs.
            foreach (ref var output in prediction.Outputs.AsSpan())
            {
                output?.Dispose();
                output = null;
            }
            prediction.Cancel(new CancellationToken(true));
        }
        else
        {
            prediction.Complete();
        }
    }

    /// <summary>One run for all; false where it failed, or where what came out cannot be shared out, and nobody has an answer.</summary>
    private bool TryRunTogether(List<Prediction> batch)
    {
        var samples = batch.Sum(static prediction => prediction.Samples);
        var inputs = new Tensor[_session.Inputs.Length];
        var outputs = new Tensor?[_session.Outputs.Length];
        try
        {
            for (var i = 0; i < inputs.Length; i++)
            {
                var first = batch[0].Inputs[i];
                long[] shape = [samples, .. first.Shape[1..]];
                inputs[i] = Tensor.Rent(first.Type, shape);
                var at = 0;
                foreach (var prediction in batch)
                {
                    var bytes = prediction.Inputs[i].Bytes;
                    bytes.CopyTo(inputs[i].Bytes[at..]);
                    at += bytes.Length;
                }
            }
            _session.Run(inputs, outputs, CancellationToken.None);
            if (!Array.TrueForAll(outputs, output => output!.Shape.Length > 0 && output.Shape[0] == samples)) return false;
            for (var i = 0; i < outputs.Length; i++) ShareOut(outputs[i]!, i, samples, batch);
        }
        catch (Exception exception) when (exception is OnnxRunException or InvalidTensorException)
        {
            return false;
        }
        finally
        {
            foreach (var input in inputs) input?.Dispose();
            foreach (var output in outputs) output?.Dispose();
        }
        foreach (var prediction in batch) Finish(prediction, null);
        return true;
    }

    private static void ShareOut(Tensor whole, int index, int samples, List<Prediction> batch)
    {
        var bytesPerSample = whole.Bytes.Length / samples;
        var at = 0;
        foreach (var prediction in batch)
        {
            long[] shape = [prediction.Samples, .. whole.Shape[1..]];
            var part = prediction.Outputs[index] ??= Tensor.Rent(whole.Type, shape);
            whole.Bytes.Slice(at, bytesPerSample * prediction.Samples).CopyTo(part.Bytes);
            at += bytesPerSample * prediction.Samples;
        }
    }
}
