using System.Collections.Concurrent;
using Microsoft.Extensions.Configuration;

namespace ServiceDefaults.Discovery;

/// <summary>
/// Addresses of the services that this one may call, as the AppHost hands them over:
/// <c>services__{name}__{scheme}__{n}</c> (read as <c>services:{name}:{scheme}:{n}</c>).
/// </summary>
public sealed class ServiceEndpoints(IConfiguration configuration)
{
    private readonly ConcurrentDictionary<(string Scheme, string Name), Uri[]> _addresses = new();
    private uint _turn;

    /// <summary>
    /// The address for a logical one (<c>http://image-api</c>; <c>https+http://</c> takes https where there is one), round robin
    /// where there are several, or null when the host names no known service.
    /// </summary>
    public Uri? Resolve(Uri logical)
    {
        foreach (var scheme in logical.Scheme.Split('+'))
        {
            var addresses = _addresses.GetOrAdd((scheme, logical.Host), Read);
            if (addresses.Length > 0) return addresses[Interlocked.Increment(ref _turn) % (uint)addresses.Length];
        }

        return null;
    }

    private Uri[] Read((string Scheme, string Name) service) =>
        [.. configuration.GetSection($"services:{service.Name}:{service.Scheme}").GetChildren()
            .Select(static child => Uri.TryCreate(child.Value, UriKind.Absolute, out var uri) ? uri : null)
            .OfType<Uri>()];
}
