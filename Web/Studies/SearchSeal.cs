using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Web.Studies;

/// <summary>
/// Seals what was typed into the search box, so that the list's address can be reloaded, kept and sorted without naming a patient:
/// addresses end up in histories, proxies and logs. Encrypted and authenticated with this server's keys; why so, and not with a
/// POST or a fragment alone, is told in docs/adr/0006-sealed-search.md.
/// </summary>
internal sealed class SearchSeal(IDataProtectionProvider protection)
{
    private const int MaxSealedLength = 2048;
    private readonly Lazy<IDataProtector> _protector = new(() => protection.CreateProtector("Web.Studies.Search.v1"));

    public string Close(string text) => _protector.Value.Protect(text);

    /// <summary>Null where the seal is absent, broken or another server's.</summary>
    public string? Open(string? text)
    {
        if (text is not { Length: > 0 and <= MaxSealedLength }) return null;
        try
        {
            return _protector.Value.Unprotect(text);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
