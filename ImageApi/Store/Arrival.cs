using System.Security.Cryptography;
using ImageApi.Catalog;
using ImageApi.Origins;
using Platform.Dicom;
using Platform.Dicom.Pixels;
using Platform.TieredCache;

namespace ImageApi.Store;

/// <summary>
/// One instance on its way into the store: written to a file of its own while its SHA-256 is learnt, then looked at, then handed to the committer. Disposed before
/// it is in its place, it leaves nothing behind.
/// </summary>
internal sealed class Arrival : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly FileStream _file;
    private bool _isInPlace;

    public Arrival(StoreFolder folder) => _file = folder.CreateArrival();

    public string Path => _file.Name;
    public Microsoft.Win32.SafeHandles.SafeFileHandle Handle => _file.SafeFileHandle;
    public long Length { get; private set; }
    public Digest256 Digest { get; private set; }

    /// <summary>What the header says; set by <see cref="Inspect"/> when the instance can be stored.</summary>
    public InstanceHeader? Header { get; private set; }

    /// <summary>Where it will lie.</summary>
    public OriginItem Item { get; private set; }

    public OriginVersion Version => OriginVersion.FromSha256(Digest);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        RandomAccess.Write(Handle, bytes, Length);
        _hash.AppendData(bytes);
        Length += bytes.Length;
    }

    /// <summary>Ends the writing: the digest is known, and the kernel is asked to begin with what will have to be durable soon.</summary>
    public void Complete()
    {
        Span<byte> digest = stackalloc byte[Digest256.Size];
        _hash.GetHashAndReset(digest);
        Digest = new Digest256(digest);
        FileSystem.BeginWriteback(Handle);
    }

    /// <summary>Reads the header and holds it against what may be stored. A refusal names the UIDs as far as they could be read.</summary>
    public async ValueTask<StoreOutcome?> InspectAsync(string? studyUid, CancellationToken cancellationToken)
    {
        try
        {
            using var file = DicomFile.Read(Path, cancellationToken: cancellationToken);
            var (sopClass, sopUid) = (file.Dataset.GetString(DicomTags.SOPClassUID), file.Dataset.GetString(DicomTags.SOPInstanceUID));
            if (file.FileMeta.Count == 0) return StoreOutcome.Refused(FailureReason.CannotUnderstand);
            if (!file.TransferSyntax.IsKnown) return StoreOutcome.Refused(FailureReason.TransferSyntaxNotSupported, sopClass, sopUid);
            if (!InstanceHeader.TryRead(file, out var header, out _)) return StoreOutcome.Refused(FailureReason.DoesNotMatchSopClass, sopClass, sopUid);
            if (studyUid is not null && header.Study.Uid != studyUid) return StoreOutcome.Refused(FailureReason.OtherStudy, sopClass, sopUid);
            if (!await HasItsPixelsAsync(file, header, cancellationToken)) return StoreOutcome.Refused(FailureReason.CannotUnderstand, sopClass, sopUid);
            Header = header;
            Item = StoreLayout.ItemOf(header.Study.Uid, header.Series.Uid, header.SopUid, Digest);
            return null;
        }
        catch (DicomParseException)
        {
            return StoreOutcome.Refused(FailureReason.CannotUnderstand);
        }
    }

    public IndexedFile ToIndexedFile(FileStamp stamp) => new()
    {
        Location = new FileLocation(IOrigins.StoreName, Item),
        Stamp = stamp,
        Version = Version,
        Header = Header,
    };

    /// <summary>From now on the file belongs to the store.</summary>
    public void IsInPlace() => _isInPlace = true;

    public void Dispose()
    {
        _hash.Dispose();
        _file.Dispose();
        if (!_isInPlace) File.Delete(Path);
    }

    /// <summary>Whether the file holds the pixels that its header speaks of: half an image is not stored.</summary>
    private async ValueTask<bool> HasItsPixelsAsync(DicomFile file, InstanceHeader header, CancellationToken cancellationToken)
    {
        if (file.PixelData is not { } data) return true;
        if (data.Length is { } length)
        {
            if (!file.TransferSyntax.IsDeflated && data.Offset + length > Length) return false;
            if (header.Pixels is not { } pixels || file.TransferSyntax.IsEncapsulated) return true;
            return (UInt128)(ulong)pixels.FrameBits * (ulong)Math.Max(1, pixels.FrameCount) <= (UInt128)(ulong)length * 8;
        }

        // Encapsulated: every fragment's header is read, none of the fragments.
        using var source = new HandleSource(Handle);
        return await FrameIndex.ReadAsync(source, file, cancellationToken) is not null;
    }
}
