using System.Globalization;
using System.Text;

namespace Platform.Dicom;

/// <summary>
/// A set of graphic characters that ISO 2022 code extensions can invoke (PS3.3 tables C.12-3 and C.12-4): in G0 as bytes below 80,
/// or in G1 as bytes from A0 on. Tables are built when a set is first used, from the code pages of the runtime.
/// </summary>
internal sealed class GraphicSet
{
    private const char Undefined = '\uFFFD';

    public static readonly GraphicSet Ascii = new("(B", inG1: false, 1, static () => Range(0x20, 0x5F));
    public static readonly GraphicSet JisRomaji = new("(J", inG1: false, 1, static () => Range(0x20, 0x5F).Replace('\\', '\u00A5').Replace('~', '\u203E'));
    public static readonly GraphicSet JisKatakana = new(")I", inG1: true, 1, static () => Undefined + Range(0xFF61, 63) + new string(Undefined, 32));
    public static readonly GraphicSet Latin1 = new("-A", inG1: true, 1, static () => Range(0xA0, 96));
    public static readonly GraphicSet Latin2 = new("-B", inG1: true, 1, static () => UpperHalf(28592));
    public static readonly GraphicSet Latin3 = new("-C", inG1: true, 1, static () => UpperHalf(28593));
    public static readonly GraphicSet Latin4 = new("-D", inG1: true, 1, static () => UpperHalf(28594));
    public static readonly GraphicSet Greek = new("-F", inG1: true, 1, static () => UpperHalf(28597, (0xA1, '\u2018'), (0xA2, '\u2019'), (0xA4, '\u20AC'), (0xA5, '\u20AF'), (0xAA, '\u037A')));
    public static readonly GraphicSet Arabic = new("-G", inG1: true, 1, static () => UpperHalf(28596));
    public static readonly GraphicSet Hebrew = new("-H", inG1: true, 1, static () => UpperHalf(28598, (0xAF, '\u00AF'), (0xFD, '\u200E'), (0xFE, '\u200F')));
    public static readonly GraphicSet Cyrillic = new("-L", inG1: true, 1, static () => UpperHalf(28595));
    public static readonly GraphicSet Latin5 = new("-M", inG1: true, 1, static () => UpperHalf(28599));
    public static readonly GraphicSet Thai = new("-T", inG1: true, 1, static () => UpperHalf(874));
    public static readonly GraphicSet Latin9 = new("-b", inG1: true, 1, static () => UpperHalf(28605));
    public static readonly GraphicSet JisX0208 = new("$B", inG1: false, 2, static () => Square(20932, lowMask: 0x80));
    public static readonly GraphicSet JisX0212 = new("$(D", inG1: false, 2, static () => Square(20932, lowMask: 0, (0x2237, '~'), (0x2271, '\u2116')));
    public static readonly GraphicSet KsX1001 = new("$)C", inG1: true, 2, static () => Square(949, lowMask: 0x80));
    public static readonly GraphicSet Gb2312 = new("$)A", inG1: true, 2, static () => Square(936, lowMask: 0x80));

    // Longer sequences first where one could begin another; the last two are older ways to name JIS X 0208.
    private static readonly (byte[] Sequence, GraphicSet Set)[] s_escapes =
    [
        .. new[] { Ascii, JisRomaji, JisKatakana, Latin1, Latin2, Latin3, Latin4, Greek, Arabic, Hebrew, Cyrillic, Latin5, Thai, Latin9, JisX0208, JisX0212, KsX1001, Gb2312 }
            .Select(set => (set.Escape, set)),
        ("\u001b$(B"u8.ToArray(), JisX0208),
        ("\u001b$@"u8.ToArray(), JisX0208)
    ];

    private readonly Lazy<string> _characters;
    private readonly Lazy<Dictionary<char, ushort>> _codes;

    private GraphicSet(string escape, bool inG1, int bytesPerCharacter, Func<string> characters)
    {
        Escape = Encoding.ASCII.GetBytes("\u001b" + escape);
        IsInG1 = inG1;
        BytesPerCharacter = bytesPerCharacter;
        _characters = new Lazy<string>(characters);
        _codes = new Lazy<Dictionary<char, ushort>>(Invert);
    }

    /// <summary>The escape sequence that invokes the set, ESC included.</summary>
    public byte[] Escape { get; }

