using System.Text.Json;
using Cli.Servers;

namespace Cli.Import;

/// <summary>
/// Which instances of a study the server has: asked once a study (QIDO-RS), kept for the last few studies. What was sent is in no cache of ours
/// but on the server or not, so only its word counts.
/// </summary>
internal sealed class StoredInstances(ServerConnection server)
{
    private const int PageSize = 5000;
    private const int KeptStudies = 32;

    private readonly Dictionary<string, HashSet<UInt128>> _studies = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    public async ValueTask<bool> ContainsAsync(string study, UInt128 instance, CancellationToken cancellationToken)
    {
        if (study.Length == 0) return false;
        if (!_studies.TryGetValue(study, out var instances))
        {
            instances = await AskAsync(study, cancellationToken);
            _studies.Add(study, instances);
            _order.Enqueue(study);
            if (_order.Count > KeptStudies) _studies.Remove(_order.Dequeue());
        }

        return instances.Contains(instance);
    }

    private async Task<HashSet<UInt128>> AskAsync(string study, CancellationToken cancellationToken)
    {
        var instances = new HashSet<UInt128>();
        for (var offset = 0; ;)
        {
            var uri = new Uri(server.Address.DicomWeb, $"studies/{Uri.EscapeDataString(study)}/instances?limit={PageSize}&offset={offset}");
            using var page = await server.GetDicomJsonAsync(uri, cancellationToken);
            if (page?.RootElement is not { ValueKind: JsonValueKind.Array } rows || rows.GetArrayLength() == 0) return instances;
            var known = instances.Count;
            foreach (var row in rows.EnumerateArray())
                if (row.TryGetProperty("00080018", out var uid) && uid.TryGetProperty("Value", out var values) && values.GetArrayLength() == 1 && values[0].GetString() is { } text)
                    instances.Add(ImportJournal.Digest(text));

            // A server that knows no offset gives the same page again.
            if (instances.Count == known) return instances;
            offset += rows.GetArrayLength();
        }
    }
}
