using System.Collections.Frozen;

namespace ImageApi.Negotiation;

/// <summary>The media type of one frame in each transfer syntax (PS3.18 table 8.7.3-5).</summary>
internal static class TransferSyntaxMediaTypes
{
    public const string OctetStream = "application/octet-stream";
    public const string Dicom = "application/dicom";
    public const string ExplicitVrLittleEndian = "1.2.840.10008.1.2.1";

    private static readonly FrozenDictionary<string, string> ByUid = new Dictionary<string, string>
    {
        ["1.2.840.10008.1.2.4.50"] = "image/jpeg",
        ["1.2.840.10008.1.2.4.51"] = "image/jpeg",
        ["1.2.840.10008.1.2.4.57"] = "image/jpeg",
        ["1.2.840.10008.1.2.4.70"] = "image/jpeg",
        ["1.2.840.10008.1.2.4.80"] = "image/jls",
        ["1.2.840.10008.1.2.4.81"] = "image/jls",
        ["1.2.840.10008.1.2.4.90"] = "image/jp2",
        ["1.2.840.10008.1.2.4.91"] = "image/jp2",
        ["1.2.840.10008.1.2.4.92"] = "image/jpx",
        ["1.2.840.10008.1.2.4.93"] = "image/jpx",
        ["1.2.840.10008.1.2.4.110"] = "image/jxl",
        ["1.2.840.10008.1.2.4.111"] = "image/jxl",
        ["1.2.840.10008.1.2.4.112"] = "image/jxl",
        ["1.2.840.10008.1.2.4.201"] = "image/jphc",
        ["1.2.840.10008.1.2.4.202"] = "image/jphc",
        ["1.2.840.10008.1.2.4.203"] = "image/jphc",
        ["1.2.840.10008.1.2.4.100"] = "video/mpeg",
        ["1.2.840.10008.1.2.4.101"] = "video/mpeg",
        ["1.2.840.10008.1.2.4.102"] = "video/mp4",
        ["1.2.840.10008.1.2.4.103"] = "video/mp4",
        ["1.2.840.10008.1.2.4.104"] = "video/mp4",
        ["1.2.840.10008.1.2.4.105"] = "video/mp4",
        ["1.2.840.10008.1.2.4.106"] = "video/mp4",
        ["1.2.840.10008.1.2.4.107"] = "video/mp4",
        ["1.2.840.10008.1.2.4.108"] = "video/mp4",
        ["1.2.840.10008.1.2.5"] = "image/dicom-rle",
        ["1.2.840.10008.1.2.8.1"] = "application/x-deflate",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The media type of a frame as stored; <c>application/octet-stream</c> where the standard names none.</summary>
    public static string OfFrame(string transferSyntaxUid) => ByUid.GetValueOrDefault(transferSyntaxUid, OctetStream);
}