    /// <summary>Whether the set's bytes have the high bit: it lives in G1, beside whatever is in G0.</summary>
    public bool IsInG1 { get; }

    /// <summary>1 or 2.</summary>
    public int BytesPerCharacter { get; }

    /// <summary>The character of a one-byte code (20-7E in G0, A0-FF in G1); U+FFFD where there is none.</summary>
    public char Decode(byte code) => (code & 0x7F) - 0x20 is var index && index >= 0 && index < _characters.Value.Length ? _characters.Value[index] : Undefined;

    /// <summary>The character of a two-byte code; U+FFFD where there is none.</summary>
    public char Decode(byte first, byte second)
    {
        int row = (first & 0x7F) - 0x21, cell = (second & 0x7F) - 0x21;
        return row is >= 0 and < 94 && cell is >= 0 and < 94 ? _characters.Value[row * 94 + cell] : Undefined;
    }

    /// <summary>The code of a character: one byte, or two with the first in the high byte, as they stand in a value.</summary>
    public bool TryEncode(char character, out ushort code) => _codes.Value.TryGetValue(character, out code);

    /// <summary>The set that the escape sequence at the start of <paramref name="bytes"/> invokes.</summary>
    public static bool TryMatchEscape(ReadOnlySpan<byte> bytes, out GraphicSet set, out int length)
    {
        foreach (var (sequence, named) in s_escapes)
        {
            if (!bytes.StartsWith(sequence)) continue;
            (set, length) = (named, sequence.Length);
            return true;
        }

        (set, length) = (Ascii, 0);
        return false;
    }

    private Dictionary<char, ushort> Invert()
    {
        var characters = _characters.Value;
        var codes = new Dictionary<char, ushort>(characters.Length);
        var high = IsInG1 ? 0x80 : 0;
        for (var i = 0; i < characters.Length; i++)
        {
            if (characters[i] == Undefined) continue;
            codes.TryAdd(characters[i], BytesPerCharacter == 1
                ? (ushort)(0x20 + i | high)
                : (ushort)((0x21 + i / 94 | high) << 8 | (0x21 + i % 94 | high)));
        }

        return codes;
    }

    private static string Range(int first, int count) => string.Create(count, first, static (text, first) =>
    {
        for (var i = 0; i < text.Length; i++) text[i] = (char)(first + i);
    });

    // Bytes A0 to FF of a single-byte code page, with what the current edition of the set has and the code page has not.
    private static string UpperHalf(int codePage, params ReadOnlySpan<(int Code, char Character)> corrections)
    {
        var encoding = CodePage(codePage);
        Span<char> text = stackalloc char[96];
        for (var i = 0; i < text.Length; i++) text[i] = DecodeOne(encoding, [(byte)(0xA0 + i)]);
        foreach (var (code, character) in corrections) text[code - 0xA0] = character;
        return new string(text);
    }

    // The 94 by 94 characters of a two-byte set, from a code page that has them at (80 | row, lowMask | cell).
    private static string Square(int codePage, int lowMask, params ReadOnlySpan<(int Code, char Character)> corrections)
    {
        var encoding = CodePage(codePage);
        var text = new char[94 * 94];
        for (var i = 0; i < text.Length; i++) text[i] = DecodeOne(encoding, [(byte)(0x21 + i / 94 | 0x80), (byte)(0x21 + i % 94 | lowMask)]);
        foreach (var (code, character) in corrections) text[((code >> 8) - 0x21) * 94 + (code & 0xFF) - 0x21] = character;
        return new string(text);
    }

    // Code pages put what a set does not define into the private use area.
    private static char DecodeOne(Encoding encoding, ReadOnlySpan<byte> code)
    {
        Span<char> decoded = stackalloc char[4];
        return encoding.GetChars(code, decoded) == 1 && char.GetUnicodeCategory(decoded[0]) != UnicodeCategory.PrivateUse ? decoded[0] : Undefined;
    }

    internal static Encoding CodePage(int codePage) =>
        CodePagesEncodingProvider.Instance.GetEncoding(codePage, EncoderFallback.ExceptionFallback, new DecoderReplacementFallback("\uFFFD"))
        ?? throw new NotSupportedException($"The runtime lacks code page {codePage}.");
}
