using System.Diagnostics;

namespace Platform.Tests.Shared.Faults;

/// <summary>A real disk that is soon full and can be made read-only: a small file system in memory. Guard the test with <see cref="SmallDiskFactAttribute"/>.</summary>
public sealed class SmallDisk : IDisposable
{
    private readonly TempFolder _folder = new();

    public SmallDisk(int megabytes)
    {
        Path = _folder.Combine("disk", "x")[..^2];
        if (Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", Path) != 0) throw new InvalidOperationException("The file system could not be mounted.");
    }

    public string Path { get; }

    /// <summary>True in the attribute's eyes: this process may mount.</summary>
    internal static bool CanMount { get; } = TryMount();

    /// <summary>From now on nothing can be written, also into files that are open. Fails while a file is open for writing.</summary>
    public bool TryMakeReadOnly() => Run("mount", "-o", "remount,ro", Path) == 0;

    public void MakeWritable() => Run("mount", "-o", "remount,rw", Path);

    public void Dispose()
    {
        Run("umount", "-l", Path);
        _folder.Dispose();
    }

    private static bool TryMount()
    {
        if (!OperatingSystem.IsLinux() || ToolPath.Find("mount") is null) return false;
        using var folder = new TempFolder();
        if (Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.Path) != 0) return false;
        Run("umount", folder.Path);
        return true;
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}

/// <summary>A fact that needs the right to mount a tmpfs; skipped, with the reason, without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SmallDiskFactAttribute : FactAttribute
{
    public override string? Skip
    {
        get => base.Skip ?? (SmallDisk.CanMount ? null : "needs the right to mount a tmpfs");
        set => base.Skip = value;
    }
}
