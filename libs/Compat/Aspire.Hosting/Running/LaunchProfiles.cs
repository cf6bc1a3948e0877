using System.Text.Json;

namespace Aspire.Hosting.Running;

internal sealed record LaunchProfile(string Name, IReadOnlyList<Uri> Urls, IReadOnlyDictionary<string, string> Environment);

/// <summary>The profiles of a project's <c>Properties/launchSettings.json</c> that start the project itself.</summary>
internal sealed record LaunchProfiles(IReadOnlyList<LaunchProfile> Profiles)
{
    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    public LaunchProfile? Default => Profiles.Count > 0 ? Profiles[0] : null;

    public LaunchProfile? Find(string? name) => Profiles.FirstOrDefault(profile => profile.Name == name);

    /// <exception cref="DistributedApplicationException">The file is not what a launch settings file should be.</exception>
    public static LaunchProfiles Read(string projectPath)
    {
        var path = Path.Combine(Path.GetDirectoryName(projectPath)!, "Properties", "launchSettings.json");
        if (!File.Exists(path))
        {
            return new LaunchProfiles([]);
        }
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path), Lenient);
            return new LaunchProfiles(document.RootElement.TryGetProperty("profiles", out var profiles)
                ? [.. profiles.EnumerateObject().Where(profile => StartsProject(profile.Value)).Select(Profile)]
                : []);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or UriFormatException)
        {
            throw new DistributedApplicationException($"The launch settings '{path}' cannot be read: {exception.Message}", exception);
        }
    }

    private static bool StartsProject(JsonElement profile) =>
        !profile.TryGetProperty("commandName", out var command) || command.GetString() is null or "" or "Project";

    private static LaunchProfile Profile(JsonProperty profile) => new(
        profile.Name,
        profile.Value.TryGetProperty("applicationUrl", out var urls)
            ? [.. urls.GetString()!.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(url => new Uri(url))]
            : [],
        profile.Value.TryGetProperty("environmentVariables", out var environment)
            ? environment.EnumerateObject().ToDictionary(variable => variable.Name, variable => variable.Value.GetString() ?? string.Empty)
            : new Dictionary<string, string>());
}
