namespace Platform.Models;

/// <summary>
/// Where things lie in the store's folder, and how they get there: written under <c>tmp</c>, flushed, renamed. README.md beside this library has the layout.
/// </summary>
internal sealed class StoreFolder
{
    private const UnixFileMode OnlyOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(20);

    public StoreFolder(string path)
    {
        Root = Path.GetFullPath(path);
        Blobs = Path.Combine(Root, "blobs-1");
        Trees = Path.Combine(Root, "trees-1");
        Models = Path.Combine(Root, "models-1");
        Leases = Path.Combine(Root, "leases-1");
        Pins = Path.Combine(Root, "pins-1");
        Parts = Path.Combine(Root, "parts-1");
        Optimised = Path.Combine(Root, "optimised-1");
        Temporary = Path.Combine(Root, "tmp");
        Damaged = Path.Combine(Root, "damaged");
        Catalogue = Path.Combine(Root, "catalogue");
    }

    public string Root { get; }
    public string Blobs { get; }
    public string Trees { get; }
    public string Models { get; }
    public string Leases { get; }
    public string Pins { get; }
    public string Parts { get; }
    public string Optimised { get; }
    public string Temporary { get; }
    public string Damaged { get; }
    public string Catalogue { get; }

    public string LockPath => Path.Combine(Root, "lock");
    public string InstallingPath => Path.Combine(Root, "installing");

    public void Create()
    {
        foreach (var folder in (string[])[Root, Blobs, Trees, Models, Leases, Pins, Parts, Optimised, Temporary, Damaged, Catalogue]) CreateFolder(folder);
    }

    public string BlobPath(string digest) => Path.Combine(Blobs, digest[..2], digest[2..]);

    public string TreePath(string digest) => Path.Combine(Trees, digest);

    public string LeasePath(string digest) => Path.Combine(Leases, digest);

    /// <summary>Names differ by more than case, so that every file system keeps them apart.</summary>
    public string EntryPath(string name) => Path.Combine(Models, name.ToLowerInvariant() + ".json");

    public string NewTemporaryPath() => Path.Combine(Temporary, Guid.NewGuid().ToString("N"));

    public long GetFreeBytes()
    {
        // The store is made when the first model comes: until then its disk is that of the folder that it will be in.
        var folder = Root;
        while (!Directory.Exists(folder) && Path.GetDirectoryName(folder) is { Length: > 0 } parent) folder = parent;
        return new DriveInfo(folder).AvailableFreeSpace;
    }

    /// <summary>Writes a small file that is there whole or not at all, also after a power cut.</summary>
    public void WriteWhole(string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = NewTemporaryPath();
        try
        {
            using (var file = OpenNew(temporary))
            {
                RandomAccess.Write(file.SafeFileHandle, bytes, 0);
                RandomAccess.FlushToDisk(file.SafeFileHandle);
            }
            Rename(temporary, path);
        }
        finally
        {
            TryDelete(temporary);
        }
    }

    /// <summary>Gives a file, flushed before, its name.</summary>
    public static void Rename(string temporary, string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        CreateFolder(folder);
        File.Move(temporary, path, overwrite: true);
        PosixFiles.FlushFolder(folder);
    }

    public static FileStream OpenNew(string path) => Open(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read);

    public static FileStream Open(string path, FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    /// <summary>Holds a lock file, alone or with others that share it; null where someone else's hold is in the way. The system lets go when the process dies.</summary>
    public static FileStream? TryHold(string path, bool shared)
    {
        try
        {
            return shared ? Open(path, FileMode.OpenOrCreate, FileAccess.Read, FileShare.Read) : Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure) when (IsSharingViolation(failure))
        {
            return null;
        }
    }

    /// <summary>Waits for a lock file.</summary>
    /// <exception cref="ModelException"><see cref="ModelFault.Busy"/> after <paramref name="timeout"/>; null waits for as long as the caller does.</exception>
    public static async Task<FileStream> HoldAsync(string path, bool shared, TimeSpan? timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            if (TryHold(path, shared) is { } held) return held;
            if (time.GetElapsedTime(began) > timeout) throw new ModelException(ModelFault.Busy, "Another process is changing the model store. Try again when it is done.");
            await Task.Delay(LockPoll, time, cancellationToken).ConfigureAwait(false);
        }
    }

    public static void CreateFolder(string path)
    {
        if (Directory.Exists(path)) return;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, OnlyOwner);
    }

    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Another pass finds it.
        }
    }

    public static void TryDeleteFolder(string path)
    {
        try
        {
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Another pass finds it.
        }
    }

    public static long BytesBelow(string folder) =>
        Directory.Exists(folder) ? new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(static file => LengthOf(file)) : 0;

    /// <summary>Linux ENOSPC and EDQUOT, macOS the same, Windows ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL.</summary>
    public static bool IsDiskFull(IOException failure) => failure.HResult is 28 or 122 or 69 or unchecked((int)0x80070070) or unchecked((int)0x80070027);

    private static long LengthOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    // Linux EWOULDBLOCK, macOS EWOULDBLOCK, Windows ERROR_SHARING_VIOLATION.
    private static bool IsSharingViolation(IOException failure) => failure is not (DirectoryNotFoundException or FileNotFoundException) && failure.HResult is 11 or 35 or unchecked((int)0x80070020);
}
