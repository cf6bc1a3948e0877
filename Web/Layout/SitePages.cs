namespace Web.Layout;

/// <summary>The pages that the header leads to, in its order. <see cref="Page"/> marks the current one by its name.</summary>
internal static class SitePages
{
    public static IReadOnlyList<SitePage> All { get; } =
    [
        new("studies", "/", "Studies"),
        new("volumes", "/volumes", "Volumes"),
        new("slides", "/slides", "Slides"),
        new("pictures", "/pictures", "Pictures"),
        new("models", "/models", "Models"),
        new("cache", "/cache", "Cache"),
        new("origins", "/origins", "Origins"),
    ];
}

/// <summary>One link of the header.</summary>
/// <param name="Name">What a page calls itself.</param>
/// <param name="Path">Its address on this server.</param>
/// <param name="Title">One word: on a phone all of them stand in one row.</param>
internal sealed record SitePage(string Name, string Path, string Title);
