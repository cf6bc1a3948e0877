using System.Xml.Linq;

namespace Architecture.Tests;

/// <summary>A repository as its files say it is: projects with what they refer to, and the sources.</summary>
internal sealed class SourceTree
{
    private static readonly HashSet<string> NotOurs = ["bin", "obj", "node_modules", "dist", "TestResults"];

    public SourceTree(string root)
    {
        Root = Path.GetFullPath(root);
        Files = [.. Walk(Root).Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
        Projects = [.. Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal)).Select(file => new ProjectFile(this, file))];
    }

    public string Root { get; }

    /// <summary>Every file of ours, relative to the root, with slashes.</summary>
    public IReadOnlyList<string> Files { get; }

    public IReadOnlyList<ProjectFile> Projects { get; }

    public string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    /// <summary>The lines of the C# sources: file, number, text.</summary>
    public IEnumerable<(string File, int Number, string Text)> SourceLines() =>
        Files.Where(file => file.EndsWith(".cs", StringComparison.Ordinal))
            .SelectMany(file => File.ReadLines(Path.Combine(Root, file)).Select((text, index) => (file, index + 1, text)));

    private static IEnumerable<string> Walk(string folder) =>
        Directory.EnumerateFiles(folder).Concat(Directory.EnumerateDirectories(folder)
            .Where(child => !NotOurs.Contains(Path.GetFileName(child)) && !Path.GetFileName(child).StartsWith('.'))
            .SelectMany(Walk));
}

internal sealed class ProjectFile(SourceTree tree, string path)
{
    private readonly XDocument _document = XDocument.Parse(tree.Read(path));

    /// <summary>Relative to the root.</summary>
    public string Path => path;

    public string Name => System.IO.Path.GetFileNameWithoutExtension(path);

    public bool IsStandIn => path.StartsWith("libs/Compat/", StringComparison.Ordinal);

    public bool IsLibrary => path.StartsWith("libs/", StringComparison.Ordinal) && !IsStandIn;

    public bool IsTest => path.StartsWith("tests/", StringComparison.Ordinal);

    public IEnumerable<string> Packages => Includes("PackageReference");

    public IEnumerable<string> Frameworks => Includes("FrameworkReference");

    public string? Sdk => _document.Root?.Attribute("Sdk")?.Value;

    /// <summary>The names of the projects that it refers to, stand-ins among them.</summary>
    public IEnumerable<string> References => Includes("ProjectReference")
        .Select(include => System.IO.Path.GetFileNameWithoutExtension(include.Replace('\\', '/')))
        .Concat(Includes("StandIn"));

    private IEnumerable<string> Includes(string item) => _document.Descendants(item).Attributes("Include").Select(include => include.Value);
}
