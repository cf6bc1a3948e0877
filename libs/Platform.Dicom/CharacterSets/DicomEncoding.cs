using System.Buffers;
using System.Text;

namespace Platform.Dicom;

/// <summary>
/// The character set in force in a data set, chosen by Specific Character Set (0008,0005) (PS3.3 C.12.1.1.2) and inherited by items.
/// Immutable, safe for concurrent use. Decoding never throws: what cannot be decoded becomes U+FFFD. Text without a byte above 7E and
/// without escape sequences, which is most text, becomes a string in one pass.
/// </summary>
/// <remarks>
/// Escape sequences are followed whether or not the terms announce their sets, because writers forget to. Code extensions are reset
/// where PS3.5 6.1.2.5.3 says: at the end of a line, at a tab, at the delimiter of values and, in person names, of components and groups.
/// </remarks>
public sealed partial class DicomEncoding
{
    private const char Undecodable = '\uFFFD';
    private const byte Escape = 0x1B;

    // Either one encoding for everything (UTF-8, GB18030, GBK) ...
    private readonly Encoding? _whole;

    // ... or what is in G0 and G1 at the start of a value, and the sets that may be invoked.
    private readonly GraphicSet _g0 = GraphicSet.Ascii;
    private readonly GraphicSet? _g1;
    private readonly GraphicSet? _presumedG1;
    private readonly GraphicSet[] _declared = [];

    private DicomEncoding(Encoding whole) => _whole = whole;

    private DicomEncoding(GraphicSet g0, GraphicSet? g1, GraphicSet[] declared)
    {
        (_g0, _g1, _declared) = (g0, g1, declared);

        // High bytes before any escape sequence have no meaning by the standard, but only one possible one when a single set has any.
        var upper = declared.Where(set => set.IsInG1).Distinct().ToArray();
        _presumedG1 = g1 ?? (upper.Length == 1 ? upper[0] : null);
    }

    /// <summary>The default repertoire, ISO-IR 6: in force where (0008,0005) is absent or empty.</summary>
    public static DicomEncoding Default { get; } = new(GraphicSet.Ascii, null, []);

    /// <summary>UTF-8, "ISO_IR 192".</summary>
    public static DicomEncoding Utf8 { get; } = new(Encoding.UTF8);

    /// <summary>
    /// The encoding for the value of (0008,0005) as it stands in a file, backslashes and padding included. Terms are read leniently:
    /// case, spaces, hyphens and underscores do not count. Unknown terms are passed over, never an error.
    /// </summary>
    public static DicomEncoding FromSpecificCharacterSet(ReadOnlySpan<byte> value)
    {
        value = value.Trim(" \0"u8);
        if (value.IsEmpty || value.SequenceEqual("ISO_IR 6"u8)) return Default;
        if (value.SequenceEqual("ISO_IR 192"u8)) return Utf8;
        if (value.SequenceEqual("ISO_IR 100"u8)) return s_latin1;
        return FromTerms(value);
    }

    /// <summary>
    /// One value's text, padding trimmed as its VR says (PS3.5 6.2). <paramref name="value"/> is one of
    /// the parts found with <see cref="FirstValueLength"/>, or the whole of a single-valued VR.
    /// </summary>
    public string Decode(ReadOnlySpan<byte> value, DicomVr vr)
    {
        value = Trim(value, vr);
        if (value.IsEmpty) return "";
        if (IsPlain(value, vr)) return Encoding.ASCII.GetString(value);
        if (_whole is { CodePage: 65001 } && vr.UsesCharacterSet) return Encoding.UTF8.GetString(value);

        char[]? rented = null;
        var text = value.Length <= 256 ? stackalloc char[256] : (rented = ArrayPool<char>.Shared.Rent(value.Length));
        try
        {
            return new string(text[..DecodeTrimmed(value, vr, text)]);
        }
        finally
        {
            if (rented is not null) ArrayPool<char>.Shared.Return(rented);
        }
    }

    /// <summary>As <see cref="Decode(ReadOnlySpan{byte}, DicomVr)"/> into a buffer of at least as many characters as there are bytes.</summary>
    /// <returns>The number of characters.</returns>
    public int Decode(ReadOnlySpan<byte> value, DicomVr vr, Span<char> text) => DecodeTrimmed(Trim(value, vr), vr, text);

