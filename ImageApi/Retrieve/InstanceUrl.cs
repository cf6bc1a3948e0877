using System.Globalization;
using System.Text;
using ImageApi.Catalog;
using Platform.Dicom.Json;

namespace ImageApi.Retrieve;

/// <summary>
/// Where instances and what they hold are found on this server. Paths without a host: the same whatever name the server is called by, so that
/// documents holding them can be kept and shared.
/// </summary>
internal static class InstanceUrl
{
    public static string Of(InstanceEntry instance) =>
        $"/dicomweb/studies/{instance.StudyUid}/series/{instance.SeriesUid}/instances/{instance.SopUid}";

    public static string OfFrame(InstanceEntry instance, int frameNumber) =>
        string.Create(CultureInfo.InvariantCulture, $"{Of(instance)}/frames/{frameNumber}");

    /// <summary>The path of a value below <c>bulkdata/</c>: tags with 0-based item numbers between them, as <c>ReadBulkDataAsync</c> takes it.</summary>
    public static string BulkDataPath(in DicomBulkValue value)
    {
        if (value.Path.IsEmpty)
            return value.Tag.ToJsonKey();
        var path = new StringBuilder();
        foreach (var step in value.Path)
            path.Append(CultureInfo.InvariantCulture, $"{step.Sequence.ToJsonKey()}/{step.ItemIndex}/");
        return path.Append(value.Tag.ToJsonKey()).ToString();
    }
}
