using ImageApi.Catalog;
using ImageApi.Negotiation;
using ImageApi.Problems;

namespace ImageApi.Retrieve;

/// <summary>
/// What instances, metadata and bulk data can be had as. Instances go out as stored: a request that names another transfer syntax than the
/// stored one cannot be answered; one that names none gets the stored one, which a Part 10 file says itself.
/// </summary>
internal static class RetrieveOffers
{
    public const string DicomJson = "application/dicom+json";

    // Stands for several transfer syntaxes in one answer: equal to no UID.
    private const string Mixed = "mixed";

    public static readonly IReadOnlyList<Offer> Metadata = [new(DicomJson), new("application/json")];

    public static readonly IReadOnlyList<Offer> BulkData =
        [new(TransferSyntaxMediaTypes.OctetStream), new(TransferSyntaxMediaTypes.OctetStream, IsMultipart: true)];

    public static IReadOnlyList<Offer> Instance(InstanceEntry instance) =>
    [
        new(TransferSyntaxMediaTypes.Dicom, IsMultipart: true, instance.TransferSyntaxUid),
        new(TransferSyntaxMediaTypes.Dicom, IsMultipart: false, instance.TransferSyntaxUid),
    ];

    public static IReadOnlyList<Offer> Instances(IEnumerable<InstanceEntry> instances)
    {
        string? common = null;
        foreach (var instance in instances)
        {
            if (common is null)
                common = instance.TransferSyntaxUid;
            else if (common != instance.TransferSyntaxUid)
                common = Mixed;
        }
        return [new(TransferSyntaxMediaTypes.Dicom, IsMultipart: true, common ?? Mixed)];
    }

    public static Problem NotAcceptableInstances => Problem.NotAcceptable(
        "Instances are not transcoded: they can be had as multipart/related;type=\"application/dicom\";transfer-syntax=*, and a single one as application/dicom;transfer-syntax=*.");

    public static Problem NotAcceptableMetadata => Problem.NotAcceptable($"Metadata can be had as {DicomJson}.");

    public static Problem NotAcceptableBulkData => Problem.NotAcceptable(
        "Bulk data can be had as application/octet-stream, alone or as multipart/related;type=\"application/octet-stream\".");
}
