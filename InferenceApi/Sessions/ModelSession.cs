using InferenceApi.Batching;
using Platform.Models;
using Platform.Onnx;

namespace InferenceApi.Sessions;

/// <summary>A model that is loaded and warm.</summary>
internal sealed class ModelSession(ModelManifest manifest, OnnxSession session, BatchQueue queue, ModelFileLease files, TimeSpan loadTime) : IAsyncDisposable
{
    public ModelManifest Manifest => manifest;

    public OnnxSession Session => session;

    public BatchQueue Queue => queue;

    /// <summary>What it counts against the budget.</summary>
    public long Bytes => files.Bytes;

    /// <summary>SHA-256 of its files, where the store knows it.</summary>
    public string? Digest => files.Digest;

    /// <summary>From the file to warm.</summary>
    public TimeSpan LoadTime => loadTime;

    public async ValueTask DisposeAsync()
    {
        await queue.DisposeAsync();
        session.Dispose();
        files.Dispose();
    }
}

/// <summary>A loaded model in use: it is not unloaded before this is disposed, once.</summary>
internal sealed class SessionLease(ModelSession model, Action release) : IDisposable
{
    private Action? _release = release;

    public ModelSession Model => model;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
