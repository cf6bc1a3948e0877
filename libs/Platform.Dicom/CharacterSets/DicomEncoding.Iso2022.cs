using System.Buffers;

namespace Platform.Dicom;

// Code extensions after ISO/IEC 2022 (PS3.5 6.1.2.4 and 6.1.2.5).
public sealed partial class DicomEncoding
{
    private int DecodeIso2022(ReadOnlySpan<byte> value, DicomVr vr, Span<char> text)
    {
        var (g0, g1) = (_g0, _presumedG1);
        var written = 0;
        for (var i = 0; i < value.Length;)
        {
            var code = value[i];
            if (code == Escape && GraphicSet.TryMatchEscape(value[i..], out var set, out var length))
            {
                if (set.IsInG1) g1 = set;
                else g0 = set;
                i += length;
            }
            else if (code <= 0x20 || code == 0x7F)
            {
                if (code is (byte)'\t' or (byte)'\n' or (byte)'\f' or (byte)'\r') (g0, g1) = (_g0, _presumedG1);
                text[written++] = code == Escape ? Undecodable : (char)code;
                i++;
            }
            else if (code < 0x80 && g0.BytesPerCharacter == 2)
            {
                var isWhole = i + 1 < value.Length && value[i + 1] is > 0x20 and < 0x7F;
                text[written++] = isWhole ? g0.Decode(code, value[i + 1]) : Undecodable;
                i += isWhole ? 2 : 1;
            }
            else if (code < 0x80)
            {
                text[written++] = g0.Decode(code);
                if (IsDelimiter(code, vr)) (g0, g1) = (_g0, _presumedG1);
                i++;
            }
            else if (g1 is { BytesPerCharacter: 2 })
            {
                var isWhole = code >= 0xA1 && i + 1 < value.Length && value[i + 1] >= 0xA1;
                text[written++] = isWhole ? g1.Decode(code, value[i + 1]) : Undecodable;
                i += isWhole ? 2 : 1;
            }
            else
            {
                text[written++] = g1 is null || code < 0xA0 ? Undecodable : g1.Decode(code);
                i++;
            }
        }

        return written;
    }

    private static int FirstIso2022ValueLength(ReadOnlySpan<byte> bytes)
    {
        var isTwoBytes = false;
        for (var i = 0; i < bytes.Length;)
        {
            var code = bytes[i];
            if (code == Escape && GraphicSet.TryMatchEscape(bytes[i..], out var set, out var length))
            {
                if (!set.IsInG1) isTwoBytes = set.BytesPerCharacter == 2;
                i += length;
                continue;
            }

            if (code is (byte)'\t' or (byte)'\n' or (byte)'\f' or (byte)'\r') isTwoBytes = false;
            if (isTwoBytes && code is > 0x20 and < 0x7F && i + 1 < bytes.Length && bytes[i + 1] is > 0x20 and < 0x7F)
            {
                i += 2;
                continue;
            }

            if (code == '\\') return i;
            i++;
        }

        return bytes.Length;
    }

    private bool TryEncodeIso2022(ReadOnlySpan<char> text, DicomVr vr, out byte[] bytes)
    {
        var to = new ArrayBufferWriter<byte>(text.Length + 16);
        var (g0, g1) = (_g0, _g1);
        foreach (var character in text)
        {
            if (character < 0x20 || character == 0x7F || (character < 0x80 && IsDelimiter((byte)character, vr)))
            {
                Reset(to, ref g0, ref g1);
                if (character == Escape)
                {
                    bytes = [];
                    return false;
                }

                to.Write([(byte)character]);
                continue;
            }

            // What is invoked already, then what the value began with, then the other sets in the order of their terms.
            if ((g0.BytesPerCharacter == 1 || character != ' ') && TryWrite(to, g0, character)) continue;
            if (g1 is not null && TryWrite(to, g1, character)) continue;
            if (!TrySwitch(to, _g0, character, ref g0, ref g1) && !_declared.Any(set => set.TryEncode(character, out _)))
            {
                bytes = [];
                return false;
            }

            if (TryWrite(to, g0, character)) continue;
            foreach (var set in _declared)
                if (TrySwitch(to, set, character, ref g0, ref g1) && TryWrite(to, set, character))
                    break;
        }

        Reset(to, ref g0, ref g1);
        bytes = to.WrittenSpan.ToArray();
        return true;

        static bool TrySwitch(ArrayBufferWriter<byte> to, GraphicSet set, char character, ref GraphicSet g0, ref GraphicSet? g1)
        {
            if (!set.TryEncode(character, out _)) return false;
            to.Write(set.Escape);
            if (set.IsInG1) g1 = set;
            else g0 = set;
            return true;
        }

        static bool TryWrite(ArrayBufferWriter<byte> to, GraphicSet set, char character)
        {
            if (!set.TryEncode(character, out var code)) return false;
            if (set.BytesPerCharacter == 2) to.Write([(byte)(code >> 8)]);
            to.Write([(byte)code]);
            return true;
        }
    }

    // PS3.5 6.1.2.5.3: what the value began with is active again before a delimiter and at the end. A reader forgets what is in G1 there
    // by itself when the value began with nothing in it.
    private void Reset(ArrayBufferWriter<byte> to, ref GraphicSet g0, ref GraphicSet? g1)
    {
        if (g0 != _g0) to.Write(_g0.Escape);
        if (g1 != _g1 && _g1 is not null) to.Write(_g1.Escape);
        (g0, g1) = (_g0, _g1);
    }

    private static bool IsDelimiter(byte code, DicomVr vr) => code switch
    {
        (byte)'\\' => !vr.IsSingleValued,
        (byte)'^' or (byte)'=' => vr == DicomVr.PN,
        _ => false
    };
}
