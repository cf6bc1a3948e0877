using System.Globalization;
using System.Security.Cryptography;

namespace Platform.Models;

public sealed partial class ModelManager
{
    /// <summary>One download, and everybody who waits for it.</summary>
    private sealed class Flight
    {
        public readonly CancellationTokenSource Stopping = new();
        public readonly List<IProgress<ModelProgress>> Listeners = [];
        public int Waiters;
        public ModelProgress? Last;
        public Task Task = Task.CompletedTask;
    }

    /// <summary>
    /// Brings a model of the catalogue into the store; does nothing where it is there whole. <paramref name="progress"/> is told what arrives, also by those who join a download. It stops when the last
    /// who waits for it has left; what has arrived is gone on with next time, by any process.
    /// </summary>
    /// <exception cref="ModelException">The catalogue has no such model, or it could not be brought here.</exception>
    public async Task DownloadAsync(string name, IProgress<ModelProgress>? progress, CancellationToken cancellationToken)
    {
        var manifest = Catalogue.Find(name) ?? throw new ModelException(ModelFault.NotFound, $"The catalogue has no model called {ZipDirectory.Shown(name)}. It has {string.Join(", ", Catalogue.Models.Select(static model => model.Name))}.");
        while (true)
        {
            var flight = Join(manifest, progress);
            try
            {
                await flight.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (OperationCanceledException) when (flight.Stopping.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // It was stopped for those who had left, just as this one joined.
            }
            finally
            {
                Leave(manifest.Name, flight, progress);
            }
        }
    }

    /// <summary>What is on its way now.</summary>
    public IReadOnlyList<ModelProgress> Downloads()
    {
        lock (_lock) return [.. _flights.Values.Select(static flight => flight.Last).OfType<ModelProgress>()];
    }

    private Flight Join(ModelManifest manifest, IProgress<ModelProgress>? progress)
    {
        lock (_lock)
        {
            if (!_flights.TryGetValue(manifest.Name, out var flight) || flight.Stopping.IsCancellationRequested)
            {
                _flights[manifest.Name] = flight = new Flight();
                var begun = flight;
                flight.Task = Task.Run(() => InstallAsync(manifest, begun), CancellationToken.None);
            }
            flight.Waiters++;
            if (progress is not null)
            {
                flight.Listeners.Add(progress);
                if (flight.Last is { } last) progress.Report(last);
            }
            return flight;
        }
    }

    private void Leave(string name, Flight flight, IProgress<ModelProgress>? progress)
    {
        lock (_lock)
        {
            if (progress is not null) flight.Listeners.Remove(progress);
            if (--flight.Waiters > 0) return;
            if (_flights.TryGetValue(name, out var listed) && listed == flight) _flights.Remove(name);
            flight.Stopping.Cancel();
        }
    }

    private void Report(Flight flight, ModelProgress progress)
    {
        IProgress<ModelProgress>[] listeners;
        lock (_lock)
        {
            flight.Last = progress;
            listeners = [.. flight.Listeners];
        }
        foreach (var listener in listeners) listener.Report(progress);
    }

    private async Task InstallAsync(ModelManifest manifest, Flight flight)
    {
        var token = flight.Stopping.Token;
        try
        {
            using (var here = await _store.TryGetAsync(manifest.Name, token).ConfigureAwait(false))
            {
                if (here is not null && _store.TryReadEntry(manifest.Name) is { } entry && IsCurrent(entry, manifest))
                {
                    Report(flight, new ModelProgress(manifest.Name, ModelStage.Done, null, here.Bytes, here.Bytes, 0));
                    return;
                }
            }
            for (var attempt = 0; ; attempt++)
            {
                try
                {
                    await InstallAsync(manifest, flight, token).ConfigureAwait(false);
                    return;
                }
                catch (ModelException failure) when (failure.Fault == ModelFault.Busy && attempt < 2)
                {
                    // A blob was evicted between its coming and the model's: once more.
                }
            }
        }
        catch (IOException failure) when (StoreFolder.IsDiskFull(failure))
        {
            throw new ModelException(ModelFault.NoRoom, $"The disk of {_store.Path} is full.", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ModelException(ModelFault.Invalid, $"The model store cannot be written: {failure.Message}", failure);
        }
    }

    private async Task InstallAsync(ModelManifest manifest, Flight flight, CancellationToken token)
    {
        await using var installing = await _store.BeginInstallAsync(token).ConfigureAwait(false);
        var files = new List<EntryFile>(manifest.Files.Length);
        long fetched = 0;
        var isDownload = false;
        foreach (var file in manifest.Files)
        {
            var expected = file.Sha256 ?? _store.PinOf(manifest, file);
            var blob = await TryUseBlobAsync(file, expected).ConfigureAwait(false);
            if (blob is null && file.Source is not null && manifest.Folder is not null) blob = await TryCopyAsync(file, expected).ConfigureAwait(false);
            if (blob is null)
            {
                isDownload = true;
                blob = await FetchAsync(file, expected).ConfigureAwait(false);
            }
            if (file.Sha256 is null && expected is null) _store.Pin(manifest, file, blob.Sha256);
            files.Add(blob);
        }
        Report(flight, new ModelProgress(manifest.Name, ModelStage.Installing, null, files.Sum(static file => file.Bytes), files.Sum(static file => file.Bytes), fetched));
        var isShipped = manifest.Folder is not null && Path.GetFullPath(manifest.Folder) == ShippedFolder;
        await _store.CommitModelAsync(new ModelEntry
        {
            Name = manifest.Name,
            Version = manifest.Version,
            ManifestJson = System.Text.Encoding.UTF8.GetString(manifest.Json.Span),
            Files = [.. files],
            From = isDownload ? From.Download : From.Shipped,
            AddedAt = _time.GetUtcNow(),
            IsProven = isShipped,
        }, token).ConfigureAwait(false);
        Report(flight, new ModelProgress(manifest.Name, ModelStage.Done, null, files.Sum(static file => file.Bytes), files.Sum(static file => file.Bytes), fetched));

        async Task<EntryFile?> TryUseBlobAsync(ModelFile file, string? expected)
        {
            if (expected is null) return null;
            Report(flight, new ModelProgress(manifest.Name, ModelStage.Checking, file.Path, 0, file.Bytes, fetched));
            return await _store.TryGetBlobAsync(expected, token).ConfigureAwait(false) is { } bytes ? new EntryFile(file.Path, expected, bytes) : null;
        }

        async Task<EntryFile?> TryCopyAsync(ModelFile file, string? expected)
        {
            var source = Path.Combine(manifest.Folder!, file.Source!);
            if (!File.Exists(source))
            {
                if (!file.Urls.IsEmpty) return null;
                throw new ModelException(ModelFault.NotFound, $"{manifest.Name}: {file.Source} is not beside its manifest.");
            }
            var temporary = _store.Folder.NewTemporaryPath();
            try
            {
                await using var from = new FileStream(source, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read | FileShare.Delete, BufferSize = 0 });
                await _store.ReserveAsync(from.Length, manifest.Name, token).ConfigureAwait(false);
                string digest;
                long bytes = 0;
                await using (var to = StoreFolder.OpenNew(temporary))
                {
                    using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                    var buffer = new byte[BufferBytes];
                    int read;
                    while ((read = await from.ReadAsync(buffer, token).ConfigureAwait(false)) > 0)
                    {
                        sha.AppendData(buffer.AsSpan(0, read));
                        await to.WriteAsync(buffer.AsMemory(0, read), token).ConfigureAwait(false);
                        bytes += read;
                    }
                    RandomAccess.FlushToDisk(to.SafeFileHandle);
                    digest = Convert.ToHexStringLower(sha.GetHashAndReset());
                }
                if ((expected is not null && digest != expected) || (file.Bytes is { } length && length != bytes))
                {
                    if (!file.Urls.IsEmpty) return null;
                    throw new ModelException(ModelFault.DigestMismatch, $"{manifest.Name}: {file.Source} is not the file that {(file.Sha256 is null ? "was first used" : "the manifest names")} (digest {digest}).");
                }
                _store.CommitBlob(temporary, digest);
                return new EntryFile(file.Path, digest, bytes);
            }
            finally
            {
                StoreFolder.TryDelete(temporary);
            }
        }

        async Task<EntryFile> FetchAsync(ModelFile file, string? expected)
        {
            var key = BlobDigest.OfText(expected ?? string.Create(CultureInfo.InvariantCulture, $"{manifest.Name.ToLowerInvariant()}\0{manifest.Version}\0{file.Path}"));
            // Few locks for all downloads: their files stay, because a lock on a file that was deleted holds nobody back.
            var lockPath = Path.Combine(_store.Folder.Parts, "lock-" + key[..2]);
            var held = StoreFolder.TryHold(lockPath, shared: false);
            if (held is null)
            {
                Report(flight, new ModelProgress(manifest.Name, ModelStage.Waiting, file.Path, 0, file.Bytes, fetched));
                held = await StoreFolder.HoldAsync(lockPath, shared: false, timeout: null, _time, token).ConfigureAwait(false);
                // Whoever held it may have brought it, and pinned it.
                expected ??= _store.PinOf(manifest, file);
            }
            await using (held)
            {
                if (await TryUseBlobAsync(file, expected).ConfigureAwait(false) is { } there) return there;
                var path = Path.Combine(_store.Folder.Parts, key);
                using var part = await PartFile.OpenAsync(path, read => Report(flight, new ModelProgress(manifest.Name, ModelStage.Checking, file.Path, read, file.Bytes, fetched)), token).ConfigureAwait(false);
                string digest;
                try
                {
                    digest = await _fetcher.FetchAsync(file, expected, part, bytes => _store.ReserveAsync(bytes, manifest.Name, token), (done, total, now) =>
                    {
                        fetched += now;
                        Report(flight, new ModelProgress(manifest.Name, ModelStage.Fetching, file.Path, done, total, fetched));
                    }, token).ConfigureAwait(false);
                }
                catch (ModelException failure) when (failure.Fault == ModelFault.DigestMismatch && file.Sha256 is null)
                {
                    throw new ModelException(ModelFault.DigestMismatch, $"{failure.Message} The digest was pinned at the first download; forget it only if you know why the file has changed.", failure);
                }
                finally
                {
                    if (part.Length == 0) part.Delete();
                }
                var length = part.Length;
                _store.CommitBlob(path, digest);
                part.Forget();
                if (file.Sha256 is null) _store.Pin(manifest, file, digest);
                return new EntryFile(file.Path, digest, length);
            }
        }
    }
}
