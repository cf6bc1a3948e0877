using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Platform.TieredCache;

/// <summary>
/// Files of HTTP origins as local files, for any program: <see cref="GetFileAsync"/> gives the path of a whole, verified file. At most one download of an address runs however many ask, also in
/// other processes of the folder. Where the folder fails the caller gets a temporary file: a fault of the cache is not one of the answer. Thread-safe.
/// </summary>
/// <param name="http">What requests go through; it brings credentials, limits and retries of its own. Not disposed here.</param>
/// <param name="options">The folder and its bounds.</param>
/// <param name="time">The clock; null for the system's.</param>
public sealed class FileCache(HttpMessageInvoker http, FileCacheOptions options, TimeProvider? time = null)
{
    private const int BufferBytes = 256 << 10, MaxNameLength = 100;
    private static readonly TimeSpan InUse = TimeSpan.FromHours(1), LockPoll = TimeSpan.FromMilliseconds(50);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Download> _downloads = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (DateTime Written, Digest256 Digest)> _verified = new(StringComparer.Ordinal);

    /// <summary>One look for a file, and everybody who waits for it.</summary>
    private sealed class Download
    {
        public readonly CancellationTokenSource Stopping = new();
        public readonly List<IProgress<FileProgress>> Listeners = [];
        public int Waiters;
        public FileProgress Last;
        public Task<Found> Task = null!;
    }

    private sealed record Found(string Path, About About, bool IsFromCache, bool IsTemporary, bool IsStale);

