using ImageApi.Catalog;
using ImageApi.Origins;

namespace ImageApi.HttpCaching;

internal static class OriginOfInstance
{
    /// <summary>The origin that serves an instance.</summary>
    /// <exception cref="OriginException">Absent: the origin is no longer configured.</exception>
    public static IDicomOrigin Of(this IOrigins origins, InstanceEntry instance) => origins.TryGet<IDicomOrigin>(instance.OriginName, out var origin)
        ? origin
        : throw new OriginException(OriginFailure.Absent, "The instance's origin is not configured any more.");
}
