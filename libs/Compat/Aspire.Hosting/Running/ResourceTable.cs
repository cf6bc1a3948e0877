using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Running;

/// <summary>The resources of the run, for the terminal: name, state, time to ready, where it is found.</summary>
internal static class ResourceTable
{
    public static IEnumerable<string> Lines(IReadOnlyList<Runner> runners, Terminal terminal)
    {
        var width = Math.Max("resource".Length, runners.Max(runner => runner.Name.Length));
        yield return $"  {terminal.Bold("resource".PadRight(width))}  {terminal.Bold("state".PadRight(10))}  {terminal.Bold("ready in")}  {terminal.Bold("address")}";
        foreach (var runner in runners)
        {
            var time = runner.TimeToReady is { } ready ? $"{ready.TotalSeconds:0.00} s" : string.Empty;
            var where = runner.State == RunState.Running ? Address(runner, terminal) : runner.Detail;
            yield return $"  {terminal.Coloured(runner.Name, runner.Name.PadRight(width))}  {Word(runner.State),-10}  {time,8}  {where}";
        }
    }

    private static string Address(Runner runner, Terminal terminal) => string.Join("  ", runner.Resource.Annotations.OfType<EndpointAnnotation>()
        .Select(endpoint => endpoint.IsHttp ? terminal.Link($"{endpoint.UriScheme}://localhost:{endpoint.AllocatedPort}") : $"127.0.0.1:{endpoint.AllocatedPort}"));

    private static string Word(RunState state) => state switch
    {
        RunState.LeftOut => "left out",
        _ => state.ToString().ToLowerInvariant(),
    };
}
