namespace Platform.HttpCache.Fields;

/// <summary>
/// Reads the directives of <c>Cache-Control</c> (RFC 9111 5.2): <c>token [ "=" ( token / quoted-string ) ]</c>, separated by commas.
/// What is malformed is given as it stands, so that the caller can take a broken number for what it is. Values keep no quotes.
/// </summary>
internal ref struct DirectiveList(ReadOnlySpan<char> field)
{
    private ReadOnlySpan<char> _rest = field;

    public ReadOnlySpan<char> Name { get; private set; }

    /// <summary>Empty where there is none; see <see cref="HasValue"/>.</summary>
    public ReadOnlySpan<char> Value { get; private set; }

    public bool HasValue { get; private set; }

    public bool MoveNext()
    {
        while (!_rest.IsEmpty)
        {
            var end = EndOfElement(_rest);
            var element = _rest[..end].Trim(" \t");
            _rest = end < _rest.Length ? _rest[(end + 1)..] : default;
            if (element.IsEmpty) continue;
            var equals = element.IndexOf('=');
            HasValue = equals >= 0;
            // No space is allowed around "=": a name with a trailing one is no directive that we know.
            Name = HasValue ? element[..equals] : element;
            Value = HasValue ? Unquote(element[(equals + 1)..]) : default;
            return true;
        }

        return false;
    }

    private static int EndOfElement(ReadOnlySpan<char> text)
    {
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '"') quoted = !quoted;
            else if (text[i] == '\\' && quoted) i++;
            else if (text[i] == ',' && !quoted) return i;
        }

        return text.Length;
    }

    private static ReadOnlySpan<char> Unquote(ReadOnlySpan<char> value) =>
        value is ['"', .., '"'] ? value[1..^1] : value;
}
