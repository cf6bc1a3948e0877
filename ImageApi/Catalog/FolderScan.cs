using System.IO.Enumeration;
using ImageApi.Origins;

namespace ImageApi.Catalog;

/// <summary>Walks a folder. Names that begin with a dot are passed over, folders that are links are not entered, files that are links are told by what they lead to.</summary>
internal static class FolderScan
{
    private const int MaxDepth = 64;

    private static readonly EnumerationOptions Options = new() { IgnoreInaccessible = true, AttributesToSkip = FileAttributes.None, RecurseSubdirectories = false };

    /// <summary>The folder itself (empty) and every folder below it, as paths relative to it.</summary>
    public static IEnumerable<string> Folders(string root)
    {
        var waiting = new Stack<(string Folder, int Depth)>();
        waiting.Push(("", 0));
        while (waiting.TryPop(out var next))
        {
            yield return next.Folder;
            if (next.Depth == MaxDepth) continue;
            var names = new FileSystemEnumerable<string>(Path.Combine(root, next.Folder), (ref FileSystemEntry entry) => entry.FileName.ToString(), Options)
            {
                ShouldIncludePredicate = (ref FileSystemEntry entry) => entry.IsDirectory && entry.FileName[0] != '.' && (entry.Attributes & FileAttributes.ReparsePoint) == 0,
            };
            foreach (var name in Safely(names).OrderDescending(StringComparer.Ordinal)) waiting.Push((Join(next.Folder, name), next.Depth + 1));
        }
    }

    /// <summary>The files of one folder with their stamps.</summary>
    public static IEnumerable<(OriginItem Item, FileStamp Stamp)> Files(string root, string folder)
    {
        var path = Path.Combine(root, folder);
        var names = new FileSystemEnumerable<string>(path, (ref FileSystemEntry entry) => entry.FileName.ToString(), Options)
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory && entry.FileName[0] != '.',
        };
        foreach (var name in Safely(names))
        {
            if (FileSystem.GetStamp(Path.Combine(path, name)) is { } stamp) yield return (new OriginItem(Join(folder, name)), stamp);
        }
    }

    private static string Join(string folder, string name) => folder.Length == 0 ? name : $"{folder}/{name}";

    /// <summary>A folder below the root may vanish while it is walked: then it has nothing in it.</summary>
    private static List<string> Safely(IEnumerable<string> names)
    {
        try
        {
            return [.. names];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }
}

/// <summary>What the catalog knows of the files of a folder.</summary>
internal static class FolderRows
{
    public static HashSet<string> Folders(CatalogConnection reader, string origin)
    {
        var folders = new HashSet<string>(StringComparer.Ordinal);
        var select = reader.Prepare("SELECT DISTINCT folder FROM files WHERE origin=?").Bind(origin);
        while (select.Step()) folders.Add(select.Text(0));
        return folders;
    }

    public static Dictionary<string, KnownFile> Read(CatalogConnection reader, string origin, string folder)
    {
        var files = new Dictionary<string, KnownFile>(StringComparer.Ordinal);
        var select = reader.Prepare("SELECT item, length, modified_ns, inode, state FROM files WHERE folder=? AND origin=?").Bind(folder).Bind(origin);
        while (select.Step()) files[select.Text(0)] = Known(select);
        return files;
    }

    /// <summary>All of an origin's.</summary>
    public static Dictionary<string, KnownFile> Read(CatalogConnection reader, string origin)
    {
        var files = new Dictionary<string, KnownFile>(StringComparer.Ordinal);
        var select = reader.Prepare("SELECT item, length, modified_ns, inode, state FROM files WHERE origin=?").Bind(origin);
        while (select.Step()) files[select.Text(0)] = Known(select);
        return files;
    }

    public static KnownFile? Find(CatalogConnection reader, FileLocation location)
    {
        var select = reader.Prepare("SELECT item, length, modified_ns, inode, state FROM files WHERE origin=? AND item=?").Bind(location.OriginName).Bind(location.Item.Path);
        if (!select.Step()) return null;
        var known = Known(select);
        select.Reset();
        return known;
    }

    private static KnownFile Known(CatalogStatement row) => new(new FileStamp(row.Int64(1), row.Int64(2), row.Int64(3)), (FileState)row.Int32(4));

    public readonly record struct KnownFile(FileStamp Stamp, FileState State);
}
