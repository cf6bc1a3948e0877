using System.Text;

namespace Platform.Dicom;

/// <summary>
/// The data dictionary of the standard (PS3.6): what is known of a data element by its tag, and its tag by its keyword.
/// Look-ups read constant data of the assembly: they allocate nothing, and next to nothing happens when a program starts.
/// </summary>
/// <remarks>Command elements (group 0000) are not part of it. Private elements are not in any dictionary here; see <see cref="TryGetVr"/>.</remarks>
public static partial class DicomDictionary
{
    /// <summary>The edition of the standard that the tables were taken from.</summary>
    public const string Edition = "2026b";

    /// <summary>How many rows there are: elements, and families of elements such as (60xx,3000).</summary>
    public static int Count => Tags.Length;

    /// <summary>The row at <paramref name="index"/>, 0 to <see cref="Count"/> - 1: elements by tag, then the families.</summary>
    public static DicomDictionaryEntry GetEntry(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return new DicomDictionaryEntry(index);
    }

    /// <summary>The row of a public element. False for private, command and unknown elements and for group lengths.</summary>
    public static bool TryGet(DicomTag tag, out DicomDictionaryEntry entry)
    {
        var row = Find(tag);
        entry = new DicomDictionaryEntry(Math.Max(row, 0));
        return row >= 0;
    }

    /// <summary>The row of a keyword, which is compared as it is written in the standard: <c>PatientName</c>.</summary>
    public static bool TryGet(ReadOnlySpan<char> keyword, out DicomDictionaryEntry entry)
    {
        int low = 0, high = ByKeyword.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            int row = ByKeyword[middle];
            var order = Compare(KeywordOf(row), keyword);
            if (order == 0)
            {
                entry = new DicomDictionaryEntry(row);
                return true;
            }

            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }

        entry = default;
        return false;
    }

    /// <summary>
    /// The VR of an element whose encoding does not name it: implicit VR, or DICOM JSON without <c>vr</c>. Where the standard leaves
    /// a choice the one of PS3.5 A.1 is made: OW for whatever may be OW, US for US or SS. Group lengths are UL, private creators LO.
    /// </summary>
    /// <param name="tag">The element.</param>
    /// <param name="vr">The VR; UN when false is returned.</param>
    /// <param name="isSignedWithPixels">Whether US becomes SS where Pixel Representation (0028,0103), of this data set or of the one around it, is 1.</param>
    /// <returns>False for private and unknown elements.</returns>
    public static bool TryGetVr(DicomTag tag, out DicomVr vr, out bool isSignedWithPixels)
    {
        var row = Find(tag);
        if (row < 0)
        {
            isSignedWithPixels = false;
            vr = tag.IsGroupLength ? DicomVr.UL : tag.IsPrivateCreator ? DicomVr.LO : DicomVr.UN;
            return vr != DicomVr.UN;
        }

        var choices = VrChoicesOf(row);
        vr = (DicomVr)choices[0];
        isSignedWithPixels = choices[1] == (ushort)DicomVr.SS && choices[2] == 0;
        if (choices[1] == (ushort)DicomVr.OW || choices[2] == (ushort)DicomVr.OW) vr = DicomVr.OW;
        if (vr != DicomVr.None) return true;
        vr = DicomVr.UN; // items and delimiters have no VR
        return false;
    }

    /// <summary>The tag of a keyword such as <c>PatientName</c>; case counts. Of a family, such as <c>OverlayData</c>, its first.</summary>
    public static bool TryGetTag(ReadOnlySpan<char> keyword, out DicomTag tag)
    {
        var found = TryGet(keyword, out var entry);
        tag = found ? entry.Tag : default;
        return found;
    }

    /// <summary>The keyword of a public element; null when the dictionary has none.</summary>
    public static string? GetKeyword(DicomTag tag) => TryGet(tag, out var entry) ? entry.Keyword : null;

    private static int Find(DicomTag tag)
    {
        var value = tag.Value;
        for (var slot = (value * 0x9E3779B1u) >> (32 - SlotBits); ; slot = (slot + 1) & ((1 << SlotBits) - 1))
        {
            var row = Slots[(int)slot] - 1;
            if (row < 0) return FindFamily(value);
            if (Tags[row] == value) return row;
        }
    }

    // PS3.5 7.6: repeating groups; PS3.6: the retired families with digits that vary in the element number.
    private static int FindFamily(uint tag)
    {
        if ((tag & 0x10000) != 0 || (tag >> 16) is not (0x0020 or 0x0028 or 0x1000 or 0x1010 or (>= 0x5000 and <= 0x50FF) or (>= 0x6000 and <= 0x60FF) or (>= 0x7F00 and <= 0x7FFF)))
            return -1;
        for (var family = 0; family < Masks.Length; family++)
            if (((tag ^ Tags[ExactCount + family]) & Masks[family]) == 0)
                return ExactCount + family;
        return -1;
    }

    private static int Compare(ReadOnlySpan<byte> ascii, ReadOnlySpan<char> text)
    {
        var shared = Math.Min(ascii.Length, text.Length);
        for (var i = 0; i < shared; i++)
            if (ascii[i] != text[i])
                return ascii[i] - text[i];
        return ascii.Length - text.Length;
    }

    internal static DicomTag TagOf(int row) => new(Tags[row]);

    internal static uint MaskOf(int row) => row < ExactCount ? uint.MaxValue : Masks[row - ExactCount];

    internal static ReadOnlySpan<byte> KeywordOf(int row) => Cut(KeywordBytes, KeywordEnds, row);

    internal static ReadOnlySpan<byte> NameOf(int row) => Cut(NameBytes, NameEnds, row);

    internal static bool IsRetired(int row) => (Retired[row >> 3] >> (row & 7) & 1) == 1;

    /// <summary>The row's three choices of VR, 0 where there are fewer; values of <see cref="DicomVr"/>.</summary>
    internal static ReadOnlySpan<ushort> VrChoicesOf(int row) => VrChoices.AsSpan(VrIndexes[row] * 3, 3);

    internal static DicomMultiplicity MultiplicityOf(int row)
    {
        var bounds = VmBounds.Slice(VmIndexes[row] * 3, 3);
        return new DicomMultiplicity(bounds[0], bounds[1] == 0 ? null : bounds[1], bounds[2]);
    }

    internal static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> all, ReadOnlySpan<int> ends, int row)
    {
        var start = row == 0 ? 0 : ends[row - 1];
        return all[start..ends[row]];
    }
}

