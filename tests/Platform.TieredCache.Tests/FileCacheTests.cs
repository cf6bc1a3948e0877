using System.Net;
using System.Security.Cryptography;

namespace Platform.TieredCache.Tests;

public class FileCacheTests : IDisposable
{
    private static readonly Uri Url = new("http://origin.test/volumes/head%20scan.nii.gz?x=1");

    private readonly string _path = Directory.CreateTempSubdirectory("platform-files-").FullName;
    private readonly ManualTime _time = new();
    private readonly Origin _origin = new();

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public async Task GetFileAsync_Twice_DownloadsOnceAndTellsOfIt()
    {
        var progress = new Collector();
        using var first = await NewCache().GetFileAsync(Url, progress, default);
        Assert.Equal(_origin.Body, await File.ReadAllBytesAsync(first.Path));
        Assert.EndsWith("headscan.nii.gz", first.Path, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(first.Path));
        Assert.Equal((_origin.Body.Length, false, false), (first.Bytes, first.IsFromCache, first.IsTemporary));
        Assert.Equal(new Digest256(SHA256.HashData(_origin.Body)), first.Digest);
        Assert.Equal(new FileProgress(0, _origin.Body.Length), progress.Seen[0]);
        Assert.Equal(new FileProgress(_origin.Body.Length, _origin.Body.Length), progress.Seen[^1]);
        using var second = await NewCache().GetFileAsync(Url, null, default);
        Assert.Equal((first.Path, true, 1), (second.Path, second.IsFromCache, _origin.Requests));
    }

    [Fact]
    public async Task GetFileAsync_ManyAtOnceInTwoProcesses_OneDownload()
    {
        var gate = new TaskCompletionSource();
        _origin.BeforeBody = gate.Task;
        var caches = new[] { NewCache(), NewCache() };
        var callers = Enumerable.Range(0, 40).Select(i => caches[i % 2].GetFileAsync(Url, null, default)).ToArray();
        await SingleFlightTests.EventuallyAsync(() => _origin.Requests > 0);
        gate.SetResult();
        foreach (var file in await Task.WhenAll(callers)) Assert.Equal(_origin.Body, await File.ReadAllBytesAsync(file.Path));
        Assert.Equal(1, _origin.Requests);
    }

    [Fact]
    public async Task GetFileAsync_LastWhoWaitsLeaves_TheDownloadStopsAndTheNextBeginsAnew()
    {
        _origin.BeforeBody = new TaskCompletionSource().Task;
        using var leaving = new CancellationTokenSource();
        var cache = NewCache();
        var waiting = cache.GetFileAsync(Url, null, leaving.Token);
        await SingleFlightTests.EventuallyAsync(() => _origin.Requests == 1);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        _origin.BeforeBody = Task.CompletedTask;
        using var file = await cache.GetFileAsync(Url, null, default);
        Assert.Equal(_origin.Body, await File.ReadAllBytesAsync(file.Path));
    }

    [Fact]
    public async Task GetFileAsync_PastItsTime_AsksWhetherItChanged()
    {
        using (await NewCache().GetFileAsync(Url, null, default))
        {
        }

        _time.Advance(TimeSpan.FromDays(2));
        using (var same = await NewCache().GetFileAsync(Url, null, default)) Assert.True(same.IsFromCache);
        Assert.Equal((2, "\"v1\""), (_origin.Requests, _origin.LastIfNoneMatch));
        _origin.Change([9, 9, 9], "\"v2\"");
        using (var unasked = await NewCache().GetFileAsync(Url, null, default)) Assert.True(unasked.IsFromCache);
        _time.Advance(TimeSpan.FromDays(2));
        using var changed = await NewCache().GetFileAsync(Url, null, default);
        Assert.Equal([9, 9, 9], await File.ReadAllBytesAsync(changed.Path));
        Assert.Equal(3, _origin.Requests);
    }

