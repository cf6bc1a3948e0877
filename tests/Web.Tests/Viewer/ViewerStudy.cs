using System.Net.Http.Headers;
using Platform.Dicom;
using Platform.Tests.Shared;
using Web.Tests.Support;

namespace Web.Tests.Viewer;

/// <summary>
/// One more study, stored once, of what is not a plain CT: a colour series of several frames, a series with one frame that cannot be
/// decoded, and a series of documents.
/// </summary>
public sealed class ViewerStudy(StackFixture stack) : IAsyncLifetime
{
    public const string Study = "1.2.826.0.1.3680043.10.1.790";
    public const string ColorSeries = Study + ".1";
    public const int ColorFrames = 3;
    public const string BrokenSeries = Study + ".2";
    public const int BrokenSlices = 5;

    /// <summary>In display order.</summary>
    public const int BrokenSlice = 3;
    public const string DocumentSeries = Study + ".3";

    private const int Size = 24;

    /// <summary>Red of a pixel; green is 40 more, blue 80 more.</summary>
    public static byte Red(int frame, int row) => (byte)(20 + 50 * frame + (row < Size / 2 ? 0 : 30));

    public async Task InitializeAsync()
    {
        var files = new List<byte[]>
        {
            Name(new DicomBuilder
            {
                StudyUid = Study, SeriesUid = ColorSeries, InstanceUid = ColorSeries + ".1", Modality = "US",
                SopClassUid = DicomUids.UltrasoundMultiFrameImageStorage,
                Rows = Size, Columns = Size, Frames = ColorFrames, BitsAllocated = 8, SamplesPerPixel = 3,
                Pixel = static (frame, row, _) => Red(frame, row),
            }, 1, "colour loop").Build(),
        };
        for (var slice = 0; slice < BrokenSlices; slice++)
        {
            files.Add(Name(new DicomBuilder
            {
                StudyUid = Study,
                SeriesUid = BrokenSeries,
                InstanceUid = Text($"{BrokenSeries}.{slice + 1}"),
                InstanceNumber = slice + 1,
                Rows = Size,
                Columns = Size,
                TransferSyntax = DicomTransferSyntax.RleLossless,
                // A header that promises one segment where 16 bits need two (PS3.5 G.2).
                CompressedFrame = slice == BrokenSlice ? static _ => [1, .. new byte[79]] : null,
            }, 2, "one slice is damaged").Build());
        }

        files.Add(Document());
        using var content = new MultipartContent("related", "viewer-study");
        content.Headers.ContentType!.Parameters.Add(new NameValueHeaderValue("type", "\"application/dicom\""));
        foreach (var file in files)
        {
            var part = new ByteArrayContent(file);
            part.Headers.ContentType = new MediaTypeHeaderValue("application/dicom");
            content.Add(part);
        }

        using var http = new HttpClient { BaseAddress = stack.ImageApi.Address };
        using var answer = await http.PostAsync("dicomweb/studies", content);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    private static DicomBuilder Name(DicomBuilder builder, int number, string description) => builder
        .With(DicomTags.PatientName, "VIEWER^VERA")
        .With(DicomTags.PatientID, "VIEW-1")
        .With(DicomTags.SeriesNumber, (long)number)
        .With(DicomTags.SeriesDescription, description);

    private static byte[] Document()
    {
        var dataset = new DicomDataset()
            .Set(DicomTags.SOPClassUID, DicomUids.BasicTextSRStorage)
            .Set(DicomTags.SOPInstanceUID, DocumentSeries + ".1")
            .Set(DicomTags.StudyInstanceUID, Study)
            .Set(DicomTags.SeriesInstanceUID, DocumentSeries)
            .Set(DicomTags.StudyDate, "20261120")
            .Set(DicomTags.Modality, "SR")
            .Set(DicomTags.SeriesNumber, 3)
            .Set(DicomTags.InstanceNumber, 1)
            .Set(DicomTags.SeriesDescription, "report")
            .Set(DicomTags.PatientName, "VIEWER^VERA")
            .Set(DicomTags.PatientID, "VIEW-1");
        using var stream = new MemoryStream();
        using var file = new DicomFile(dataset, DicomTransferSyntax.ExplicitVrLittleEndian);
        DicomWriter.Write(stream, file);
        return stream.ToArray();
    }

    private static string Text(FormattableString text) => text.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
