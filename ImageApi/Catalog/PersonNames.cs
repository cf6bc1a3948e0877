using System.Globalization;
using System.Text;

namespace ImageApi.Catalog;

/// <summary>
/// The two forms in which names are searched. The key is for exact and wildcard matching: upper case, components and groups without trailing delimiters.
/// The words are for fuzzy matching: accents gone, each word with the number of its component before it and a blank between
/// (<c>" 1MULLER 2ANNA 2MARIA "</c>), so that "begins a word of the given name" is a plain search for <c>" 2AN"</c>.
/// </summary>
internal static class PersonNames
{
    private const int Components = 5;

    /// <summary>The form for exact and wildcard matching; null when there is no name.</summary>
    public static string? Key(string? name) => name is null ? null : name.ToUpperInvariant().Trim().TrimEnd('^', '=', ' ') is { Length: > 0 } key ? key : null;

    /// <summary>The form for fuzzy matching; null when there is no name.</summary>
    public static string? Words(string? name)
    {
        if (string.IsNullOrWhiteSpace(name)) return null;
        var words = new StringBuilder(name.Length + 16).Append(' ');
        foreach (var group in name.Split('='))
        {
            var component = 1;
            foreach (var part in group.Split('^'))
            {
                foreach (var word in Split(part)) words.Append(component).Append(word).Append(' ');
                component = Math.Min(component + 1, Components);
            }
        }
        return words.Length > 1 ? words.ToString() : null;
    }

    /// <summary>
    /// What has to be found in <see cref="Words"/>: each element holds alternatives, one of which has to be there. Empty when the value has no words.
    /// </summary>
    public static List<string[]> Prefixes(string value)
    {
        var prefixes = new List<string[]>();
        var components = value.Split('=')[0].Split('^');
        for (var i = 0; i < components.Length; i++)
        {
            foreach (var word in Split(components[i].Replace("*", " ", StringComparison.Ordinal).Replace("?", " ", StringComparison.Ordinal)))
            {
                prefixes.Add(components.Length == 1
                    ? [.. Enumerable.Range(1, Components).Select(component => $" {component}{word}")]
                    : [$" {Math.Min(i + 1, Components)}{word}"]);
            }
        }
        return prefixes;
    }

    private static IEnumerable<string> Split(string text)
    {
        var word = new StringBuilder();
        foreach (var c in text)
        {
            if (char.IsWhiteSpace(c) || c is '-' or '.' or ',' or '_')
            {
                if (word.Length > 0) yield return word.ToString();
                word.Clear();
            }
            else
            {
                Fold(c, word);
            }
        }
        if (word.Length > 0) yield return word.ToString();
    }

    /// <summary>Upper case without accents. Letters that do not come apart by decomposition are spelt out.</summary>
    private static void Fold(char c, StringBuilder to)
    {
        if (c < 0x80)
        {
            to.Append(char.ToUpperInvariant(c));
            return;
        }
        switch (c)
        {
            case 'ß': to.Append("SS"); return;
            case 'æ' or 'Æ': to.Append("AE"); return;
            case 'œ' or 'Œ': to.Append("OE"); return;
            case 'ø' or 'Ø': to.Append('O'); return;
            case 'ł' or 'Ł': to.Append('L'); return;
            case 'đ' or 'Đ' or 'ð' or 'Ð': to.Append('D'); return;
            case 'þ' or 'Þ': to.Append("TH"); return;
            case 'ı': to.Append('I'); return;
        }
        // Combining marks stand apart in decomposed text.
        if (CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark) to.Append(LetterFolding.Fold(c));
    }
}
