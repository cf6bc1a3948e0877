using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Architecture.Tests;

/// <summary>The rules of the house that files can be held to. Each gives what breaks it, one sentence a case.</summary>
internal static partial class Rules
{
    /// <summary>Who may refer to whom. What is not here is not a project of ours; tests may refer to anything.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["AppHost"] = ["ImageApi", "InferenceApi", "Web", "DemoFiles", "Aspire.Hosting"],
        ["ServiceDefaults"] = [],
        ["ImageApi"] = ["ServiceDefaults", "Platform.Dicom", "Platform.Codecs", "Platform.Imaging", "Platform.Nifti", "Platform.TieredCache", "Platform.TieredCache.S3", "Platform.HttpCache", "Aspire.StackExchange.Redis"],
        ["InferenceApi"] = ["ServiceDefaults", "Platform.Dicom", "Platform.Codecs", "Platform.Imaging", "Platform.Nifti", "Platform.TieredCache", "Platform.TieredCache.S3", "Platform.HttpCache", "Platform.Onnx", "Platform.Models", "Aspire.StackExchange.Redis"],
        ["Web"] = ["ServiceDefaults"],
        ["DemoFiles"] = ["ServiceDefaults"],
        ["Cli"] = ["Platform.Models"],
        ["PerfTests"] = ["Platform.Dicom", "Platform.Codecs", "Platform.Imaging", "Platform.Nifti", "Platform.TieredCache", "Platform.HttpCache", "Platform.Onnx", "Platform.Models", "Microsoft.ML.OnnxRuntime", "NBomber"],
        ["Platform.Dicom"] = [],
        ["Platform.Codecs"] = [],
        ["Platform.Imaging"] = ["Platform.Dicom", "Platform.Codecs"],
        ["Platform.Nifti"] = [],
        ["Platform.TieredCache"] = [],
        ["Platform.TieredCache.S3"] = ["Platform.TieredCache"],
        ["Platform.HttpCache"] = ["Platform.TieredCache"],
        ["Platform.Onnx"] = ["Microsoft.ML.OnnxRuntime"],
        ["Platform.Models"] = [],
        ["Aspire.Hosting"] = [],
        ["Aspire.StackExchange.Redis"] = [],
        ["Microsoft.ML.OnnxRuntime"] = [],
        ["NBomber"] = [],
    };

    private static readonly string[] Fixtures = ["Shared", "TestHost", "TestService"];

    public static IEnumerable<string> ArrowsGoOneWay(SourceTree tree) =>
        from project in tree.Projects
        where !project.IsTest && Arrows.ContainsKey(project.Name)
        from reference in project.References
        where !Arrows[project.Name].Contains(reference)
        select $"{project.Name} must not refer to {reference}.";

    public static IEnumerable<string> EveryProjectIsKnown(SourceTree tree) =>
        from project in tree.Projects
        where project.IsTest
            ? !Fixtures.Contains(project.Name) && !(project.Name.EndsWith(".Tests", StringComparison.Ordinal) && (project.Name is "Architecture.Tests" or "Compat.Tests" || Arrows.ContainsKey(project.Name[..^".Tests".Length])))
            : !Arrows.ContainsKey(project.Name) || project.Path != ExpectedPath(project)
        select $"{project.Path} is not a project of the design: DESIGN's folders and Rules.Arrows say which there are and where.";

    /// <summary>A library serves whoever hosts it: it knows no web server, no configuration system and no application host.</summary>
    public static IEnumerable<string> LibrariesKnowNoHost(SourceTree tree)
    {
        foreach (var library in tree.Projects.Where(project => project.IsLibrary))
        {
            foreach (var foreign in library.Packages.Concat(library.Frameworks).Append(library.Sdk ?? string.Empty).Where(name => ForeignToLibraries().IsMatch(name)))
            {
                yield return $"{library.Name} must not use {foreign}.";
            }
        }
        foreach (var (file, number, text) in tree.SourceLines())
        {
            if (file.StartsWith("libs/", StringComparison.Ordinal) && !file.StartsWith("libs/Compat/", StringComparison.Ordinal) && ForeignInLibrarySources().IsMatch(text))
            {
                yield return $"{file}:{number} brings a host into a library: {text.Trim()}";
            }
        }
    }

    public static IEnumerable<string> EveryProjectIsInTheSolution(SourceTree tree)
    {
        var solution = tree.Files.Contains("Platform.sln") ? tree.Read("Platform.sln").Replace('\\', '/') : string.Empty;
        return from project in tree.Projects
               where !solution.Contains($"\"{project.Path}\"", StringComparison.Ordinal)
               select $"{project.Path} is not in Platform.sln.";
    }

    public static IEnumerable<string> VersionsStandInOnePlace(SourceTree tree) =>
        from file in tree.Files
        where file != "Directory.Packages.props" && Path.GetExtension(file) is ".csproj" or ".props" or ".targets"
        from item in XDocument.Parse(tree.Read(file)).Descendants()
        where file != "Directory.Packages.props"
            && (item.Name.LocalName == "PackageVersion"
                || (item.Name.LocalName == "PackageReference" && (item.Attributes().Any(IsVersion) || item.Elements().Any(child => child.Name.LocalName is "Version" or "VersionOverride"))))
        select $"{file} gives {item.Attribute("Include")?.Value ?? "a package"} a version: only Directory.Packages.props does.";

    /// <summary>One source for both package feeds. DEBUG is allowed: it poisons freed buffers and the like.</summary>
    public static IEnumerable<string> NothingIsCompiledByCondition(SourceTree tree) =>
        from line in tree.SourceLines()
        where !line.File.StartsWith("libs/Compat/", StringComparison.Ordinal) && Condition().IsMatch(line.Text)
        select $"{line.File}:{line.Number} compiles by condition: {line.Text.Trim()}";

    /// <summary>The switch between the feeds stands in the root's build files alone.</summary>
    public static IEnumerable<string> TheFeedIsChosenInOnePlace(SourceTree tree) =>
        from file in tree.Files
        where Path.GetExtension(file) is ".csproj" or ".props" or ".targets" && file.Contains('/') && CodeOf(tree.Read(file)).Contains("FullFeed", StringComparison.Ordinal)
        select $"{file} asks for FullFeed: Directory.Build.targets does that for all, with <StandIn Include=\"...\" />.";

    /// <summary>A project that refers to a stand-in by its path would keep it under FullFeed. Tests of the stand-ins do so on purpose.</summary>
    public static IEnumerable<string> StandInsAreAskedForByName(SourceTree tree) =>
        from project in tree.Projects
        where !project.IsTest
        from include in XDocument.Parse(tree.Read(project.Path)).Descendants("ProjectReference").Attributes("Include")
        where include.Value.Replace('\\', '/').Contains("libs/Compat/", StringComparison.Ordinal)
        select $"{project.Path} refers to {include.Value}: <StandIn Include=\"...\" /> lets the feed decide.";

    private static string ExpectedPath(ProjectFile project) => project.IsStandIn
        ? $"libs/Compat/{project.Name}/{project.Name}.csproj"
        : project.Name.StartsWith("Platform.", StringComparison.Ordinal) ? $"libs/{project.Name}/{project.Name}.csproj" : $"{project.Name}/{project.Name}.csproj";

    private static bool IsVersion(XAttribute attribute) => attribute.Name.LocalName is "Version" or "VersionOverride";

    private static string CodeOf(string xml) => Comment().Replace(xml, string.Empty);

    [GeneratedRegex("<!--.*?-->", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^(Microsoft\.AspNetCore\.|Aspire\.|Microsoft\.Extensions\.(Configuration|Hosting)|Microsoft\.NET\.Sdk\.Web$)")]
    private static partial Regex ForeignToLibraries();

    [GeneratedRegex(@"\b(Microsoft\.AspNetCore|Microsoft\.Extensions\.Configuration|Microsoft\.Extensions\.Hosting)\b|\bIConfiguration\b|^\s*using Aspire\b")]
    private static partial Regex ForeignInLibrarySources();

    [GeneratedRegex(@"^\s*#\s*(el)?if\b(?!\s+!?DEBUG\s*(//.*)?$)")]
    private static partial Regex Condition();
}
