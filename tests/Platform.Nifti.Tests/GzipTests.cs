using System.IO.Compression;
using Platform.Nifti.Gzip;
using Platform.Tests.Shared;

namespace Platform.Nifti.Tests;

public class GzipTests
{
    private const int Bytes = 2_600_000;

    public static TheoryData<string, int, ZLibCompressionStrategy> Streams()
    {
        var data = new TheoryData<string, int, ZLibCompressionStrategy>();
        foreach (var content in new[] { "noise", "image", "zeros", "text", "skewed" })
        {
            foreach (var level in new[] { 0, 1, 6, 9 }) data.Add(content, level, ZLibCompressionStrategy.Default);
            data.Add(content, 6, ZLibCompressionStrategy.HuffmanOnly);
            data.Add(content, 6, ZLibCompressionStrategy.RunLengthEncoding);
            data.Add(content, 6, ZLibCompressionStrategy.Fixed);
        }
        return data;
    }

    /// <summary>What the framework's zlib wrote, in every kind of block, is read back: in order, and from anywhere by the index.</summary>
    [Theory]
    [MemberData(nameof(Streams))]
    public async Task Read_WhatZlibWrote_IsTheSame(string content, int level, ZLibCompressionStrategy strategy)
    {
        var plain = Make(content, Bytes);
        var packed = Pack(plain, level, strategy);
        var (read, index) = await ReadAllAsync(packed);

        Assert.True(plain.AsSpan().SequenceEqual(read), "The inflated bytes differ.");
        await AssertRandomAccessAsync(plain, packed, index, seed: level);
    }

    [Fact]
    public async Task Read_FilesOfAnySmallLength_IsTheSame()
    {
        for (var length = 1; length < 300; length++)
        {
            var plain = Make("text", length);
            var (read, _) = await ReadAllAsync(Pack(plain, length % 10, ZLibCompressionStrategy.Default));
            Assert.Equal(plain, read);
        }
    }

    [Fact]
    public async Task Read_SeveralMembersAndPadding_IsOneStream()
    {
        var parts = new[] { Make("image", 2_500_000), [], Make("noise", 1), Make("text", 2_200_000), Make("zeros", 3_000_000) };
        byte[] packed = [.. parts.SelectMany((part, i) => Pack(part, i + 1, ZLibCompressionStrategy.Default)), 0, 0, 0];
        byte[] plain = [.. parts.SelectMany(static part => part)];

        var (read, index) = await ReadAllAsync(packed);

        Assert.True(plain.AsSpan().SequenceEqual(read));
        Assert.InRange(index.Count, 3, 5);
        await AssertRandomAccessAsync(plain, packed, index, seed: 3);
    }

    /// <summary>A source that gives a few bytes at a time, as a slow origin does.</summary>
    [Fact]
    public async Task Read_SourceGivesFewBytesAtATime_IsTheSame()
    {
        var plain = Make("image", 200_000);
        using var source = new TricklingSource(Pack(plain, 6, ZLibCompressionStrategy.Default));

        Assert.Equal(plain, await ReadAllAsync(new GzipReader(source)));
    }

    [Fact]
    public async Task Read_HeaderWithEveryField_SkipsThem()
    {
        var plain = Make("text", 5000);
        var packed = Pack(plain, 6, ZLibCompressionStrategy.Default);
        byte[] withFields = [0x1F, 0x8B, 8, 2 | 4 | 8 | 16, .. packed[4..10], 3, 0, 7, 7, 7, .. "name\0"u8, .. "comment\0"u8, 0xAA, 0xBB, .. packed[10..]];

        Assert.Equal(plain, (await ReadAllAsync(withFields)).Read);
    }

