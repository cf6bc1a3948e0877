using System.Globalization;
using Microsoft.AspNetCore.StaticFiles;

namespace Web.Assets;

/// <summary>One file of <c>wwwroot</c> with the variants that were compressed when the client was built.</summary>
internal sealed record ClientFile(string Path, string ContentType, DateTimeOffset LastModified, string Tag, bool HasBrotli, bool HasGzip, bool IsImmutable)
{
    private static readonly FileExtensionContentTypeProvider ContentTypes = new()
    {
        Mappings = { [".js"] = "text/javascript; charset=utf-8", [".css"] = "text/css; charset=utf-8", [".map"] = "application/json" },
    };

    /// <summary>Every file below <paramref name="root"/> by its path there with forward slashes; nothing that a dot hides.</summary>
    public static Dictionary<string, ClientFile> ReadAll(string root)
    {
        var files = new Dictionary<string, ClientFile>(StringComparer.Ordinal);
        if (!Directory.Exists(root)) return files;
        var found = new DirectoryInfo(root).EnumerateFiles("*", SearchOption.AllDirectories)
            .ToDictionary(file => System.IO.Path.GetRelativePath(root, file.FullName).Replace('\\', '/'), StringComparer.Ordinal);
        foreach (var (name, file) in found)
        {
            var isHidden = name.Split('/').Any(static part => part.StartsWith('.'));
            var isVariant = name.EndsWith(".br", StringComparison.Ordinal) || name.EndsWith(".gz", StringComparison.Ordinal);
            if (isHidden || (isVariant && found.ContainsKey(name[..^3]))) continue;
            files[name] = new ClientFile(
                file.FullName,
                ContentTypes.TryGetContentType(name, out var type) ? type : "application/octet-stream",
                file.LastWriteTimeUtc,
                string.Create(CultureInfo.InvariantCulture, $"{file.Length:x}-{file.LastWriteTimeUtc.Ticks:x}"),
                found.ContainsKey(name + ".br"),
                found.ContainsKey(name + ".gz"),
                IsImmutable: name.StartsWith("dist/assets/", StringComparison.Ordinal)); // Vite puts the content's hash into these names
        }

        return files;
    }
}
