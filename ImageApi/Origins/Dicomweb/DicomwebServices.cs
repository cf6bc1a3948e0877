using ImageApi.Origins.Outbound;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Platform.TieredCache;

namespace ImageApi.Origins.Dicomweb;

internal static class DicomwebServices
{
    /// <summary>Registers origins of kind <c>dicomweb</c>.</summary>
    public static IServiceCollection AddDicomwebOrigins(this IServiceCollection services)
    {
        services.TryAddSingleton<PeerProfiles>();
        services.TryAddSingleton<PeerDoctor>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IOriginKind, DicomwebOriginKind>());
        return services;
    }
}

/// <summary>PACS and other servers that speak DICOMweb.</summary>
internal sealed class DicomwebOriginKind(OriginHttp http, PeerProfiles profiles, ITieredCache cache, IRecordStore records, TimeProvider time, ILogger<DicomwebOrigin> logger) : IOriginKind
{
    /// <summary>A measurement on a busy day must not throttle an origin for good.</summary>
    private const int LeastParallelism = 4;

    public string Kind => OriginKinds.Dicomweb;

    public IOrigin Create(string name, OriginOptions options)
    {
        // Fewer at once where the doctor found that more bring nothing: from the next start on.
        int? most = profiles.Find(name).Parallelism is { } parallelism ? Math.Max(LeastParallelism, parallelism * 2) : null;
        var client = new DicomwebClient(options.Url, http.CreateHandler(name, options, new Uri(options.Url), most));
        return new DicomwebOrigin(name, options, client, () => profiles.Find(name), cache, records, time, logger);
    }
}
