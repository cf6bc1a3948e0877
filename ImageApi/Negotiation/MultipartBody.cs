using System.Buffers;
using System.Text;

namespace ImageApi.Negotiation;

/// <summary>
/// The frame of a <c>multipart/related</c> body (RFC 2387, PS3.18 8.7.3.4) whose parts' lengths are known: so the whole length is known
/// before the first byte, and nothing is buffered. The boundary follows from the entity tag, so that equal tags mean equal bytes.
/// </summary>
internal sealed class MultipartBody
{
    private readonly byte[] _delimiter;
    private readonly byte[] _close;

    public MultipartBody(string partMediaType, string entityTag)
    {
        Boundary = "platform-" + entityTag.Trim('"');
        ContentType = $"multipart/related;type=\"{partMediaType}\";boundary={Boundary}";
        _delimiter = Encoding.ASCII.GetBytes($"\r\n--{Boundary}\r\n");
        _close = Encoding.ASCII.GetBytes($"\r\n--{Boundary}--\r\n");
    }

    public string Boundary { get; }

    /// <summary>The <c>Content-Type</c> of the answer.</summary>
    public string ContentType { get; }

    /// <summary>What goes before a part's bytes. The first part needs no line break before its delimiter.</summary>
    public ReadOnlyMemory<byte> PartHeader(string contentType, string location, bool isFirst)
    {
        var header = Encoding.ASCII.GetBytes($"Content-Type: {contentType}\r\nContent-Location: {location}\r\n\r\n");
        var whole = new byte[_delimiter.Length + header.Length];
        _delimiter.CopyTo(whole, 0);
        header.CopyTo(whole, _delimiter.Length);
        return isFirst ? whole.AsMemory(2) : whole;
    }

    /// <summary>Bytes of <see cref="PartHeader"/> without making it.</summary>
    public int PartHeaderLength(string contentType, string location, bool isFirst) =>
        _delimiter.Length - (isFirst ? 2 : 0) + "Content-Type: \r\nContent-Location: \r\n\r\n".Length + contentType.Length + location.Length;

    /// <summary>What goes after the last part.</summary>
    public ReadOnlyMemory<byte> Close => _close;
}