    /// <summary>
    /// The value's text in UTF-8 when its bytes are that already, padding trimmed: plain ASCII in any set, or valid UTF-8.
    /// False when it must be decoded.
    /// </summary>
    public bool TryGetUtf8(ReadOnlySpan<byte> value, DicomVr vr, out ReadOnlySpan<byte> utf8)
    {
        utf8 = Trim(value, vr);
        return IsPlain(utf8, vr) || (_whole is { CodePage: 65001 } && vr.UsesCharacterSet && System.Text.Unicode.Utf8.IsValid(utf8));
    }

    /// <summary>
    /// Length in bytes of the first value of <paramref name="rest"/>: up to the next backslash that is a delimiter (in multi-byte sets a
    /// byte 5C may be half of a character), or all of it where none follows or the VR is single-valued.
    /// </summary>
    public int FirstValueLength(ReadOnlySpan<byte> rest, DicomVr vr)
    {
        if (vr.IsSingleValued) return rest.Length;
        var end = rest.IndexOf((byte)'\\');
        if (end < 0) return rest.Length;
        if (!vr.UsesCharacterSet) return end;
        if (_whole is null) return rest[..end].Contains(Escape) ? FirstIso2022ValueLength(rest) : end;
        return _whole.CodePage == 65001 || Ascii.IsValid(rest[..end]) ? end : FirstGbValueLength(rest);
    }

    /// <summary>
    /// The bytes of text in this encoding, without padding. Text may hold several values or components: escape sequences
    /// end before each delimiter of its VR. <see cref="ArgumentException"/> for a character it lacks.
    /// </summary>
    public byte[] Encode(string text, DicomVr vr)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (TryEncode(text, vr, out var bytes)) return bytes;
        throw new ArgumentException("The character set in force lacks a character of the text.", nameof(text));
    }

    /// <summary>As <see cref="Encode"/>; false for a character that the encoding lacks.</summary>
    public bool TryEncode(ReadOnlySpan<char> text, DicomVr vr, out byte[] bytes)
    {
        if (Ascii.IsValid(text) && (!vr.UsesCharacterSet || _whole is not null || (_g0 == GraphicSet.Ascii && !text.Contains((char)Escape))))
        {
            bytes = new byte[text.Length];
            Ascii.FromUtf16(text, bytes, out _);
            return true;
        }

        bytes = [];
        if (!vr.UsesCharacterSet) return false;
        if (_whole is null) return TryEncodeIso2022(text, vr, out bytes);
        try
        {
            var strict = _whole.CodePage == 65001 ? s_strictUtf8 : _whole;
            bytes = new byte[strict.GetByteCount(text)];
            strict.GetBytes(text, bytes);
            return true;
        }
        catch (EncoderFallbackException)
        {
            bytes = [];
            return false;
        }
    }

    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private int DecodeTrimmed(ReadOnlySpan<byte> value, DicomVr vr, Span<char> text)
    {
        if (!vr.UsesCharacterSet) return DecodeAscii(value, text);
        return _whole is null ? DecodeIso2022(value, vr, text) : _whole.GetChars(value, text);
    }

    // The text is its bytes: ASCII, nothing to switch sets, and G0 holds ASCII itself.
    private bool IsPlain(ReadOnlySpan<byte> value, DicomVr vr) =>
        Ascii.IsValid(value) && (!vr.UsesCharacterSet || _whole is not null || (_g0 == GraphicSet.Ascii && !value.Contains(Escape)));

    // PS3.5 6.2: leading spaces are padding too, but for names and running text; UI is padded with NUL, which strays elsewhere as well.
    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> value, DicomVr vr) =>
        vr is DicomVr.PN or DicomVr.LT or DicomVr.ST or DicomVr.UT or DicomVr.UC or DicomVr.UR ? value.TrimEnd(" \0"u8) : value.Trim(" \0"u8);

    private static int DecodeAscii(ReadOnlySpan<byte> value, Span<char> text)
    {
        for (var i = 0; i < value.Length; i++) text[i] = value[i] < 0x80 ? (char)value[i] : Undecodable;
        return value.Length;
    }

    // In GB18030 and GBK the second byte of a character may be 5C.
    private static int FirstGbValueLength(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '\\') return i;
            if (bytes[i] >= 0x81 && i + 1 < bytes.Length && bytes[i + 1] >= 0x40) i++;
        }

        return bytes.Length;
    }
}
