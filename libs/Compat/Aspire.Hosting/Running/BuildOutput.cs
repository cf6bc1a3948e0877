using System.Reflection;

namespace Aspire.Hosting.Running;

/// <summary>What the host's build wrote into its assembly: where its project lies, its configuration, and what each resource was built to.</summary>
internal sealed record BuildOutput(string? AppHostDirectory, string Configuration, IReadOnlyDictionary<string, string> AssemblyByProject)
{
    private const string ProjectKey = "projectoutput:";

    public static BuildOutput Of(Assembly? assembly)
    {
        var metadata = assembly?.GetCustomAttributes<AssemblyMetadataAttribute>().ToArray() ?? [];
        string? Value(string key) => metadata.FirstOrDefault(entry => entry.Key == key)?.Value;
        return new BuildOutput(
            Value("apphostprojectpath"),
            Value("apphostconfiguration") ?? "Debug",
            metadata.Where(entry => entry.Key.StartsWith(ProjectKey, StringComparison.Ordinal))
                .ToDictionary(entry => entry.Key[ProjectKey.Length..], entry => entry.Value!, StringComparer.Ordinal));
    }
}
