using System.Buffers;
using System.Globalization;
using System.Text;

namespace ImageApi.Origins.Http;

/// <summary>Paths in addresses (RFC 3986 3.3).</summary>
internal static class UrlPath
{
    /// <summary>What may stand in a path as it is, as browsers leave it: so that both of us ask for the same address.</summary>
    private static readonly SearchValues<byte> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/"u8);

    /// <summary>Escapes what has to be; <c>/</c> separates.</summary>
    public static string Escape(string path)
    {
        var bytes = Encoding.UTF8.GetBytes(path);
        if (!bytes.AsSpan().ContainsAnyExcept(Plain)) return path;
        var escaped = new StringBuilder(bytes.Length + 16);
        foreach (var octet in bytes)
        {
            if (Plain.Contains(octet)) escaped.Append((char)octet);
            else escaped.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
        }
        return escaped.ToString();
    }
}
