using System.Runtime.InteropServices;
using Platform.TieredCache;

namespace InferenceApi.ResultCache;

/// <summary>
/// What a result was made from, as a key: SHA-256("r1", pixel digests in order, rescale, spacing, orientation and positions as float64, model,
/// preparation's and reading's versions, parameters in canonical form, device kind). The same pixels in another transfer syntax give the same key.
/// </summary>
internal static class ResultKeys
{
    /// <param name="pixels">The digest of each picture's pixels, in order.</param>
    /// <param name="geometry">Rescale, spacing, orientation and positions.</param>
    /// <param name="model">Of <see cref="ModelIdentities"/>.</param>
    /// <param name="versions">Of preparation and reading.</param>
    /// <param name="parameters">Canonical: equal ones are equal texts.</param>
    /// <param name="device">What kind of device computes: they differ in the last digits.</param>
    public static CacheKey Of(ReadOnlySpan<Digest256> pixels, ReadOnlySpan<double> geometry, Digest256 model, (int Preparing, int Reading) versions, string parameters, string device)
    {
        var builder = new DigestBuilder(stackalloc byte[512], "r1"u8);
        builder.Add(pixels.Length);
        foreach (var digest in pixels) builder.Add(digest);
        builder.Add(MemoryMarshal.AsBytes(geometry));
        builder.Add(model);
        builder.Add(versions.Preparing);
        builder.Add(versions.Reading);
        builder.Add(parameters);
        builder.Add(device);
        return new CacheKey(builder.Finish(), EntryKind.Result, RecipeId.AsStored, 0);
    }
}
