namespace ImageApi.Origins.Dicomweb;

/// <summary>How a compressed frame begins: bytes that begin otherwise are not what their transfer syntax says.</summary>
internal static class FrameSignatures
{
    public static bool Fits(string transferSyntaxUid, ReadOnlySpan<byte> bytes) => transferSyntaxUid switch
    {
        // ISO 10918-1 and 14495-1: SOI. PS3.5 A.4: nothing stands before it.
        "1.2.840.10008.1.2.4.50" or "1.2.840.10008.1.2.4.51" or "1.2.840.10008.1.2.4.57" or "1.2.840.10008.1.2.4.70" or "1.2.840.10008.1.2.4.80" or "1.2.840.10008.1.2.4.81" => bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8]),
        // ISO 15444-1: SOC and SIZ; some writers leave the file format's boxes around them.
        "1.2.840.10008.1.2.4.90" or "1.2.840.10008.1.2.4.91" or "1.2.840.10008.1.2.4.92" or "1.2.840.10008.1.2.4.93"
            or "1.2.840.10008.1.2.4.201" or "1.2.840.10008.1.2.4.202" or "1.2.840.10008.1.2.4.203" => bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x4F, 0xFF, 0x51]) || bytes.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 0x0C, 0x6A, 0x50]),
        // PS3.5 G.5: the number of segments, at most 15, and the first one's offset.
        "1.2.840.10008.1.2.5" => bytes.Length >= 64 && bytes[0] is > 0 and <= 15 && bytes[1] == 0 && bytes[2] == 0 && bytes[3] == 0 && bytes[4] == 64 && bytes[5] == 0,
        _ => bytes.Length > 0,
    };
}
