using System.Globalization;
using Platform.TieredCache;

namespace ImageApi.Origins;

/// <summary>
/// The cheapest honest validator of an item: two reads with the same version have the same bytes.
/// <c>file:length-mtimeNs-inode</c> for a file of a folder; <c>sha256:hex</c> for what was stored by STOW; <c>etag:"..."</c> for an object with a strong
/// entity tag.
/// </summary>
internal readonly record struct OriginVersion(string Value)
{
    private const string FilePrefix = "file:";
    private const string DigestPrefix = "sha256:";
    private const string EntityTagPrefix = "etag:";

    public static OriginVersion FromFile(in FileStamp stamp) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{FilePrefix}{stamp.Length}-{stamp.ModifiedNs}-{stamp.Inode}"));

    public static OriginVersion FromSha256(Digest256 digest) => new(DigestPrefix + digest.ToString());

    /// <param name="entityTag">A strong one, with its quotes.</param>
    public static OriginVersion FromEntityTag(string entityTag) => new(EntityTagPrefix + entityTag);

    /// <summary>The strong entity tag that the version is, with its quotes; null when it is another kind of version.</summary>
    public string? EntityTag => Value.StartsWith(EntityTagPrefix, StringComparison.Ordinal) ? Value[EntityTagPrefix.Length..] : null;

    /// <summary>The content id of an item of an origin at a version: SHA-256("c1", origin, item, version).</summary>
    public static Digest256 ContentOf(string originName, string item, string version)
    {
        Span<byte> utf8 = stackalloc byte[256];
        var length = System.Text.Encoding.UTF8.TryGetBytes(version, utf8, out var written) ? written : throw new ArgumentException("A version has at most 256 bytes.");
        return ContentId.Of(originName, item, utf8[..length]);
    }

    /// <summary>Whether the version is the SHA-256 of the item's bytes, so that it can be checked against them.</summary>
    public bool IsSha256 => Value.StartsWith(DigestPrefix, StringComparison.Ordinal);

    public override string ToString() => Value;
}

/// <summary>What <c>stat</c> says of a file: length in bytes, modification time in ns since 1970, inode (0 where the system has none).</summary>
internal readonly record struct FileStamp(long Length, long ModifiedNs, long Inode);
