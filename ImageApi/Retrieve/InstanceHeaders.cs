using System.Runtime.CompilerServices;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Origins;

namespace ImageApi.Retrieve;

/// <summary>Reads the headers of instances that may lie in several origins, in the order given.</summary>
internal sealed class InstanceHeaders(ICatalog catalog, IOrigins origins)
{
    /// <summary>Each is the caller's until it asks for the next one.</summary>
    /// <exception cref="OriginException">An origin failed, or an instance is not as the catalog says; the catalog was told then.</exception>
    public async IAsyncEnumerable<InstanceMetadata> ReadAsync(IReadOnlyList<InstanceEntry> instances, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var start = 0; start < instances.Count;)
        {
            var end = start + 1;
            while (end < instances.Count && instances[end].OriginName == instances[start].OriginName)
                end++;
            IReadOnlyList<InstanceEntry> run = start == 0 && end == instances.Count ? instances : [.. instances.Skip(start).Take(end - start)];
            await using var headers = origins.Of(run[0]).GetMetadataAsync(run, cancellationToken).GetAsyncEnumerator(cancellationToken);
            for (var i = 0; await MoveNextAsync(headers, run, i, cancellationToken); i++)
                yield return headers.Current;
            start = end;
        }
    }

    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<InstanceMetadata> headers, IReadOnlyList<InstanceEntry> run, int position, CancellationToken cancellationToken)
    {
        try
        {
            return await headers.MoveNextAsync();
        }
        catch (OriginException exception) when (Healing.IsStale(exception) && position < run.Count)
        {
            // They come in order, so the one that failed is the one that did not come.
            await catalog.HealAsync(run[position], cancellationToken);
            throw;
        }
    }
}
