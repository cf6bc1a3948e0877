using System.Text;
using ImageApi.Origins;
using Platform.TieredCache;

namespace ImageApi.Store;

/// <summary>
/// Where an instance lies in the store: <c>ab/STUDY/SERIES/INSTANCE.SHA256.dcm</c>, the first three being hashes of the UIDs. So no name from outside becomes part
/// of a path, names are safe on any file system, an instance's bytes are told by its name, and two versions of one instance can never overwrite each other.
/// Folders whose names begin with a dot hold what is not an instance: arrivals, the catalog, what was found out of origins.
/// </summary>
internal static class StoreLayout
{
    public const string IncomingFolder = ".incoming";
    public const string CatalogFolder = ".catalog";
    public const string OriginsFolder = ".origins";
    private const string Extension = ".dcm";
    private const int UidHashLength = 32;

    public static OriginItem ItemOf(string studyUid, string seriesUid, string sopUid, Digest256 digest)
    {
        var study = HashOf(studyUid);
        return new OriginItem($"{study[..2]}/{study}/{HashOf(seriesUid)}/{HashOf(sopUid)}.{digest}{Extension}");
    }

    /// <summary>The version that an item's name tells; null for a name that is not of this layout.</summary>
    public static OriginVersion? VersionOf(OriginItem item)
    {
        var name = item.Path.AsSpan(item.Path.LastIndexOf('/') + 1);
        if (name.Length != UidHashLength + 1 + 64 + Extension.Length || name[UidHashLength] != '.' || !name.EndsWith(Extension)) return null;
        return Digest256.TryParse(name.Slice(UidHashLength + 1, 64).ToString(), out var digest) ? OriginVersion.FromSha256(digest) : null;
    }

    private static string HashOf(string uid) => Digest256.HashData(Encoding.UTF8.GetBytes(uid)).ToString()[..UidHashLength];
}
