using System.Runtime.InteropServices;

namespace Platform.Models;

/// <summary>What the store needs of a file system and .NET does not offer: hard links, and a folder's entries flushed to the device. Elsewhere than on Linux and macOS files are copied instead.</summary>
internal static partial class PosixFiles
{
    private static bool IsPosix => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS();

    /// <summary>Gives a file a second name; copies it where the file system has no such thing.</summary>
    public static void LinkOrCopy(string existing, string path)
    {
        if (IsPosix && Link(existing, path) == 0) return;
        File.Copy(existing, path, overwrite: false);
    }

    /// <summary>After a rename: a power cut does not undo it.</summary>
    public static void FlushFolder(string folder)
    {
        if (!IsPosix) return;
        var handle = Open(folder, 0);
        if (handle < 0) return;
        _ = FSync(handle);
        _ = Close(handle);
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string path);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int FSync(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);
}
