using System.Text;
using ImageApi.Negotiation;

namespace ImageApi.Tests.Negotiation;

public sealed class MultipartReaderTests
{
    private const string Boundary = "b0und";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(100_000)]
    public async Task MoveToNextPartAsync_BytesArriveInPieces_GivesEveryPartWhole(int piece)
    {
        // Bodies that hold what looks like a delimiter, begin with line breaks, and one longer than the buffer.
        var random = new Random(7);
        var large = new byte[200_000];
        random.NextBytes(large);
        byte[][] bodies = [[], "\r\n"u8.ToArray(), "\r\n--b0un"u8.ToArray(), "x--b0und\r\n-"u8.ToArray(), "x\r\n--b0unx\r\n--"u8.ToArray(), large];

        var parts = await ReadAllAsync(Compose(bodies), piece);

        Assert.Equal(bodies.Length, parts.Count);
        for (var i = 0; i < bodies.Length; i++)
        {
            Assert.Equal($"application/dicom; part={i}", parts[i].ContentType);
            Assert.Equal(bodies[i], parts[i].Body);
        }
    }

    [Fact]
    public async Task MoveToNextPartAsync_PreambleAndEpilogue_AreIgnored()
    {
        var body = Encoding.ASCII.GetBytes($"This is ignored.\r\nand this\r\n--{Boundary}  \r\n\r\nbody\r\n--{Boundary}--\r\nepilogue\r\n--{Boundary}\r\n\r\nnot a part");
        var part = Assert.Single(await ReadAllAsync(body, 5));
        Assert.Equal("body"u8.ToArray(), part.Body);
        Assert.Equal("", part.ContentType);
    }

    [Fact]
    public async Task MoveToNextPartAsync_NoLineBreakBeforeDelimiterOfEmptyPart_IsAnEmptyPart()
    {
        var body = Encoding.ASCII.GetBytes($"--{Boundary}\r\nContent-Type: application/dicom\r\n\r\n--{Boundary}\r\n\r\nx\r\n--{Boundary}--");
        var parts = await ReadAllAsync(body, 9);
        Assert.Equal(2, parts.Count);
        Assert.Empty(parts[0].Body);
        Assert.Equal("x"u8.ToArray(), parts[1].Body);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no delimiter at all")]
    [InlineData("--other\r\n\r\nbody\r\n--other--\r\n")]
    [InlineData("--b0und\r\n\r\nbody without an end")]
    [InlineData("--b0und\r\n\r\nbody\r\n--b0und")]
    [InlineData("--b0und\r\n\r\nbody\r\n--b0undary\r\n\r\nx\r\n--b0und--")]
    [InlineData("--b0und\r\nno colon\r\n\r\nbody\r\n--b0und--")]
    [InlineData("--b0und\r\nContent-Type: application/dicom\r\n")]
    public async Task MoveToNextPartAsync_BrokenBody_ThrowsMultipartException(string body)
    {
        await Assert.ThrowsAsync<MultipartException>(() => ReadAllAsync(Encoding.ASCII.GetBytes(body), 4));
    }

    [Fact]
    public async Task MoveToNextPartAsync_HeadersWithoutEnd_AreCutOffAtALimit()
    {
        var endless = Encoding.ASCII.GetBytes($"--{Boundary}\r\nX: " + new string('a', 1 << 20));
        await Assert.ThrowsAsync<MultipartException>(() => ReadAllAsync(endless, 4096));
        var many = Encoding.ASCII.GetBytes($"--{Boundary}\r\n" + string.Concat(Enumerable.Repeat("X: y\r\n", 100)) + "\r\nx");
        await Assert.ThrowsAsync<MultipartException>(() => ReadAllAsync(many, 4096));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("ends-in-blank ", false)]
    [InlineData("line\r\nbreak", false)]
    [InlineData("simple", true)]
    [InlineData("a'()+_,-./:=? b", true)]
    public void IsBoundary_AsRfc2046Says(string boundary, bool expected) => Assert.Equal(expected, MultipartReader.IsBoundary(boundary));

    [Fact]
    public void IsBoundary_LongerThan70_IsNone() => Assert.False(MultipartReader.IsBoundary(new string('b', 71)));

    private static byte[] Compose(byte[][] bodies)
    {
        using var body = new MemoryStream();
        for (var i = 0; i < bodies.Length; i++)
        {
            body.Write(Encoding.ASCII.GetBytes($"{(i == 0 ? "" : "\r\n")}--{Boundary}\r\ncontent-type:   application/dicom; part={i}  \r\nX-Other: 1\r\n\r\n"));
            body.Write(bodies[i]);
        }
        body.Write(Encoding.ASCII.GetBytes($"\r\n--{Boundary}--\r\n"));
        return body.ToArray();
    }

    private static async Task<List<(string ContentType, byte[] Body)>> ReadAllAsync(byte[] body, int piece)
    {
        var parts = new List<(string, byte[])>();
        using var reader = new MultipartReader(new PieceStream(body, piece), Boundary);
        while (await reader.MoveToNextPartAsync(CancellationToken.None))
        {
            using var part = new MemoryStream();
            while (await reader.ReadBodyAsync(CancellationToken.None) is { Length: > 0 } bytes) part.Write(bytes.Span);
            parts.Add((reader.ContentType, part.ToArray()));
        }
        Assert.False(await reader.MoveToNextPartAsync(CancellationToken.None));
        return parts;
    }

    /// <summary>Gives at most so many bytes per read, as a network may.</summary>
    private sealed class PieceStream(byte[] data, int piece) : MemoryStream(data)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
    }
}
