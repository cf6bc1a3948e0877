using System.Net;
using System.Net.Sockets;

namespace ImageApi.Origins.Outbound;

/// <summary>
/// Opens connections to one origin. The address is judged after the name was resolved and is the very one that is then connected to: a name that is made to
/// point elsewhere later (DNS rebinding) does not get past.
/// </summary>
internal sealed class OriginConnector(string name, Uri address, OriginOptions options)
{
    private readonly AddressRules _rules = new(options.AllowedAddresses);
    private readonly bool _onlyLoopback = address.Scheme == Uri.UriSchemeHttp && !options.AllowPlainHttp;

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellationToken);
        var allowed = Array.FindAll(addresses, Allows);
        if (addresses.Length > 0 && allowed.Length == 0) throw Refused();

        Exception? last = null;
        foreach (var candidate in allowed)
        {
            var socket = new Socket(candidate.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(candidate, port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception exception)
            {
                socket.Dispose();
                if (exception is OperationCanceledException) throw;
                last = exception;
            }
        }
        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }

    private bool Allows(IPAddress candidate) => _rules.Allows(candidate) && (!_onlyLoopback || IPAddress.IsLoopback(candidate));

    private OriginException Refused() => new(OriginFailure.Refused, _onlyLoopback
        ? $"The address of origin {name} is plain http and leads to another machine."
        : $"The address of origin {name} leads to a machine that is not among its allowed addresses.");
}
