using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Amazon.S3;
using Amazon.S3.Model;
using ImageApi.Origins.Ranged;
using Platform.TieredCache;

namespace ImageApi.Origins.S3;

/// <summary>
/// The objects of a bucket whose keys begin with a prefix. An item is what follows the prefix; its version is the object's entity tag. Keys with a part that
/// begins with a dot, and those that end with a slash (what consoles make of folders), are passed over, as in a folder.
/// </summary>
internal sealed class S3Origin : RangedOrigin, IListedOrigin, IFileOrigin, IDisposable
{
    /// <summary>A server that never ends its listing must not fill memory.</summary>
    private const int MaxPages = 10_000;

    private readonly OriginOptions _options;
    private readonly AmazonS3Client _client;

    public S3Origin(string name, OriginOptions options, AmazonS3Client client, ITieredCache cache)
        : base(name, cache) => (_options, _client) = (options, client);

    /// <summary>Half of what the origin bears: people go on reading meanwhile.</summary>
    public override int? IndexReaders => Math.Max(1, _options.MaxConcurrency / 2);

    public TimeSpan? ListInterval => _options.Freshness.Ttl;

    public override async ValueTask<FileStamp?> GetStampAsync(OriginItem item, CancellationToken cancellationToken) => (await HeadAsync(item, cancellationToken))?.Stamp;

    public override async ValueTask<OriginVersion?> GetVersionAsync(OriginItem item, CancellationToken cancellationToken) => (await HeadAsync(item, cancellationToken))?.Version;

    public override async Task<RangeAnswer> AskAsync(OriginItem item, OriginVersion? ifMatch, long offset, long? count, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var request = new GetObjectRequest { BucketName = _options.Bucket, Key = KeyOf(item), EtagToMatch = ifMatch?.EntityTag };
        var isRange = offset > 0 || count is not null;
        if (isRange) request.ByteRange = new Amazon.S3.Model.ByteRange(string.Create(CultureInfo.InvariantCulture, $"bytes={offset}-{offset + count - 1}"));
        GetObjectResponse response;
        try
        {
            response = await _client.GetObjectAsync(request, cancellationToken);
        }
        catch (AmazonS3Exception exception) when (exception.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            // An empty object has no first byte that could be asked for.
            if (offset == 0) return await AskAsync(item, ifMatch, 0, count: null, cancellationToken);
            throw new ArgumentOutOfRangeException(nameof(offset), "The range begins beyond the end.");
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw S3Failures.From(exception);
        }

        try
        {
            var version = VersionOf(response.ETag);
            // Asked for by If-Match; checked, because not every server has heard of it.
            if (ifMatch is { } expected && expected != version) throw new OriginException(OriginFailure.Changed, "The object is not the version that was asked for.");
            var (first, total) = isRange ? ReadContentRange(response) : (0, response.ContentLength);
            var length = response.ContentLength;
            if (first != offset || length < 0 || length > (count ?? long.MaxValue) || first + length > total || (count is null && first + length != total))
                throw new OriginException(OriginFailure.Unreachable, "The origin's answer is not the range that was asked for.");
            if (length < count && first + length != total) throw new OriginException(OriginFailure.Unreachable, "The origin's answer is shorter than the range that was asked for.");
            return new RangeAnswer(version, StampOf(total, response.LastModified, version), first, length, response.ResponseStream, response);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    public async IAsyncEnumerable<ListedItem> ListItemsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (item, listed) in ListObjectsAsync("", cancellationToken))
            yield return new ListedItem(item, StampOf(listed.Size, listed.LastModified, VersionOf(listed.ETag)));
    }

    public async IAsyncEnumerable<FileItem> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (item, listed) in ListObjectsAsync(prefix, cancellationToken))
            yield return new FileItem(item, listed.Size, listed.LastModified.ToUniversalTime());
    }

    public void Dispose() => _client.Dispose();

    private async IAsyncEnumerable<(OriginItem Item, S3Object Object)> ListObjectsAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? token = null;
        for (var page = 0; ; page++)
        {
            if (page == MaxPages) throw new OriginException(OriginFailure.Unreachable, "The origin's listing does not end.");
            var answer = await ListPageAsync(prefix, token, cancellationToken);
            foreach (var listed in answer.S3Objects)
            {
                if (ItemOf(listed.Key) is { } item) yield return (item, listed);
            }
            if (answer.IsTruncated != true) yield break;
            if (answer.NextContinuationToken is not { Length: > 0 } next || next == token) throw new OriginException(OriginFailure.Unreachable, "The origin's listing does not go on.");
            token = next;
        }
    }

    private async Task<ListObjectsV2Response> ListPageAsync(string prefix, string? token, CancellationToken cancellationToken)
    {
        try
        {
            return await _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _options.Bucket, Prefix = _options.Prefix + prefix, ContinuationToken = token }, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw S3Failures.From(exception);
        }
    }

    private async Task<(FileStamp Stamp, OriginVersion Version)?> HeadAsync(OriginItem item, CancellationToken cancellationToken)
    {
        try
        {
            var head = await _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = _options.Bucket, Key = KeyOf(item) }, cancellationToken);
            var version = VersionOf(head.ETag);
            return (StampOf(head.ContentLength, head.LastModified, version), version);
        }
        catch (AmazonS3Exception exception) when (exception.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw S3Failures.From(exception);
        }
    }

    private string KeyOf(OriginItem item) => _options.Prefix + item.Path;

    private OriginItem? ItemOf(string key)
    {
        if (!key.StartsWith(_options.Prefix, StringComparison.Ordinal)) return null;
        var path = key[_options.Prefix.Length..];
        return path.Length == 0 || path[^1] == '/' || path[0] == '.' || path.Contains("/.", StringComparison.Ordinal) ? null : new OriginItem(path);
    }

    private static OriginVersion VersionOf(string? entityTag) => entityTag is { Length: > 2 and < 250 } && entityTag[0] == '"' && entityTag[^1] == '"'
        ? OriginVersion.FromEntityTag(entityTag)
        : throw new OriginException(OriginFailure.Unreachable, "The origin gives no strong entity tag.");

    /// <summary>
    /// What the catalog compares. An object has no inode: the entity tag's hash stands in its place. Whole seconds: a listing has more of them than an answer's header.
    /// </summary>
    private static FileStamp StampOf(long length, DateTime lastModified, OriginVersion version)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(version.Value), hash);
        return new FileStamp(length, new DateTimeOffset(lastModified.ToUniversalTime()).ToUnixTimeSeconds() * 1_000_000_000, BitConverter.ToInt64(hash));
    }

    /// <summary>The first byte and the object's length, of <c>Content-Range: bytes 0-9/100</c> (RFC 9110 14.4).</summary>
    private static (long First, long Total) ReadContentRange(GetObjectResponse response)
    {
        var parts = (response.ContentRange ?? "").Split(' ', '-', '/');
        return parts.Length == 4 && parts[0] == "bytes"
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out var total)
            ? (first, total)
            : throw new OriginException(OriginFailure.Unreachable, "The origin does not answer with ranges.");
    }
}