    [Theory]
    [InlineData("cut in the header", "ends too early")]
    [InlineData("cut in the data", "end")]
    [InlineData("cut in the trailer", "ends too early")]
    [InlineData("wrong checksum", "checksum")]
    [InlineData("wrong length", "checksum")]
    [InlineData("bytes behind", "What follows")]
    [InlineData("reserved flag", "flags")]
    [InlineData("endless name", "does not end")]
    [InlineData("another method", "not gzip")]
    [InlineData("block of type 3", "no known type")]
    [InlineData("stored length", "contradicts itself")]
    [InlineData("distance before the beginning", "before the beginning")]
    public async Task Read_Damaged_IsRefused(string damage, string message)
    {
        var packed = Pack(Make("image", 50_000), 6, ZLibCompressionStrategy.Default);
        byte[] head = packed[..10];
        switch (damage)
        {
            case "cut in the header": packed = packed[..7]; break;
            case "cut in the data": packed = packed[..(packed.Length / 2)]; break;
            case "cut in the trailer": packed = packed[..^5]; break;
            case "wrong checksum": packed[^8] ^= 1; break;
            case "wrong length": packed[^4] ^= 1; break;
            case "bytes behind": packed = [.. packed, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]; break;
            case "reserved flag": packed[3] = 0x20; break;
            case "endless name": packed = [.. head[..3], 8, .. head[4..], .. Enumerable.Repeat((byte)'n', 600_000)]; break;
            case "another method": packed[2] = 9; break;
            case "block of type 3": packed = [.. head, 0b111, 0, 0, 0, 0, 0, 0, 0, 0]; break;
            case "stored length": packed = [.. head, 1, 5, 0, 5, 0, 1, 2, 3, 4, 5]; break;
            case "distance before the beginning": packed = [.. head, 0x03, 0x02, 0, 0, 0, 0, 0, 0, 0]; break; // fixed code: a match as the first symbol
        }

        var exception = await Assert.ThrowsAsync<InvalidNiftiException>(() => ReadAllAsync(packed));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    /// <summary>Whatever is damaged: the right bytes or an exception of ours, never others, never without end.</summary>
    [Fact]
    public async Task Read_AnyByteDamaged_GivesNoWrongByte()
    {
        var plain = Make("image", 20_000);
        var packed = Pack(plain, 6, ZLibCompressionStrategy.Default);
        var random = new Random(7);
        var refused = 0;
        for (var i = 0; i < 1000; i++)
        {
            var damaged = (byte[])packed.Clone();
            for (var n = random.Next(1, 4); n > 0; n--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            if (i % 5 == 0) damaged = damaged[..random.Next(damaged.Length)];
            try
            {
                Assert.Equal(plain, (await ReadAllAsync(damaged)).Read);
            }
            catch (InvalidNiftiException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 800, 1000);
    }

    /// <summary>The file changed under its index: found out by the checksum between two points, before a byte is given out.</summary>
    [Fact]
    public async Task ReadAsync_FileChangedUnderItsIndex_IsRefused()
    {
        var plain = Make("noise", 5_000_000);
        var packed = Pack(plain, 0, ZLibCompressionStrategy.Default);
        var (_, index) = await ReadAllAsync(packed);
        packed[packed.Length / 2] ^= 0x10;
        using var source = NiftiSource.FromMemory(packed);
        using var inflated = new GzipIndexedSource(source, index);
        var buffer = new byte[1000];

        await Assert.ThrowsAsync<InvalidNiftiException>(() => inflated.ReadAsync(plain.Length / 2 - 500, buffer, CancellationToken.None).AsTask());
        Assert.All(buffer, static value => Assert.Equal(0, value));
        Assert.Equal(1000, await inflated.ReadAsync(0, buffer, CancellationToken.None));
    }

    [Fact]
    public async Task Build_LittleRoom_SpreadsThePoints()
    {
        var packed = Pack(Make("image", 20_000_000), 1, ZLibCompressionStrategy.Default);
        using var source = NiftiSource.FromMemory(packed);
        var builder = new GzipIndex.Builder(20_000_000, maxBytes: 5 * 32 << 10);
        await ReadAllAsync(new GzipReader(source) { Index = builder });

        Assert.InRange(builder.Build().Count, 4, 5);
    }

    [Fact]
    public void Append_InPieces_IsTheCrc()
    {
        var check = Crc32.Append(0, "123456789"u8);
        Assert.Equal(0xCBF43926, check);
        Assert.Equal(check, Crc32.Append(Crc32.Append(0, "1234"u8), "56789"u8));
    }

    private static async Task AssertRandomAccessAsync(byte[] plain, byte[] packed, GzipIndex index, int seed)
    {
        Assert.Equal(plain.Length, index.Length);
        using var source = NiftiSource.FromMemory(packed);
        using var inflated = new GzipIndexedSource(source, index);
        var random = new Random(seed);
        for (var i = 0; i < 4; i++)
        {
            var count = random.Next(1, 600_000);
            var offset = i == 0 ? plain.Length - count : random.Next(plain.Length - count);
            var buffer = new byte[count];
            Assert.Equal(count, await inflated.ReadFullyAsync(offset, buffer, CancellationToken.None));
            Assert.True(plain.AsSpan(offset, count).SequenceEqual(buffer), $"The bytes at {offset} differ.");
        }
        Assert.Equal(0, await inflated.ReadAsync(plain.Length, new byte[10], CancellationToken.None));
    }

    private static byte[] Make(string content, int length)
    {
        var random = new Random(5);
        var bytes = new byte[length];
        switch (content)
        {
            case "noise":
                random.NextBytes(bytes);
                break;
            case "image":
                for (var i = 0; i < length; i++) bytes[i] = (byte)((i & 1) == 1 ? i / 5000 : 128 + 60 * Math.Sin(i / 300.0) + random.Next(12));
                break;
            case "text":
                for (var i = 0; i < length; i++) bytes[i] = (byte)"the quick brown fox "[i * 7 / 5 % 20];
                for (var i = 0; i < length / 50; i++) bytes[random.Next(length)] = (byte)random.Next(256);
                break;
            case "skewed":
                // Frequencies that fall by half from value to value: the longest codes there are.
                for (var i = 0; i < length; i++) bytes[i] = (byte)Math.Min(255, -Math.Log2(1 - random.NextDouble()) * 1.4);
                break;
        }
        return bytes;
    }

    private static byte[] Pack(byte[] plain, int level, ZLibCompressionStrategy strategy)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, new ZLibCompressionOptions { CompressionLevel = level, CompressionStrategy = strategy }, leaveOpen: true)) gzip.Write(plain);
        return packed.ToArray();
    }

    private static async Task<(byte[] Read, GzipIndex Index)> ReadAllAsync(byte[] packed)
    {
        using var source = NiftiSource.FromMemory(packed);
        var builder = new GzipIndex.Builder(0, 64 << 20);
        return (await ReadAllAsync(new GzipReader(source) { Index = builder }), builder.Build());
    }

    private static async Task<byte[]> ReadAllAsync(GzipReader reader)
    {
        using (reader)
        {
            using var read = new MemoryStream();
            while (await reader.ReadAsync(CancellationToken.None) is { IsEmpty: false } chunk) read.Write(chunk.Span);
            return read.ToArray();
        }
    }

    private sealed class TricklingSource(byte[] bytes) : NiftiSource
    {
        public override long Length => bytes.Length;

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var count = (int)Math.Min(Math.Min(1 + offset % 7, buffer.Length), bytes.Length - offset);
            bytes.AsSpan((int)offset, count).CopyTo(buffer.Span);
            return ValueTask.FromResult(count);
        }
    }
}
