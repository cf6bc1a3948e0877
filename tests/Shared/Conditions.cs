namespace Platform.Tests.Shared;

/// <summary>A fact that needs real images: skipped, with the reason, where <see cref="TestData"/> lacks <paramref name="relativePath"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DataFactAttribute(string relativePath = "") : FactAttribute
{
    public override string? Skip
    {
        get => base.Skip ?? Conditions.MissingData(relativePath);
        set => base.Skip = value;
    }
}

/// <summary>A theory that needs real images; its data may be empty where they are missing, because it is skipped before.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DataTheoryAttribute(string relativePath = "") : TheoryAttribute
{
    public override string? Skip
    {
        get => base.Skip ?? Conditions.MissingData(relativePath);
        set => base.Skip = value;
    }
}

/// <summary>A fact that needs programs on the PATH, such as dcmdump or redis-server: skipped, with the reason, where one is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ToolFactAttribute(params string[] tools) : FactAttribute
{
    /// <summary>A folder of the test data that is needed as well.</summary>
    public string? Data { get; init; }

    public override string? Skip
    {
        get => base.Skip ?? Conditions.MissingTool(tools) ?? (Data is null ? null : Conditions.MissingData(Data));
        set => base.Skip = value;
    }
}

/// <summary>A theory that needs programs on the PATH.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ToolTheoryAttribute(params string[] tools) : TheoryAttribute
{
    /// <summary>A folder of the test data that is needed as well.</summary>
    public string? Data { get; init; }

    public override string? Skip
    {
        get => base.Skip ?? Conditions.MissingTool(tools) ?? (Data is null ? null : Conditions.MissingData(Data));
        set => base.Skip = value;
    }
}

internal static class Conditions
{
    internal static string? MissingData(string relativePath) =>
        TestData.TryGetPath(relativePath) is null ? $"needs shared/data/{relativePath} beside the repository (or PLATFORM_TEST_DATA)" : null;

    internal static string? MissingTool(string[] tools) =>
        tools.FirstOrDefault(tool => ToolPath.Find(tool) is null) is { } missing ? $"needs {missing} on the PATH" : null;
}
