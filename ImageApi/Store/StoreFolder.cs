using ImageApi.Origins;
using Microsoft.Extensions.Options;

namespace ImageApi.Store;

/// <summary>
/// The store's folder, held by this process alone while it lives. Arrivals lie in <c>.incoming</c> until they are whole and durable; what is left there by a
/// process that was killed was never acknowledged, and is removed at the start.
/// </summary>
internal sealed class StoreFolder : IDisposable
{
    private const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly FileStream _lock;
    private readonly long _reservedBytes;

    /// <exception cref="InvalidOperationException">Another process holds the folder.</exception>
    public StoreFolder(IOptions<StoreOptions> options)
    {
        Path = HomePath.Expand(options.Value.Path);
        Incoming = System.IO.Path.Combine(Path, StoreLayout.IncomingFolder);
        _reservedBytes = options.Value.ReservedBytes;
        CreateFolder(Path);
        CreateFolder(Incoming);
        try
        {
            _lock = new FileStream(System.IO.Path.Combine(Path, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new InvalidOperationException($"The store {Path} is in use by another process; set {StoreOptions.SectionName}:Path to another folder, or stop the other one.", exception);
        }
        foreach (var left in Directory.EnumerateFiles(Incoming)) File.Delete(left);
    }

    public string Path { get; }

    private string Incoming { get; }

    /// <summary>Whether the disk has room for <paramref name="bytes"/> more beside what is kept free.</summary>
    public bool HasRoomFor(long bytes)
    {
        try
        {
            return new DriveInfo(Path).AvailableFreeSpace - _reservedBytes >= bytes;
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return true;   // cannot be told: writing will tell
        }
    }

    /// <summary>A new file among the arrivals, readable by its owner only.</summary>
    public FileStream CreateArrival()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnlyFile;
        return new(System.IO.Path.Combine(Incoming, Guid.NewGuid().ToString("N")), options);
    }

    /// <summary>Moves a durable arrival to its place. The folders whose entries have to be made durable are added to <paramref name="folders"/>.</summary>
    public void MoveIntoPlace(string arrival, OriginItem item, ISet<string> folders)
    {
        var target = PathOf(item);
        var folder = System.IO.Path.GetDirectoryName(target)!;
        if (!Directory.Exists(folder))
        {
            // Each folder made is an entry of the one above it.
            for (var missing = folder; !Directory.Exists(missing); missing = System.IO.Path.GetDirectoryName(missing)!) folders.Add(System.IO.Path.GetDirectoryName(missing)!);
            CreateFolder(folder);
        }
        File.Move(arrival, target, overwrite: true);   // the same name is the same bytes
        folders.Add(folder);
    }

    public string PathOf(OriginItem item) => System.IO.Path.Combine(Path, item.Path);

    public void Dispose() => _lock.Dispose();

    private static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, OwnerOnlyFolder);
    }
}
