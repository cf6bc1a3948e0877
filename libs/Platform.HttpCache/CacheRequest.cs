using Platform.HttpCache.Fields;
using Platform.HttpCache.Storing;
using Platform.TieredCache;

namespace Platform.HttpCache;

/// <summary>
/// A GET or HEAD as it was asked. Keeps what it needs of the message, so that work on it may outlive the caller's.
/// </summary>
internal sealed class CacheRequest
{
    private readonly HttpMethod _method;
    private readonly Version _version;
    private readonly HttpVersionPolicy _versionPolicy;
    private readonly KeyValuePair<string, object?>[] _properties;

    public CacheRequest(HttpRequestMessage message, ResponseStore store)
    {
        (_method, _version, _versionPolicy, _properties) = (message.Method, message.Version, message.VersionPolicy, [.. message.Options]);
        Uri = message.RequestUri ?? throw new InvalidOperationException("A request has an address.");
        Key = store.KeyOf(Uri);
        Headers = HeaderLines.Of(message);
        Headers.RemoveHopByHop();
        Directives = RequestDirectives.Parse(Headers.Combined("Cache-Control"));
        IsHead = message.Method == HttpMethod.Head;
        // RFC 9110 14.2: a range is defined for GET only.
        Range = !IsHead && RangeRequest.TryParse(Headers.Single("Range"), out var range) ? range : null;
    }

    private CacheRequest(CacheRequest whole)
    {
        (_method, _version, _versionPolicy, _properties) = (HttpMethod.Get, whole._version, whole._versionPolicy, whole._properties);
        (Uri, Key, Headers, Directives) = (whole.Uri, whole.Key, whole.Headers.Clone(), default);
        foreach (var name in (string[])["Range", "If-Range", "If-None-Match", "If-Modified-Since", "Cache-Control"]) Headers.Remove(name);
    }

    public Uri Uri { get; }

    public Digest256 Key { get; }

    /// <summary>End-to-end lines.</summary>
    public HeaderLines Headers { get; }

    public RequestDirectives Directives { get; }

    public bool IsHead { get; }

    public RangeRequest? Range { get; }

    /// <summary>Whether it carries conditions that the origin may answer with 304.</summary>
    public bool IsConditional => Headers.Contains("If-None-Match") || Headers.Contains("If-Modified-Since");

    /// <summary>RFC 9111 4.3.2: conditions on the state of the origin are the origin's to judge. And who wants nothing stored gets nothing stored.</summary>
    public bool IsNotForCaches => Directives.NoStore || Headers.Contains("If-Match") || Headers.Contains("If-Unmodified-Since");

    /// <summary>The same for the whole representation, without conditions.</summary>
    public CacheRequest AsWhole() => new(this);

    /// <summary>The message for the origin: as asked, with at most one range.</summary>
    public HttpRequestMessage Forward()
    {
        var message = CreateMessage(_method);
        foreach (var (name, value) in Headers.Lines)
        {
            // Several ranges, and what is no range, are answered by the whole.
            if (Range is null && !IsHead && (Is(name, "Range") || Is(name, "If-Range"))) continue;
            message.Headers.TryAddWithoutValidation(name, value);
        }

        return message;
    }

    /// <summary>The message that asks whether <paramref name="stored"/> is still true (RFC 9111 4.3.1); of a range, for the new range where it is not.</summary>
    public HttpRequestMessage Validate(StoredResponse stored)
    {
        var message = ForwardWithout("If-None-Match", "If-Modified-Since", "If-Range");
        if (stored.EntityTag is { } tag) message.Headers.TryAddWithoutValidation("If-None-Match", tag);
        if (stored.LastModified is { } modified) message.Headers.TryAddWithoutValidation("If-Modified-Since", modified);
        return message;
    }

    /// <summary>The message that asks for the bytes from <paramref name="first"/> up to <paramref name="end"/> (null: all that follow) of one version, or for all of another (RFC 9110 13.1.5).</summary>
    public HttpRequestMessage Continue(long first, long? end, string strongTag)
    {
        var message = ForwardWithout("If-None-Match", "If-Modified-Since", "If-Range", "Range");
        message.Headers.TryAddWithoutValidation("Range", new RangeRequest(first, end - 1, null).ToString());
        message.Headers.TryAddWithoutValidation("If-Range", strongTag);
        return message;
    }

    /// <summary>The message for the origin without conditions and ranges.</summary>
    public HttpRequestMessage ForwardWhole() => ForwardWithout("If-None-Match", "If-Modified-Since", "If-Range", "Range");

    private HttpRequestMessage ForwardWithout(params ReadOnlySpan<string> names)
    {
        var message = Forward();
        foreach (var name in names) message.Headers.Remove(name);
        return message;
    }

    private HttpRequestMessage CreateMessage(HttpMethod method)
    {
        var message = new HttpRequestMessage(method, Uri) { Version = _version, VersionPolicy = _versionPolicy };
        foreach (var (name, value) in _properties) ((IDictionary<string, object?>)message.Options)[name] = value;
        return message;
    }

    private static bool Is(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);
}
