using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Platform.Models;

/// <summary>A file that is on its way: what has arrived, its running digest, and what must still be true of its source for going on with it. One process has it in hand.</summary>
internal sealed class PartFile : IDisposable
{
    private const int BufferBytes = 256 << 10;

    private readonly string _aboutPath;
    private readonly FileStream _file;
    private IncrementalHash _sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    private PartFile(string path, FileStream file)
    {
        Path = path;
        _aboutPath = path + ".json";
        _file = file;
    }

    public string Path { get; }

    /// <summary>Bytes that are here.</summary>
    public long Length { get; private set; }

    /// <summary>Where they came from; null for the first byte.</summary>
    public PartSource? Source { get; private set; }

    /// <summary>Opens what an earlier attempt left and hashes it, or begins.</summary>
    public static async Task<PartFile> OpenAsync(string path, Action<long> onRead, CancellationToken cancellationToken)
    {
        var part = new PartFile(path, StoreFolder.Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read));
        try
        {
            part.Source = TryReadSource(part._aboutPath);
            if (part.Source is null) part.StartOver(null);
            else await part.HashAsync(onRead, cancellationToken).ConfigureAwait(false);
            return part;
        }
        catch
        {
            part.Dispose();
            throw;
        }
    }

    /// <summary>Forgets what is here; <paramref name="source"/> is noted before the first byte.</summary>
    public void StartOver(PartSource? source)
    {
        RandomAccess.SetLength(_file.SafeFileHandle, 0);
        Length = 0;
        _sha.Dispose();
        _sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Note(source);
    }

    /// <summary>Notes where what follows comes from.</summary>
    public void Note(PartSource? source)
    {
        Source = source;
        if (source is null)
        {
            StoreFolder.TryDelete(_aboutPath);
            return;
        }
        var temporary = _aboutPath + ".new";
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(source, PartSourceJson.Default.PartSource));
        File.Move(temporary, _aboutPath, overwrite: true);
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        RandomAccess.Write(_file.SafeFileHandle, bytes, Length);
        _sha.AppendData(bytes);
        Length += bytes.Length;
    }

    public string Digest() => Convert.ToHexStringLower(_sha.GetCurrentHash());

    public void Flush() => RandomAccess.FlushToDisk(_file.SafeFileHandle);

    /// <summary>Removes it and what was noted.</summary>
    public void Delete()
    {
        StoreFolder.TryDelete(_aboutPath);
        StoreFolder.TryDelete(Path);
    }

    /// <summary>After the file has got another name.</summary>
    public void Forget() => StoreFolder.TryDelete(_aboutPath);

    public void Dispose()
    {
        _file.Dispose();
        _sha.Dispose();
    }

    private async Task HashAsync(Action<long> onRead, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferBytes];
        int read;
        while ((read = await RandomAccess.ReadAsync(_file.SafeFileHandle, buffer, Length, cancellationToken).ConfigureAwait(false)) > 0)
        {
            _sha.AppendData(buffer.AsSpan(0, read));
            Length += read;
            onRead(Length);
        }
    }

    private static PartSource? TryReadSource(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), PartSourceJson.Default.PartSource) : null;
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>Where the bytes of a part came from.</summary>
/// <param name="Url">The address that was asked, before redirects.</param>
/// <param name="EntityTag">Its strong entity tag; null where it gave none.</param>
/// <param name="LastModified">Its date, where it gave no tag.</param>
/// <param name="Length">The whole file's length, where it said so.</param>
internal sealed record PartSource(string Url, string? EntityTag, string? LastModified, long? Length)
{
    /// <summary>RFC 9110 13.1.5: what If-Range may carry.</summary>
    [JsonIgnore]
    public string? Validator => EntityTag ?? LastModified;
}

[JsonSerializable(typeof(PartSource))]
internal sealed partial class PartSourceJson : JsonSerializerContext;
