using System.Buffers.Binary;

namespace ImageApi.Tests.Preview;

/// <summary>Reads a preview as a client would.</summary>
internal sealed record PreviewRecord(int Index, int Kind, long Length, long[] Ends, byte[] Bytes);

internal static class PreviewStream
{
    public static async Task<int> ReadHeaderAsync(Stream stream)
    {
        var header = new byte[16];
        await stream.ReadExactlyAsync(header);
        Assert.Equal("PLPV"u8.ToArray(), header[..4]);
        Assert.Equal(1, BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(4)));
        Assert.Equal(0, BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(6)));
        Assert.Equal(0u, BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(12)));
        return BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8));
    }

    public static async Task<PreviewRecord> ReadRecordAsync(Stream stream)
    {
        var head = new byte[12];
        await stream.ReadExactlyAsync(head);
        Assert.Equal(0, BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(6)));
        var ends = new byte[4 * head[5]];
        await stream.ReadExactlyAsync(ends);
        var length = new byte[4];
        await stream.ReadExactlyAsync(length);
        var bytes = new byte[BinaryPrimitives.ReadUInt32LittleEndian(length)];
        await stream.ReadExactlyAsync(bytes);
        return new PreviewRecord(BinaryPrimitives.ReadInt32LittleEndian(head), head[4], BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(8)),
            [.. Enumerable.Range(0, head[5]).Select(i => (long)BinaryPrimitives.ReadUInt32LittleEndian(ends.AsSpan(4 * i)))], bytes);
    }

    public static async Task<List<PreviewRecord>> ReadAllAsync(HttpResponseMessage response)
    {
        using var stream = new MemoryStream(await response.Content.ReadAsByteArrayAsync());
        var count = await ReadHeaderAsync(stream);
        var records = new List<PreviewRecord>();
        while (stream.Position < stream.Length) records.Add(await ReadRecordAsync(stream));
        Assert.Equal(count, records.Count);
        return records;
    }
}
