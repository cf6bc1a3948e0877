using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using ImageApi.Catalog;
using Platform.Dicom;
using Platform.Dicom.Json;

namespace ImageApi.Origins.Dicomweb;

/// <summary>A row that a server found.</summary>
internal sealed record RemoteRow(string StudyUid, string SeriesUid, string SopUid, DicomDataset Dataset);

/// <summary>What a server found, from the first row on. <paramref name="IsAll"/>: there are no more.</summary>
internal sealed record RemoteRows(IReadOnlyList<RemoteRow> Rows, bool IsAll);

/// <summary>Asks a server to search (QIDO-RS, PS3.18 10.6). Answers are kept for a few seconds, so that turning pages asks once.</summary>
internal sealed class RemoteSearch(string originName, DicomwebClient client, TimeProvider time)
{
    private const int MaxBytes = 32 << 20;
    private const int MaxKept = 32;
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Kept> _kept = new(StringComparer.Ordinal);

    /// <summary>The first <paramref name="most"/> rows that match, in the server's own order.</summary>
    /// <exception cref="OriginException">The server failed, or sent what is no search result.</exception>
    public async Task<RemoteRows> FindAsync(CatalogQuery query, int most, CancellationToken cancellationToken)
    {
        var found = await Task.WhenAll(PathsOf(query, most).Select(path => FindAsync(path, query.Level, cancellationToken)));
        var seen = new HashSet<(string, string, string)>();
        RemoteRow[] rows = [.. found.SelectMany(each => each).Where(row => seen.Add((row.StudyUid, row.SeriesUid, row.SopUid)) && MatchesWords(row, query.Words))];
        return new RemoteRows(rows, found.All(each => each.Count < most));
    }

    /// <summary>The rows of one question to the server.</summary>
    /// <param name="path">Relative, with its query.</param>
    /// <param name="level">Of the rows.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IReadOnlyList<RemoteRow>> FindAsync(string path, CatalogLevel level, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (_kept.TryGetValue(path, out var kept) && now < kept.Until) return kept.Rows;
        using var response = await client.GetAsync(client.UriOf(path), DicomwebClient.DicomJson, null, cancellationToken);
        IReadOnlyList<RemoteRow> rows = response.StatusCode == HttpStatusCode.NoContent ? [] : Parse(await ReadAsync(response, cancellationToken), level);
        if (_kept.Count >= MaxKept)
        {
            foreach (var old in _kept.Where(pair => pair.Value.Until <= now).ToArray()) _kept.TryRemove(old);
            if (_kept.Count >= MaxKept) _kept.Clear();
        }
        _kept[path] = new Kept(rows, now + KeptFor);
        return rows;
    }

    /// <summary>Forgets answers that are kept: something was changed by way of us.</summary>
    public void Forget() => _kept.Clear();

    /// <summary>Words are an extension of ours: each field that one may stand in is asked for by itself, and the others are looked for in what comes.</summary>
    private static IEnumerable<string> PathsOf(CatalogQuery query, int most)
    {
        var conditions = new StringBuilder();
        foreach (var condition in query.Conditions) Append(conditions, condition.Attribute, ValueOf(condition));
        if (query.Conditions.Any(condition => condition.Match == CatalogMatch.FuzzyName)) Append(conditions, "fuzzymatching", "true");
        var rest = string.Create(CultureInfo.InvariantCulture, $"limit={most}{conditions}");
        var path = (query.Level, query.StudyUid, query.SeriesUid) switch
        {
            (CatalogLevel.Study, null, _) => "studies",
            (CatalogLevel.Study, { } study, _) => $"studies?StudyInstanceUID={study}",
            (CatalogLevel.Series, null, _) => "series",
            (CatalogLevel.Series, { } study, _) => $"studies/{study}/series",
            (_, null, _) => "instances",
            (_, { } study, null) => $"studies/{study}/instances",
            (_, { } study, { } series) => $"studies/{study}/series/{series}/instances",
        };
        path += (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + rest + "&includefield=00081030";   // a study list needs the description
        if (query.Words.Count == 0) return [path];
        var word = Uri.EscapeDataString(query.Words.MaxBy(word => word.Length)!.Trim('*'));
        return new[] { "00100010", "00100020", "00080050", "00081030" }.Select(field => $"{path}&{field}=*{word}*");
    }

    private static void Append(StringBuilder to, string name, string value) => to.Append(CultureInfo.InvariantCulture, $"&{name}={Escape(value)}");

    // Wildcards stay as they are, which RFC 3986 3.4 allows: Orthanc takes escaped ones literally.
    private static string Escape(string value) => Uri.EscapeDataString(value).Replace("%2A", "*", StringComparison.Ordinal).Replace("%3F", "?", StringComparison.Ordinal);

    private static string ValueOf(CatalogCondition condition) => condition.Match switch
    {
        CatalogMatch.Range => condition.Values[0] == condition.Values[1] ? condition.Values[0] ?? "" : $"{condition.Values[0]}-{condition.Values[1]}",
        CatalogMatch.AnyOf => string.Join(condition.Values.All(value => Uids.IsValid(value)) ? "," : "\\", condition.Values),
        CatalogMatch.Empty => "\"\"",
        _ => condition.Values[0] ?? "",
    };

    private static bool MatchesWords(RemoteRow row, IReadOnlyList<string> words)
    {
        if (words.Count == 0) return true;
        var text = string.Join('\n', row.Dataset.GetString(DicomTags.PatientName), row.Dataset.GetString(DicomTags.PatientID), row.Dataset.GetString(DicomTags.AccessionNumber), row.Dataset.GetString(DicomTags.StudyDescription));
        return words.All(word => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression($"*{word}*", text, ignoreCase: true));
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            using var bytes = new MemoryStream();
            var buffer = new byte[64 << 10];
            for (int read; (read = await body.ReadAsync(buffer, cancellationToken)) > 0;)
            {
                bytes.Write(buffer, 0, read);
                if (bytes.Length > MaxBytes) throw new OriginException(OriginFailure.Broken, "The origin's search result is too large.");
            }
            return bytes.ToArray();
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw Outbound.OriginFailures.From(exception);
        }
    }

    private IReadOnlyList<RemoteRow> Parse(byte[] json, CatalogLevel level)
    {
        try
        {
            var rows = new List<RemoteRow>();
            foreach (var dataset in DicomJsonReader.ReadArray(json, SeriesReader.Lenient))
            {
                var (study, series, sop) = (dataset.GetString(DicomTags.StudyInstanceUID), dataset.GetString(DicomTags.SeriesInstanceUID), dataset.GetString(DicomTags.SOPInstanceUID));
                if (!Uids.IsValid(study) || (level >= CatalogLevel.Series && !Uids.IsValid(series)) || (level == CatalogLevel.Instance && !Uids.IsValid(sop))) continue;   // cannot be asked for
                rows.Add(new RemoteRow(study, level >= CatalogLevel.Series ? series! : "", level == CatalogLevel.Instance ? sop! : "", dataset));
            }
            return rows;
        }
        catch (DicomJsonException exception)
        {
            throw new OriginException(OriginFailure.Broken, $"The search result of origin {originName} is no DICOM JSON.", exception);
        }
    }

    private sealed record Kept(IReadOnlyList<RemoteRow> Rows, DateTimeOffset Until);
}
