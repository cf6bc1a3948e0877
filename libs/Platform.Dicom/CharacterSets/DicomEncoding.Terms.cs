using System.Text;

namespace Platform.Dicom;

// The defined terms of Specific Character Set (PS3.3 tables C.12-2 to C.12-5).
public sealed partial class DicomEncoding
{
    private static readonly DicomEncoding s_latin1 = new(GraphicSet.Ascii, GraphicSet.Latin1, [GraphicSet.Latin1]);

    // Apart, so that the code pages are not loaded for data that does without.
    private static class Chinese
    {
        internal static readonly DicomEncoding Gb18030 = new(GraphicSet.CodePage(54936));
        internal static readonly DicomEncoding Gbk = new(GraphicSet.CodePage(936));
    }

    /// <summary>What a term puts into G0 and G1 when it comes first, and which sets it lets a value invoke.</summary>
    private readonly record struct Term(GraphicSet? G0, GraphicSet? G1, DicomEncoding? Whole);

    private static DicomEncoding FromTerms(ReadOnlySpan<byte> value)
    {
        var g0 = GraphicSet.Ascii;
        GraphicSet? g1 = null;
        var declared = new List<GraphicSet>();
        var index = 0;
        foreach (var part in value.Split((byte)'\\'))
        {
            var isFirst = index++ == 0;
            if (!TryGetTerm(value[part], out var term)) continue;

            // These allow no code extensions. One behind another set is a mistake that means something only when that set is ASCII.
            if (term.Whole is not null)
            {
                if (isFirst || (g0 == GraphicSet.Ascii && g1 is null && declared.Count <= 1)) return term.Whole;
                continue;
            }

            if (isFirst)
            {
                // A two-byte set in G0 cannot be what a value begins with: ASCII is.
                if (term.G0 is { BytesPerCharacter: 1 }) g0 = term.G0;
                g1 = term.G1;
            }

            if (term.G0 is not null) declared.Add(term.G0);
            if (term.G1 is not null) declared.Add(term.G1);
        }

        return declared.Count == 0 ? Default : new DicomEncoding(g0, g1, [.. declared.Distinct()]);
    }

    // "ISO_IR 100", "ISO IR 100", "iso-ir-100", "ISO 2022 IR 100", "ISO_2022_IR_100", ...
    private static bool TryGetTerm(ReadOnlySpan<byte> text, out Term term)
    {
        Span<char> letters = stackalloc char[24];
        var length = 0;
        foreach (var character in text)
        {
            if (character is (byte)' ' or (byte)'_' or (byte)'-' or (byte)'.' or 0) continue;
            if (length == letters.Length || character >= 0x80)
            {
                term = default;
                return false;
            }

            letters[length++] = char.ToUpperInvariant((char)character);
        }

        ReadOnlySpan<char> name = letters[..length];
        if (name.StartsWith("ISO2022IR")) name = name["ISO2022IR".Length..];
        else if (name.StartsWith("ISOIR")) name = name["ISOIR".Length..];
        else if (name.StartsWith("ISO8859") && name.Length > 7) name = name["ISO".Length..];
        term = name switch
        {
            "6" => new Term(GraphicSet.Ascii, null, null),
            "13" => new Term(GraphicSet.JisRomaji, GraphicSet.JisKatakana, null),
            "100" or "88591" or "LATIN1" => new Term(GraphicSet.Ascii, GraphicSet.Latin1, null),
            "101" or "88592" => new Term(GraphicSet.Ascii, GraphicSet.Latin2, null),
            "109" or "88593" => new Term(GraphicSet.Ascii, GraphicSet.Latin3, null),
            "110" or "88594" => new Term(GraphicSet.Ascii, GraphicSet.Latin4, null),
            "144" or "88595" => new Term(GraphicSet.Ascii, GraphicSet.Cyrillic, null),
            "127" or "88596" => new Term(GraphicSet.Ascii, GraphicSet.Arabic, null),
            "126" or "88597" => new Term(GraphicSet.Ascii, GraphicSet.Greek, null),
            "138" or "88598" => new Term(GraphicSet.Ascii, GraphicSet.Hebrew, null),
            "148" or "88599" => new Term(GraphicSet.Ascii, GraphicSet.Latin5, null),
            "203" or "885915" => new Term(GraphicSet.Ascii, GraphicSet.Latin9, null),
            "166" or "885911" => new Term(GraphicSet.Ascii, GraphicSet.Thai, null),
            "87" => new Term(GraphicSet.JisX0208, null, null),
            "159" => new Term(GraphicSet.JisX0212, null, null),
            "149" => new Term(null, GraphicSet.KsX1001, null),
            "58" => new Term(null, GraphicSet.Gb2312, null),
            "192" or "UTF8" => new Term(null, null, Utf8),
            "GB18030" => new Term(null, null, Chinese.Gb18030),
            "GBK" or "GB2312" => new Term(null, null, Chinese.Gbk),
            _ => default
        };
        return term != default;
    }
}
