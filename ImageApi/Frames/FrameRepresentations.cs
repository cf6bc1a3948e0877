using System.Collections.Concurrent;
using ImageApi.Catalog;
using ImageApi.Negotiation;
using Platform.Dicom;

namespace ImageApi.Frames;

/// <summary>
/// What frames can be had as (PS3.18 8.7.3.3 and 8.7.4), best first: as stored, under their own media type or, for who names the transfer syntax or
/// <c>*</c>, as <c>application/octet-stream</c>; then raw explicit VR little endian; then re-encoded without loss. <see cref="FrameForms"/> says which of these an
/// instance has.
/// </summary>
internal static class FrameRepresentations
{
    private static readonly FrameForm[] Encoded = [FrameForm.Htj2kRpcl, FrameForm.Htj2k, FrameForm.JpegLs];

    // Of known transfer syntaxes only: a UID from a file must not be able to fill memory.
    private static readonly ConcurrentDictionary<(string Uid, bool CanEncode, bool IsSingleFrame), Offer[]> Known = new();

    /// <summary>The offers, best first. A single part holds a single frame.</summary>
    public static IReadOnlyList<Offer> Of(InstanceEntry instance, bool isSingleFrame)
    {
        var syntax = DicomTransferSyntax.FromUid(instance.TransferSyntaxUid);
        var key = (FrameForms.StoredSyntaxOf(instance), FrameForms.CanEncode(instance), isSingleFrame);
        return syntax.IsKnown ? Known.GetOrAdd(key, static (key, entry) => Make(entry, key.CanEncode, key.IsSingleFrame), instance) : Make(instance, key.Item2, isSingleFrame);
    }

    /// <summary>The same without a form that turned out not to be had.</summary>
    public static IReadOnlyList<Offer> Without(IReadOnlyList<Offer> offers, Offer failed) => [.. offers.Where(offer => offer.TransferSyntax != failed.TransferSyntax)];

    private static Offer[] Make(InstanceEntry instance, bool canEncode, bool isSingleFrame)
    {
        var stored = FrameForms.StoredSyntaxOf(instance);
        var mediaType = stored == FrameForms.ExplicitVrLittleEndian ? TransferSyntaxMediaTypes.OctetStream : TransferSyntaxMediaTypes.OfFrame(stored);
        var offers = new List<Offer>();
        if (mediaType != TransferSyntaxMediaTypes.OctetStream) Add(mediaType, stored);
        Add(TransferSyntaxMediaTypes.OctetStream, stored, needsTransferSyntax: stored != FrameForms.ExplicitVrLittleEndian);
        if (FrameForms.CanDecode(instance)) AddForm(FrameForm.Raw);
        if (canEncode)
            foreach (var form in Encoded) AddForm(form);
        return isSingleFrame ? [.. offers] : [.. offers.Where(static offer => offer.IsMultipart)];

        void AddForm(FrameForm form)
        {
            var syntax = FrameForms.SyntaxOf(form);
            if (syntax != stored) Add(TransferSyntaxMediaTypes.OfFrame(syntax), syntax);
        }

        void Add(string type, string syntax, bool needsTransferSyntax = false)
        {
            offers.Add(new Offer(type, IsMultipart: true, syntax, needsTransferSyntax));
            offers.Add(new Offer(type, IsMultipart: false, syntax, needsTransferSyntax));
        }
    }
}
