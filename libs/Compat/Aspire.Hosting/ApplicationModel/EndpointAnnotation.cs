using System.Net.Sockets;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Where a resource listens. The stand-in has no proxy: the process itself binds the public port.</summary>
public sealed class EndpointAnnotation(
    ProtocolType protocol,
    string? uriScheme = null,
    string? transport = null,
    string? name = null,
    int? port = null,
    int? targetPort = null,
    bool? isExternal = null,
    bool? isProxied = null) : IResourceAnnotation
{
    public ProtocolType Protocol { get; set; } = protocol;

    public string UriScheme { get; set; } = uriScheme ?? "tcp";

    public string Transport { get; set; } = transport ?? (uriScheme is "http" or "https" ? "http" : "tcp");

    public string Name { get; set; } = name ?? uriScheme ?? "tcp";

    /// <summary>The wished public port; null: any free one.</summary>
    public int? Port { get; set; } = port;

    public int? TargetPort { get; set; } = targetPort;

    public bool IsExternal { get; set; } = isExternal ?? false;

    public bool IsProxied { get; set; } = isProxied ?? true;

    /// <summary>The port of this run, once the host has given it; 0 before.</summary>
    internal int AllocatedPort { get; set; }

    internal bool IsHttp => UriScheme is "http" or "https";

    /// <summary>The variable that carries the port to the process, if one was named.</summary>
    internal string? PortVariable { get; set; }
}

/// <summary>Another resource's endpoint, by name; its address is known once the host has given out the ports.</summary>
public sealed class EndpointReference(IResourceWithEndpoints owner, string endpointName)
{
    public IResourceWithEndpoints Resource { get; } = owner;

    public string EndpointName { get; } = endpointName;

    public bool Exists => Resource.FindEndpoint(EndpointName) is not null;

    public bool IsAllocated => Resource.FindEndpoint(EndpointName) is { AllocatedPort: > 0 };

    /// <exception cref="InvalidOperationException">The resource has no such endpoint.</exception>
    public EndpointAnnotation EndpointAnnotation => Resource.FindEndpoint(EndpointName)
        ?? throw new InvalidOperationException($"The endpoint '{EndpointName}' is not defined for the resource '{Resource.Name}'.");

    public string Scheme => EndpointAnnotation.UriScheme;

    public string Host => Allocated.IsHttp ? "localhost" : "127.0.0.1";

    /// <exception cref="InvalidOperationException">The host has not given out the ports yet.</exception>
    public int Port => Allocated.AllocatedPort;

    public string Url => $"{Scheme}://{Host}:{Port}";

    private EndpointAnnotation Allocated => EndpointAnnotation is { AllocatedPort: > 0 } endpoint
        ? endpoint
        : throw new InvalidOperationException($"The endpoint '{EndpointName}' of the resource '{Resource.Name}' has no port yet.");
}

internal static class EndpointLookup
{
    public static EndpointAnnotation? FindEndpoint(this IResource resource, string name) =>
        resource.Annotations.OfType<EndpointAnnotation>().FirstOrDefault(endpoint => string.Equals(endpoint.Name, name, StringComparison.OrdinalIgnoreCase));
}
