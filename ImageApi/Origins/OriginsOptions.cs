using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace ImageApi.Origins;

/// <summary>The configured origins: <c>ImageApi:Origins:&lt;name&gt;:Kind|Path</c>. The store is always there and is not listed here.</summary>
internal sealed class OriginsOptions
{
    public const string SectionName = "ImageApi:Origins";

    /// <summary>By name: 1 to 32 ASCII letters, digits, <c>-</c> and <c>_</c>. A name is part of content ids: renaming an origin makes caches cold, no more.</summary>
    public Dictionary<string, OriginOptions> Origins { get; } = new(StringComparer.OrdinalIgnoreCase);
}

/// <summary>One origin.</summary>
internal sealed class OriginOptions
{
    /// <summary>What it is. Default and so far the only one: <c>folder</c>, a folder of DICOM files that is read and watched, never written.</summary>
    public string Kind { get; set; } = "folder";

    /// <summary>The folder; <c>~/</c> stands for the home folder. It may be absent at the start (a mount to come).</summary>
    public string Path { get; set; } = "";
}

internal sealed partial class OriginsOptionsValidator : IValidateOptions<OriginsOptions>
{
    public ValidateOptionsResult Validate(string? name, OriginsOptions options)
    {
        var failures = new List<string>();
        foreach (var (originName, origin) in options.Origins)
        {
            if (!NamePattern().IsMatch(originName)) failures.Add($"{OriginsOptions.SectionName}:{originName}: a name is 1 to 32 letters, digits, '-' and '_'.");
            if (string.Equals(originName, IOrigins.StoreName, StringComparison.OrdinalIgnoreCase)) failures.Add($"{OriginsOptions.SectionName}:{originName}: the name is the store's; set ImageApi:Store:Path.");
            if (!string.Equals(origin.Kind, "folder", StringComparison.OrdinalIgnoreCase)) failures.Add($"{OriginsOptions.SectionName}:{originName}:Kind: '{origin.Kind}' is not known; it has to be 'folder'.");
            if (string.IsNullOrWhiteSpace(origin.Path)) failures.Add($"{OriginsOptions.SectionName}:{originName}:Path is missing.");
        }
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    [GeneratedRegex("^[A-Za-z0-9_-]{1,32}$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
