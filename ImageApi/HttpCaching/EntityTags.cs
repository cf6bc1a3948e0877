using Platform.TieredCache;

namespace ImageApi.HttpCaching;

/// <summary>
/// Strong entity tags, known before the first byte: the quoted first 128 bits of SHA-256 over the value's key, its media type and its content coding,
/// in hexadecimal. Equal tags mean equal bytes, because everything derived is a value of (content, recipe).
/// </summary>
internal static class EntityTags
{
    public static string Of(in CacheKey key, ReadOnlySpan<char> contentType, ContentCoding coding = ContentCoding.Identity)
    {
        var builder = new DigestBuilder(stackalloc byte[256], "etag1"u8);
        builder.Add(key.Content);
        builder.Add((long)key.Kind);
        builder.Add(key.Recipe.ToString());
        builder.Add(key.Index);
        builder.Add(contentType);
        builder.Add((long)coding);
        return Quote(builder.Finish());
    }

    /// <summary>The tag of an answer that is put together from several values: of a form and everything that decides its bytes.</summary>
    public static string Of(ReadOnlySpan<char> form, Digest256 content, ReadOnlySpan<char> parameters = default)
    {
        var builder = new DigestBuilder(stackalloc byte[512], "etag2"u8);
        builder.Add(form);
        builder.Add(content);
        builder.Add(parameters);
        return Quote(builder.Finish());
    }

    private static string Quote(Digest256 digest) => string.Create(34, digest, static (to, from) =>
    {
        Span<byte> bytes = stackalloc byte[Digest256.Size];
        from.CopyTo(bytes);
        to[0] = to[33] = '"';
        Convert.TryToHexStringLower(bytes[..16], to[1..], out _);
    });
}
