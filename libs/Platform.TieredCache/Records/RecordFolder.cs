using System.Buffers;
using System.Globalization;

namespace Platform.TieredCache;

/// <summary>
/// The records that lie on disk: one small file each, replaced by renaming. A file's modification time is its record's version, so that one question to
/// the file system tells whether a copy in memory is current. Replacing takes a lock file of 64, so that it compares and replaces across processes. Failures are exceptions here.
/// </summary>
internal sealed class RecordFolder(DiskTier disk, RecordOptions options)
{
    private const int Stripes = 64;
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim[] _stripes = [.. Enumerable.Range(0, Stripes).Select(static _ => new SemaphoreSlim(1, 1))];

    public DiskEpochs Epochs => disk.Epochs;

    /// <summary>Whether records can be read and written there now.</summary>
    public ValueTask<bool> IsUsableAsync(CancellationToken cancellationToken) => disk.IsUsableAsync(cancellationToken);

    /// <summary>The version that lies there; 0: none.</summary>
    public long VersionOf(Digest256 key)
    {
        var ticks = File.GetLastWriteTimeUtc(disk.Folder.RecordPathOf(key)).Ticks;
        return ticks <= DateTime.UnixEpoch.Ticks ? 0 : ticks;      // what is not there has a time in 1601
    }

    /// <summary>The record that lies there, with the epoch it was written in; null where there is none, or a damaged one, which is put aside.</summary>
    public CacheRecord? Read(Digest256 key, out long epoch)
    {
        epoch = 0;
        var path = disk.Folder.RecordPathOf(key);
        if (!File.Exists(path)) return null;
        var bytes = ArrayPool<byte>.Shared.Rent(RecordFile.MaxSize + 1);
        try
        {
            int read;
            using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)) read = RandomAccess.Read(file, bytes.AsSpan(0, RecordFile.MaxSize + 1), 0);
            var record = RecordFile.TryRead(bytes.AsSpan(0, read), key, out epoch);
            if (record is null) disk.Folder.Quarantine(path);
            return record;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Lets one caller at a time, of all processes, compare and replace the record.</summary>
    public async ValueTask<IDisposable> LockAsync(Digest256 key, CancellationToken cancellationToken)
    {
        var stripe = (int)(key.First64 % Stripes);
        await _stripes[stripe].WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var path = Path.Combine(disk.Folder.Records, string.Create(CultureInfo.InvariantCulture, $"lock-{stripe:x2}"));
            for (var waited = 0; ; waited++)
            {
                try
                {
                    return new Held(_stripes[stripe], DiskFolder.OpenExclusively(path, FileMode.OpenOrCreate));
                }
                catch (IOException) when (waited < LockTimeout.TotalMilliseconds)
                {
                    await Task.Delay(1, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch
        {
            _stripes[stripe].Release();
            throw;
        }
    }

    /// <summary>Puts a record there. Under its lock.</summary>
    public void Write(Digest256 key, CacheRecord record, long epoch)
    {
        var size = RecordFile.SizeOf(record);
        var bytes = ArrayPool<byte>.Shared.Rent(size);
        var temporary = disk.Folder.NewTemporaryPath();
        try
        {
            RecordFile.Write(bytes, key, record, epoch);
            using (var file = DiskFolder.Open(temporary, FileMode.CreateNew, FileShare.ReadWrite | FileShare.Delete))
            {
                RandomAccess.Write(file.SafeFileHandle, bytes.AsSpan(0, size), 0);
                File.SetLastWriteTimeUtc(file.SafeFileHandle, new DateTime(record.Version, DateTimeKind.Utc));
            }

            DiskFolder.Rename(temporary, disk.Folder.RecordPathOf(key));
        }
        catch
        {
            DiskFolder.TryDelete(temporary);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Takes a record away. Under its lock.</summary>
    public void Delete(Digest256 key)
    {
        var path = disk.Folder.RecordPathOf(key);
        if (File.Exists(path)) File.Delete(path);
    }

    /// <summary>Lets go of the records that were replaced longest ago while there are more than the bound.</summary>
    public void KeepBounds(CancellationToken cancellationToken)
    {
        var found = new List<(long Version, string Path)>();
        for (var shard = 0; shard < 256; shard++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var folder = new DirectoryInfo(disk.Folder.RecordShardPath(shard));
            if (!folder.Exists) continue;
            foreach (var file in folder.EnumerateFiles()) found.Add((file.LastWriteTimeUtc.Ticks, file.FullName));
        }

        if (found.Count <= options.CapacityItems) return;
        found.Sort();
        foreach (var (_, path) in found.Take(found.Count - options.CapacityItems)) DiskFolder.TryDelete(path);
    }

    private sealed class Held(SemaphoreSlim stripe, FileStream file) : IDisposable
    {
        public void Dispose()
        {
            file.Dispose();
            stripe.Release();
        }
    }
}
