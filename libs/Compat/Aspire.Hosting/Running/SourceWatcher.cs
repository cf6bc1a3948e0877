using System.IO.Enumeration;
using System.Xml.Linq;

namespace Aspire.Hosting.Running;

/// <summary>
/// Sees when a source of a project, or of what it references, changes. It looks once a second (some hundred files take a few
/// milliseconds): watches per folder would need one for every folder of node_modules and the like.
/// </summary>
internal sealed class SourceWatcher
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly HashSet<string> Sources = new(StringComparer.OrdinalIgnoreCase) { ".cs", ".cshtml", ".razor", ".resx", ".csproj", ".ts", ".css" };
    private static readonly HashSet<string> Made = new(StringComparer.OrdinalIgnoreCase) { "bin", "obj", "node_modules", "wwwroot", "dist" };

    private readonly TimeProvider _time;
    private readonly string[] _folders;
    private long _seen;

    public SourceWatcher(string projectPath, TimeProvider time)
    {
        _time = time;
        var projects = new HashSet<string>();
        AddWithReferences(projectPath, projects);
        _folders = [.. projects.Select(project => Path.GetDirectoryName(project)!)];
        _seen = Look();
    }

    public async Task ChangedAsync(CancellationToken cancellationToken)
    {
        long now;
        do
        {
            await Task.Delay(Interval, _time, cancellationToken);
        }
        while ((now = Look()) == _seen);
        // Editors write more than one file: wait until it is quiet.
        do
        {
            _seen = now;
            await Task.Delay(Interval / 2, _time, cancellationToken);
        }
        while ((now = Look()) != _seen);
    }

    private static void AddWithReferences(string projectPath, HashSet<string> projects)
    {
        var path = Path.GetFullPath(projectPath);
        if (!File.Exists(path) || !projects.Add(path))
        {
            return;
        }
        foreach (var reference in ReferencesOf(path))
        {
            if (reference.Attribute("Include")?.Value.Replace('\\', '/') is { } include)
            {
                AddWithReferences(Path.Combine(Path.GetDirectoryName(path)!, include), projects);
            }
        }
    }

    private static IEnumerable<XElement> ReferencesOf(string path)
    {
        try
        {
            return XDocument.Load(path).Descendants("ProjectReference");
        }
        catch (Exception exception) when (exception is System.Xml.XmlException or IOException)
        {
            // Being written: its own folder is watched all the same.
            return [];
        }
    }

    /// <summary>A number that changes when a source is added, removed, renamed or written.</summary>
    private long Look()
    {
        var sum = 0L;
        foreach (var folder in _folders.Where(Directory.Exists))
        {
            var files = new FileSystemEnumerable<long>(
                folder,
                (ref FileSystemEntry entry) => HashCode.Combine(string.GetHashCode(entry.FileName), entry.LastWriteTimeUtc, entry.Length),
                new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
            {
                ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory && Sources.Contains(Path.GetExtension(entry.FileName).ToString()),
                ShouldRecursePredicate = (ref FileSystemEntry entry) => !Made.Contains(entry.FileName.ToString()),
            };
            try
            {
                foreach (var file in files)
                {
                    sum += file;
                }
            }
            catch (IOException)
            {
                // A folder went away meanwhile: the next look sees what there is.
            }
        }
        return sum;
    }
}
