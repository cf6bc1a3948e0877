using System.Text;
using ImageApi.Catalog;
using Platform.Imaging;

namespace ImageApi.Rendered;

/// <summary>
/// Names in letters that pictures can be written with (printable ASCII): accents go, Greek and Cyrillic are spelt in Latin letters. A text of which one
/// letter cannot be told is not told in part: half a name is another name.
/// </summary>
internal static class Transliteration
{
    private static readonly Dictionary<char, string> Spellings = Read("Α=A Β=V Γ=G Δ=D Ε=E Ζ=Z Η=I Θ=Th Ι=I Κ=K Λ=L Μ=M Ν=N Ξ=X Ο=O Π=P Ρ=R Σ=S Τ=T Υ=Y Φ=F Χ=Ch Ψ=Ps Ω=O "
        + "А=A Б=B В=V Г=G Д=D Е=E Ж=Zh З=Z И=I К=K Л=L М=M Н=N О=O П=P Р=R С=S Т=T У=U Ф=F Х=Kh Ц=Ts Ч=Ch Ш=Sh Щ=Shch Ъ= Ы=Y Ь= Э=E Ю=Yu Я=Ya "
        + "І=I Є=Ye Ґ=G Ђ=Dj Ј=J Љ=Lj Њ=Nj Ћ=C Џ=Dz Ѕ=Dz Æ=Ae Œ=Oe Ø=O Ł=L Đ=D Ð=D Þ=Th ẞ=Ss");

    /// <summary>The text in ASCII; null where it has a letter of another script.</summary>
    public static string? ToAscii(string text)
    {
        if (TextPainter.CanWrite(text)) return text;
        var ascii = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            if (c is >= ' ' and <= '~') ascii.Append(c);
            else if (Spell(c) is { } spelt) ascii.Append(spelt);
            else return null;
        }
        return ascii.ToString();
    }

    private static string? Spell(char c)
    {
        switch (c)
        {
            case 'ß': return "ss";
            case 'ı': return "i";
            case '\u00A0': return " ";
            case '\u2010' or '\u2011' or '\u2013' or '\u2014': return "-";
            case '\u2018' or '\u2019': return "'";
            case '°': return " deg";
            case 'µ': return "u";
        }
        if (c is >= '\u0300' and <= '\u036F') return "";   // an accent that stands by itself
        var upper = LetterFolding.Fold(c);
        var spelt = upper is >= 'A' and <= 'Z' ? upper.ToString() : Spellings.GetValueOrDefault(upper);
        return spelt is null || char.IsUpper(c) ? spelt : spelt.ToLowerInvariant();
    }

    private static Dictionary<char, string> Read(string pairs) => pairs.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToDictionary(static pair => pair[0], static pair => pair[2..]);
}
