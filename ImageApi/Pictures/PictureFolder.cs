using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using ImageApi.Origins;
using ImageApi.Store;
using Microsoft.Extensions.Options;
using Microsoft.Win32.SafeHandles;

namespace ImageApi.Pictures;

/// <summary>What became of a change.</summary>
internal enum PictureChange
{
    Done,

    /// <summary>There is no such picture.</summary>
    Absent,

    /// <summary>The picture is not the one that the request's condition names.</summary>
    NotTheOne,
}

/// <summary>
/// Pictures on disk, which are the truth: <c>ab/ab12...</c>, a file each. Its first 4 KiB say what it is (mark, length, JSON), after them comes the file as
/// it was uploaded. A file is written whole and made durable, then renamed into place, so a reader sees the old picture or the new one; several processes
/// may share the folder, and each sees what another changed with its next look, because every look asks the file system.
/// </summary>
internal sealed class PictureFolder
{
    public const int HeaderBytes = 4096;

    private const int MaxKnown = 10_000, LockCount = 16, IdLength = 32;
    private const string Incoming = ".incoming", Locks = ".locks";
    private const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(5), LockPoll = TimeSpan.FromMilliseconds(10), LeftoverAge = TimeSpan.FromHours(6);

    private readonly ConcurrentDictionary<string, (FileStamp Stamp, PictureEntry Entry)> _known = new(StringComparer.Ordinal);
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger<PictureFolder> _logger;

    public PictureFolder(IOptions<PicturesOptions> options, IOptions<StoreOptions> store, TimeProvider time, ILogger<PictureFolder> logger)
    {
        (_time, _logger) = (time, logger);
        _path = options.Value.Path is { Length: > 0 } path ? HomePath.Expand(path) : Path.Combine(HomePath.Expand(store.Value.Path), ".pictures");
        CreateFolder(_path);
        CreateFolder(Path.Combine(_path, Incoming));
        CreateFolder(Path.Combine(_path, Locks));
        RemoveLeftovers();
    }

    private static ReadOnlySpan<byte> Mark => "PPIC1\0\0\0"u8;

