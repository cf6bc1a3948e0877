using System.Collections.Frozen;
using Platform.Codecs.Deflated;
using Platform.Codecs.Htj2k;
using Platform.Codecs.Jpeg;
using Platform.Codecs.Jpeg2000;
using Platform.Codecs.JpegLossless;
using Platform.Codecs.JpegLs;
using Platform.Codecs.Native;
using Platform.Codecs.Rle;

namespace Platform.Codecs;

/// <summary>Which decoder reads the frames of a transfer syntax (PS3.5 annex A).</summary>
public static class FrameDecoders
{
    /// <summary>Explicit VR little endian, which stands for all native pixels once they were brought into that byte order.</summary>
    public const string NativeUid = "1.2.840.10008.1.2.1";

    private static readonly FrozenDictionary<string, IFrameDecoder> ByUid = new Dictionary<string, IFrameDecoder>(StringComparer.Ordinal)
    {
        [NativeUid] = new NativeFrameDecoder(),
        ["1.2.840.10008.1.2.1.98"] = new NativeFrameDecoder(),
        ["1.2.840.10008.1.2.5"] = new RleFrameDecoder(),
        ["1.2.840.10008.1.2.8.1"] = new DeflatedFrameDecoder(),
        ["1.2.840.10008.1.2.4.50"] = new JpegFrameDecoder(),
        ["1.2.840.10008.1.2.4.51"] = new JpegFrameDecoder(),
        ["1.2.840.10008.1.2.4.53"] = new JpegFrameDecoder(),
        ["1.2.840.10008.1.2.4.55"] = new JpegFrameDecoder(),
        ["1.2.840.10008.1.2.4.57"] = new JpegLosslessFrameDecoder(),
        ["1.2.840.10008.1.2.4.70"] = new JpegLosslessFrameDecoder(),
        ["1.2.840.10008.1.2.4.80"] = new JpegLsFrameDecoder(),
        ["1.2.840.10008.1.2.4.81"] = new JpegLsFrameDecoder(),
        ["1.2.840.10008.1.2.4.90"] = new Jpeg2000FrameDecoder(),
        ["1.2.840.10008.1.2.4.91"] = new Jpeg2000FrameDecoder(),
        ["1.2.840.10008.1.2.4.201"] = new Htj2kFrameDecoder(),
        ["1.2.840.10008.1.2.4.202"] = new Htj2kFrameDecoder(),
        ["1.2.840.10008.1.2.4.203"] = new Htj2kFrameDecoder(),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The decoder of a transfer syntax, null where its frames can only be passed on as stored.</summary>
    public static IFrameDecoder? For(string transferSyntaxUid) => ByUid.GetValueOrDefault(transferSyntaxUid);
}
