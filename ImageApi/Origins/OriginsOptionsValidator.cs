using System.Net;
using System.Text.RegularExpressions;
using ImageApi.Origins.Outbound;
using Microsoft.Extensions.Options;

namespace ImageApi.Origins;

/// <summary>Holds every configured origin to what its kind needs. Messages name the setting and never repeat a secret.</summary>
internal sealed partial class OriginsOptionsValidator : IValidateOptions<OriginsOptions>
{
    /// <summary>What stands at an origin's place in <c>/dicomweb/...</c>: an origin of such a name could not be told apart.</summary>
    private static readonly string[] ReservedNames = ["studies", "series", "instances", "workitems", "bulkdata", "all"];

    public ValidateOptionsResult Validate(string? name, OriginsOptions options)
    {
        var failures = options.Origins.SelectMany(pair => Check(pair.Key, pair.Value).Select(failure => $"{OriginsOptions.SectionName}:{pair.Key}{failure}")).ToArray();
        return failures.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    /// <summary>What is wrong with an origin, each beginning with <c>:Setting</c>.</summary>
    public static IEnumerable<string> Check(string name, OriginOptions origin)
    {
        if (!NamePattern().IsMatch(name)) yield return ": a name is 1 to 32 letters, digits, '-' and '_'.";
        if (name.Equals(IOrigins.StoreName, StringComparison.OrdinalIgnoreCase)) yield return ": the name is the store's; set ImageApi:Store:Path.";
        if (ReservedNames.Contains(name, StringComparer.OrdinalIgnoreCase)) yield return ": the name has a meaning of its own in DICOMweb addresses; take another.";

        var failures = origin.Kind.ToLowerInvariant() switch
        {
            OriginKinds.Folder => CheckFolder(origin),
            OriginKinds.Http or OriginKinds.Dicomweb => CheckUrl(origin).Concat(CheckOutbound(origin)),
            OriginKinds.S3 => CheckS3(origin).Concat(CheckOutbound(origin)),
            _ => [$":Kind: '{origin.Kind}' is not known; it has to be 'folder', 'http', 'dicomweb' or 's3'."],
        };
        foreach (var failure in failures) yield return failure;
    }

    private static IEnumerable<string> CheckFolder(OriginOptions origin)
    {
        if (string.IsNullOrWhiteSpace(origin.Path)) yield return ":Path is missing.";
    }

    private static IEnumerable<string> CheckUrl(OriginOptions origin)
    {
        if (origin.Url.Length == 0) yield return ":Url is missing.";
        else foreach (var failure in CheckAddress(":Url", origin.Url, origin.AllowPlainHttp)) yield return failure;

        if (origin.Username.Length > 0 != origin.Password.Length > 0) yield return ":Username and :Password belong together.";
        if (origin.Username.Contains(':', StringComparison.Ordinal)) yield return ":Username: HTTP Basic allows no colon in it.";
        if (origin.Username.Length > 0 && origin.BearerToken.Length > 0) yield return ":BearerToken and :Username exclude each other.";
        if (origin.BearerToken.Any(static c => c is <= ' ' or > '~')) yield return ":BearerToken holds a character that a header cannot carry.";
        foreach (var (field, value) in origin.Headers)
        {
            if (!HeaderPattern().IsMatch(field) || value.Any(static c => c is (< ' ' or > '~') and not '\t')) yield return $":Headers:{field} is no header field.";
        }
        foreach (var method in origin.Methods)
        {
            if (!HeaderPattern().IsMatch(method) || method.ToUpperInvariant() is "CONNECT" or "TRACE") yield return $":Methods: '{method}' is no method that can be let through.";
        }
    }

    private static IEnumerable<string> CheckS3(OriginOptions origin)
    {
        if (string.IsNullOrWhiteSpace(origin.Bucket)) yield return ":Bucket is missing.";
        if (origin.AccessKey.Length > 0 != origin.SecretKey.Length > 0) yield return ":AccessKey and :SecretKey belong together.";
        if (origin.ServiceUrl.Length == 0 && origin.Region.Length == 0) yield return ":Region is missing (or :ServiceUrl, for a server that is not AWS).";
        if (origin.ServiceUrl.Length > 0)
        {
            foreach (var failure in CheckAddress(":ServiceUrl", origin.ServiceUrl, origin.AllowPlainHttp)) yield return failure;
        }
    }

    private static IEnumerable<string> CheckOutbound(OriginOptions origin)
    {
        if (origin.CaFile.Length > 0 && !File.Exists(HomePath.Expand(origin.CaFile))) yield return ":CaFile is not there.";
        if (origin.MaxConcurrency is < 1 or > 256) yield return ":MaxConcurrency has to be 1 to 256.";
        if (origin.Retries is < 0 or > 10) yield return ":Retries has to be 0 to 10.";
        if (origin.TryTimeout < TimeSpan.FromMilliseconds(50) || origin.TryTimeout > TimeSpan.FromMinutes(10)) yield return ":TryTimeout has to be 50 ms to 10 min.";
        if (origin.TotalTimeout < origin.TryTimeout || origin.TotalTimeout > TimeSpan.FromMinutes(30)) yield return ":TotalTimeout has to be at least :TryTimeout and at most 30 min.";
        foreach (var address in origin.AllowedAddresses)
        {
            if (!AddressRules.TryParse(address, out _)) yield return $":AllowedAddresses: '{address}' is neither an address nor a network such as 10.0.0.0/8.";
        }
        TimeSpan?[] spans = [origin.Freshness.Ttl, origin.Freshness.StaleWhileRevalidate, origin.Freshness.StaleIfError, origin.Freshness.NegativeTtl];
        if (spans.Any(static span => span < TimeSpan.Zero)) yield return ":Freshness cannot be negative.";
    }

    private static IEnumerable<string> CheckAddress(string setting, string url, bool allowPlainHttp)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            yield return $"{setting} is no http or https address.";
            yield break;
        }
        if (uri.UserInfo.Length > 0) yield return $"{setting} holds credentials: they have settings of their own.";
        if (uri.Query.Length > 0 || uri.Fragment.Length > 0) yield return $"{setting} holds a query or a fragment.";
        // A name is judged when it has been resolved: OriginConnector refuses what is not loopback then.
        if (uri.Scheme == "http" && !allowPlainHttp && IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && !IPAddress.IsLoopback(address))
            yield return $"{setting} is plain http to another machine: use https, or set :AllowPlainHttp if the way there is safe.";
    }

    [GeneratedRegex("^[A-Za-z0-9_-]{1,32}$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();

    [GeneratedRegex("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$", RegexOptions.CultureInvariant)]
    private static partial Regex HeaderPattern();
}
