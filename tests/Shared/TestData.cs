namespace Platform.Tests.Shared;

/// <summary>
/// The real images that tests read: the folder <c>shared/data</c> beside the repository, or the one that the environment variable
/// PLATFORM_TEST_DATA names. A clone without it still tests every path with synthetic images; tests that need it skip themselves.
/// </summary>
public static class TestData
{
    private static readonly Lazy<string?> Found = new(Find);

    /// <summary>The folder, null where there is none.</summary>
    public static string? Root => Found.Value;

    /// <summary>A folder or file below <see cref="Root"/>; null where it is missing.</summary>
    public static string? TryGetPath(string relativePath)
    {
        if (Root is null) return null;
        var path = Path.Combine(Root, relativePath);
        return Path.Exists(path) ? path : null;
    }

    /// <summary>As <see cref="TryGetPath"/>; for tests that have skipped themselves where the data is missing.</summary>
    public static string GetPath(string relativePath) =>
        TryGetPath(relativePath) ?? throw new FileNotFoundException("The test data lacks it: guard the test with [DataFact].", relativePath);

    /// <summary>The files of a folder by name, its manifest left out; none where the folder is missing.</summary>
    public static IReadOnlyList<string> GetFiles(string relativeFolder) =>
        TryGetPath(relativeFolder) is { } folder
            ? [.. Directory.EnumerateFiles(folder).Where(file => Path.GetFileName(file) != "MANIFEST.tsv").Order(StringComparer.Ordinal)]
            : [];

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("PLATFORM_TEST_DATA") is { Length: > 0 } named) return Directory.Exists(named) ? Path.GetFullPath(named) : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "data");
            if (Directory.Exists(candidate)) return candidate;
        }
        return null;
    }
}
