using System.Globalization;

namespace Platform.TieredCache;

/// <summary>
/// Where things lie in the folder of the disk tier. Processes share it: whoever holds <c>lock</c> evicts and tidies up. Values are found by
/// name, so that reading needs no index. README.md beside this file has the layout.
/// </summary>
internal sealed class DiskFolder : IDisposable
{
    private const UnixFileMode OnlyOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const int MaxDamagedKept = 32;
    private static readonly TimeSpan OrphanAge = TimeSpan.FromMinutes(1);

    private readonly string _values, _temporary, _damaged;
    private readonly TimeProvider _time;
    private FileStream? _lock;
    private long _freeAskedAt;
    private long _freeBytes = -1;

    /// <summary>Opens the folder, making what it lacks. Throws when that cannot be done.</summary>
    public DiskFolder(string path, TimeProvider time)
    {
        _time = time;
        Root = Path.GetFullPath(path);
        _values = Path.Combine(Root, "values-1");
        _temporary = Path.Combine(Root, "tmp");
        _damaged = Path.Combine(Root, "damaged");
        Records = Path.Combine(Root, "records-1");
        Epochs = Path.Combine(Root, "epochs-1");
    }

    public string Root { get; }

    public string Records { get; }

    public string Epochs { get; }

    /// <summary>How far the nodes' log of invalidations was applied to this folder.</summary>
    public string Mark => Path.Combine(Root, "mark");

    /// <summary>Whether this process evicts and tidies up.</summary>
    public bool IsHolder => _lock is not null;

    /// <summary>Makes the folders that are not there, for their owner only.</summary>
    public void Create()
    {
        foreach (var folder in (string[])[Root, _values, _temporary, _damaged, Records, Epochs]) CreateFolder(folder);
    }

    /// <summary>Becomes the holder where nobody else is.</summary>
    public bool TryHold()
    {
        if (_lock is not null) return true;
        try
        {
            _lock = OpenExclusively(Path.Combine(Root, "lock"), FileMode.OpenOrCreate);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The path of a value: 256 folders by the first byte of its name; the kind stands in the name, so that a listing tells it.</summary>
    public string PathOf(Digest256 id, EntryKind kind)
    {
        var hex = id.ToString();
        return string.Concat(_values, "/", hex.AsSpan(0, 2), string.Concat("/", hex.AsSpan(2), "-", ((int)kind).ToString("x2", CultureInfo.InvariantCulture)));
    }

    public string RecordPathOf(Digest256 key)
    {
        var hex = key.ToString();
        return string.Concat(Records, "/", hex.AsSpan(0, 2), string.Concat("/", hex.AsSpan(2)));
    }

    public string NewTemporaryPath() => Path.Combine(_temporary, Guid.NewGuid().ToString("N"));

    public string ShardPath(int shard) => Path.Combine(_values, shard.ToString("x2", CultureInfo.InvariantCulture));

    public string RecordShardPath(int shard) => Path.Combine(Records, shard.ToString("x2", CultureInfo.InvariantCulture));

    /// <summary>Reads the name of a value file in a shard; false for anything else that lies there.</summary>
    public static bool TryParseName(int shard, ReadOnlySpan<char> name, out Digest256 id, out EntryKind kind)
    {
        (id, kind) = (default, default);
        if (name.Length != 65 || name[62] != '-') return false;
        Span<byte> bytes = stackalloc byte[Digest256.Size];
        bytes[0] = (byte)shard;
        if (Convert.FromHexString(name[..62], bytes[1..], out _, out _) != System.Buffers.OperationStatus.Done) return false;
        if (!byte.TryParse(name[63..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) || number >= CacheCounters.Kinds) return false;
        id = new Digest256(bytes);
        kind = (EntryKind)number;
        return true;
    }

    /// <summary>Reads the name of a value file from its path; false for a temporary one.</summary>
    public static bool TryParsePath(string path, out Digest256 id)
    {
        id = default;
        return Path.GetFileName(Path.GetDirectoryName(path.AsSpan())) is { Length: 2 } shard
            && int.TryParse(shard, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            && TryParseName(number, Path.GetFileName(path.AsSpan()), out id, out _);
    }

    /// <summary>Bytes free on the file system; asked again once a second.</summary>
    public long GetFreeBytes()
    {
        if (_freeBytes < 0 || _time.GetElapsedTime(_freeAskedAt) > TimeSpan.FromSeconds(1))
        {
            _freeBytes = new DriveInfo(Root).AvailableFreeSpace;
            _freeAskedAt = _time.GetTimestamp();
        }

        return _freeBytes;
    }

    /// <summary>Asks again next time: something was written or deleted.</summary>
    public void ForgetFreeBytes() => _freeBytes = -1;

    /// <summary>Puts a damaged file aside for whoever wants to know why; the last few are kept.</summary>
    public void Quarantine(string path)
    {
        try
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{_time.GetUtcNow():yyyyMMddHHmmssfff}-{Path.GetFileName(path)}");
            File.Move(path, Path.Combine(_damaged, name), overwrite: true);
            var kept = Directory.GetFiles(_damaged);
            if (kept.Length <= MaxDamagedKept) return;
            Array.Sort(kept, StringComparer.Ordinal);
            foreach (var oldest in kept.AsSpan(0, kept.Length - MaxDamagedKept)) File.Delete(oldest);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            TryDelete(path);
        }
    }

    /// <summary>Deletes what writers that died left behind. Who is alive holds a shared lock on its file.</summary>
    public void DeleteOrphans()
    {
        var before = _time.GetUtcNow().UtcDateTime - OrphanAge;
        foreach (var path in Directory.EnumerateFiles(_temporary))
        {
            try
            {
                // Between its making and its lock a file has neither: it is given a minute. A clock that jumps costs a write, no more.
                if (File.GetLastWriteTimeUtc(path) > before && File.GetLastWriteTimeUtc(path) < before + 2 * OrphanAge) continue;
                using (OpenExclusively(path, FileMode.Open)) File.Delete(path);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Its writer lives.
            }
        }
    }

    /// <summary>Gives a file its name, making the shard that it goes into where that is not there.</summary>
    public static void Rename(string temporary, string path)
    {
        try
        {
            File.Move(temporary, path, overwrite: true);
        }
        catch (DirectoryNotFoundException)
        {
            CreateFolder(Path.GetDirectoryName(path)!);
            File.Move(temporary, path, overwrite: true);
        }
    }

    public static bool TryDelete(string path)
    {
        try
        {
            File.Delete(path);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>A file that no other process can open this way meanwhile; freed by the system when the process dies.</summary>
    public static FileStream OpenExclusively(string path, FileMode mode) => Open(path, mode, FileShare.None);

    /// <summary>A file to read and write, without a buffer; one that is made is its owner's only.</summary>
    public static FileStream Open(string path, FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    public void Dispose() => _lock?.Dispose();

    /// <summary>Makes a folder that is not there, its owner's only.</summary>
    public static void CreateFolder(string path)
    {
        if (Directory.Exists(path)) return;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, OnlyOwner);
    }
}
