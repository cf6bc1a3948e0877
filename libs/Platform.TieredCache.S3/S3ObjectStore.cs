using System.Buffers;
using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Platform.TieredCache.S3;

/// <summary>The objects of a bucket below a prefix. One try per call: the tier above has its own patience.</summary>
public sealed class S3ObjectStore : IObjectStore
{
    private readonly S3StoreOptions _options;
    private readonly AmazonS3Client _client;

    /// <summary>Opens no connection.</summary>
    public S3ObjectStore(S3StoreOptions options)
    {
        _options = options;
        var config = new AmazonS3Config
        {
            ServiceURL = options.ServiceUrl.Length > 0 ? options.ServiceUrl : $"https://s3.{options.Region}.amazonaws.com",
            AuthenticationRegion = options.Region.Length > 0 ? options.Region : "us-east-1",
            ForcePathStyle = true,
            MaxErrorRetry = 0,
            AllowAutoRedirect = false,
        };
        _client = options switch
        {
            { AccessKey.Length: > 0 } => new AmazonS3Client(new BasicAWSCredentials(options.AccessKey, options.SecretKey), config),
            { ServiceUrl.Length: > 0 } => new AmazonS3Client(new AnonymousAWSCredentials(), config),
            _ => new AmazonS3Client(config),
        };
    }

    /// <inheritdoc/>
    public async ValueTask<StoredObject?> GetAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var found = await _client.GetObjectAsync(new GetObjectRequest { BucketName = _options.Bucket, Key = _options.Prefix + name }, cancellationToken).ConfigureAwait(false);
            return new StoredObject(found.ResponseStream, found.ContentLength, found.LastModified.ToUniversalTime(), found);
        }
        catch (AmazonS3Exception exception) when (IsAbsent(exception))
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<DateTimeOffset?> GetModifiedAtAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var found = await _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = _options.Bucket, Key = _options.Prefix + name }, cancellationToken).ConfigureAwait(false);
            return found.LastModified.ToUniversalTime();
        }
        catch (AmazonS3Exception exception) when (IsAbsent(exception))
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask PutAsync(string name, ReadOnlySequence<byte> content, CancellationToken cancellationToken)
    {
        using var stream = new SequenceStream(content);
        var put = new PutObjectRequest
        {
            BucketName = _options.Bucket,
            Key = _options.Prefix + name,
            InputStream = stream,
            AutoCloseStream = false,
            ContentType = "application/octet-stream",
            UseChunkEncoding = false,
        };
        await _client.PutObjectAsync(put, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken) =>
        await _client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = _options.Bucket, Key = _options.Prefix + name }, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>No such object. That there is no such bucket is a failure of the store.</summary>
    private static bool IsAbsent(AmazonS3Exception exception) => exception.StatusCode == HttpStatusCode.NotFound && exception.ErrorCode != "NoSuchBucket";

    /// <summary>The client reads what it sends twice, to sign it and to send it: from where the bytes lie.</summary>
    private sealed class SequenceStream(ReadOnlySequence<byte> bytes) : Stream
    {
        private long _position;

        public override bool CanRead => true;
        public override bool CanSeek => true;
        public override bool CanWrite => false;
        public override long Length => bytes.Length;

        public override long Position
        {
            get => _position;
            set => _position = value;
        }

        public override int Read(Span<byte> buffer)
        {
            var count = (int)Math.Min(buffer.Length, bytes.Length - _position);
            if (count <= 0) return 0;
            bytes.Slice(_position, count).CopyTo(buffer);
            _position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new ValueTask<int>(Read(buffer.Span));
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override long Seek(long offset, SeekOrigin origin) => _position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => _position + offset,
            _ => Length + offset,
        };

        public override void Flush() { }
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
