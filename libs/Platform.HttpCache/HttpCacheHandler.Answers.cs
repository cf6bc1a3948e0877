using System.Globalization;
using System.Net;
using Platform.HttpCache.Fields;
using Platform.HttpCache.Storing;

namespace Platform.HttpCache;

// Making answers of what is stored or arrives.
public sealed partial class HttpCacheHandler
{
    private static readonly HashSet<string> NotIn304 = new(StringComparer.OrdinalIgnoreCase) { "Content-Type", "Content-Encoding", "Content-Language", "Content-Range", "Content-MD5" };

    /// <summary>
    /// The answer that a request gets of a stored or arriving one. Takes what is held. <paramref name="isNew"/>: straight from the origin, whose own
    /// <c>Age</c> still holds.
    /// </summary>
    private HttpResponseMessage Answer(StoredResponse stored, Held held, CacheStatus status, bool isNew = false)
    {
        var wanted = held.Wanted;
        var tier = held.Tier;
        var code = wanted.Kind switch
        {
            WantedKind.NotModified => 304,
            WantedKind.Range => 206,
            WantedKind.RangeNotSatisfiable => 416,
            _ => stored.Status,
        };
        var hasBody = wanted.Kind is WantedKind.Whole or WantedKind.Range && !held.IsEmpty;
        var response = new HttpResponseMessage((HttpStatusCode)code) { Content = hasBody ? held.TakeContent() : new ByteArrayContent([]) };
        held.Dispose();
        foreach (var (name, value) in stored.Headers.Lines)
        {
            if (code == 304 && NotIn304.Contains(name)) continue;
            if (code == 206 && name.Equals("Content-Range", StringComparison.OrdinalIgnoreCase)) continue;
            if (!response.Headers.TryAddWithoutValidation(name, value)) response.Content.Headers.TryAddWithoutValidation(name, value);
        }

        var length = wanted.Kind switch
        {
            WantedKind.NotModified => null,
            WantedKind.RangeNotSatisfiable => 0,
            WantedKind.Range => wanted.Count,
            _ => stored.Length,
        };
        response.Content.Headers.Remove("Content-Length");
        if (length is { } bytes && code != 204) response.Content.Headers.TryAddWithoutValidation("Content-Length", bytes.ToString(CultureInfo.InvariantCulture));
        if (code == 206) SetContentHeader(response, "Content-Range", new ContentRange(wanted.Offset, wanted.Offset + wanted.Count!.Value - 1, stored.Length).ToString());
        if (code == 416) SetContentHeader(response, "Content-Range", string.Create(CultureInfo.InvariantCulture, $"bytes */{stored.Length}"));
        if (!isNew)
        {
            // RFC 9111 5.1
            response.Headers.Remove("Age");
            response.Headers.TryAddWithoutValidation("Age", ((long)new Freshness(stored, _options, _time.GetUtcNow()).Age.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        }

        if (status.Forward == Forwarded.No && tier is { } from) status = status with { Detail = CacheStatus.NameOf(from) };
        response.Headers.TryAddWithoutValidation(CacheStatus.FieldName, status.Write(_options.CacheName));
        return response;
    }

    /// <summary>Passes an origin's answer on: without what belongs to its connection, with what we did.</summary>
    private HttpResponseMessage Pass(HttpResponseMessage response, CacheStatus status)
    {
        var all = HeaderLines.Of(response);
        var endToEnd = all.Clone();
        endToEnd.RemoveHopByHop();
        foreach (var name in all.Lines.Select(static line => line.Key).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (endToEnd.Contains(name)) continue;
            if (response.Headers.NonValidated.Contains(name)) response.Headers.Remove(name);
            else response.Content.Headers.Remove(name);
        }

        if (!all.Contains("Date")) response.Headers.TryAddWithoutValidation("Date", HttpDate.Format(_time.GetUtcNow()));
        response.Headers.TryAddWithoutValidation(CacheStatus.FieldName, status.Write(_options.CacheName));
        return response;
    }

    /// <summary>RFC 9111 5.2.1.7.</summary>
    private HttpResponseMessage NotCached()
    {
        var response = new HttpResponseMessage(HttpStatusCode.GatewayTimeout) { Content = new ByteArrayContent([]) };
        response.Content.Headers.TryAddWithoutValidation("Content-Length", "0");
        response.Headers.TryAddWithoutValidation(CacheStatus.FieldName, $"{_options.CacheName}; detail=\"only-if-cached\"");
        return response;
    }

    private static void SetContentHeader(HttpResponseMessage response, string name, string value)
    {
        response.Content.Headers.Remove(name);
        response.Content.Headers.TryAddWithoutValidation(name, value);
    }
}
