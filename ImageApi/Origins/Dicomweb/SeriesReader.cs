using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using ImageApi.Catalog;
using Platform.Dicom;
using Platform.Dicom.Json;
using Platform.Dicom.Pixels;
using Platform.TieredCache;

namespace ImageApi.Origins.Dicomweb;

/// <summary>An instance as the metadata of its series tells of it: all but the transfer syntax, which metadata often leave out.</summary>
/// <param name="Entry">Without transfer syntax, version and content.</param>
/// <param name="Start">Where its object begins in the metadata, in bytes.</param>
/// <param name="Length">Its object's length in bytes.</param>
/// <param name="PixelState">SHA-256 over the attributes that say how its pixels are to be read, and its SOP Instance UID.</param>
/// <param name="TransferSyntaxUid">Available Transfer Syntax UID (0008,3002), where it is there.</param>
/// <param name="Look">Equal for instances that are likely stored alike: class, shape, whether the pixels can be had as one value, whether they lost anything.</param>
/// <param name="NativeLength">Bytes of its pixels when they are native; 0 when it is no image.</param>
internal sealed record SeriesMember(InstanceEntry Entry, int Start, int Length, Digest256 PixelState, string? TransferSyntaxUid, InstanceLook Look, long NativeLength);

/// <summary>What instances that were stored together have in common.</summary>
internal readonly record struct InstanceLook(string SopClassUid, int Rows, int Columns, int BitsAllocated, string Photometric, bool HasPixelUri, string? LossyCompression);

/// <summary>What the metadata of a series say.</summary>
internal sealed record SeriesDescription(string? Modality, int? Number, string? Description, IReadOnlyList<SeriesMember> Members);

/// <summary>Reads the metadata of a series (DICOM JSON, PS3.18 F) as hostile text: bounded, and nothing in it is believed that belongs to another series.</summary>
internal static class SeriesReader
{
    private const int MaxInstances = 50_000;
    private const int MaxInstanceBytes = 32 << 20;

    /// <summary>One odd attribute must not hide a series; what is passed on to clients is the server's own text anyway.</summary>
    public static readonly DicomJsonReadOptions Lenient = new() { LeavesOutUnreadable = true };

    private static readonly DicomTag AvailableTransferSyntax = new(0x0008, 0x3002);
    private static readonly DicomJsonOptions PixelAttributes = new() { Filter = static tag => tag.Group == 0x0028, MaxInlineBytes = 1 << 20 };

