using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Platform.Dicom;

/// <summary>What a unique identifier of the standard names.</summary>
public enum DicomUidKind : byte
{
    /// <summary>Something else: an application context, a service class, a mapping resource.</summary>
    Other = 0,

    /// <summary>A transfer syntax.</summary>
    TransferSyntax = 1,

    /// <summary>A SOP class.</summary>
    SopClass = 2,

    /// <summary>A meta SOP class.</summary>
    MetaSopClass = 3,

    /// <summary>A well-known SOP instance.</summary>
    SopInstance = 4,

    /// <summary>A well-known or synchronisation frame of reference.</summary>
    FrameOfReference = 5,

    /// <summary>A coding scheme.</summary>
    CodingScheme = 6
}

/// <summary>The unique identifiers of the standard (PS3.6 annex A), under their keywords, and what is known of them.</summary>
public static partial class DicomUids
{
    /// <summary>The row of a unique identifier of the standard; false when it is not one.</summary>
    public static bool TryGet(ReadOnlySpan<char> uid, out DicomUidEntry entry)
    {
        int low = 0, high = Count - 1;
        while (low <= high)
        {
            var row = (low + high) >>> 1;
            var order = Compare(ValueOf(row), uid);
            if (order == 0)
            {
                entry = new DicomUidEntry(row);
                return true;
            }

            if (order < 0) low = row + 1;
            else high = row - 1;
        }

        entry = default;
        return false;
    }

    /// <summary>The name of a unique identifier, as in <c>CT Image Storage</c>; the identifier itself when the standard has no such one.</summary>
    public static string GetName(string uid) => TryGet(uid, out var entry) ? entry.Name : uid;

    /// <summary>
    /// A unique identifier made from a name (PS3.5 B.2): <c>2.25.</c> and a UUID of version 8 from the name's SHA-256. Equal names give equal
    /// identifiers, so the name has to say all that makes the thing unique.
    /// </summary>
    public static string FromName(string name)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        var id = hash[..16];
        id[6] = (byte)((id[6] & 0x0F) | 0x80);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return "2.25." + new BigInteger(id, isUnsigned: true, isBigEndian: true).ToString(CultureInfo.InvariantCulture);
    }

    private static int Compare(ReadOnlySpan<byte> ascii, ReadOnlySpan<char> text)
    {
        var shared = Math.Min(ascii.Length, text.Length);
        for (var i = 0; i < shared; i++)
            if (ascii[i] != text[i])
                return ascii[i] - text[i];
        return ascii.Length - text.Length;
    }

    internal static ReadOnlySpan<byte> ValueOf(int row) => DicomDictionary.Cut(ValueBytes, ValueEnds, row);

    internal static ReadOnlySpan<byte> KeywordOf(int row) => DicomDictionary.Cut(KeywordBytes, KeywordEnds, row);

    internal static ReadOnlySpan<byte> NameOf(int row) => DicomDictionary.Cut(NameBytes, NameEnds, row);

    internal static DicomUidKind KindOf(int row) => (DicomUidKind)Kinds[row];

    internal static bool IsRetired(int row) => (Retired[row >> 3] >> (row & 7) & 1) == 1;
}

/// <summary>One row of the table of unique identifiers.</summary>
public readonly struct DicomUidEntry
{
    private readonly int _row;

    internal DicomUidEntry(int row) => _row = row;

    /// <summary>The identifier. Makes a new string.</summary>
    public string Value => Encoding.ASCII.GetString(DicomUids.ValueOf(_row));

    /// <summary>The keyword, as in <c>CTImageStorage</c>. Makes a new string.</summary>
    public string Keyword => Encoding.ASCII.GetString(DicomUids.KeywordOf(_row));

    /// <summary>The name, as in <c>CT Image Storage</c>. Makes a new string.</summary>
    public string Name => Encoding.ASCII.GetString(DicomUids.NameOf(_row));

    /// <summary>What the identifier names.</summary>
    public DicomUidKind Kind => DicomUids.KindOf(_row);

    /// <summary>Whether the standard has retired it.</summary>
    public bool IsRetired => DicomUids.IsRetired(_row);
}