    [Fact]
    public async Task GetFileAsync_OriginFails_GivesTheStaleFileForAWhileThenTheError()
    {
        using (await NewCache().GetFileAsync(Url, null, default))
        {
        }

        _origin.Status = HttpStatusCode.ServiceUnavailable;
        _time.Advance(TimeSpan.FromDays(2));
        using (var stale = await NewCache().GetFileAsync(Url, null, default)) Assert.True(stale.IsStale);
        _time.Advance(TimeSpan.FromDays(20));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await Assert.ThrowsAsync<HttpRequestException>(() => NewCache().GetFileAsync(Url, null, default))).StatusCode);
    }

    [Theory]
    [InlineData("flip")]
    [InlineData("cut")]
    [InlineData("gone")]
    [InlineData("about")]
    public async Task GetFileAsync_DamagedFile_IsFetchedAgain(string damage)
    {
        string path;
        using (var file = await NewCache().GetFileAsync(Url, null, default)) path = file.Path;
        var bytes = await File.ReadAllBytesAsync(path);
        switch (damage)
        {
            case "flip":
                bytes[1000] ^= 1;
                await File.WriteAllBytesAsync(path, bytes);
                break;
            case "cut": await File.WriteAllBytesAsync(path, bytes[..1000]); break;
            case "gone": File.Delete(path); break;
            default: await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(path)!, "about.json"), "{\"Length\":"); break;
        }

        using var again = await NewCache().GetFileAsync(Url, null, default);
        Assert.False(again.IsFromCache);
        Assert.Equal(_origin.Body, await File.ReadAllBytesAsync(again.Path));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task GetFileAsync_BodyOfAnotherLengthThanPromised_FailsAndKeepsNothing(int difference)
    {
        _origin.PromisedLength = _origin.Body.Length - difference;
        await Assert.ThrowsAnyAsync<Exception>(() => NewCache().GetFileAsync(Url, null, default));
        Assert.DoesNotContain(Directory.EnumerateFiles(_path, "*", SearchOption.AllDirectories), file => Path.GetFileName(file) != "lock");
    }

    [Fact]
    public async Task GetFileAsync_DigestGivenByTheOriginDoesNotMatch_Fails()
    {
        _origin.ReprDigest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(_origin.Body))}:";
        using (await NewCache().GetFileAsync(Url, null, default))
        {
        }

        _origin.ReprDigest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData([1]))}:";
        await Assert.ThrowsAsync<InvalidDataException>(() => NewCache().GetFileAsync(new Uri(Url, "other.nii"), null, default));
    }

    [Fact]
    public async Task GetFileAsync_FolderCannotBeUsed_GivesATemporaryFileToEachCaller()
    {
        var blocked = Path.Combine(_path, "blocked");
        await File.WriteAllTextAsync(blocked, "no folder");
        var cache = new FileCache(new HttpMessageInvoker(_origin), new FileCacheOptions { Path = blocked }, _time);
        var files = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => cache.GetFileAsync(Url, null, default)));
        Assert.Equal(3, files.Select(file => file.Path).Distinct().Count());
        foreach (var file in files)
        {
            Assert.True(file.IsTemporary);
            Assert.Equal(_origin.Body, await File.ReadAllBytesAsync(file.Path));
            file.Dispose();
            Assert.False(File.Exists(file.Path));
        }
    }

    [Fact]
    public async Task GetFileAsync_MoreThanTheBound_TheLeastRecentlyUsedLeave()
    {
        for (var i = 0; i < 6; i++)
        {
            using (await NewCache(capacityBytes: 4 * _origin.Body.Length).GetFileAsync(new Uri($"http://origin.test/{i}.nii"), null, default))
            {
            }

            _time.Advance(TimeSpan.FromHours(2));
        }

        Assert.InRange(Directory.GetFiles(_path, "file-*", SearchOption.AllDirectories).Length, 3, 4);
    }

    private FileCache NewCache(long capacityBytes = 1L << 30) => new(new HttpMessageInvoker(_origin), new FileCacheOptions { Path = _path, CapacityBytes = capacityBytes }, _time);

    private sealed class Collector : IProgress<FileProgress>
    {
        public List<FileProgress> Seen { get; } = [];

        public void Report(FileProgress value)
        {
            lock (Seen) Seen.Add(value);
        }
    }

    private sealed class Origin : HttpMessageHandler
    {
        private int _requests;
        private string _tag = "\"v1\"";

        public byte[] Body { get; private set; } = [.. Enumerable.Range(0, 700_000).Select(i => (byte)(i * 7))];

        public int Requests => _requests;

        public string? LastIfNoneMatch { get; private set; }

        public long? PromisedLength { get; set; }

        public string? ReprDigest { get; set; }

        public HttpStatusCode Status { get; set; } = HttpStatusCode.OK;

        public Task BeforeBody { get; set; } = Task.CompletedTask;

        public void Change(byte[] body, string tag) => (Body, _tag) = (body, tag);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _requests);
            await BeforeBody.WaitAsync(cancellationToken);
            LastIfNoneMatch = request.Headers.IfNoneMatch.SingleOrDefault()?.ToString();
            if (Status != HttpStatusCode.OK) return new HttpResponseMessage(Status);
            if (LastIfNoneMatch == _tag) return new HttpResponseMessage(HttpStatusCode.NotModified);
            var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(new MemoryStream(Body)) };
            response.Content.Headers.ContentLength = PromisedLength ?? Body.Length;
            response.Headers.TryAddWithoutValidation("ETag", _tag);
            if (ReprDigest is not null) response.Headers.TryAddWithoutValidation("Repr-Digest", ReprDigest);
            return response;
        }
    }
}