    /// <summary>
    /// The file at an address. <paramref name="progress"/> is told what arrives, also by those who join a download. The download stops when the last who waits for it has left.
    /// </summary>
    /// <exception cref="HttpRequestException">The origin answered with an error or not at all, and there is nothing stale to give.</exception>
    /// <exception cref="InvalidDataException">It sent more or less than it promised, or too much.</exception>
    public async Task<CachedFile> GetFileAsync(Uri url, IProgress<FileProgress>? progress, CancellationToken cancellationToken)
    {
        if (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https")) throw new ArgumentException("An absolute http or https address is needed.", nameof(url));
        while (true)
        {
            var download = Join(url, progress);
            try
            {
                var found = await download.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
                // A temporary file has one owner: whoever joined gets one of their own.
                if (found.IsTemporary && !TryOwn(download)) continue;
                return new CachedFile(found.Path, found.About.Length, found.About.Digest, found.IsFromCache, found.IsTemporary, found.IsStale);
            }
            catch (OperationCanceledException) when (download.Stopping.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // It was stopped for those who had left, just as this one joined.
            }
            finally
            {
                Leave(url, download, progress);
            }
        }
    }

    private Download Join(Uri url, IProgress<FileProgress>? progress)
    {
        lock (_lock)
        {
            if (!_downloads.TryGetValue(url.AbsoluteUri, out var download) || download.Stopping.IsCancellationRequested)
            {
                _downloads[url.AbsoluteUri] = download = new Download();
                download.Task = FindAsync(url, download);
            }

            download.Waiters++;
            if (progress is not null)
            {
                download.Listeners.Add(progress);
                if (download.Last != default) progress.Report(download.Last);
            }

            return download;
        }
    }

    private void Leave(Uri url, Download download, IProgress<FileProgress>? progress)
    {
        lock (_lock)
        {
            if (progress is not null) download.Listeners.Remove(progress);
            if (--download.Waiters > 0) return;
            if (_downloads.TryGetValue(url.AbsoluteUri, out var listed) && listed == download) _downloads.Remove(url.AbsoluteUri);
            download.Stopping.Cancel();
        }
    }

    private bool TryOwn(Download download)
    {
        lock (_lock)
        {
            if (download.Last.BytesDone < 0) return false;
            download.Last = new FileProgress(-1, null);
            return true;
        }
    }

    private void Report(Download download, long done, long? total)
    {
        IProgress<FileProgress>[] listeners;
        lock (_lock)
        {
            download.Last = new FileProgress(done, total);
            listeners = [.. download.Listeners];
        }

        foreach (var listener in listeners) listener.Report(new FileProgress(done, total));
    }

    private async Task<Found> FindAsync(Uri url, Download download)
    {
        await Task.Yield();
        var token = download.Stopping.Token;
        var folder = Path.Combine(Path.GetFullPath(options.Path), "files-1", Digest256.HashData(System.Text.Encoding.UTF8.GetBytes(url.AbsoluteUri)).ToString());
        var held = await TryHoldAsync(folder, token).ConfigureAwait(false);
        if (held is null) return await FetchTemporaryAsync(url, download, token).ConfigureAwait(false);
        await using (held.ConfigureAwait(false))
        {
            var path = Path.Combine(folder, NameOf(url));
            var about = TryReadAbout(folder);
            if (about is not null && !IsSound(path, about)) about = null;
            var now = _time.GetUtcNow();
            if (about is not null && about.CheckedAt <= now && now < about.CheckedAt + options.Ttl)
            {
                NoteUse(folder);
                Report(download, about.Length, about.Length);
                return new Found(path, about, IsFromCache: true, IsTemporary: false, IsStale: false);
            }

            try
            {
                return await RevalidateAsync(url, download, folder, path, about, token).ConfigureAwait(false);
            }
            catch (Exception exception) when (about is not null && exception is HttpRequestException or InvalidDataException or TimeoutException && now < about!.CheckedAt + options.Ttl + options.StaleIfError)
            {
                NoteUse(folder);
                return new Found(path, about, IsFromCache: true, IsTemporary: false, IsStale: true);
            }
            catch (FolderException)
            {
                return await FetchTemporaryAsync(url, download, token).ConfigureAwait(false);
            }
        }
    }

    private async Task<Found> RevalidateAsync(Uri url, Download download, string folder, string path, About? about, CancellationToken token)
    {
        using var response = await SendAsync(url, about, token).ConfigureAwait(false);
        if (about is not null && response.StatusCode == HttpStatusCode.NotModified)
        {
            about = about with { CheckedAt = _time.GetUtcNow() };
            WriteAbout(folder, about);
            Report(download, about.Length, about.Length);
            return new Found(path, about, IsFromCache: true, IsTemporary: false, IsStale: false);
        }

        var temporary = Path.Combine(folder, "tmp-" + Guid.NewGuid().ToString("N"));
        try
        {
            var fetched = await ReceiveAsync(response, temporary, download, token).ConfigureAwait(false);
            try
            {
                // Without its description a file is none: a death between the two leaves nothing that is believed.
                DiskFolder.TryDelete(Path.Combine(folder, AboutName));
                File.Move(temporary, path, overwrite: true);
                WriteAbout(folder, fetched);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new FolderException(exception);
            }

            lock (_lock) _verified[path] = (File.GetLastWriteTimeUtc(path), fetched.Digest);
            KeepBounds();
            return new Found(path, fetched, IsFromCache: false, IsTemporary: false, IsStale: false);
        }
        finally
        {
            DiskFolder.TryDelete(temporary);
        }
    }

    private async Task<Found> FetchTemporaryAsync(Uri url, Download download, CancellationToken token)
    {
        using var response = await SendAsync(url, about: null, token).ConfigureAwait(false);
        var path = Path.Combine(Path.GetTempPath(), $"platform-{Guid.NewGuid():N}-{NameOf(url)}");
        try
        {
            return new Found(path, await ReceiveAsync(response, path, download, token).ConfigureAwait(false), IsFromCache: false, IsTemporary: true, IsStale: false);
        }
        catch (FolderException exception)
        {
            DiskFolder.TryDelete(path);
            throw new IOException("Neither the cache's folder nor the one for temporary files can be written.", exception);
        }
        catch
        {
            DiskFolder.TryDelete(path);
            throw;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(Uri url, About? about, CancellationToken token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        if (about?.EntityTag is { } tag) request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        if (about?.LastModified is { } modified) request.Headers.TryAddWithoutValidation("If-Modified-Since", modified);
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(token);
        idle.CancelAfter(options.IdleTimeout);
        HttpResponseMessage response;
        try
        {
            response = await http.SendAsync(request, idle.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            throw new TimeoutException("The origin does not answer.");
        }

        if (response.StatusCode == HttpStatusCode.OK || (about is not null && response.StatusCode == HttpStatusCode.NotModified)) return response;
        using (response) throw new HttpRequestException(string.Create(CultureInfo.InvariantCulture, $"The origin answered {(int)response.StatusCode}."), inner: null, response.StatusCode);
    }

    private async Task<About> ReceiveAsync(HttpResponseMessage response, string path, Download download, CancellationToken token)
    {
        var promised = response.Content.Headers.ContentLength;
        if (promised > options.MaxFileBytes) throw new InvalidDataException("The file is longer than allowed.");
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(token);
        try
        {
            using var file = InFolder(() => DiskFolder.Open(path, FileMode.CreateNew, FileShare.Read));
            var body = await response.Content.ReadAsStreamAsync(token).ConfigureAwait(false);
            long done = 0;
            Report(download, 0, promised);
            while (true)
            {
                idle.CancelAfter(options.IdleTimeout);
                var read = await ReadAsync(body).ConfigureAwait(false);
                if (read == 0) break;
                sha.AppendData(buffer.AsSpan(0, read));
                InFolder(() =>
                {
                    RandomAccess.Write(file.SafeFileHandle, buffer.AsSpan(0, read), done);
                    return true;
                });
                done += read;
                if (done > options.MaxFileBytes) throw new InvalidDataException("The file is longer than allowed.");
                Report(download, done, promised);
            }

            if (promised is { } length && length != done) throw new InvalidDataException("The origin sent less or more than it had promised.");
            var digest = new Digest256(sha.GetHashAndReset());
            if (ReprDigestOf(response) is { } expected && expected != digest) throw new InvalidDataException("The file does not match the digest that the origin gave.");
            InFolder(() =>
            {
                RandomAccess.FlushToDisk(file.SafeFileHandle);
                return true;
            });
            return new About
            {
                Length = done,
                Sha256 = digest.ToString(),
                EntityTag = response.Headers.ETag?.ToString(),
                LastModified = response.Content.Headers.LastModified?.ToString("r", CultureInfo.InvariantCulture),
                CheckedAt = _time.GetUtcNow(),
            };
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        async ValueTask<int> ReadAsync(Stream body)
        {
            try
            {
                return await body.ReadAsync(buffer.AsMemory(0, BufferBytes), idle.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!token.IsCancellationRequested)
            {
                throw new TimeoutException("The origin stopped sending.");
            }
            catch (IOException exception)
            {
                throw new HttpRequestException("The origin broke off.", exception);
            }
        }
    }

    // RFC 9530: Repr-Digest: sha-256=:base64:
    private static Digest256? ReprDigestOf(HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("Repr-Digest", out var values)) return null;
        Span<byte> digest = stackalloc byte[Digest256.Size + 4];
        foreach (var item in string.Join(',', values).Split(',', StringSplitOptions.TrimEntries))
        {
            if (item.StartsWith("sha-256=:", StringComparison.OrdinalIgnoreCase) && item.EndsWith(':') && Convert.TryFromBase64String(item[9..^1], digest, out var written) && written == Digest256.Size)
                return new Digest256(digest[..written]);
        }

        return null;
    }

    /// <summary>Only one process at a time looks for a file. Null: the folder cannot be used.</summary>
    private static async ValueTask<FileStream?> TryHoldAsync(string folder, CancellationToken token)
    {
        try
        {
            DiskFolder.CreateFolder(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        while (true)
        {
            try
            {
                return DiskFolder.OpenExclusively(Path.Combine(folder, "lock"), FileMode.OpenOrCreate);
            }
            catch (IOException exception) when (exception is not (DirectoryNotFoundException or FileNotFoundException) && IsSharingViolation(exception))
            {
                await Task.Delay(LockPoll, token).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }

    // Linux EWOULDBLOCK, macOS EWOULDBLOCK, Windows ERROR_SHARING_VIOLATION.
    private static bool IsSharingViolation(IOException exception) => exception.HResult is 11 or 35 or unchecked((int)0x80070020);

    /// <summary>Whether the file is what its description says; hashed once per process and change.</summary>
    private bool IsSound(string path, About about)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists || file.Length != about.Length) return false;
            lock (_lock)
            {
                if (_verified.TryGetValue(path, out var known) && known == (file.LastWriteTimeUtc, about.Digest)) return true;
            }

            using var stream = file.OpenRead();
            if (new Digest256(SHA256.HashData(stream)) != about.Digest) return false;
            lock (_lock) _verified[path] = (file.LastWriteTimeUtc, about.Digest);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void NoteUse(string folder)
    {
        try
        {
            File.SetLastWriteTimeUtc(Path.Combine(folder, AboutName), _time.GetUtcNow().UtcDateTime);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A little older than it should be.
        }
    }

    private void KeepBounds()
    {
        try
        {
            var all = new List<(DateTime Used, string Folder, long Bytes)>();
            foreach (var folder in Directory.EnumerateDirectories(Path.Combine(Path.GetFullPath(options.Path), "files-1")))
            {
                var about = new FileInfo(Path.Combine(folder, AboutName));
                all.Add((about.Exists ? about.LastWriteTimeUtc : DateTime.MinValue, folder, new DirectoryInfo(folder).EnumerateFiles().Sum(file => file.Length)));
            }

            var bytes = all.Sum(entry => entry.Bytes);
            foreach (var (used, folder, size) in all.OrderBy(entry => entry.Used))
            {
                if (bytes <= options.CapacityBytes || _time.GetUtcNow().UtcDateTime - used < InUse) return;
                using var held = DiskFolder.OpenExclusively(Path.Combine(folder, "lock"), FileMode.OpenOrCreate);
                foreach (var file in Directory.EnumerateFiles(folder))
                    if (Path.GetFileName(file) != "lock") File.Delete(file);
                bytes -= size;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another process has that one in hand; at the next download again.
        }
    }

    private const string AboutName = "about.json";

    private static About? TryReadAbout(string folder)
    {
        try
        {
            var path = Path.Combine(folder, AboutName);
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), FileCacheJson.Default.About) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private void WriteAbout(string folder, About about)
    {
        var temporary = Path.Combine(folder, "tmp-" + Guid.NewGuid().ToString("N"));
        InFolder(() =>
        {
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(about, FileCacheJson.Default.About));
            File.Move(temporary, Path.Combine(folder, AboutName), overwrite: true);
            return true;
        });
        NoteUse(folder);
    }

    private static T InFolder<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FolderException(exception);
        }
    }

    /// <summary>The end of the address, in letters that every file system takes; never a name of the cache's own.</summary>
    private static string NameOf(Uri url)
    {
        var name = Uri.UnescapeDataString(url.Segments[^1].TrimEnd('/'));
        var safe = string.Concat(name.Where(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_'));
        return "file-" + (safe.Length > MaxNameLength ? safe[^MaxNameLength..] : safe);
    }

    private sealed class FolderException(Exception inner) : Exception("The folder cannot be used.", inner);

    internal sealed record About
    {
        public required long Length { get; init; }

        public required string Sha256 { get; init; }

        public string? EntityTag { get; init; }

        public string? LastModified { get; init; }

        public required DateTimeOffset CheckedAt { get; init; }

        [JsonIgnore]
        public Digest256 Digest => Digest256.TryParse(Sha256, out var digest) ? digest : default;
    }
}

[JsonSerializable(typeof(FileCache.About))]
internal sealed partial class FileCacheJson : JsonSerializerContext;
