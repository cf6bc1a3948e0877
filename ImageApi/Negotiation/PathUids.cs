using ImageApi.Catalog;
using ImageApi.Problems;

namespace ImageApi.Negotiation;

/// <summary>Checks the UIDs of a path before anything is looked up by them.</summary>
internal static class PathUids
{
    public static Problem? Check(string study, string? series = null, string? instance = null)
    {
        if (!Uids.IsValid(study))
            return Problem.InvalidUid("study in the path");
        if (series is not null && !Uids.IsValid(series))
            return Problem.InvalidUid("series in the path");
        return instance is not null && !Uids.IsValid(instance) ? Problem.InvalidUid("instance in the path") : null;
    }
}
