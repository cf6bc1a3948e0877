namespace Aspire.Hosting.Running;

/// <summary>Builds a project and knows what it was built to.</summary>
internal sealed class ProjectBuild(IProjectMetadata project, BuildOutput output)
{
    public const string Build = "Build";

    /// <summary>Into obj alone: the assemblies of a running process stay as they are.</summary>
    public const string Compile = "Compile";

    /// <summary>Runs a target; what the compiler has to say goes to <paramref name="line"/>.</summary>
    public async Task<bool> RunAsync(string target, ProcessLauncher launcher, Action<string> line, CancellationToken cancellationToken) =>
        await RunDotnetAsync(["msbuild", project.ProjectPath, "-restore", $"-t:{target}", $"-p:Configuration={output.Configuration}", "-nologo", "-v:q", "-clp:NoSummary", "-nodeReuse:false"], launcher, line, cancellationToken) == 0;

    /// <summary>The assembly to run, or null when the project cannot tell.</summary>
    public async Task<string?> FindAssemblyAsync(ProcessLauncher launcher, CancellationToken cancellationToken)
    {
        if (output.AssemblyByProject.TryGetValue(project.ProjectPath, out var assembly))
        {
            return assembly;
        }
        var lines = new List<string>();
        var code = await RunDotnetAsync(["msbuild", project.ProjectPath, $"-p:Configuration={output.Configuration}", "-getProperty:TargetPath", "-nologo"], launcher, lines.Add, cancellationToken);
        return code == 0 ? lines.LastOrDefault(text => text.Length > 0)?.Trim() : null;
    }

    private async Task<int> RunDotnetAsync(string[] arguments, ProcessLauncher launcher, Action<string> line, CancellationToken cancellationToken)
    {
        var gate = new Lock();
        void Once(string text)
        {
            lock (gate)
            {
                line(text);
            }
        }
        var child = await launcher.StartAsync(new ProcessCommand(Executables.Dotnet, arguments, Path.GetDirectoryName(project.ProjectPath)!), Once);
        try
        {
            return await child.Exited.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await child.StopAsync(new CancellationToken(canceled: true));
            throw;
        }
    }
}