    /// <exception cref="OriginException">Broken: it is no DICOM JSON, not of this series, or too much.</exception>
    public static SeriesDescription Read(string originName, SeriesRef series, in ReadOnlySequence<byte> json)
    {
        var members = new List<SeriesMember>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        (string? Modality, int? Number, string? Description)? common = null;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 256 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray) throw Broken("The metadata are no array.");
            while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
            {
                var start = reader.TokenStartIndex;
                if (!reader.TrySkip()) throw Broken("The metadata end early.");
                var length = reader.BytesConsumed - start;
                if (length > MaxInstanceBytes || members.Count == MaxInstances) throw Broken("The metadata are too much for one series.");
                var bytes = json.Slice(start, length);
                var dataset = Parse(bytes, out var digest);
                if (Read(originName, series, dataset, digest, (int)start, (int)length, HasPixelUri(bytes)) is not { } member || !seen.Add(member.Entry.SopUid)) continue;
                members.Add(member);
                common ??= (dataset.GetString(DicomTags.Modality), dataset.GetInt32(DicomTags.SeriesNumber), dataset.GetString(DicomTags.SeriesDescription));
            }
            if (reader.TokenType != JsonTokenType.EndArray) throw Broken("The metadata are no array of data sets.");
        }
        catch (Exception exception) when (exception is JsonException or DicomJsonException or InvalidOperationException)
        {
            throw new OriginException(OriginFailure.Broken, "The metadata are no DICOM JSON.", exception);
        }
        return new SeriesDescription(common?.Modality, common?.Number, common?.Description, members);
    }

    // Servers give native pixels an address of their own and compressed ones none.
    private static bool HasPixelUri(in ReadOnlySequence<byte> json)
    {
        var reader = new SequenceReader<byte>(json);
        return reader.TryReadTo(out ReadOnlySequence<byte> _, "\"7FE00010\""u8);
    }

    private static DicomDataset Parse(in ReadOnlySequence<byte> bytes, out Digest256 digest)
    {
        if (bytes.IsSingleSegment)
        {
            digest = Digest256.HashData(bytes.FirstSpan);
            return DicomJsonReader.Read(bytes.FirstSpan, Lenient);
        }
        var rented = ArrayPool<byte>.Shared.Rent((int)bytes.Length);
        try
        {
            bytes.CopyTo(rented);
            var span = rented.AsSpan(0, (int)bytes.Length);
            digest = Digest256.HashData(span);
            return DicomJsonReader.Read(span, Lenient);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static SeriesMember? Read(string originName, SeriesRef series, DicomDataset dataset, Digest256 digest, int start, int length, bool hasPixelUri)
    {
        var (sopUid, sopClass) = (dataset.GetString(DicomTags.SOPInstanceUID), dataset.GetString(DicomTags.SOPClassUID));
        if (!Uids.IsValid(sopUid) || !Uids.IsValid(sopClass)) return null;   // cannot be asked for
        if (dataset.GetString(DicomTags.SeriesInstanceUID) is { Length: > 0 } ofSeries && ofSeries != series.SeriesUid) throw Broken("The metadata are of another series.");
        if (dataset.GetString(DicomTags.StudyInstanceUID) is { Length: > 0 } ofStudy && ofStudy != series.StudyUid) throw Broken("The metadata are of another study.");

        var isImage = PixelDescription.TryRead(dataset, out var pixels);
        var item = $"studies/{series.StudyUid}/series/{series.SeriesUid}/instances/{sopUid}";
        var entry = new InstanceEntry
        {
            StudyUid = series.StudyUid,
            SeriesUid = series.SeriesUid,
            SopUid = sopUid,
            SopClassUid = sopClass,
            TransferSyntaxUid = "",
            OriginName = originName,
            Item = new OriginItem(item),
            Version = default,
            Stamp = new FileStamp(length, 0, 0),
            Content = default,
            HeaderContent = OriginVersion.ContentOf(originName, item, $"header:{digest}"),
            IsRemote = true,
            Number = dataset.GetInt32(DicomTags.InstanceNumber),
            Rows = isImage ? pixels.Rows : 0,
            Columns = isImage ? pixels.Columns : 0,
            FrameCount = isImage ? pixels.FrameCount : 0,
            SamplesPerPixel = pixels.SamplesPerPixel,
            BitsAllocated = pixels.BitsAllocated,
            BitsStored = pixels.BitsStored,
            IsSigned = pixels.IsSigned,
            IsPlanar = pixels.IsPlanar,
            Photometric = isImage ? pixels.Photometric : "",
            Position = Numbers(dataset, DicomTags.ImagePositionPatient, 3),
            Orientation = Numbers(dataset, DicomTags.ImageOrientationPatient, 6),
        };
        var syntax = dataset.GetString(AvailableTransferSyntax);
        return new SeriesMember(entry, start, length, PixelStateOf(dataset, sopUid), Uids.IsValid(syntax) ? syntax : null,
            new InstanceLook(sopClass, entry.Rows, entry.Columns, entry.BitsAllocated, entry.Photometric, hasPixelUri, dataset.GetString(DicomTags.LossyImageCompressionMethod) ?? dataset.GetString(DicomTags.LossyImageCompression)), isImage ? ((pixels.FrameBits * pixels.FrameCount) + 7) / 8 : 0);
    }

    // Everything of group 0028 (Image Pixel, palettes, lossy compression) and how many frames: a change of any makes the frames others.
    private static Digest256 PixelStateOf(DicomDataset dataset, string sopUid)
    {
        var builder = new DigestBuilder(stackalloc byte[1024], "pixel-state1"u8);
        builder.Add(sopUid);
        builder.Add(Digest256.HashData(DicomJsonWriter.ToUtf8(dataset, PixelAttributes)));
        return builder.Finish();
    }

    private static double[]? Numbers(DicomDataset dataset, DicomTag tag, int count)
    {
        var numbers = dataset.GetDoubles(tag);
        return numbers.Length == count && Array.TrueForAll(numbers, double.IsFinite) ? numbers : null;
    }

    private static OriginException Broken(string message) => new(OriginFailure.Broken, message);
}
