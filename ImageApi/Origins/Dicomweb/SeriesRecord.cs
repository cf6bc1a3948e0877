using System.Text.Json;
using System.Text.Json.Serialization;
using Platform.TieredCache;

namespace ImageApi.Origins.Dicomweb;

/// <summary>What is remembered of a series over restarts, as a record of the cache: which metadata it had, when that was asked, what was found out.</summary>
internal sealed record SeriesRecord
{
    /// <summary>Instances whose own transfer syntax is remembered; beyond, it is found out again.</summary>
    private const int MaxOthers = 400;

    public required string Study { get; init; }

    /// <summary>SHA-256 of the metadata, hexadecimal.</summary>
    public required string Metadata { get; init; }
    public required DateTimeOffset AskedAt { get; init; }
    public string? EntityTag { get; init; }
    public string TransferSyntax { get; init; } = "";
    public Dictionary<string, string> Others { get; init; } = [];
    public bool FromInstances { get; init; }

    [JsonIgnore]
    public SeriesFacts Facts => new(TransferSyntax, Others, FromInstances);

    public static SeriesRecord Of(RemoteSeries series, DateTimeOffset askedAt, string? entityTag) => new()
    {
        Study = series.Key.StudyUid,
        Metadata = series.Metadata.ToString(),
        AskedAt = askedAt,
        EntityTag = entityTag,
        TransferSyntax = series.Facts.TransferSyntaxUid,
        Others = series.Facts.Others.Take(MaxOthers).ToDictionary(),
        FromInstances = series.Facts.FromInstances,
    };

    public static Digest256 KeyOf(string originName, string seriesUid)
    {
        var builder = new DigestBuilder(stackalloc byte[256], "series-record1"u8);
        builder.Add(originName);
        builder.Add(seriesUid);
        return builder.Finish();
    }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, SeriesRecordJson.Default.SeriesRecord);

    /// <summary>Null where the bytes are none of ours: then the series is asked for anew.</summary>
    public static SeriesRecord? FromBytes(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, SeriesRecordJson.Default.SeriesRecord);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSerializable(typeof(SeriesRecord))]
internal sealed partial class SeriesRecordJson : JsonSerializerContext;
