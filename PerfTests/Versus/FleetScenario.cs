using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using PerfTests.Client;
using PerfTests.Measuring;
using PerfTests.Peers;
using static PerfTests.Versus.VersusRun;

namespace PerfTests.Versus;

/// <summary>
/// Many clients ask several nodes for one frame that none of them has: what it costs the origin, and what the last client
/// waits beyond what one alone would.
/// </summary>
internal static class FleetScenario
{
    public const string Name = "fleet";

    /// <param name="run">Takes the results.</param>
    /// <param name="nodes">The nodes, each over the same origin.</param>
    /// <param name="series">A series that was never asked for; each round takes two of its frames.</param>
    /// <param name="relay">Counts what reaches the origin.</param>
    /// <param name="clients">Clients, spread evenly over the nodes, a connection each.</param>
    public static async Task RunAsync(VersusRun run, IReadOnlyList<Target> nodes, SeriesPaths series, CountingRelay relay, int clients)
    {
        var frames = series.Frames.ToList();
        if (frames.Count < 2 * run.Rounds) throw new ArgumentException($"The series has {frames.Count} frames; {run.Rounds} rounds take {2 * run.Rounds}.");
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = clients, UseCookies = false }) { Timeout = TimeSpan.FromSeconds(60) };
        // Connections first, and the series known to every node: what is measured is the frame.
        await Task.WhenAll(Enumerable.Range(0, clients).Select(i => GetAsync(client, nodes[i % nodes.Count], series.Metadata, "application/dicom+json", run.CancellationToken)));
        for (var round = 0; round < run.Rounds; round++)
        {
            var alone = await GetAsync(client, nodes[round % nodes.Count], frames[2 * round], null, run.CancellationToken);
            var before = relay.FrameRequests;
            var (cold, errors) = await AskAllAsync(frames[2 * round + 1]);
            var conditions = Conditions(("clients", clients), ("nodes", nodes.Count));
            run.Add(Name, "ours", "origin requests", "1", conditions, relay.FrameRequests - before, 1, errors);
            run.Add(Name, "ours", "one alone, cold", "ms", conditions, alone.Nanoseconds / 1e6, 1, alone.Checksum is null ? 1 : 0);
            run.Add(Name, "ours", "latency", "ms", conditions, cold.GetPercentile(50) / 1e6, clients, errors, cold);
            run.Add(Name, "ours", "p99 beyond one alone", "ms", conditions, (cold.GetPercentile(99) - alone.Nanoseconds) / 1e6, clients, errors);
            // What moving so many copies takes when every node has the frame: the rest is what being cold costs.
            var (warm, warmErrors) = await AskAllAsync(frames[2 * round + 1]);
            run.Add(Name, "ours", "latency, warm", "ms", conditions, warm.GetPercentile(50) / 1e6, clients, warmErrors, warm);
            run.Add(Name, "ours", "p99 beyond the warm p99", "ms", conditions, (cold.GetPercentile(99) - warm.GetPercentile(99)) / 1e6, clients, errors);
        }

        async Task<(HdrRecorder Latency, int Errors)> AskAllAsync(string path)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, clients).Select(i => GetAsync(client, nodes[i % nodes.Count], path, null, run.CancellationToken)));
            var latency = new HdrRecorder();
            foreach (var answer in answers) latency.Record(answer.Nanoseconds);
            return (latency, answers.Count(a => a.Checksum is null || a.Checksum != answers[0].Checksum));
        }
    }

    private static async Task<(long Nanoseconds, ulong? Checksum)> GetAsync(HttpClient client, Target node, string path, string? accept, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{node.Endpoint.Authority}{node.Endpoint.BasePath}{path}");
        request.Headers.TryAddWithoutValidation("Accept", accept ?? node.FrameAccept["Accept: ".Length..]);
        var started = Clock.Now;
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            // Cheap, so that the client's checking is not what is measured: half a gigabyte of answers shares two cores with the servers.
            ulong length = 0;
            uint checksum = 0;
            for (int read; ;)
            {
                read = await body.ReadAtLeastAsync(buffer.AsMemory(0, 64 << 10), 64 << 10, throwOnEndOfStream: false, cancellationToken);
                foreach (var word in MemoryMarshal.Cast<byte, ulong>(buffer.AsSpan(0, read))) checksum = BitOperations.Crc32C(checksum, word);
                foreach (var value in buffer.AsSpan(read & ~7, read & 7)) checksum = BitOperations.Crc32C(checksum, value);
                length += (ulong)read;
                if (read < 64 << 10) break;
            }

            return (Clock.Now - started, response.IsSuccessStatusCode ? length << 32 | checksum : null);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
