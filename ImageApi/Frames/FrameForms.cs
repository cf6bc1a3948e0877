using System.Collections.Frozen;
using ImageApi.Catalog;
using ImageApi.Negotiation;
using Platform.Codecs;
using Platform.Codecs.Htj2k;
using Platform.Codecs.Jpeg2000;
using Platform.Codecs.JpegLs;
using Platform.Dicom;
using Platform.TieredCache;

namespace ImageApi.Frames;

/// <summary>Which forms the frames of an instance have, and what each is called.</summary>
internal static class FrameForms
{
    public const string ExplicitVrLittleEndian = "1.2.840.10008.1.2.1", Htj2k = "1.2.840.10008.1.2.4.201", Htj2kRpcl = "1.2.840.10008.1.2.4.202", JpegLs = "1.2.840.10008.1.2.4.80";

    // Another number whenever a decoder of ours gives other pixels for the same bytes: everything that is made of pixels is then made anew.
    private const int DecoderVersion = 1;

    private static readonly RecipeId RawRecipe = RecipeId.Of("raw", DecoderVersion);
    private static readonly RecipeId Htj2kRecipe = RecipeId.Of(new Htj2kFrameEncoder().Recipe, DecoderVersion);
    private static readonly RecipeId JpegLsRecipe = RecipeId.Of(new JpegLsFrameEncoder().Recipe, DecoderVersion);

    /// <summary>
    /// Who decodes the transfer syntaxes that may lose something, with the version of what it gives: part of the pixel digest, because another decoder may
    /// rightly give other pixels.
    /// </summary>
    private static readonly FrozenDictionary<string, string> LossyDecoders = new Dictionary<string, string>
    {
        ["1.2.840.10008.1.2.4.50"] = "jpeg/1",
        ["1.2.840.10008.1.2.4.51"] = "jpeg/1",
        ["1.2.840.10008.1.2.4.53"] = "jpeg/1",
        ["1.2.840.10008.1.2.4.55"] = "jpeg/1",
        ["1.2.840.10008.1.2.4.81"] = "jpegls-near/1",
        ["1.2.840.10008.1.2.4.91"] = "jpeg2000/1",
        ["1.2.840.10008.1.2.4.203"] = "htj2k/1",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>
    /// What the derived streams are made by, for URLs: 8 hexadecimal digits that change whenever the bytes of a derived frame may. A prefix and a rest fit
    /// together only where both were made by the same.
    /// </summary>
    public static string Encoding { get; } = Htj2kRecipe.ToString()[..8];

    /// <summary>The transfer syntax of the frames as the origin gives them: explicit VR little endian for all native pixels.</summary>
    public static string StoredSyntaxOf(InstanceEntry instance) =>
        DicomTransferSyntax.FromUid(instance.TransferSyntaxUid) is { IsEncapsulated: true } syntax ? syntax.Uid : ExplicitVrLittleEndian;

    /// <summary>The transfer syntax of a form; of <see cref="FrameForm.AsStored"/> see <see cref="StoredSyntaxOf"/>.</summary>
    public static string SyntaxOf(FrameForm form) => form switch
    {
        FrameForm.Raw => ExplicitVrLittleEndian,
        FrameForm.Htj2kRpcl => Htj2kRpcl,
        FrameForm.Htj2k => Htj2k,
        FrameForm.JpegLs => JpegLs,
        _ => throw new ArgumentOutOfRangeException(nameof(form)),
    };

    /// <summary>The media type of a derived form, as single-part answers carry it.</summary>
    public static string ContentTypeOf(FrameForm form) => $"{TransferSyntaxMediaTypes.OfFrame(SyntaxOf(form))};transfer-syntax={SyntaxOf(form)}";

    /// <summary>The form that gives an instance's frames in a transfer syntax that was offered for them.</summary>
    public static FrameForm Of(InstanceEntry instance, string transferSyntaxUid) => transferSyntaxUid == StoredSyntaxOf(instance) ? FrameForm.AsStored : transferSyntaxUid switch
    {
        ExplicitVrLittleEndian => FrameForm.Raw,
        Htj2kRpcl => FrameForm.Htj2kRpcl,
        Htj2k => FrameForm.Htj2k,
        JpegLs => FrameForm.JpegLs,
        _ => FrameForm.AsStored,
    };

    /// <summary>Whether the frames as stored are already what the form is.</summary>
    public static bool IsAsStored(InstanceEntry instance, FrameForm form) =>
        form == FrameForm.AsStored || StoredSyntaxOf(instance) is var stored && (stored == SyntaxOf(form) || (form == FrameForm.Htj2k && stored == Htj2kRpcl));

    /// <summary>Whether frames can be decoded here; others only go out as stored: JPEG XL, video, what is not known.</summary>
    public static bool CanDecode(InstanceEntry instance) => instance.TransferSyntaxUid.Length > 0 && FrameDecoders.For(StoredSyntaxOf(instance)) is not null;

    /// <summary>Whether the decoder can leave out resolutions.</summary>
    public static bool CanReduce(InstanceEntry instance) => FrameDecoders.For(StoredSyntaxOf(instance)) is Htj2kFrameDecoder or Jpeg2000FrameDecoder;

    /// <summary>Whether the lossless encoders take the decoded frames: whole bytes of at most 16 bits, one or three samples.</summary>
    public static bool CanEncode(InstanceEntry instance) =>
        CanDecode(instance) && instance is { BitsAllocated: 8 or 16, SamplesPerPixel: 1 or 3, Rows: > 0, Columns: > 0 } && instance.BitsStored >= 1 && instance.BitsStored <= instance.BitsAllocated;

    /// <summary>
    /// Whether lower resolutions of a frame mean something and its HTJ2K is worth making: grey or RGB, and nothing lost as stored (what was lost once is
    /// larger without loss). Averages of palette indexes are no pictures, and YBR as stored is left to who asks for it.
    /// </summary>
    public static bool HasPreview(InstanceEntry instance) =>
        CanEncode(instance) && LossyDecoderOf(instance) is null && instance.Photometric is "MONOCHROME1" or "MONOCHROME2" or "RGB" or "YBR_RCT"
        && (instance.SamplesPerPixel == 3) == instance.Photometric is "RGB" or "YBR_RCT";

    /// <summary>The decoder of frames that may have lost something, with its version; null where decoding gives back what was encoded.</summary>
    public static string? LossyDecoderOf(InstanceEntry instance) => LossyDecoders.GetValueOrDefault(StoredSyntaxOf(instance));

    /// <summary>How a form is made. <see cref="RecipeId.AsStored"/> where nothing is.</summary>
    public static RecipeId RecipeOf(InstanceEntry instance, FrameForm form) => IsAsStored(instance, form) ? RecipeId.AsStored : form switch
    {
        FrameForm.Raw => RawRecipe,
        FrameForm.Htj2kRpcl or FrameForm.Htj2k => Htj2kRecipe,
        FrameForm.JpegLs => JpegLsRecipe,
        _ => throw new ArgumentOutOfRangeException(nameof(form)),
    };
}
