namespace Platform.Dicom;

/// <summary>
/// A value representation (PS3.5 6.2). The number is its two letters as they stand in a file, the first in the low byte,
/// so that an explicit VR is read without a table.
/// </summary>
public enum DicomVr : ushort
{
    None = 0,
    AE = 'A' | 'E' << 8,
    AS = 'A' | 'S' << 8,
    AT = 'A' | 'T' << 8,
    CS = 'C' | 'S' << 8,
    DA = 'D' | 'A' << 8,
    DS = 'D' | 'S' << 8,
    DT = 'D' | 'T' << 8,
    FD = 'F' | 'D' << 8,
    FL = 'F' | 'L' << 8,
    IS = 'I' | 'S' << 8,
    LO = 'L' | 'O' << 8,
    LT = 'L' | 'T' << 8,
    OB = 'O' | 'B' << 8,
    OD = 'O' | 'D' << 8,
    OF = 'O' | 'F' << 8,
    OL = 'O' | 'L' << 8,
    OV = 'O' | 'V' << 8,
    OW = 'O' | 'W' << 8,
    PN = 'P' | 'N' << 8,
    SH = 'S' | 'H' << 8,
    SL = 'S' | 'L' << 8,
    SQ = 'S' | 'Q' << 8,
    SS = 'S' | 'S' << 8,
    ST = 'S' | 'T' << 8,
    SV = 'S' | 'V' << 8,
    TM = 'T' | 'M' << 8,
    UC = 'U' | 'C' << 8,
    UI = 'U' | 'I' << 8,
    UL = 'U' | 'L' << 8,
    UN = 'U' | 'N' << 8,
    UR = 'U' | 'R' << 8,
    US = 'U' | 'S' << 8,
    UT = 'U' | 'T' << 8,
    UV = 'U' | 'V' << 8,
}

/// <summary>What a value representation implies for reading and writing.</summary>
public static class DicomVrExtensions
{
    [Flags]
    private enum Traits : ushort
    {
        None = 0,
        Known = 1,
        LongHeader = 2,         // 2 reserved bytes and a 32-bit length in explicit VR (PS3.5 7.1.2)
        Text = 4,
        CharacterSet = 8,       // text in the specific character set, else the default repertoire
        SingleValued = 16,      // a backslash is text, not a delimiter
        Numeric = 32,           // binary numbers
        Bulk = 64,              // O* and UN: bytes or words without a text form
        Size1 = 1 << 8, Size2 = 2 << 8, Size4 = 4 << 8, Size8 = 8 << 8,
    }

    // 26 x 26 letters; one look-up answers every question about a VR.
    private static readonly Traits[] Table = BuildTable();

    private static Traits[] BuildTable()
    {
        var table = new Traits[26 * 26];
        Add(Traits.Text | Traits.Size1, DicomVr.AE, DicomVr.AS, DicomVr.CS, DicomVr.DA, DicomVr.DS, DicomVr.DT, DicomVr.IS, DicomVr.TM, DicomVr.UI);
        Add(Traits.Text | Traits.CharacterSet | Traits.Size1, DicomVr.LO, DicomVr.PN, DicomVr.SH);
        Add(Traits.Text | Traits.CharacterSet | Traits.SingleValued | Traits.Size1, DicomVr.LT, DicomVr.ST);
        Add(Traits.Text | Traits.CharacterSet | Traits.LongHeader | Traits.Size1, DicomVr.UC);
        Add(Traits.Text | Traits.CharacterSet | Traits.SingleValued | Traits.LongHeader | Traits.Size1, DicomVr.UT);
        Add(Traits.Text | Traits.SingleValued | Traits.LongHeader | Traits.Size1, DicomVr.UR);
        Add(Traits.Numeric | Traits.Size2, DicomVr.US, DicomVr.SS, DicomVr.AT);
        Add(Traits.Numeric | Traits.Size4, DicomVr.UL, DicomVr.SL, DicomVr.FL);
        Add(Traits.Numeric | Traits.Size8, DicomVr.FD);
        Add(Traits.Numeric | Traits.LongHeader | Traits.Size8, DicomVr.SV, DicomVr.UV);
        Add(Traits.Bulk | Traits.LongHeader | Traits.Size1, DicomVr.OB, DicomVr.UN);
        Add(Traits.Bulk | Traits.LongHeader | Traits.Size2, DicomVr.OW);
        Add(Traits.Bulk | Traits.LongHeader | Traits.Size4, DicomVr.OL, DicomVr.OF);
        Add(Traits.Bulk | Traits.LongHeader | Traits.Size8, DicomVr.OD, DicomVr.OV);
        Add(Traits.LongHeader | Traits.Size1, DicomVr.SQ);
        return table;

        void Add(Traits traits, params ReadOnlySpan<DicomVr> vrs)
        {
            foreach (var vr in vrs) table[Index(vr)] = traits | Traits.Known;
        }
    }

