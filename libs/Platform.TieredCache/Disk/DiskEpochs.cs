using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Platform.TieredCache;

/// <summary>
/// Which values on disk were invalidated, without looking at them: one counter for the folder, the epoch, and per tag or kind a small file with the
/// epoch of its last invalidation. A value carries the epoch in which its making began, and is stale when its tag's is later. So an invalidation costs the
/// same however many values it hits, outlives the process, and holds for every process of the folder.
/// </summary>
/// <remarks>
/// Epochs are 100-ns ticks of the clock, and at least one more than the last: a lost counter file begins beyond all that were, with a floor beneath which
/// nothing counts any more. An invalidation that cannot be written is owed: until it was, nothing is read from the folder.
/// </remarks>
internal sealed class DiskEpochs : IDisposable
{
    private const int FileSize = 16, MaxTagFiles = 16384, MaxKnown = 16384, MaxOwed = 1024;
    private const string AllRecords = "r-all";
    private const ulong Seed = 0x45504F43;
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(2);

    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _known = new(StringComparer.Ordinal);      // epochs read, while the counter stands at _knownAt
    private readonly HashSet<string> _owed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unflushed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _own = new(StringComparer.Ordinal);
    private SafeFileHandle? _counter;
    private long _knownAt;
    private long _polledAt;
    private int _sinceCount;

    public DiskEpochs(string folder, TimeProvider time)
    {
        _folder = folder;
        _time = time;
    }

    /// <summary>Whether an invalidation waits to be written.</summary>
    public bool IsOwing
    {
        get { lock (_lock) return _owed.Count > 0; }
    }

