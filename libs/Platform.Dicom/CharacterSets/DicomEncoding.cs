using System.Text;

namespace Platform.Dicom;

// Placeholder for the first landing: the real character sets replace this file and keep these members.

/// <summary>
/// The character set in force in a data set, chosen by Specific Character Set (0008,0005) (PS3.3 C.12.1.1.2) and inherited by items.
/// Immutable, safe for concurrent use. Decoding never throws: what cannot be decoded becomes U+FFFD.
/// </summary>
public sealed class DicomEncoding
{
    /// <summary>The default repertoire, ISO-IR 6: in force where (0008,0005) is absent or empty.</summary>
    public static DicomEncoding Default { get; } = new();

    /// <summary>UTF-8, "ISO_IR 192".</summary>
    public static DicomEncoding Utf8 { get; } = new();

    /// <summary>The encoding for the value of (0008,0005) as it stands in a file, backslashes and padding included. Unknown terms fall back, never throw.</summary>
    public static DicomEncoding FromSpecificCharacterSet(ReadOnlySpan<byte> value) => value.IsEmpty ? Default : Utf8;

    /// <summary>
    /// One value's text, padding trimmed as its VR says (PS3.5 6.2). <paramref name="value"/> is one of
    /// the parts found with <see cref="FirstValueLength"/>, or the whole of a single-valued VR.
    /// </summary>
    public string Decode(ReadOnlySpan<byte> value, DicomVr vr) => Encoding.Latin1.GetString(value).Trim(' ', '\0');

    /// <summary>
    /// Length in bytes of the first value of <paramref name="rest"/>: up to the next backslash that is a delimiter (in multi-byte sets a
    /// byte 5C may be half of a character), or all of it where none follows or the VR is single-valued.
    /// </summary>
    public int FirstValueLength(ReadOnlySpan<byte> rest, DicomVr vr)
    {
        var end = vr.IsSingleValued ? -1 : rest.IndexOf((byte)'\\');
        return end < 0 ? rest.Length : end;
    }

    /// <summary>The bytes of text in this encoding, without padding; <see cref="ArgumentException"/> for a character it lacks.</summary>
    public byte[] Encode(string text, DicomVr vr) => Encoding.Latin1.GetBytes(text);
}
