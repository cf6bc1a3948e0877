using System.Net.Http.Headers;

namespace Platform.HttpCache.Fields;

/// <summary>
/// The header lines of a message as they were received: names in any case, values untouched, lines of one name in their order. Nothing is
/// parsed on the way in, so that a malformed field is stored and passed on as it is.
/// </summary>
internal sealed class HeaderLines
{
    private readonly List<KeyValuePair<string, string>> _lines;

    public HeaderLines() => _lines = [];

    private HeaderLines(List<KeyValuePair<string, string>> lines) => _lines = lines;

    public IReadOnlyList<KeyValuePair<string, string>> Lines => _lines;

    /// <summary>Names, values and what separates them on the wire.</summary>
    public int Bytes => _lines.Sum(static line => line.Key.Length + line.Value.Length + 4);

    /// <summary>All lines of an answer, those that .NET keeps with the content among them.</summary>
    public static HeaderLines Of(HttpResponseMessage response) => new HeaderLines().AddAll(response.Headers).AddAll(response.Content.Headers);

    public static HeaderLines Of(HttpRequestMessage request) => new HeaderLines().AddAll(request.Headers);

    public HeaderLines Clone() => new([.. _lines]);

    public void Add(string name, string value) => _lines.Add(new(name, value));

    public void Set(string name, string value)
    {
        Remove(name);
        Add(name, value);
    }

    public void Remove(string name) => _lines.RemoveAll(line => Is(line, name));

    public bool Contains(string name) => _lines.Exists(line => Is(line, name));

    /// <summary>The first line of a name, or null.</summary>
    public string? First(string name)
    {
        foreach (var line in _lines)
            if (Is(line, name)) return line.Value;
        return null;
    }

    /// <summary>The only line of a name; null when there are several or none.</summary>
    public string? Single(string name)
    {
        string? found = null;
        foreach (var line in _lines)
        {
            if (!Is(line, name)) continue;
            if (found is not null) return null;
            found = line.Value;
        }

        return found;
    }

    /// <summary>All lines of a name joined by commas (RFC 9110 5.3), or null.</summary>
    public string? Combined(string name)
    {
        string? found = null;
        foreach (var line in _lines)
            if (Is(line, name)) found = found is null ? line.Value : $"{found}, {line.Value}";
        return found;
    }

    /// <summary>Removes what belongs to one connection, and what <c>Connection</c> names (RFC 9110 7.6.1, RFC 9111 3.1).</summary>
    public void RemoveHopByHop()
    {
        if (Combined("Connection") is { } named)
        {
            foreach (var name in named.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                if (!HopByHop.MustKeep(name)) Remove(name);
        }

        _lines.RemoveAll(static line => HopByHop.Contains(line.Key));
    }

    /// <summary>
    /// Takes over the lines of a later answer about the same representation (RFC 9111 3.2): each name that it has replaces ours. What
    /// describes the stored bytes stays as it is.
    /// </summary>
    public void UpdateFrom(HeaderLines later)
    {
        foreach (var name in later._lines.Select(static line => line.Key).Distinct(StringComparer.OrdinalIgnoreCase))
            if (!DescribesBody(name)) Remove(name);
        _lines.AddRange(later._lines.Where(static line => !DescribesBody(line.Key)));
        // An age is the answer's that carried it: a later answer without one is new.
        if (!later.Contains("Age")) Remove("Age");
    }

    public void CopyTo(HttpResponseMessage response)
    {
        foreach (var (name, value) in _lines)
            if (!response.Headers.TryAddWithoutValidation(name, value)) response.Content.Headers.TryAddWithoutValidation(name, value);
    }

    private HeaderLines AddAll(HttpHeaders headers)
    {
        foreach (var (name, values) in headers.NonValidated)
            foreach (var value in values) Add(name, value);
        return this;
    }

    private static bool DescribesBody(string name) =>
        name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) || name.Equals("Content-Encoding", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Content-Range", StringComparison.OrdinalIgnoreCase);

    private static bool Is(KeyValuePair<string, string> line, string name) => line.Key.Equals(name, StringComparison.OrdinalIgnoreCase);
}
