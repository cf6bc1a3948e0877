namespace Platform.TieredCache;

/// <summary>
/// The identity of a stored thing at an origin: SHA-256("c1", origin name, item, version), length-prefixed. It is
/// never a hash of a whole file on the serving path; what the version is made of says how honest it is.
/// </summary>
public static class ContentId
{
    /// <summary>The content digest of <paramref name="item"/> of an origin in the state that <paramref name="version"/> names.</summary>
    public static Digest256 Of(ReadOnlySpan<char> originName, ReadOnlySpan<char> item, ReadOnlySpan<byte> version)
    {
        var builder = new DigestBuilder(stackalloc byte[384], "c1"u8);
        builder.Add(originName);
        builder.Add(item);
        builder.Add(version);
        return builder.Finish();
    }
}
