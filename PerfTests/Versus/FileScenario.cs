using System.Security.Cryptography;
using PerfTests.Client;
using static PerfTests.Versus.VersusRun;

namespace PerfTests.Versus;

/// <summary>One large file, asked for again and again on one connection: throughput and time to the first byte of a warm hit.</summary>
internal static class FileScenario
{
    public const string Name = "file";

    /// <param name="run">Takes the results.</param>
    /// <param name="targets">Servers that hold the same bytes under the same path below their roots.</param>
    /// <param name="path">The path, beginning with a slash.</param>
    /// <param name="requests">Requests per round and target.</param>
    public static void Run(VersusRun run, IReadOnlyList<Target> targets, string path, int requests)
    {
        string? first = null;
        foreach (var target in targets)
        {
            var digest = Digest(target, path);
            first ??= digest;
            if (digest != first) throw new InvalidDataException($"{target.Name} and {targets[0].Name} give different bytes for the file.");
        }

        run.Interleave(Name, targets, (target, _) =>
        {
            var load = LoadRun.Closed(target.Endpoint, [target.Get(path)], 1, requests, run.CancellationToken);
            if (load.FirstError is not null) Console.Error.WriteLine($"{target.Name}, {Name}: {load.FirstError}");
            run.Add(Name, target.Name, "throughput", "MB/s", Conditions(("connections", 1)), load.BytesPerSecond / 1e6, load.Requests, load.Errors);
            run.Add(Name, target.Name, "time to first byte", "ms", Conditions(("connections", 1)), load.FirstByte.GetPercentile(50) / 1e6, load.Requests, load.Errors, load.FirstByte);
        });
    }

    internal static string Digest(Target target, string path)
    {
        using var connection = new HttpConnection(target.Endpoint);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        connection.Reader.Body = hash.AppendData;
        var response = connection.Send(target.Get(path).Bytes);
        if (response.Status != 200) throw new InvalidDataException($"{target.Name} answers {response.Status} to {path}.");
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
