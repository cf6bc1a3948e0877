using System.Net;
using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Running;

/// <summary>A wished port that was taken, and the one given instead.</summary>
internal sealed record MovedPort(IResource Resource, EndpointAnnotation Endpoint, int Wished);

internal static class Ports
{
    /// <summary>Gives every endpoint a port: the wished one, the next free one that nobody else wishes where it is taken, any free one without a wish.</summary>
    public static IReadOnlyList<MovedPort> Allocate(IEnumerable<IResource> resources)
    {
        var endpoints = resources.SelectMany(resource => resource.Annotations.OfType<EndpointAnnotation>().Select(endpoint => (resource, endpoint))).ToArray();
        var spokenFor = endpoints.Select(entry => entry.endpoint.Port ?? 0).ToHashSet();
        var given = new HashSet<int>();
        var moved = new List<MovedPort>();
        foreach (var (_, endpoint) in endpoints)
        {
            if (endpoint.Port is { } wished && IsFree(wished) && given.Add(wished))
            {
                endpoint.AllocatedPort = wished;
            }
        }
        foreach (var (resource, endpoint) in endpoints.Where(entry => entry.endpoint.AllocatedPort == 0))
        {
            var port = endpoint.Port is { } wished ? wished + 1 : AnyFree();
            while (spokenFor.Contains(port) || !IsFree(port) || !given.Add(port))
            {
                port = port < IPEndPoint.MaxPort ? port + 1 : AnyFree();
            }
            endpoint.AllocatedPort = port;
            if (endpoint.Port is { } taken)
            {
                moved.Add(new MovedPort(resource, endpoint, taken));
            }
        }
        return moved;
    }

    public static bool IsFree(int port) => CanListen(IPAddress.Loopback, port) && (!Socket.OSSupportsIPv6 || CanListen(IPAddress.IPv6Loopback, port));

    public static int AnyFree()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool CanListen(IPAddress address, int port)
    {
        try
        {
            using var listener = new TcpListener(address, port);
            listener.Start();
            return true;
        }
        catch (SocketException exception)
        {
            // A machine without IPv6 on loopback takes nothing away from the port.
            return exception.SocketErrorCode == SocketError.AddressNotAvailable;
        }
    }
}
