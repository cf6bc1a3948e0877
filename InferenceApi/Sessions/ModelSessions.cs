using InferenceApi.Batching;
using InferenceApi.Predictions;
using Microsoft.Extensions.Options;
using Platform.Models;
using Platform.Onnx;

namespace InferenceApi.Sessions;

/// <summary>
/// The models in memory. One is loaded when it is first asked for, once however many ask, and warmed before anybody gets it. Where the budget would be
/// exceeded the one that was not used for longest, and that nobody holds, is unloaded.
/// </summary>
internal sealed class ModelSessions : IAsyncDisposable
{
    private readonly Lock _state = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.OrdinalIgnoreCase);
    private readonly SemaphoreSlim _oneLoad = new(1); // loading uses all cores, and measures them
    private readonly CancellationTokenSource _stopping = new();
    private readonly HashSet<string> _refusalsLogged = [];
    private readonly Dictionary<string, RunPlan> _plans = []; // used by the one load that is under way
    private readonly IModelFiles _models;
    private readonly SessionsOptions _options;
    private readonly BatchingOptions _batching;
    private readonly PredictionMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelSessions> _logger;

    public ModelSessions(IModelFiles models, IOptions<SessionsOptions> options, IOptions<BatchingOptions> batching, PredictionMetrics metrics, TimeProvider time, ILogger<ModelSessions> logger)
    {
        (_models, _options, _batching, _metrics, _time, _logger) = (models, options.Value, batching.Value, metrics, time, logger);
    }

    /// <summary>How often a model was loaded since the start.</summary>
    public int Loads { get; private set; }

    /// <summary>What the loaded models count against the budget.</summary>
    public long Bytes
    {
        get { lock (_state) return _entries.Values.Sum(static entry => entry.Bytes); }
    }

    /// <summary>What is in memory now.</summary>
    public IReadOnlyList<ModelSession> Loaded
    {
        get { lock (_state) return [.. _entries.Values.Where(static entry => entry.Loading.IsCompletedSuccessfully).Select(static entry => entry.Model!)]; }
    }

    /// <summary>Why the last attempt to load a model failed; null where it did not.</summary>
    public Exception? FailureOf(string name)
    {
        lock (_state) return _entries.TryGetValue(name, out var entry) && !IsStale(entry) ? entry.Failure : null;
    }

    /// <summary>The model, loaded and warm. Cancelling stops the waiting, not the loading.</summary>
    /// <exception cref="ModelException">There is no such model, or its files are not here.</exception>
    /// <exception cref="InvalidModelException">Its file cannot be run.</exception>
    /// <exception cref="BusyException">All memory for models is in use.</exception>
    /// <exception cref="OnnxUnavailableException">There is no runtime.</exception>
    /// <exception cref="DeviceRefusedException">The configured device cannot be used.</exception>
    public async ValueTask<SessionLease> AcquireAsync(string name, CancellationToken cancellationToken)
    {
        var manifest = _models.Find(name) ?? throw new ModelException(ModelFault.NotFound, $"There is no model '{name}'.");
        Entry entry;
        lock (_state)
        {
            ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
            if (_entries.TryGetValue(manifest.Name, out entry!) && (IsStale(entry) || entry.Version != manifest.Version && entry.Holds == 0))
            {
                Remove(entry);
                entry = null!;
            }
            if (entry is null)
            {
                entry = new Entry(manifest.Name, manifest.Version);
                _entries.Add(manifest.Name, entry);
                entry.Loading = Task.Run(() => LoadAsync(entry, manifest), CancellationToken.None);
            }
            entry.Holds++;
        }
        try
        {
            return new SessionLease(await entry.Loading.WaitAsync(cancellationToken), () => Release(entry));
        }
        catch
        {
            Release(entry);
            throw;
        }
    }

    /// <summary>Unloads a model when the last who uses it lets go; who asks for it from now on loads it again. True where it was loaded.</summary>
    public bool Unload(string name)
    {
        lock (_state)
        {
            if (!_entries.TryGetValue(name, out var entry)) return false;
            Remove(entry);
            return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Entry[] entries;
        lock (_state)
        {
            _stopping.Cancel();
            entries = [.. _entries.Values];
            _entries.Clear();
        }
        foreach (var entry in entries)
        {
            await entry.Loading.ContinueWith(static _ => { }, TaskScheduler.Default);
            if (entry.Model is { } model) await model.DisposeAsync();
        }
    }

    private async Task<ModelSession> LoadAsync(Entry entry, ModelManifest manifest)
    {
        ModelFileLease? files = null;
        OnnxSession? session = null;
        try
        {
            files = await _models.OpenAsync(manifest, _stopping.Token);
            await _oneLoad.WaitAsync(_stopping.Token);
            try
            {
                await MakeRoomAsync(entry, files.Bytes);
                var since = _time.GetTimestamp();
                (session, var plan) = Load(manifest, files);
                var model = new ModelSession(manifest, session, new BatchQueue(session, plan, _batching, _time, _metrics, manifest.Name), files, _time.GetElapsedTime(since));
                LogRefusals(session.Device);
                _logger.Loaded(manifest.Name, manifest.Version, session.Device.Device.ToString(), plan.Threads, plan.Workers, plan.MaxBatch, model.LoadTime.TotalMilliseconds);
                lock (_state)
                {
                    Loads++;
                    entry.Model = model;
                    if (entry is { IsRemoved: true, Holds: 0 }) Dispose(entry); // nobody waited for it any more
                }
                return model;
            }
            finally
            {
                _oneLoad.Release();
            }
        }
        catch (Exception exception)
        {
            session?.Dispose();
            files?.Dispose();
            if (exception is not OperationCanceledException) _logger.NotLoaded(manifest.Name, exception.Message);
            lock (_state)
            {
                entry.Bytes = 0;
                entry.Failure = exception;
                entry.FailedAt = _time.GetTimestamp();
                // Not the model's fault: the next who asks tries again.
                if (exception is BusyException or OperationCanceledException && !entry.IsRemoved) Remove(entry);
            }
            throw;
        }
    }

    /// <summary>Loads and warms; measures too, the first time in this process.</summary>
    private (OnnxSession, RunPlan) Load(ModelManifest manifest, ModelFileLease files)
    {
        var threads = _options.Threads > 0 ? _options.Threads : Environment.ProcessorCount;
        var key = $"{manifest.Name} {manifest.Version} {files.Digest ?? files.Path}";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        limit.CancelAfter(_options.WarmTimeout);
        try
        {
            if (_plans.TryGetValue(key, out var plan)) return (RunPlanner.Load(plan, Open, Shapes, limit.Token), plan);
            var planned = new RunPlanner(_batching, _time).Plan(Open, threads, Shapes, limit.Token);
            _plans[key] = planned.Plan;
            return planned;
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            throw new InvalidModelException($"The model did not finish its first runs within {_options.WarmTimeout.TotalSeconds:0.###} s.");
        }

        OnnxSession Open(int count) => Check(OnnxSession.Load(files.Path, new OnnxSessionOptions { Device = _options.Device, IntraOpThreads = count, Optimize = !files.IsOptimised }), manifest);

        long[][] Shapes(OnnxSession loaded) => WarmShapes.Of(loaded, manifest);
    }

    /// <summary>A manifest that promises another graph would have pictures prepared for the wrong one.</summary>
    private static OnnxSession Check(OnnxSession session, ModelManifest manifest)
    {
        var missing = manifest.Inputs.Select(static input => input.Name).Except(session.Inputs.Select(static input => input.Name))
            .Concat(session.Inputs.Select(static input => input.Name).Except(manifest.Inputs.Select(static input => input.Name)))
            .Concat(manifest.Outputs.Select(static output => output.Name).Except(session.Outputs.Select(static output => output.Name))).FirstOrDefault();
        if (missing is null) return session;
        session.Dispose();
        throw new InvalidModelException($"The manifest of {manifest.Name} and its graph do not agree on '{missing}'.");
    }

    private async Task MakeRoomAsync(Entry entry, long bytes)
    {
        if (bytes > _options.MemoryBytes) throw new InvalidModelException($"The model has {bytes} bytes, more than all models together may use ({SessionsOptions.SectionName}:MemoryBytes is {_options.MemoryBytes}).");
        var unloaded = new List<ModelSession>();
        lock (_state)
        {
            while (_entries.Values.Sum(static other => other.Bytes) + bytes > _options.MemoryBytes)
            {
                var oldest = _entries.Values.Where(static other => other is { Holds: 0, Model: not null }).MinBy(static other => other.LastUsed)
                    ?? throw new BusyException("All memory for models is in use.", TimeSpan.FromSeconds(2));
                _entries.Remove(oldest.Name);
                oldest.IsRemoved = true;
                unloaded.Add(oldest.Model!);
            }
            entry.Bytes = bytes;
        }
        foreach (var model in unloaded)
        {
            _logger.Unloaded(model.Manifest.Name, model.Bytes);
            await model.DisposeAsync();
        }
    }

    private void Release(Entry entry)
    {
        lock (_state)
        {
            entry.Holds--;
            entry.LastUsed = _time.GetTimestamp();
            if (!entry.IsRemoved || entry.Holds > 0 || entry.Model is null) return;
        }
        Dispose(entry);
    }

    // Under the lock.
    private void Remove(Entry entry)
    {
        _entries.Remove(entry.Name);
        entry.IsRemoved = true;
        // With holders the last of them does it; a load that is under way has its starter as holder.
        if (entry is { Holds: 0, Model: not null }) Dispose(entry);
    }

    private void Dispose(Entry entry)
    {
        _logger.Unloaded(entry.Name, entry.Bytes);
        _ = Task.Run(entry.Model!.DisposeAsync().AsTask);
    }

    private bool IsStale(Entry entry) => entry.Failure is not null && _time.GetElapsedTime(entry.FailedAt) >= _options.RetryFailedAfter;

    private void LogRefusals(DeviceChoice choice)
    {
        foreach (var refusal in choice.Refusals)
        {
            lock (_state)
            {
                if (!_refusalsLogged.Add($"{refusal.Device} {refusal.Reason}")) continue;
            }
            _logger.DeviceRefused(refusal.Device.ToString(), refusal.Reason);
        }
    }

    /// <summary>A model that is loaded, being loaded, or could not be; under the lock but for <see cref="Loading"/>.</summary>
    private sealed class Entry(string name, string version)
    {
        public string Name => name;

        public string Version => version;

        public Task<ModelSession> Loading { get; set; } = null!;

        public ModelSession? Model { get; set; }

        public int Holds { get; set; }

        public long LastUsed { get; set; }

        public long Bytes { get; set; }

        public bool IsRemoved { get; set; }

        public Exception? Failure { get; set; }

        public long FailedAt { get; set; }
    }
}
