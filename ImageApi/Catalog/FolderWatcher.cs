using ImageApi.Origins;

namespace ImageApi.Catalog;

/// <summary>
/// Tells of files that appear, change or vanish in a folder. What happens to folders, and events that were lost, ask for the whole folder to be compared.
/// </summary>
internal sealed class FolderWatcher(FolderOrigin origin, Action<OriginItem> noticed, Action reconcile, ILogger logger) : IDisposable
{
    private FileSystemWatcher? _watcher;

    public FolderOrigin Origin => origin;

    /// <summary>Begins to watch if it does not: at the start, and again after the folder was away. Failing, it leaves the work to the periodic comparison.</summary>
    public void EnsureStarted()
    {
        if (_watcher is not null) return;
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(origin.Root)
            {
                IncludeSubdirectories = true,
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size,
            };
            watcher.Created += (_, happened) => Tell(happened.FullPath);
            watcher.Changed += (_, happened) => Tell(happened.FullPath);
            watcher.Deleted += (_, happened) => Tell(happened.FullPath);
            watcher.Renamed += (_, happened) =>
            {
                Tell(happened.FullPath);
                Tell(happened.OldFullPath);
            };
            watcher.Error += (_, error) =>
            {
                logger.WatcherOverflow(origin.Name, error.GetException());
                Interlocked.Exchange(ref _watcher, null)?.Dispose();
                reconcile();
            };
            watcher.EnableRaisingEvents = true;
            _watcher = watcher;
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or OriginException or UnauthorizedAccessException)
        {
            watcher?.Dispose();
            logger.WatcherFailed(origin.Name, exception);
        }
    }

    public void Dispose() => _watcher?.Dispose();

    private void Tell(string path)
    {
        var item = Path.GetRelativePath(origin.Root, path);
        if (item.Split('/').Any(part => part.StartsWith('.'))) return;

        // A folder that came or went takes with it files of which nothing is told. One that is gone can only be guessed: whatever has no dot in its name.
        if (Directory.Exists(path) || (!File.Exists(path) && !Path.HasExtension(path))) reconcile();
        noticed(new OriginItem(item));
    }
}
