namespace Cli.Import;

/// <summary>Finds files below folders, in the order of their names, one folder at a time: memory does not grow with their number.</summary>
internal static class FileScan
{
    /// <param name="paths">Files and folders that exist. Links to folders below them are not followed, so that a scan ends.</param>
    /// <param name="unreadable">Told the folders that cannot be listed, and why.</param>
    public static IEnumerable<FileInfo> Find(IEnumerable<string> paths, Action<string, string> unreadable)
    {
        foreach (var path in paths)
        {
            if (!Directory.Exists(path))
            {
                yield return new FileInfo(Path.GetFullPath(path));
                continue;
            }

            var folders = new Stack<string>();
            folders.Push(Path.GetFullPath(path));
            while (folders.TryPop(out var folder))
            {
                var entries = List(folder, unreadable);
                foreach (var file in entries.OfType<FileInfo>()) yield return file;
                for (var i = entries.Length - 1; i >= 0; i--)
                    if (entries[i] is DirectoryInfo { LinkTarget: null } below)
                        folders.Push(below.FullName);
            }
        }
    }

    private static FileSystemInfo[] List(string folder, Action<string, string> unreadable)
    {
        try
        {
            var entries = new DirectoryInfo(folder).GetFileSystemInfos();
            Array.Sort(entries, static (x, y) => string.CompareOrdinal(x.Name, y.Name));
            return entries;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            unreadable(folder, failure.Message);
            return [];
        }
    }
}
