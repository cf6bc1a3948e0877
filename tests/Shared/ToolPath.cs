namespace Platform.Tests.Shared;

/// <summary>Finds programs that tests use as oracles and peers.</summary>
public static class ToolPath
{
    /// <summary>
    /// The full path of a program, null where it is not installed. "pydicom", "nibabel" and "torch" find a Python that can import them and numpy ("torch": h5py too), "s3rver" the script
    /// that eng/install.sh puts beside <see cref="S3.S3Server"/>, to be run by node.
    /// </summary>
    public static string? Find(string tool) => tool switch
    {
        "pydicom" => Pydicom.Value,
        "nibabel" => Nibabel.Value,
        "torch" => Torch.Value,
        "s3rver" => S3Rver.Value,
        _ => OnPath(tool).FirstOrDefault(),
    };

    private static readonly Lazy<string?> S3Rver = new(() =>
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var script = Path.Combine(folder.FullName, "tests", "Shared", "S3", "node_modules", "s3rver", "bin", "s3rver.js");
            if (File.Exists(script)) return OnPath("node").Any() ? script : null;
        }
        return null;
    });

    // Debian's packages belong to Debian's python3; another one may come first on the PATH.
    private static readonly Lazy<string?> Pydicom = new(() => FindPython("pydicom"));
    private static readonly Lazy<string?> Nibabel = new(() => FindPython("nibabel"));

    private static readonly Lazy<string?> Torch = new(() => FindPython("torch, h5py"));

    private static string? FindPython(string module) => new[] { "/usr/bin/python3" }.Concat(OnPath("python3")).FirstOrDefault(python => CanImport(python, module));

    private static bool CanImport(string python, string module)
    {
        if (!File.Exists(python)) return false;
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(python, ["-c", $"import {module}, numpy"]) { RedirectStandardError = true, RedirectStandardOutput = true });
        if (process is null) return false;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static IEnumerable<string> OnPath(string tool) =>
        from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        let path = Path.Combine(folder, tool)
        where File.Exists(path)
        select path;
}
