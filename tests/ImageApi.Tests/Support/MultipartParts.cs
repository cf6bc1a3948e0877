using System.Text;

namespace ImageApi.Tests.Support;

/// <summary>Takes a multipart/related body apart, strictly: every delimiter where RFC 2046 has it.</summary>
internal static class MultipartParts
{
    internal sealed record Part(IReadOnlyDictionary<string, string> Headers, byte[] Body);

    public static async Task<IReadOnlyList<Part>> ReadAsync(HttpResponseMessage response)
    {
        var contentType = response.Content.Headers.ContentType!;
        Assert.Equal("multipart/related", contentType.MediaType);
        var boundary = contentType.Parameters.Single(p => p.Name == "boundary").Value!;
        var body = await response.Content.ReadAsByteArrayAsync();
        if (response.Content.Headers.ContentLength is { } length)
            Assert.Equal(length, body.Length);
        var parts = new List<Part>();
        var position = Expect(body, 0, $"--{boundary}\r\n");
        while (true)
        {
            var headersEnd = body.AsSpan(position).IndexOf("\r\n\r\n"u8) + position;
            var headers = Encoding.ASCII.GetString(body, position, headersEnd - position).Split("\r\n")
                .Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
            position = headersEnd + 4;
            var end = body.AsSpan(position).IndexOf(Encoding.ASCII.GetBytes($"\r\n--{boundary}")) + position;
            Assert.True(end >= position, "A part is not closed.");
            parts.Add(new Part(headers, body[position..end]));
            position = end + boundary.Length + 4;
            if (body[position] == '-')
            {
                Assert.Equal(body.Length, Expect(body, position, "--\r\n"));
                return parts;
            }
            position = Expect(body, position, "\r\n");
        }
    }

    private static int Expect(byte[] body, int position, string text)
    {
        Assert.Equal(text, Encoding.ASCII.GetString(body, position, Math.Min(text.Length, body.Length - position)));
        return position + text.Length;
    }
}
