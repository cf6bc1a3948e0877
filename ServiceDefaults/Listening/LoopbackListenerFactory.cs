using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ServiceDefaults.Listening;

/// <summary>
/// Kestrel's socket transport behind a guard: whatever the address came from (urls, ports, Kestrel's own section, code), it is
/// seen here as the end point about to be bound, so nothing listens beyond loopback even for a moment.
/// </summary>
internal sealed class LoopbackListenerFactory(
    IOptions<SocketTransportOptions> transport, IOptions<ListeningOptions> options, ILoggerFactory loggerFactory)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly SocketTransportFactory _sockets = new(transport, loggerFactory);

    public bool CanBind(EndPoint endpoint) => _sockets.CanBind(endpoint);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (!options.Value.ListenBeyondLoopback && endpoint is IPEndPoint ip && !IPAddress.IsLoopback(ip.Address))
        {
            throw new InvalidOperationException(
                $"Refusing to listen on {ip}: no authentication is configured and the address is reachable from other machines. " +
                "Listen on 127.0.0.1, or set Security:ListenBeyondLoopback=true where something in front of this service checks who asks.");
        }

        return _sockets.BindAsync(endpoint, cancellationToken);
    }
}
