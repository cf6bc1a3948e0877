using ImageApi.Origins;

namespace ImageApi.Volumes;

/// <summary>Which files are volumes, by their names: <c>.nii</c>, <c>.nii.gz</c>, and the headers of pairs, <c>.hdr</c> and <c>.hdr.gz</c>.</summary>
internal static class VolumeNames
{
    private static readonly string[] Single = [".nii", ".nii.gz"];
    private static readonly (string Header, string[] Images)[] Pairs = [(".hdr", [".img", ".img.gz"]), (".hdr.gz", [".img.gz", ".img"])];

    /// <summary>Whether a path names a volume: a file of its own, or the header of a pair.</summary>
    public static bool IsVolume(string path) => EndsWithAny(path, Single) || Pairs.Any(pair => EndsWith(path, pair.Header));

    /// <summary>Whether a path names a volume or the image of a pair.</summary>
    public static bool IsPartOfVolume(string path) => IsVolume(path) || EndsWithAny(path, [".img", ".img.gz"]);

    /// <summary>Where the image of a pair may lie, the likelier one first; none for a file of its own.</summary>
    public static IEnumerable<OriginItem> ImagesOf(string path)
    {
        foreach (var (header, images) in Pairs)
        {
            if (!EndsWith(path, header)) continue;
            foreach (var image in images) yield return new OriginItem(path[..^header.Length] + image);
        }
    }

    private static bool EndsWithAny(string path, string[] endings) => endings.Any(ending => EndsWith(path, ending));

    // A name before the ending, not the ending alone.
    private static bool EndsWith(string path, string ending) =>
        path.EndsWith(ending, StringComparison.OrdinalIgnoreCase) && path.Length > ending.Length && path[^(ending.Length + 1)] != '/';
}