    public static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdLength / 2));

    public static bool IsId(string id) => id.Length == IdLength && !id.AsSpan().ContainsAnyExcept("0123456789abcdef");

    /// <summary>The picture as it is at this moment, or null.</summary>
    public PictureEntry? Find(string id)
    {
        if (!IsId(id)) return null;
        if (FileSystem.GetStamp(PathOf(id)) is not { } stamp)
        {
            _known.TryRemove(id, out _);
            return null;
        }
        if (_known.TryGetValue(id, out var known) && known.Stamp == stamp) return known.Entry;
        try
        {
            using var file = Open(id, out var entry);
            return entry;
        }
        catch (OriginException)
        {
            return null;
        }
    }

    /// <summary>All pictures, the youngest first.</summary>
    public List<PictureEntry> List(CancellationToken cancellationToken)
    {
        var entries = new List<PictureEntry>();
        foreach (var folder in Directory.EnumerateDirectories(_path))
        {
            if (Path.GetFileName(folder).Length != 2) continue;
            foreach (var file in Directory.EnumerateFiles(folder))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (Find(Path.GetFileName(file)) is { } entry) entries.Add(entry);
            }
        }
        entries.Sort(static (a, b) => b.CreatedAt.CompareTo(a.CreatedAt) is not 0 and var order ? order : string.CompareOrdinal(a.Id, b.Id));
        return entries;
    }

    /// <summary>Opens a picture's file; the uploaded bytes begin at <see cref="HeaderBytes"/>.</summary>
    /// <exception cref="OriginException">Absent, or Broken.</exception>
    public SafeFileHandle Open(string id, out PictureEntry entry)
    {
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(PathOf(id), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OriginException(OriginFailure.Absent, "There is no such picture.", exception);
        }
        try
        {
            var stamp = FileSystem.GetStamp(file);
            entry = ReadHeader(file) is { } read && read.Id == id && stamp.Length == HeaderBytes + read.Bytes ? read : throw new OriginException(OriginFailure.Broken, "The picture's file is damaged.");
            if (_known.Count >= MaxKnown) _known.Clear();
            _known[id] = (stamp, entry);
            return file;
        }
        catch (OriginException)
        {
            _logger.Damaged();
            file.Dispose();
            throw;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A new file among the arrivals, to be written from <see cref="HeaderBytes"/> on.</summary>
    public FileStream CreateArrival()
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnlyFile;
        return new FileStream(Path.Combine(_path, Incoming, Guid.NewGuid().ToString("N")), options);
    }

    /// <summary>Puts a written arrival into place, durably. Replacing needs the picture to be there, and to be one that <paramref name="condition"/> takes.</summary>
    public async Task<(PictureChange Change, PictureEntry? Entry)> PlaceAsync(FileStream arrival, PictureEntry entry, bool isReplacement, Func<PictureEntry, bool> condition, CancellationToken cancellationToken)
    {
        using var turn = await LockAsync(entry.Id, cancellationToken);
        if (isReplacement)
        {
            if (Find(entry.Id) is not { } old) return (PictureChange.Absent, null);
            if (!condition(old)) return (PictureChange.NotTheOne, null);
            entry = entry with { CreatedAt = old.CreatedAt, Name = entry.Name ?? old.Name };
        }
        WriteHeader(arrival.SafeFileHandle, entry);
        FileSystem.FlushData(arrival.SafeFileHandle);
        var path = PathOf(entry.Id);
        var folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder))
        {
            CreateFolder(folder);
            FileSystem.FlushFolder(_path);
        }
        File.Move(arrival.Name, path, overwrite: true);
        FileSystem.FlushFolder(folder);
        return (PictureChange.Done, entry);
    }

    /// <summary>Removes a picture, durably.</summary>
    public async Task<PictureChange> RemoveAsync(string id, Func<PictureEntry, bool> condition, CancellationToken cancellationToken)
    {
        using var turn = await LockAsync(id, cancellationToken);
        if (Find(id) is not { } entry) return PictureChange.Absent;
        if (!condition(entry)) return PictureChange.NotTheOne;
        var path = PathOf(id);
        File.Delete(path);
        FileSystem.FlushFolder(Path.GetDirectoryName(path)!);
        _known.TryRemove(id, out _);
        return PictureChange.Done;
    }

    private string PathOf(string id) => Path.Combine(_path, id[..2], id);

    /// <summary>One change at a time of pictures that share a lock, over all processes of the folder.</summary>
    private async Task<FileStream> LockAsync(string id, CancellationToken cancellationToken)
    {
        var path = Path.Combine(_path, Locks, (Convert.ToInt32(id[..2], 16) % LockCount).ToString(System.Globalization.CultureInfo.InvariantCulture));
        for (var since = _time.GetTimestamp(); ;)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
            }
            catch (IOException exception)
            {
                if (_time.GetElapsedTime(since) > LockPatience) throw new TimeoutException("Other changes of pictures take too long.", exception);
                await Task.Delay(LockPoll, _time, cancellationToken);
            }
        }
    }

    private static PictureEntry? ReadHeader(SafeFileHandle file)
    {
        var header = new byte[HeaderBytes];
        if (RandomAccess.Read(file, header, 0) < HeaderBytes || !header.AsSpan().StartsWith(Mark)) return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(Mark.Length));
        if (length < 0 || length > HeaderBytes - Mark.Length - 4) return null;
        try
        {
            return JsonSerializer.Deserialize(header.AsSpan(Mark.Length + 4, length), PicturesJson.Default.PictureEntry);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static void WriteHeader(SafeFileHandle file, PictureEntry entry)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(entry, PicturesJson.Default.PictureEntry);
        if (json.Length > HeaderBytes - Mark.Length - 4) throw new InvalidOperationException("What is known of the picture does not fit its header.");
        var header = new byte[HeaderBytes];
        Mark.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(Mark.Length), json.Length);
        json.CopyTo(header, Mark.Length + 4);
        RandomAccess.Write(file, header, 0);
    }

    /// <summary>What a process that was killed left among the arrivals: never acknowledged. Younger files may be another process's.</summary>
    private void RemoveLeftovers()
    {
        foreach (var left in new DirectoryInfo(Path.Combine(_path, Incoming)).EnumerateFiles())
        {
            if (_time.GetUtcNow() - left.LastWriteTimeUtc > LeftoverAge) left.Delete();
        }
    }

    private static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, OwnerOnlyFolder);
    }
}