    /// <summary>Opens the counter, beginning one where there is none or where it is damaged.</summary>
    public async ValueTask OpenAsync(CancellationToken cancellationToken)
    {
        _counter = File.OpenHandle(Path.Combine(_folder, "epoch"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (TryRead(_counter, out _polledAt)) return;
        using var only = await LockAsync(cancellationToken).ConfigureAwait(false);
        if (TryRead(_counter, out _polledAt)) return;
        _polledAt = _time.GetUtcNow().UtcTicks;
        WriteFile("all", _polledAt);
        Write(_counter, _polledAt);
    }

    /// <summary>The folder's epoch now.</summary>
    public long Read()
    {
        for (var attempt = 0; attempt < 3; attempt++)
            if (TryRead(_counter!, out var epoch)) return epoch;
        throw new IOException("The epoch of the cache folder cannot be read.");
    }

    /// <summary>Whether something that began in <paramref name="epoch"/> was invalidated since: a value of a kind, or a record where that is null.</summary>
    public bool IsStale(long epoch, EntryKind? kind, ReadOnlySpan<CacheTag> tags)
    {
        var now = Read();
        if (epoch >= now) return epoch > now;         // a value from the future is none of this folder's
        if (epoch < EpochOf("all", now)) return true;
        if (kind is { } k && epoch < EpochOf(NameOf(k), now)) return true;
        if (kind is null && epoch < EpochOf(AllRecords, now)) return true;
        foreach (var tag in tags)
            if (epoch < EpochOf(NameOf(tag), now) || (kind is null && epoch < EpochOf(RecordNameOf(tag), now))) return true;
        return false;
    }

    /// <summary>Notes that it is to be invalidated; <see cref="TryPayAsync"/> does it.</summary>
    public void Owe(Invalidation what)
    {
        var name = what.Scope switch
        {
            InvalidationScope.Tag => NameOf(what.Tag),
            InvalidationScope.Kind => NameOf(what.Kind),
            InvalidationScope.All => "all",
            _ => throw new ArgumentOutOfRangeException(nameof(what)),
        };
        Owe(name);
    }

    private void Owe(string name)
    {
        lock (_lock)
        {
            if (_owed.Count >= MaxOwed)
            {
                _owed.Clear();
                name = "all";
            }

            if (!_owed.Contains("all")) _owed.Add(name);
        }
    }

    /// <summary>Notes that the records of a tag, and not its values, are to be invalidated.</summary>
    public void OweRecords(CacheTag tag) => Owe(RecordNameOf(tag));

    /// <summary>Notes that all records, and no values, are to be invalidated.</summary>
    public void OweAllRecords() => Owe(AllRecords);

    /// <summary>Writes the invalidations that are owed. True when none is left.</summary>
    public async ValueTask<bool> TryPayAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            string[] owed;
            lock (_lock) owed = [.. _owed];
            if (owed.Length == 0) return true;
            using var only = await LockAsync(cancellationToken).ConfigureAwait(false);
            var epoch = Math.Max(Read() + 1, _time.GetUtcNow().UtcTicks);
            if (++_sinceCount % 256 == 0 && Directory.EnumerateFiles(_folder, "?-*").Count() > MaxTagFiles)
            {
                // Too many tags to remember: everything that was made until now is forgotten instead.
                foreach (var file in Directory.EnumerateFiles(_folder, "?-*").ToArray()) File.Delete(file);
                owed = [.. owed, "all"];
            }

            // The tags' files first: who begins between the two writes begins in the old epoch.
            foreach (var name in owed)
            {
                WriteFile(name, epoch);
                _own[name] = epoch;
            }

            Write(_counter!, epoch);
            lock (_lock)
            {
                _owed.ExceptWith(owed);
                _unflushed.UnionWith(owed);
            }

            if (_own.Count > MaxKnown) _own.Clear();
            return !IsOwing;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>What other processes of the folder invalidated since the last call.</summary>
    public List<Invalidation> Poll()
    {
        var found = new List<Invalidation>();
        var now = Read();
        var last = _polledAt;
        if (now == last) return found;
        _polledAt = now;
        foreach (var path in Directory.EnumerateFiles(_folder))
        {
            var name = Path.GetFileName(path);
            var epoch = ReadFile(name);
            if (epoch <= last || epoch > now || (_own.TryGetValue(name, out var own) && own == epoch)) continue;
            if (name == "all") found.Add(Invalidation.All);
            else if (name.StartsWith("k-", StringComparison.Ordinal) && byte.TryParse(name.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var kind)) found.Add(Invalidation.Of((EntryKind)kind));
            else if (name.StartsWith("t-", StringComparison.Ordinal) && name.Length == 2 + 2 * CacheTag.Size) found.Add(Invalidation.Of(CacheTag.Read(Convert.FromHexString(name.AsSpan(2)))));
        }

        return found;
    }

    /// <summary>Brings the invalidations of the last while to the device, so that a power cut does not undo them.</summary>
    public void FlushToDisk()
    {
        if (_counter is null) return;
        string[] names;
        lock (_lock)
        {
            names = [.. _unflushed];
            _unflushed.Clear();
        }

        if (names.Length == 0) return;
        foreach (var name in names)
        {
            using var file = File.OpenHandle(Path.Combine(_folder, name), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.FlushToDisk(file);
        }

        RandomAccess.FlushToDisk(_counter);
    }

    public void Dispose()
    {
        _counter?.Dispose();
        _writing.Dispose();
    }

    private static string NameOf(CacheTag tag) => "t-" + HexOf(tag);

    private static string RecordNameOf(CacheTag tag) => "r-" + HexOf(tag);

    private static string HexOf(CacheTag tag)
    {
        Span<byte> bytes = stackalloc byte[CacheTag.Size];
        tag.CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    private static string NameOf(EntryKind kind) => "k-" + ((int)kind).ToString("x2", CultureInfo.InvariantCulture);

    private long EpochOf(string name, long now)
    {
        lock (_lock)
        {
            if (_knownAt == now && _known.TryGetValue(name, out var known)) return known;
        }

        var epoch = ReadFile(name);
        lock (_lock)
        {
            if (_knownAt != now || _known.Count > MaxKnown)
            {
                _known.Clear();
                _knownAt = now;
            }

            _known[name] = epoch;
        }

        return epoch;
    }

    /// <summary>0 where there is none; where it cannot be read everything counts as invalidated.</summary>
    private long ReadFile(string name)
    {
        var path = Path.Combine(_folder, name);
        if (!File.Exists(path)) return 0;
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return TryRead(file, out var epoch) ? epoch : long.MaxValue;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    private void WriteFile(string name, long epoch)
    {
        using var file = DiskFolder.Open(Path.Combine(_folder, name), FileMode.OpenOrCreate, FileShare.ReadWrite | FileShare.Delete);
        Write(file.SafeFileHandle, epoch);
    }

    private static void Write(SafeFileHandle file, long epoch)
    {
        Span<byte> bytes = stackalloc byte[FileSize];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], ChunkChecksum.Compute(bytes[..8], Seed));
        RandomAccess.Write(file, bytes, 0);
    }

    private static bool TryRead(SafeFileHandle file, out long epoch)
    {
        Span<byte> bytes = stackalloc byte[FileSize];
        epoch = 0;
        if (RandomAccess.Read(file, bytes, 0) != FileSize) return false;
        if (ChunkChecksum.Compute(bytes[..8], Seed) != BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..])) return false;
        epoch = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        return epoch > 0;
    }

    private async ValueTask<FileStream> LockAsync(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        while (true)
        {
            try
            {
                return DiskFolder.OpenExclusively(Path.Combine(_folder, "lock"), FileMode.OpenOrCreate);
            }
            catch (IOException) when (_time.GetElapsedTime(started) < LockTimeout)
            {
                await Task.Delay(2, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
