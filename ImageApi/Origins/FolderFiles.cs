using System.IO.Enumeration;
using System.Runtime.CompilerServices;
using ImageApi.Volumes;
using Platform.TieredCache;

namespace ImageApi.Origins;

/// <summary>
/// A configured folder, which holds volumes beside its DICOM files. Only volumes are files here: what else lies in the folder (spreadsheets of patients, notes)
/// was not put there to be served.
/// </summary>
internal sealed class FolderFiles(string name, string path, ITieredCache cache, OriginMetrics metrics)
    : FolderOrigin(name, path, OriginTraits.Watched, versionOf: null, cache, metrics), IFileOrigin
{
    private static readonly EnumerationOptions Everything = new()
    {
        RecurseSubdirectories = true,
        IgnoreInaccessible = true,
        AttributesToSkip = FileAttributes.Hidden | FileAttributes.System | FileAttributes.ReparsePoint,
        MaxRecursionDepth = 32,
    };

    public bool Serves(OriginItem item) => VolumeNames.IsPartOfVolume(item.Path);

    public async IAsyncEnumerable<FileItem> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A large folder takes a while: not on the caller's thread, which may be one that answers requests.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        foreach (var item in Enumerate(Root))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (item.Item.Path.StartsWith(prefix, StringComparison.Ordinal)) yield return item;
        }
    }

    private FileSystemEnumerable<FileItem> Enumerate(string root)
    {
        var skip = root.EndsWith('/') ? root.Length : root.Length + 1;
        return new FileSystemEnumerable<FileItem>(
            root,
            (ref FileSystemEntry entry) => new FileItem(new OriginItem(entry.ToFullPath()[skip..].Replace(System.IO.Path.DirectorySeparatorChar, '/')), entry.Length, entry.LastWriteTimeUtc),
            Everything)
        {
            ShouldIncludePredicate = static (ref FileSystemEntry entry) => !entry.IsDirectory && VolumeNames.IsPartOfVolume(entry.FileName.ToString()),
        };
    }
}
