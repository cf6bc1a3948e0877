using System.Globalization;

namespace Platform.Dicom;

/// <summary>An attribute's tag: group and element number (PS3.5 7.1). Tags order as they do in a data set.</summary>
public readonly record struct DicomTag(ushort Group, ushort Element) : IComparable<DicomTag>
{
    /// <summary>A tag from group and element as one number, 0xGGGGEEEE.</summary>
    public DicomTag(uint value) : this((ushort)(value >> 16), (ushort)value) { }

    /// <summary>Group and element as one number, 0xGGGGEEEE.</summary>
    public uint Value => ((uint)Group << 16) | Element;

    /// <summary>Whether the group is odd: the meaning depends on the private creator (PS3.5 7.8).</summary>
    public bool IsPrivate => (Group & 1) != 0;

    /// <summary>Whether this is a private creator, (gggg,0010-00FF) with an odd group.</summary>
    public bool IsPrivateCreator => IsPrivate && Element is >= 0x10 and <= 0xFF;

    /// <summary>Whether this is a group length, (gggg,0000).</summary>
    public bool IsGroupLength => Element == 0;

    /// <summary>Whether this belongs to the file meta information, group 0002 (PS3.10 7.1).</summary>
    public bool IsFileMeta => Group == 2;

    /// <summary>For a private element (gggg,xxyy) the tag of its creator, (gggg,00xx).</summary>
    public DicomTag PrivateCreator => new(Group, (ushort)(Element >> 8));

    public int CompareTo(DicomTag other) => Value.CompareTo(other.Value);

    public static bool operator <(DicomTag left, DicomTag right) => left.Value < right.Value;
    public static bool operator >(DicomTag left, DicomTag right) => left.Value > right.Value;
    public static bool operator <=(DicomTag left, DicomTag right) => left.Value <= right.Value;
    public static bool operator >=(DicomTag left, DicomTag right) => left.Value >= right.Value;

    /// <summary>The form of the standard's tables, "(0010,0010)".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"({Group:X4},{Element:X4})");

    /// <summary>The form of DICOM JSON and DICOMweb queries, "00100010" (PS3.18 F.2.2).</summary>
    public string ToJsonKey() => Value.ToString("X8", CultureInfo.InvariantCulture);

    /// <summary>Reads "00100010", "0010,0010", "(0010,0010)" or a keyword such as "PatientName".</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out DicomTag tag)
    {
        tag = default;
        var hex = text;
        if (hex.Length == 11 && hex[0] == '(' && hex[10] == ')') hex = hex[1..10];
        if (hex.Length == 9 && hex[4] == ',')
        {
            if (!ushort.TryParse(hex[..4], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var group)
                || !ushort.TryParse(hex[5..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var element)) return false;
            tag = new DicomTag(group, element);
            return true;
        }
        if (hex.Length == 8 && uint.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            tag = new DicomTag(value);
            return true;
        }
        return DicomDictionary.TryGetTag(text, out tag);
    }

    /// <summary>As <see cref="TryParse"/>; throws <see cref="FormatException"/> for what is neither hexadecimal nor a keyword.</summary>
    public static DicomTag Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out var tag) ? tag : throw new FormatException("Neither a tag nor a keyword.");
}
