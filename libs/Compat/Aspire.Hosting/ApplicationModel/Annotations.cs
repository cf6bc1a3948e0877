namespace Aspire.Hosting.ApplicationModel;

/// <summary>Adds variables to the environment of a process just before it starts; later ones win.</summary>
internal sealed record EnvironmentAnnotation(Func<IDictionary<string, string>, CancellationToken, ValueTask> Apply) : IResourceAnnotation;

/// <summary>The resource starts when <paramref name="Dependency"/> is ready.</summary>
internal sealed record WaitAnnotation(IResource Dependency) : IResourceAnnotation;

/// <summary>The resource uses <paramref name="Other"/>: it is stopped before it.</summary>
internal sealed record ReferenceAnnotation(IResource Other) : IResourceAnnotation;

/// <summary>The resource is healthy when this answers with the status.</summary>
internal sealed record HttpHealthAnnotation(string? EndpointName, string Path, int StatusCode) : IResourceAnnotation;

/// <summary>The environment variables of the launch profile that the project runs with.</summary>
internal sealed record LaunchProfileAnnotation(string Name, IReadOnlyDictionary<string, string> Environment) : IResourceAnnotation;
