using System.Collections.Concurrent;
using ImageApi.Catalog;
using ImageApi.Negotiation;
using Platform.Dicom;

namespace ImageApi.Frames;

/// <summary>
/// What frames can be had as (PS3.18 8.7.3.3 and 8.7.4). Native pixels go out as raw explicit VR little endian; compressed ones as stored, under their
/// own media type or, for who names the transfer syntax or <c>*</c>, as <c>application/octet-stream</c>. What would need decoding is not offered.
/// </summary>
internal static class FrameRepresentations
{
    private static readonly Offer[] Native =
    [
        new(TransferSyntaxMediaTypes.OctetStream, IsMultipart: true, TransferSyntaxMediaTypes.ExplicitVrLittleEndian),
        new(TransferSyntaxMediaTypes.OctetStream, IsMultipart: false, TransferSyntaxMediaTypes.ExplicitVrLittleEndian),
    ];

    // Of known transfer syntaxes only: a UID from a file must not be able to fill memory.
    private static readonly ConcurrentDictionary<string, Offer[]> Encapsulated = new(StringComparer.Ordinal);

    /// <summary>The offers, best first. A single part holds a single frame.</summary>
    public static IReadOnlyList<Offer> Of(InstanceEntry instance, bool isSingleFrame)
    {
        var syntax = DicomTransferSyntax.FromUid(instance.TransferSyntaxUid);
        var offers = !syntax.IsEncapsulated ? Native
            : syntax.IsKnown ? Encapsulated.GetOrAdd(syntax.Uid, OfEncapsulated)
            : OfEncapsulated(syntax.Uid);
        return isSingleFrame ? offers : Array.FindAll(offers, static offer => offer.IsMultipart);
    }

    private static Offer[] OfEncapsulated(string uid)
    {
        var mediaType = TransferSyntaxMediaTypes.OfFrame(uid);
        Offer[] octets =
        [
            new(TransferSyntaxMediaTypes.OctetStream, IsMultipart: true, uid, NeedsTransferSyntax: true),
            new(TransferSyntaxMediaTypes.OctetStream, IsMultipart: false, uid, NeedsTransferSyntax: true),
        ];
        return mediaType == TransferSyntaxMediaTypes.OctetStream
            ? octets
            : [new(mediaType, IsMultipart: true, uid), new(mediaType, IsMultipart: false, uid), .. octets];
    }
}