    private static int Index(DicomVr vr) => ((int)vr & 0xFF) - 'A' + 26 * (((int)vr >> 8) - 'A');

    private static Traits Of(DicomVr vr)
    {
        uint first = ((uint)vr & 0xFF) - 'A', second = ((uint)vr >> 8) - 'A';
        return first < 26 && second < 26 ? Table[first + 26 * second] : Traits.None;
    }

    extension(DicomVr vr)
    {
        /// <summary>Whether the standard defines this VR.</summary>
        public bool IsKnown => Of(vr) != 0;

        /// <summary>Whether explicit VR gives it a 32-bit length after two reserved bytes (PS3.5 7.1.2).</summary>
        public bool IsLong => (Of(vr) & Traits.LongHeader) != 0;

        /// <summary>Whether the value is text of any kind, numbers as text (DS, IS), dates and UIDs included.</summary>
        public bool IsText => (Of(vr) & Traits.Text) != 0;

        /// <summary>Whether the text is in the specific character set, (0008,0005): LO LT PN SH ST UC UT.</summary>
        public bool UsesCharacterSet => (Of(vr) & Traits.CharacterSet) != 0;

        /// <summary>Whether a backslash is part of the text: LT ST UR UT.</summary>
        public bool IsSingleValued => (Of(vr) & Traits.SingleValued) != 0;

        /// <summary>Whether the values are binary numbers or tags: AT FD FL SL SS SV UL US UV.</summary>
        public bool IsNumeric => (Of(vr) & Traits.Numeric) != 0;

        /// <summary>Whether the value is bytes or words without a text form: OB OD OF OL OV OW UN.</summary>
        public bool IsBulk => (Of(vr) & Traits.Bulk) != 0;

        /// <summary>Bytes in the unit that byte order applies to: 1, 2, 4 or 8 (AT: 2, it is two words); 1 for an unknown VR.</summary>
        public int UnitBytes => Math.Max(1, (int)Of(vr) >> 8);

        /// <summary>Bytes of one value of a numeric VR (AT: 4); 1 for all others.</summary>
        public int NumberBytes => vr == DicomVr.AT ? 4 : (Of(vr) & Traits.Numeric) != 0 ? (int)Of(vr) >> 8 : 1;

        /// <summary>The byte that pads a value to even length: a space for text but UI, else 0 (PS3.5 6.2).</summary>
        public byte PaddingByte => vr != DicomVr.UI && (Of(vr) & Traits.Text) != 0 ? (byte)' ' : (byte)0;
    }

    /// <summary>The VR of two letters, such as "PN"; false for what the standard does not define.</summary>
    public static bool TryParse(ReadOnlySpan<char> letters, out DicomVr vr)
    {
        vr = letters.Length == 2 && letters[0] < 128 && letters[1] < 128 ? (DicomVr)(letters[0] | letters[1] << 8) : DicomVr.None;
        if (vr.IsKnown) return true;
        vr = DicomVr.None;
        return false;
    }
}