/// <summary>One row of the data dictionary.</summary>
public readonly struct DicomDictionaryEntry
{
    private readonly int _row;

    internal DicomDictionaryEntry(int row) => _row = row;

    /// <summary>The element's tag; of a family its first: (6000,3000) for (60xx,3000).</summary>
    public DicomTag Tag => DicomDictionary.TagOf(_row);

    /// <summary>Whether the row stands for a family of elements, such as a repeating group.</summary>
    public bool IsFamily => DicomDictionary.MaskOf(_row) != uint.MaxValue;

    /// <summary>The keyword, as in <c>PatientName</c>. Makes a new string; <see cref="KeywordUtf8"/> does not.</summary>
    public string Keyword => Encoding.ASCII.GetString(KeywordUtf8);

    /// <summary>The keyword in ASCII.</summary>
    public ReadOnlySpan<byte> KeywordUtf8 => DicomDictionary.KeywordOf(_row);

    /// <summary>The name, as in <c>Patient's Name</c>. Makes a new string.</summary>
    public string Name => Encoding.ASCII.GetString(DicomDictionary.NameOf(_row));

    /// <summary>The first VR that the standard names; none for items and delimiters.</summary>
    public DicomVr Vr => (DicomVr)DicomDictionary.VrChoicesOf(_row)[0];

    /// <summary>Whether the standard names several VRs, such as US or SS; <see cref="DicomDictionary.TryGetVr"/> picks one.</summary>
    public bool HasSeveralVrs => DicomDictionary.VrChoicesOf(_row)[1] != 0;

    /// <summary>How many values the element may have.</summary>
    public DicomMultiplicity Multiplicity => DicomDictionary.MultiplicityOf(_row);

    /// <summary>Whether the standard has retired the element.</summary>
    public bool IsRetired => DicomDictionary.IsRetired(_row);

    /// <summary>Whether the standard names <paramref name="vr"/> for this element.</summary>
    public bool Allows(DicomVr vr) => vr != DicomVr.None && DicomDictionary.VrChoicesOf(_row).Contains((ushort)vr);
}

/// <summary>A value multiplicity of PS3.6: <c>1</c>, <c>1-3</c>, <c>1-n</c>, <c>2-2n</c>.</summary>
/// <param name="Least">The least number of values.</param>
/// <param name="Most">The greatest number of values; null when there is no bound.</param>
/// <param name="Step">Above the least, the count is a multiple of this.</param>
public readonly record struct DicomMultiplicity(int Least, int? Most, int Step)
{
    /// <summary>Whether an element with this many values conforms. An empty element (0) always does.</summary>
    public bool Allows(int count) => count == 0 || (count >= Least && (Most is null || count <= Most) && count % Step == 0);

    /// <inheritdoc/>
    public override string ToString() => Most switch
    {
        null when Step > 1 => $"{Least}-{Step}n",
        null => $"{Least}-n",
        var most when most == Least => $"{Least}",
        var most => $"{Least}-{most}"
    };
}
