using System.Collections.Immutable;
using Platform.HttpCache.Fields;
using Platform.TieredCache;

namespace Platform.HttpCache.Storing;

/// <summary>All answers kept for one URI, the most recent first: one record. Immutable.</summary>
internal sealed class StoredResponses(ImmutableArray<StoredResponse> variants)
{
    private const byte FormatVersion = 1;
    private const int MaxRecordBytes = CacheRecord.MaxValueBytes - 1024;

    public static StoredResponses Empty { get; } = new([]);

    public ImmutableArray<StoredResponse> Variants => variants;

    /// <summary>The most recent answer to such a request (RFC 9111 4.1), or null.</summary>
    public StoredResponse? Select(HeaderLines request)
    {
        foreach (var variant in variants)
            if (VaryFields.Match(variant.Vary, request)) return variant;
        return null;
    }

    /// <summary>With an answer in the place of those to the same requests. The oldest leave until all fit.</summary>
    public StoredResponses With(StoredResponse response, HeaderLines request, int maxVariants)
    {
        var list = variants.Where(variant => !VaryFields.Match(variant.Vary, request)).Prepend(response).Take(maxVariants).ToList();
        while (list.Count > 1 && SizeOf(list) > MaxRecordBytes) list.RemoveAt(list.Count - 1);
        return new StoredResponses([.. list]);
    }

    /// <summary>Without the answers to such requests.</summary>
    public StoredResponses Without(HeaderLines request) => new([.. variants.Where(variant => !VaryFields.Match(variant.Vary, request))]);

    public IEnumerable<Digest256> Bodies => variants.SelectMany(static variant => variant.Segments).Select(static segment => segment.Body);

    /// <summary>The record's bytes; null when they are too many.</summary>
    public byte[]? TryWrite()
    {
        using var stream = new MemoryStream(1024);
        using var writer = new BinaryWriter(stream);
        writer.Write(FormatVersion);
        writer.Write7BitEncodedInt(variants.Length);
        foreach (var variant in variants) Write(writer, variant);
        writer.Flush();
        return stream.Length <= MaxRecordBytes ? stream.ToArray() : null;
    }

    /// <summary>Reads a record; null when it is none of ours.</summary>
    public static StoredResponses? TryRead(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var reader = new BinaryReader(new MemoryStream(bytes.ToArray(), writable: false));
            if (reader.ReadByte() != FormatVersion) return null;
            return new StoredResponses([.. ReadMany(reader, Read)]);
        }
        catch (Exception exception) when (exception is IOException or FormatException or ArgumentException or OverflowException)
        {
            return null;
        }
    }

    private static int SizeOf(List<StoredResponse> list) => list.Sum(static variant => variant.Headers.Bytes + (variant.Segments.Length * 56)
        + variant.Vary.Sum(static field => field.Name.Length + (field.Value?.Length ?? 0) + 6) + 64);

    private static void Write(BinaryWriter writer, StoredResponse variant)
    {
        writer.Write((ushort)variant.Status);
        writer.Write(variant.RequestTime.UtcTicks);
        writer.Write(variant.ResponseTime.UtcTicks);
        writer.Write(variant.Length ?? -1);
        writer.Write7BitEncodedInt(variant.Vary.Length);
        foreach (var field in variant.Vary)
        {
            writer.Write(field.Name);
            writer.Write(field.Value is not null);
            if (field.Value is not null) writer.Write(field.Value);
        }

        writer.Write7BitEncodedInt(variant.Headers.Lines.Count);
        foreach (var (name, value) in variant.Headers.Lines)
        {
            writer.Write(name);
            writer.Write(value);
        }

        writer.Write7BitEncodedInt(variant.Segments.Length);
        Span<byte> id = stackalloc byte[Digest256.Size];
        foreach (var segment in variant.Segments)
        {
            writer.Write(segment.Offset);
            writer.Write(segment.Length);
            segment.Body.CopyTo(id);
            writer.Write(id);
        }
    }

    private static StoredResponse Read(BinaryReader reader)
    {
        var status = reader.ReadUInt16();
        var requestTime = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        var responseTime = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        var length = reader.ReadInt64();
        var vary = ReadMany(reader, static from => new VaryField(from.ReadString(), from.ReadBoolean() ? from.ReadString() : null));
        var headers = new HeaderLines();
        foreach (var (name, value) in ReadMany(reader, static from => KeyValuePair.Create(from.ReadString(), from.ReadString()))) headers.Add(name, value);
        var segments = ReadMany(reader, static from => new BodySegment(from.ReadInt64(), from.ReadInt64(), new Digest256(from.ReadBytes(Digest256.Size))));
        return new StoredResponse
        {
            Status = status,
            RequestTime = requestTime,
            ResponseTime = responseTime,
            Length = length < 0 ? null : length,
            Vary = [.. vary],
            Headers = headers,
            Segments = [.. segments],
        };
    }

    private static List<T> ReadMany<T>(BinaryReader reader, Func<BinaryReader, T> read)
    {
        var count = reader.Read7BitEncodedInt();
        if (count is < 0 or > 4096) throw new FormatException();
        var list = new List<T>(count);
        for (var i = 0; i < count; i++) list.Add(read(reader));
        return list;
    }
}
