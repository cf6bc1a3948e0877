using System.Text;
using PerfTests.Client;

namespace PerfTests.Tests;

public class ResponseReaderTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false)]
    [InlineData("HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello", 200, "hello", false)]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 200, "hello", false)]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 404, "", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n", 200, "hello world", false)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", 200, "0123456789", false)]
    [InlineData("HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, "until the end", true)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 204, "", false)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", 304, "", false)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false)]
    public void Read_Answer_GivesStatusAndBodyHoweverItIsCut(string answer, int status, string body, bool closes)
    {
        for (var piece = 1; piece <= answer.Length; piece++)
        {
            var reader = new ResponseReader(new Pieces(answer, piece));
            var got = new MemoryStream();
            reader.Body = got.Write;
            var response = reader.Read();
            Assert.Equal((status, body.Length, closes), (response.Status, response.BodyBytes, response.Closes));
            Assert.Equal(body, Encoding.ASCII.GetString(got.ToArray()));
        }
    }

    [Fact]
    public void Read_HeadAnswer_ExpectsNoBody()
    {
        var reader = new ResponseReader(new Pieces("HTTP/1.1 200 OK\r\nContent-Length: 524288\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 7));
        Assert.Equal(0, reader.Read(isHead: true).BodyBytes);
        Assert.Equal(1, reader.Read().BodyBytes);
    }

    [Fact]
    public void Read_AnswersOneAfterTheOther_KeepsThemApart()
    {
        var reader = new ResponseReader(new Pieces(string.Concat(Enumerable.Range(0, 50).Select(i => $"HTTP/1.1 200 OK\r\nContent-Length: {i}\r\n\r\n{new string('x', i)}")), 13));
        for (var i = 0; i < 50; i++) Assert.Equal(i, reader.Read().BodyBytes);
        Assert.Throws<ProtocolException>(() => reader.Read());
    }

    [Fact]
    public void Read_BodyLargerThanTheBuffer_IsCounted()
    {
        var answer = $"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nX: 1\r\n\r\n{new string('y', 1_000_000)}";
        var headers = new List<string>();
        var reader = new ResponseReader(new Pieces(answer, 100_000)) { Header = (name, value) => headers.Add($"{Encoding.ASCII.GetString(name)}={Encoding.ASCII.GetString(value)}") };
        var response = reader.Read();
        Assert.Equal((1_000_000, answer.Length - 1_000_000), (response.BodyBytes, response.HeaderBytes));
        Assert.Equal(["Content-Length=1000000", "X=1"], headers);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\n")]
    [InlineData("HTTP/2 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 abc\r\n\r\n")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 099 OK\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n: x\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")]
    public void Read_NoAnswer_ThrowsHoweverItIsCut(string answer)
    {
        for (var piece = 1; piece <= Math.Max(1, answer.Length); piece++)
            Assert.Throws<ProtocolException>(() => new ResponseReader(new Pieces(answer, piece)).Read());
    }

    [Fact]
    public void Read_EndlessLineOrHeaders_AreGivenUpEarly()
    {
        var line = new Endless("HTTP/1.1 200 OK\r\nX: ", "aaaaaaaaaaaaaaaa");
        Assert.Throws<ProtocolException>(() => new ResponseReader(line, 32 << 10).Read());
        Assert.InRange(line.Given, 0, 200_000);
        var headers = new Endless("HTTP/1.1 200 OK\r\n", "A: b\r\n");
        Assert.Throws<ProtocolException>(() => new ResponseReader(headers, 32 << 10).Read());
        Assert.InRange(headers.Given, 0, 400_000);
    }

    [Fact]
    public void Read_RandomBytes_ThrowsNothingElse()
    {
        var random = new Random(11);
        var good = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"u8.ToArray();
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = (byte[])good.Clone();
            for (var change = random.Next(1, 6); change > 0; change--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                new ResponseReader(new Pieces(Encoding.Latin1.GetString(bytes), random.Next(1, 40)), 32 << 10).Read();
            }
            catch (ProtocolException)
            {
            }
        }
    }

    private sealed class Pieces(string text, int size) : IByteSource
    {
        private readonly byte[] _bytes = Encoding.Latin1.GetBytes(text);
        private int _at;

        public int Receive(Span<byte> into)
        {
            var count = Math.Min(Math.Min(size, into.Length), _bytes.Length - _at);
            _bytes.AsSpan(_at, count).CopyTo(into);
            _at += count;
            return count;
        }
    }

    private sealed class Endless(string start, string more) : IByteSource
    {
        private bool _started;

        public int Given { get; private set; }

        public int Receive(Span<byte> into)
        {
            var bytes = Encoding.ASCII.GetBytes(_started ? more : start);
            _started = true;
            var count = Math.Min(bytes.Length, into.Length);
            bytes.AsSpan(0, count).CopyTo(into);
            Given += count;
            return count;
        }
    }
}
