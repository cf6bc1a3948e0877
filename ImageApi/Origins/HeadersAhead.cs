using System.Runtime.CompilerServices;
using ImageApi.Catalog;
using Platform.Dicom;

namespace ImageApi.Origins;

/// <summary>Reads headers a few ahead of who asks for them: one is parsed while another is waited for.</summary>
internal static class HeadersAhead
{
    /// <param name="instances">In the order in which they are given out.</param>
    /// <param name="depth">How many are read at once.</param>
    /// <param name="read">Reads one; called on the pool.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static async IAsyncEnumerable<InstanceMetadata> ReadAsync(
        IReadOnlyList<InstanceEntry> instances, int depth, Func<InstanceEntry, CancellationToken, Task<DicomFile>> read, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ahead = new Queue<Task<DicomFile>>();
        try
        {
            for (var i = 0; i < instances.Count; i++)
            {
                for (var next = i + ahead.Count; next < instances.Count && ahead.Count < depth; next++)
                {
                    var entry = instances[next];
                    ahead.Enqueue(Task.Run(() => read(entry, cancellationToken), cancellationToken));
                }
                using var file = await ahead.Dequeue();
                yield return new InstanceMetadata(instances[i], file);
            }
        }
        finally
        {
            foreach (var left in ahead)
            {
                _ = left.ContinueWith(static task => { if (task.IsCompletedSuccessfully) task.GetAwaiter().GetResult().Dispose(); else _ = task.Exception; },
                    CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }
}
