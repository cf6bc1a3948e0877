using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace ImageApi.Origins.Outbound;

/// <summary>Which addresses an origin's name may lead to.</summary>
internal sealed class AddressRules
{
    private readonly IPNetwork[] _allowed;

    /// <param name="allowed">Addresses and networks, as <see cref="TryParse"/> reads them; none: any address.</param>
    public AddressRules(IEnumerable<string> allowed) =>
        _allowed = [.. allowed.Select(text => TryParse(text, out var network) ? network : throw new FormatException("An allowed address is neither an address nor a network."))];

    public bool Allows(IPAddress address)
    {
        if (_allowed.Length == 0) return true;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return Array.Exists(_allowed, network => network.Contains(plain));
    }

    /// <summary>Reads <c>10.1.2.3</c>, <c>10.0.0.0/8</c>, <c>::1</c>, <c>fd00::/8</c>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out IPNetwork network)
    {
        if (IPAddress.TryParse(text, out var address))
        {
            network = new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
            return true;
        }
        return IPNetwork.TryParse(text, out network);
    }
}
