using System.Text;

namespace Platform.Dicom.Tests.CharacterSets;

public sealed class DicomEncodingTests
{
    /// <summary>Specific Character Set, a person name's bytes (Latin-1 stands for bytes), its text. The examples of PS3.5 annexes H to K, and one for each set.</summary>
    public static TheoryData<string, string, string> Names => new()
    {
        { "", "Adams^John", "Adams^John" },
        { "ISO_IR 100", "Buc^J\u00e9r\u00f4me", "Buc^Jérôme" },
        { "ISO_IR 101", "W\u00b3a\u00b6^\u00a3ukasz", "Właś^Łukasz" },
        { "ISO_IR 109", "\u00a6\u00b6", "Ĥĥ" },
        { "ISO_IR 110", "\u00a2\u00be", "ĸž" },
        { "ISO_IR 144", "\u00bb\u00eeace\u00dc\u00d1yp\u00d3", "Люaceмбypг" },
        { "ISO_IR 127", "\u00e2\u00c8\u00c7\u00e6\u00ea^\u00e4\u00e6\u00d2\u00c7\u00d1", "قباني^لنزار" },
        { "ISO_IR 126", "\u00c4\u00e9\u00ef\u00ed\u00f5\u00f3\u00e9\u00ef\u00f2", "Διονυσιος" },
        { "ISO_IR 138", "\u00f9\u00f8\u00e5\u00ef^\u00e3\u00e1\u00e5\u00f8\u00e4", "שרון^דבורה" },
        { "ISO_IR 148", "\u00c7avu\u00fe^\u00dd\u00f0", "Çavuş^İğ" },
        { "ISO_IR 203", "\u00bc\u00a4", "Œ€" },
        { "ISO_IR 166", "\u00b9\u00d2\u00c2", "นาย" },
        { "ISO_IR 13", "\u00d4\u00cf\u00c0\u00de^\u00c0\u00db\u00b3", "ﾔﾏﾀﾞ^ﾀﾛｳ" },
        { "\\ISO 2022 IR 87", "Yamada^Tarou=\u001b$B;3ED\u001b(B^\u001b$BB@O:\u001b(B=\u001b$B$d$^$@\u001b(B^\u001b$B$?$m$&\u001b(B", "Yamada^Tarou=山田^太郎=やまだ^たろう" },
        { "ISO 2022 IR 13\\ISO 2022 IR 87", "\u00d4\u00cf\u00c0\u00de^\u00c0\u00db\u00b3=\u001b$B;3ED\u001b(J^\u001b$BB@O:\u001b(J=\u001b$B$d$^$@\u001b(J^\u001b$B$?$m$&\u001b(J", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう" },
        { "\\ISO 2022 IR 159", "\u001b$(D0!\u001b(B", "丂" },
        { "\\ISO 2022 IR 149", "Hong^Gildong=\u001b$)C\u00fb\u00f3^\u001b$)C\u00d1\u00ce\u00d4\u00d7=\u001b$)C\u00c8\u00ab^\u001b$)C\u00b1\u00e6\u00b5\u00bf", "Hong^Gildong=洪^吉洞=홍^길동" },
        { "\\ISO 2022 IR 58", "Zhang^XiaoDong=\u001b$)A\u00d5\u00c5^\u001b$)A\u00d0\u00a1\u00b6\u00ab=", "Zhang^XiaoDong=张^小东=" },
        { "ISO 2022 IR 100\\ISO 2022 IR 144", "J\u00e9r\u001b-L\u00bb\u00ee\u001b-A^\u00e9", "JérЛю^é" },
        { "ISO_IR 192", "Wang^XiaoDong=\u00e7\u008e\u008b^\u00e5\u00b0\u008f\u00e6\u009d\u00b1=", "Wang^XiaoDong=王^小東=" },
        { "GB18030", "Wang^XiaoDong=\u00cd\u00f5^\u00d0\u00a1\u00b6\u00ab=", "Wang^XiaoDong=王^小东=" },
        { "GB18030", "\u0081\u0030\u0081\u0030", "\u0080" },
        { "GBK", "\u0081\\^\u00cd\u00f5", "乗^王" },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void Decode_ValueInItsCharacterSet_IsItsText(string set, string value, string text)
    {
        var encoding = Of(set);
        Assert.Equal(text, encoding.Decode(Bytes(value), DicomVr.PN));
        Assert.Equal(text, encoding.Decode(Bytes(value + "  "), DicomVr.PN));

        Span<char> buffer = stackalloc char[value.Length];
        Assert.Equal(text, new string(buffer[..encoding.Decode(Bytes(value), DicomVr.PN, buffer)]));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Encode_TextOfTheSet_DecodesToTheSameText(string set, string value, string text)
    {
        var encoding = Of(set);
        var bytes = encoding.Encode(text, DicomVr.PN);
        Assert.Equal(text, encoding.Decode(bytes, DicomVr.PN));
        Assert.Equal(value, Encoding.Latin1.GetString(bytes));
    }

    [Theory]
    [InlineData("ISO IR 100")]
    [InlineData("ISO-IR 100")]
    [InlineData("iso_ir 100 ")]
    [InlineData("ISO_IR_100")]
    [InlineData("ISO_IR100")]
    [InlineData("ISO 2022 IR 100")]
    [InlineData("ISO_2022_IR_100")]
    [InlineData("ISO2022 IR 100")]
    [InlineData("ISO8859-1")]
    [InlineData("ISO_IR 100\\ISO_IR 192")]
    public void FromSpecificCharacterSet_MisspeltTerm_IsUnderstood(string term) =>
        Assert.Equal("é", Of(term).Decode([0xE9], DicomVr.LO));

    [Theory]
    [InlineData("UTF-8")]
    [InlineData("ISO IR 192")]
    [InlineData("\\ISO_IR 192")]
    [InlineData("ISO_IR 192\\ISO_IR 100")]
    public void FromSpecificCharacterSet_Utf8Misspelt_IsUnderstood(string term) => Assert.Equal("é", Of(term).Decode("é"u8, DicomVr.LO));

    [Theory]
    [InlineData("ISO_IR 999")]
    [InlineData("nonsense that is much longer than any term may be")]
    [InlineData("\\\\\\")]
    [InlineData("ISO_IR 6")]
    [InlineData("ISO_2022_IR_6")]
    [InlineData("\u00ff")]
    public void FromSpecificCharacterSet_UnknownOrDefaultTerm_IsTheDefaultRepertoire(string term)
    {
        Assert.Equal("A", Of(term).Decode("A"u8, DicomVr.LO));
        Assert.Equal("\uFFFD", Of(term).Decode([0xE9], DicomVr.LO));
    }

    [Theory]
    [InlineData("\\ISO 2022 IR 149", "\u00fb", "\uFFFD")]                       // half a character
    [InlineData("\\ISO 2022 IR 149", "\u00fb\u0041", "\uFFFDA")]
    [InlineData("\\ISO 2022 IR 87", "\u001b$B;", "\uFFFD")]
    [InlineData("\\ISO 2022 IR 87", "\u001b$B;3\n;3", "山\n;3")]                 // the end of a line resets
    [InlineData("\\ISO 2022 IR 87", "\u001b%Gx", "\uFFFD%Gx")]                  // an escape sequence that is none of DICOM's
    [InlineData("ISO_IR 100", "a\u0085b", "a\uFFFDb")]                          // C1 is not used
    [InlineData("ISO_IR 127", "\u00ff", "\uFFFD")]                              // undefined in the set
    [InlineData("ISO_IR 192", "a\u00ff\u00c3", "a\uFFFD\uFFFD")]
    [InlineData("GB18030", "\u00ff", "\uFFFD")]
    [InlineData("ISO_IR 13", "\\~", "¥‾")]
    public void Decode_WhatHasNoMeaning_IsReplaced(string set, string value, string text) =>
        Assert.Equal(text, Of(set).Decode(Bytes(value), DicomVr.LT));

    [Fact]
    public void Decode_HighBytesWithoutEscape_ReadAsTheOnlySetThatHasAny() =>
        Assert.Equal("Hong^길동", Of("\\ISO 2022 IR 149").Decode(Bytes("Hong^\u00b1\u00e6\u00b5\u00bf"), DicomVr.PN));

    [Fact]
    public void Decode_OtherVrs_AreAscii()
    {
        Assert.Equal("1.2.3", Of("ISO_IR 100").Decode("1.2.3\0"u8, DicomVr.UI));
        Assert.Equal("A\uFFFD", Of("ISO_IR 100").Decode([(byte)'A', 0xE9], DicomVr.CS));
    }

    [Theory]
    [InlineData("  padded \0", "LO", "padded")]
    [InlineData("  padded ", "PN", "  padded")]
    [InlineData("  padded\n ", "LT", "  padded\n")]
    [InlineData(" 1.5 ", "DS", "1.5")]
    [InlineData("   ", "PN", "")]
    public void Decode_Padding_IsTrimmedAsTheVrSays(string value, string vr, string text)
    {
        Assert.True(DicomVrExtensions.TryParse(vr, out var known));
        Assert.Equal(text, DicomEncoding.Default.Decode(Bytes(value), known));
    }

    [Theory]
    [InlineData("", "a\\b", 1)]
    [InlineData("ISO_IR 192", "\u00c3\u00a9\\b", 2)]
    [InlineData("\\ISO 2022 IR 87", "\u001b$B%\\\u001b(B\\b", 8)]      // 25 5C is one character
    [InlineData("GB18030", "\u0081\\\\b", 2)]
    [InlineData("GB18030", "\u0081\u0030\u0081\u0030\\b", 4)]
    [InlineData("GBK", "\u0081\\", 2)]
    [InlineData("", "ab", 2)]
    public void FirstValueLength_Backslash_EndsTheValueUnlessHalfOfACharacter(string set, string value, int length) =>
        Assert.Equal(length, Of(set).FirstValueLength(Bytes(value), DicomVr.LO));

    [Fact]
    public void FirstValueLength_RunningText_IsAllOfIt() => Assert.Equal(3, DicomEncoding.Default.FirstValueLength("a\\b"u8, DicomVr.LT));

    [Theory]
    [InlineData("", "é")]
    [InlineData("ISO_IR 100", "Я")]
    [InlineData("\\ISO 2022 IR 87", "길")]
    [InlineData("GBK", "ก")]
    [InlineData("\\ISO 2022 IR 87", "\u001b")]
    [InlineData("ISO_IR 100", "😀")]
    public void Encode_CharacterThatTheSetLacks_Throws(string set, string text)
    {
        Assert.Throws<ArgumentException>(() => Of(set).Encode(text, DicomVr.LO));
        Assert.False(Of(set).TryEncode(text, DicomVr.LO, out var bytes));
        Assert.Empty(bytes);
    }

    [Fact]
    public void Encode_HalfOfASurrogatePair_Throws() => Assert.Throws<ArgumentException>(() => DicomEncoding.Utf8.Encode("\uD800", DicomVr.LO));

    [Theory]
    [InlineData("ISO_IR 13")]
    [InlineData("ISO_IR 100")]
    [InlineData("ISO_IR 101")]
    [InlineData("ISO_IR 109")]
    [InlineData("ISO_IR 110")]
    [InlineData("ISO_IR 126")]
    [InlineData("ISO_IR 127")]
    [InlineData("ISO_IR 138")]
    [InlineData("ISO_IR 144")]
    [InlineData("ISO_IR 148")]
    [InlineData("ISO_IR 166")]
    [InlineData("ISO_IR 203")]
    public void Decode_EveryByteOfASingleByteSet_EncodesToItself(string set)
    {
        var encoding = Of(set);
        for (var code = 0xA1; code < 0x100; code++)
        {
            var text = encoding.Decode([(byte)code], DicomVr.UT);
            if (text != "\uFFFD") Assert.Equal([(byte)code], encoding.Encode(text, DicomVr.UT));
        }
    }

    [Theory]
    [InlineData("ISO 2022 IR 87", "\u001b$B", "\u001b(B", 0, 6879)]
    [InlineData("ISO 2022 IR 159", "\u001b$(D", "\u001b(B", 0, 6067)]
    [InlineData("ISO 2022 IR 149", "\u001b$)C", "", 0x80, 8224)]
    [InlineData("ISO 2022 IR 58", "\u001b$)A", "", 0x80, 7445)]
    public void Decode_EveryPairOfATwoByteSet_EncodesToItself(string set, string before, string after, int high, int atLeast)
    {
        var encoding = Of("\\" + set);
        var defined = 0;
        for (var row = 0x21; row < 0x7F; row++)
        {
            for (var cell = 0x21; cell < 0x7F; cell++)
            {
                var value = Bytes(before + (char)(row | high) + (char)(cell | high) + after);
                var text = encoding.Decode(value, DicomVr.UT);
                Assert.Equal(1, text.Length);
                if (text == "\uFFFD") continue;
                defined++;
                Assert.Equal(text, encoding.Decode(encoding.Encode(text, DicomVr.UT), DicomVr.UT));
            }
        }

        Assert.InRange(defined, atLeast, 94 * 94);
    }

    [Fact]
    public void Decode_RandomBytes_NeverThrowsAndNeverGrows()
    {
        var random = new Random(20261120);
        string[] sets = ["", "ISO_IR 100", "ISO_IR 13", "\\ISO 2022 IR 87\\ISO 2022 IR 159", "\\ISO 2022 IR 149", "\\ISO 2022 IR 58", "ISO 2022 IR 100\\ISO 2022 IR 144", "ISO_IR 192", "GB18030", "GBK"];
        string[] escapes = ["\u001b$B", "\u001b(B", "\u001b$)C", "\u001b$(D", "\u001b-L", "\u001b$)A", "\u001b", "\\", "^", "\n"];
        DicomVr[] vrs = [DicomVr.PN, DicomVr.LO, DicomVr.UT, DicomVr.CS];
        var value = new byte[64];
        for (var round = 0; round < 20_000; round++)
        {
            random.NextBytes(value);
            for (var i = random.Next(4); i > 0; i--) Bytes(escapes[random.Next(escapes.Length)]).CopyTo(value, random.Next(60));
            var length = random.Next(value.Length + 1);
            var encoding = Of(sets[round % sets.Length]);
            var vr = vrs[random.Next(vrs.Length)];
            var text = encoding.Decode(value.AsSpan(0, length), vr);
            Assert.True(text.Length <= length);
            Assert.InRange(encoding.FirstValueLength(value.AsSpan(0, length), vr), 0, length);

            // What was decoded whole can be encoded again, and then means the same.
            if (!text.Contains('\uFFFD') && encoding.TryEncode(text, vr, out var bytes)) Assert.Equal(text, encoding.Decode(bytes, vr));
        }
    }

    [Fact]
    public void TryGetUtf8_PlainAscii_IsTheBytes()
    {
        Assert.True(Of("\\ISO 2022 IR 87").TryGetUtf8("abc "u8, DicomVr.LO, out var utf8));
        Assert.Equal("abc"u8.ToArray(), utf8.ToArray());
        Assert.False(Of("\\ISO 2022 IR 87").TryGetUtf8(Bytes("\u001b$B;3"), DicomVr.LO, out _));
        Assert.False(Of("ISO_IR 13").TryGetUtf8("a"u8, DicomVr.LO, out _));
        Assert.True(Of("ISO_IR 13").TryGetUtf8("a"u8, DicomVr.CS, out _));
        Assert.True(DicomEncoding.Utf8.TryGetUtf8("é"u8, DicomVr.LO, out _));
        Assert.False(DicomEncoding.Utf8.TryGetUtf8([0xC3], DicomVr.LO, out _));
    }

    private static DicomEncoding Of(string terms) => DicomEncoding.FromSpecificCharacterSet(Encoding.Latin1.GetBytes(terms));

    private static byte[] Bytes(string latin1) => Encoding.Latin1.GetBytes(latin1);
}
