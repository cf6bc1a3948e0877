using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Web.Dicomweb;

/// <summary>A page of studies; <see cref="Total"/> is how many match in all, null where ImageApi did not say.</summary>
public sealed record StudyPage(IReadOnlyList<StudySummary> Studies, int? Total);

/// <summary>A study with its series in the order in which a viewer lists them.</summary>
public sealed record StudyWithSeries(StudySummary Study, IReadOnlyList<SeriesSummary> Series)
{
    /// <summary>The series that a viewer opens first, or null where there are no pictures.</summary>
    public SeriesSummary? FirstImages => Series.FirstOrDefault(static series => series.HasImages);
}

/// <summary>ImageApi could not answer: <paramref name="timedOut"/> tells slow from down. Never carries the query.</summary>
internal sealed class ImageApiUnavailableException(bool timedOut, Exception? inner = null)
    : Exception(timedOut ? "ImageApi did not answer in time." : "ImageApi cannot be reached or failed.", inner)
{
    public bool TimedOut => timedOut;
}

/// <summary>QIDO-RS (PS3.18 10.6) as the pages need it, from server to server: patient values never reach a browser's address bar.</summary>
internal sealed class StudiesClient(HttpClient http)
{
    private const string StudyFields = "&includefield=StudyDescription,ModalitiesInStudy,NumberOfStudyRelatedSeries,NumberOfStudyRelatedInstances";
    private const int MaxSeriesOfMany = 1000;
    private const string SeriesFields = "?includefield=SeriesDescription,SeriesNumber,NumberOfSeriesRelatedInstances";

    /// <exception cref="ImageApiUnavailableException">ImageApi is down, slow or broken.</exception>
    public async Task<StudyPage> SearchAsync(QidoQuery query, CancellationToken cancellationToken)
    {
        var (document, total) = await GetAsync("/dicomweb/studies" + query + StudyFields, cancellationToken);
        using (document)
        {
            return new StudyPage([.. Datasets(document).Select(StudySummary.From).OfType<StudySummary>()], total);
        }
    }

    /// <returns>Null where ImageApi knows no such study.</returns>
    /// <exception cref="ImageApiUnavailableException">ImageApi is down, slow or broken.</exception>
    public async Task<StudyWithSeries?> FindAsync(string studyInstanceUid, CancellationToken cancellationToken)
    {
        var studies = SearchAsync(new QidoQuery().With("StudyInstanceUID", studyInstanceUid).With("limit", "1"), cancellationToken);
        var series = GetSeriesAsync($"/dicomweb/studies/{studyInstanceUid}/series{SeriesFields}", cancellationToken);
        await Task.WhenAll(studies, series);
        return (await studies).Studies.FirstOrDefault(study => study.StudyInstanceUid == studyInstanceUid) is { } found
            ? new StudyWithSeries(found, await series)
            : null;
    }

    /// <summary>The series of many studies in one query, in the order in which a viewer lists them. At most <see cref="MaxSeriesOfMany"/> in all.</summary>
    /// <exception cref="ImageApiUnavailableException">ImageApi is down, slow or broken.</exception>
    public async Task<ILookup<string, SeriesSummary>> FindSeriesAsync(IEnumerable<string> studyInstanceUids, CancellationToken cancellationToken)
    {
        var query = new QidoQuery()
            .With("StudyInstanceUID", string.Join(',', studyInstanceUids))
            .With("includefield", "SeriesNumber,SeriesDescription")
            .With("limit", MaxSeriesOfMany.ToString(CultureInfo.InvariantCulture));
        return (await GetSeriesAsync("/dicomweb/series" + query, cancellationToken))
            .Where(static series => series.StudyInstanceUid is not null)
            .ToLookup(static series => series.StudyInstanceUid!, StringComparer.Ordinal);
    }

    private async Task<IReadOnlyList<SeriesSummary>> GetSeriesAsync(string address, CancellationToken cancellationToken)
    {
        var (document, _) = await GetAsync(address, cancellationToken);
        using (document)
        {
            return
            [
                .. Datasets(document).Select(SeriesSummary.From).OfType<SeriesSummary>()
                    .OrderByDescending(static series => series.HasImages)
                    .ThenBy(static series => series.Number ?? int.MaxValue)
                    .ThenBy(static series => series.SeriesInstanceUid, StringComparer.Ordinal),
            ];
        }
    }

    private static IEnumerable<DicomJsonObject> Datasets(JsonDocument? document) =>
        document?.RootElement is { ValueKind: JsonValueKind.Array } array
            ? array.EnumerateArray().Select(static item => new DicomJsonObject(item))
            : [];

    private async Task<(JsonDocument? Document, int? Total)> GetAsync(string address, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(address, UriKind.Relative), cancellationToken);
            // PS3.18 8.5: 204 for nothing found is as good as an empty array; 404 comes for the series of an unknown study.
            if (response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotFound) return (null, 0);
            if (!response.IsSuccessStatusCode) throw new ImageApiUnavailableException(timedOut: response.StatusCode == HttpStatusCode.GatewayTimeout);
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            return (await JsonDocument.ParseAsync(body, default, cancellationToken), TotalOf(response));
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ImageApiUnavailableException(timedOut: true, exception);
        }
        catch (HttpRequestException exception)
        {
            throw new ImageApiUnavailableException(timedOut: exception.StatusCode == HttpStatusCode.GatewayTimeout, exception);
        }
        catch (JsonException exception)
        {
            throw new ImageApiUnavailableException(timedOut: false, exception);
        }
    }

    private static int? TotalOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues("X-Total-Count", out var values)
        && int.TryParse(values.FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var total) ? total : null;
}
