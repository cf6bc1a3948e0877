using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PerfTests.Report;

/// <summary>What a figure was measured on.</summary>
internal sealed record Machine
{
    public required string Cpu { get; init; }

    public required int Cores { get; init; }

    public required double MemoryGigabytes { get; init; }

    public required string OperatingSystem { get; init; }

    public required string Runtime { get; init; }

    /// <summary>Runnable threads per minute of the whole machine when the run began: above the cores, others were busy too.</summary>
    public required double LoadAverage { get; init; }

    public static Machine Read() => new()
    {
        Cpu = Line("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString(),
        Cores = Environment.ProcessorCount,
        MemoryGigabytes = Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9, 1),
        OperatingSystem = RuntimeInformation.OSDescription,
        Runtime = RuntimeInformation.FrameworkDescription,
        LoadAverage = File.Exists("/proc/loadavg") && double.TryParse(File.ReadAllText("/proc/loadavg").Split(' ')[0], out var load) ? load : 0,
    };

    private static string? Line(string path, string name)
        => File.Exists(path) ? File.ReadLines(path).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() : null;
}

/// <summary>The commit that is measured.</summary>
internal static class Commit
{
    public static (string Id, bool IsModified) Read()
    {
        var id = Git("rev-parse", "--short=12", "HEAD");
        return id is null ? ("unknown", true) : (id, Git("status", "--porcelain", "--untracked-files=no") is not "");
    }

    private static string? Git(params string[] arguments)
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", arguments) { WorkingDirectory = AppContext.BaseDirectory, RedirectStandardOutput = true, RedirectStandardError = true });
            if (git is null) return null;
            var output = git.StandardOutput.ReadToEnd().Trim();
            git.WaitForExit();
            return git.ExitCode == 0 ? output : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
