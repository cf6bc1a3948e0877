using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cli.Servers;

namespace Cli.Import;

/// <summary>
/// Remembers which files a server has acknowledged, so that an import that broke off goes on where it was. It is a hint only: a file is
/// left out when the journal has it and the server still lists its instance. Holds digests of paths and UIDs, no names; mode 0600.
/// </summary>
internal sealed class ImportJournal : IDisposable
{
    private readonly Dictionary<UInt128, (int Study, UInt128 Instance)> _entries = [];
    private readonly List<string> _studies = [];
    private readonly Dictionary<string, int> _studyNumbers = new(StringComparer.Ordinal);
    private readonly FileStream? _file;
    private readonly Lock _lock = new();

    private ImportJournal(FileStream? file) => _file = file;

    /// <summary>The usual place: one file a server, below the user's folder for state.</summary>
    public static string DefaultPath(ServerAddress server)
    {
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        if (string.IsNullOrEmpty(state)) state = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(server.DicomWeb.AbsoluteUri)).AsSpan(0, 8));
        return Path.Combine(state, "platform", "import", name + ".journal");
    }

    /// <summary>Opens a journal, or one that remembers nothing when <paramref name="path"/> is null, cannot be written, or is in use.</summary>
    public static ImportJournal Open(string? path, bool isFresh)
    {
        if (path is null) return new ImportJournal(null);
        FileStream file;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var options = new FileStreamOptions { Mode = isFresh ? FileMode.Create : FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            file = new FileStream(path, options);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return new ImportJournal(null);
        }

        var journal = new ImportJournal(file);
        using var reader = new StreamReader(file, leaveOpen: true);
        while (reader.ReadLine() is { } line)
        {
            // A line that a broken run left half written is passed over.
            if (line.Split('\t') is [var key, var study, var instance]
                && UInt128.TryParse(key, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var file128) && instance.Length > 0)
                journal.Add(file128, study, instance);
        }

        file.Seek(0, SeekOrigin.End);
        return journal;
    }

    /// <summary>The study and the digest of the SOP Instance UID that a file was acknowledged as.</summary>
    public bool TryGet(ImportFile file, out string study, out UInt128 instance)
    {
        lock (_lock)
        {
            var isKnown = _entries.TryGetValue(file.Key, out var entry);
            (study, instance) = isKnown ? (_studies[entry.Study], entry.Instance) : ("", default);
            return isKnown;
        }
    }

    /// <summary>Notes files that the server has acknowledged.</summary>
    public void Acknowledge(IEnumerable<(ImportFile File, string Study, string Instance)> files)
    {
        lock (_lock)
        {
            var lines = new StringBuilder("\n");
            foreach (var (file, study, instance) in files)
            {
                Add(file.Key, study, instance);
                lines.Append(CultureInfo.InvariantCulture, $"{file.Key:x32}\t{study}\t{instance}\n");
            }

            if (_file is null || lines.Length == 1) return;
            _file.Write(Encoding.ASCII.GetBytes(lines.ToString()));
            _file.Flush();
        }
    }

    public static UInt128 Digest(string uid) => System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(uid)));

    public void Dispose() => _file?.Dispose();

    private void Add(UInt128 key, string study, string instance)
    {
        if (!_studyNumbers.TryGetValue(study, out var number))
        {
            number = _studies.Count;
            _studies.Add(study);
            _studyNumbers.Add(study, number);
        }

        _entries[key] = (number, Digest(instance));
    }
}
