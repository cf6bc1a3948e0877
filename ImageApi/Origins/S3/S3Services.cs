using ImageApi.Origins.Outbound;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Platform.TieredCache;

namespace ImageApi.Origins.S3;

internal static class S3Services
{
    /// <summary>Registers the kind <c>s3</c>: the objects of a bucket, as files and as DICOM instances.</summary>
    public static IServiceCollection AddS3Origins(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IOriginKind, S3OriginKind>());
        return services;
    }
}

internal sealed class S3OriginKind(OriginHttp http, ITieredCache cache) : IOriginKind
{
    public string Kind => OriginKinds.S3;

    public IOrigin Create(string name, OriginOptions options) => new S3Origin(name, options, S3Client.Create(name, options, http), cache);
}
