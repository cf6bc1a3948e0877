namespace TestHost;

/// <summary>A project that nobody has built: the host builds it before it starts it.</summary>
internal sealed class BuiltHere : IProjectMetadata
{
    public string ProjectPath => Environment.GetEnvironmentVariable("TEST_PROJECT")!;
}

/// <summary>A project that is said to be built and is not.</summary>
internal sealed class NotBuilt : IProjectMetadata
{
    public string ProjectPath => Environment.GetEnvironmentVariable("TEST_PROJECT")!;

    public bool SuppressBuild => true;
}
