using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ImageApi.Origins;

/// <summary>
/// What .NET does not offer of the file system: inodes, times in ns, opening without following a link out of a folder and without waiting
/// on a pipe, and making a folder's entries durable. Linux calls the C library; elsewhere the managed calls come as close as they can.
/// </summary>
internal static partial class FileSystem
{
    private const int AtFdCwd = -100;
    private const int AtEmptyPath = 0x1000;
    private const uint StatxBasicStats = 0x7ff;
    private const int OpenReadOnly = 0;
    private const int OpenNonBlock = 0x800;
    private const int OpenCloseOnExec = 0x80000;
    private const int FileTypeMask = 0xF000;
    private const int RegularFile = 0x8000;

    /// <summary>The error numbers that callers tell apart.</summary>
    private const int NoEntry = 2;
    private const int NotDirectory = 20;
    private const int TooManyLinks = 40;

    /// <summary>The stamp of a regular file, links followed; null when there is none.</summary>
    public static FileStamp? GetStamp(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            var info = new FileInfo(path);
            return info.Exists ? ManagedStamp(info.Length, info.LastWriteTimeUtc) : null;
        }

        if (StatX(AtFdCwd, path, 0, StatxBasicStats, out var stat) == 0)
            return (stat.Mode & FileTypeMask) == RegularFile ? stat.Stamp : null;
        var error = Marshal.GetLastPInvokeError();
        return error is NoEntry or NotDirectory or TooManyLinks ? null : throw Error(error);
    }

    /// <summary>The stamp of an open file.</summary>
    public static FileStamp GetStamp(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux()) return ManagedStamp(RandomAccess.GetLength(file), File.GetLastWriteTimeUtc(file));
        var result = StatX(file, "", AtEmptyPath, StatxBasicStats, out var stat);
        return result == 0 ? stat.Stamp : throw Error(Marshal.GetLastPInvokeError());
    }

    /// <summary>
    /// Opens a regular file for reading, and only if it really lies below <paramref name="root"/> (an absolute real path without a trailing separator): the
    /// path is compared after opening, so that no link can be swapped in between.
    /// </summary>
    /// <exception cref="OriginException">Absent, Refused, or Unreachable.</exception>
    public static SafeFileHandle OpenBelow(string root, string path)
    {
        if (!OperatingSystem.IsLinux()) return ManagedOpenBelow(root, path);

        // Not blocking: a named pipe in the folder must not hold a thread. Without effect on regular files.
        var descriptor = Open(path, OpenReadOnly | OpenNonBlock | OpenCloseOnExec);
        if (descriptor < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error is NoEntry or NotDirectory or TooManyLinks) throw new OriginException(OriginFailure.Absent, "The file is gone.");
            var exception = Error(error);
            throw new OriginException(exception is UnauthorizedAccessException ? OriginFailure.Refused : OriginFailure.Unreachable, "The file could not be opened.", exception);
        }

        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            if (StatX(handle, "", AtEmptyPath, StatxBasicStats, out var stat) != 0 || (stat.Mode & FileTypeMask) != RegularFile)
                throw new OriginException(OriginFailure.Absent, "The path is no regular file.");
            if (!IsBelow(root, RealPath(descriptor)))
                throw new OriginException(OriginFailure.Refused, "The path leads out of its origin.");
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>The absolute path of an existing folder with every link resolved, without a trailing separator.</summary>
    public static string RealFolder(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (!OperatingSystem.IsLinux()) return new DirectoryInfo(full).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? full;
        var descriptor = Open(full, OpenReadOnly | OpenCloseOnExec);
        if (descriptor < 0) throw Error(Marshal.GetLastPInvokeError());
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        return RealPath(descriptor);
    }

    /// <summary>Makes a file's data and length durable, without the times that nobody needs after a crash.</summary>
    /// <exception cref="IOException">The disk refused; what was written may be lost.</exception>
    public static void FlushData(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux()) RandomAccess.FlushToDisk(file);
        else if (FDataSync(file) != 0) throw Error(Marshal.GetLastPInvokeError());
    }

    /// <summary>Asks the kernel to begin writing a file's pages, so that a later <see cref="FlushData"/> waits less. A hint: it cannot fail.</summary>
    public static void BeginWriteback(SafeFileHandle file)
    {
        const uint write = 2;
        if (OperatingSystem.IsLinux()) _ = SyncFileRange(file, 0, 0, write);
    }

    /// <summary>Makes names created in, moved into or removed from a folder durable.</summary>
    public static void FlushFolder(string path)
    {
        if (!OperatingSystem.IsLinux()) return;
        var descriptor = Open(path, OpenReadOnly | OpenCloseOnExec);
        if (descriptor < 0) throw Error(Marshal.GetLastPInvokeError());
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (FSync(handle) != 0) throw Error(Marshal.GetLastPInvokeError());
    }

    private static bool IsBelow(string root, string path) =>
        path.Length > root.Length && path.StartsWith(root, StringComparison.Ordinal) && (root.EndsWith('/') || path[root.Length] == '/');

    private static unsafe string RealPath(int descriptor)
    {
        Span<byte> buffer = stackalloc byte[4096];
        fixed (byte* to = buffer)
        {
            var length = ReadLink($"/proc/self/fd/{descriptor}", to, buffer.Length);
            return length > 0 && length < buffer.Length
                ? Encoding.UTF8.GetString(buffer[..(int)length])
                : throw new OriginException(OriginFailure.Refused, "The file's real path cannot be told.");
        }
    }

    private static SafeFileHandle ManagedOpenBelow(string root, string path)
    {
        try
        {
            var target = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
            if (!target.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                throw new OriginException(OriginFailure.Refused, "The path leads out of its origin.");
            return File.OpenHandle(target, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OriginException(OriginFailure.Absent, "The file is gone.", exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new OriginException(OriginFailure.Refused, "The file could not be opened.", exception);
        }
    }

    private static FileStamp ManagedStamp(long length, DateTime modified) => new(length, (modified - DateTime.UnixEpoch).Ticks * 100, 0);

    private static Exception Error(int number)
    {
        const int notPermitted = 1, accessDenied = 13;
        var message = Marshal.GetPInvokeErrorMessage(number);
        return number is notPermitted or accessDenied ? new UnauthorizedAccessException(message) : new SystemCallException(number, message);
    }

    /// <summary>The kernel's <c>struct statx</c>: the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatXBuffer
    {
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(112)] public long ModifiedSeconds;
        [FieldOffset(120)] public uint ModifiedNanoseconds;

        public readonly FileStamp Stamp => new((long)Size, unchecked((ModifiedSeconds * 1_000_000_000) + ModifiedNanoseconds), (long)Inode);
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, out StatXBuffer buffer);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(SafeFileHandle file, string path, int flags, uint mask, out StatXBuffer buffer);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint ReadLink(string path, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FDataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "sync_file_range", SetLastError = true)]
    private static partial int SyncFileRange(SafeFileHandle file, long offset, long count, uint flags);
}

/// <summary>A system call failed for a reason that .NET has no exception for.</summary>
internal sealed class SystemCallException(int errorNumber, string message) : IOException(message)
{
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;

    public bool IsDiskFull => errorNumber is NoSpace or QuotaExceeded;
}
