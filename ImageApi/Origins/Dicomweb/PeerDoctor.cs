using System.Globalization;
using System.Net;
using System.Text.Json.Serialization;
using ImageApi.Catalog;
using Platform.Dicom;

namespace ImageApi.Origins.Dicomweb;

/// <summary>What a DICOMweb server can do, as found by asking it, and what follows for how it is asked from now on.</summary>
internal sealed record PeerReport
{
    public required string Origin { get; init; }

    /// <summary>Each thing that was tried, in the order of trying.</summary>
    public required IReadOnlyList<PeerFinding> Findings { get; init; }

    /// <summary>What should be mended or known, in words; empty when all is well.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>What was kept, and is used by the client from now on; null where the server could not be examined.</summary>
    public PeerProfile? Profile { get; init; }
}

/// <summary>One thing that was tried. <paramref name="Result"/>: <c>yes</c>, <c>no</c> or <c>unknown</c>.</summary>
internal sealed record PeerFinding(string Name, string Result, string Detail);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PeerReport))]
internal sealed partial class PeerReportJson : JsonSerializerContext;

/// <summary>
/// Examines a DICOMweb server with some thirty small requests: it reads, and changes nothing. The first series with images that its newest studies have is the specimen.
/// </summary>
internal sealed class PeerDoctor(PeerProfiles profiles, TimeProvider time)
{
    private const int MaxStudies = 5;
    private static readonly int[] Widths = [1, 2, 4, 8];

    private static readonly string[] FrameAccepts =
    [
        "multipart/related; type=\"application/octet-stream\"; transfer-syntax=*",
        "multipart/related; type=application/octet-stream; transfer-syntax=*",
        "multipart/related; type=\"*/*\"; transfer-syntax=*",
        "application/octet-stream; transfer-syntax=*",
        "*/*",
    ];

    private static readonly string[] InstanceAccepts =
    [
        "multipart/related; type=\"application/dicom\"; transfer-syntax=*",
        "application/dicom; transfer-syntax=*",
        "multipart/related; type=\"application/dicom\"",
        "application/dicom",
    ];

    /// <summary>Examines, keeps the profile, and reports.</summary>
    public async Task<PeerReport> ExamineAsync(DicomwebOrigin origin, CancellationToken cancellationToken)
    {
        var findings = new List<PeerFinding>();
        var problems = new List<string>();
        SeriesRef? specimen;
        try
        {
            specimen = await FindSpecimenAsync(origin, findings, cancellationToken);
        }
        catch (OriginException exception)
        {
            findings.Add(new PeerFinding("search", "no", exception.Message));
            return Report(null, Blame(exception));
        }
        if (specimen is not { } series) return Report(null, "The server answers, but no study with images was found: frames and instances could not be examined.");

        var path = $"studies/{series.StudyUid}/series/{series.SeriesUid}";
        InstanceEntry? instance;
        try
        {
            instance = await ExamineMetadataAsync(origin, series, path, findings, problems, cancellationToken);
        }
        catch (OriginException exception)
        {
            findings.Add(new PeerFinding("metadata", "no", exception.Message));
            return Report(null, "The metadata of a series cannot be had, and without them nothing can be served: " + Blame(exception));
        }
        if (instance is null) return Report(null, "The series that was looked at has no images.");

        var frame = await ExamineFormsAsync(origin, "frame", $"{instance.Item.Path}/frames/1", FrameAccepts, instance, findings, cancellationToken);
        var whole = await ExamineFormsAsync(origin, "instance", instance.Item.Path, InstanceAccepts, instance, findings, cancellationToken);
        if (frame is null) problems.Add("Single frames do not come as they should: whole instances are fetched, which costs time and bytes for series of large or many-framed instances.");
        if (whole is null) problems.Add("Instances cannot be fetched whole: frames that the server sends wrongly cannot be repaired.");
        await ExamineRangesAsync(origin, instance, whole ?? InstanceAccepts[0], findings, problems, cancellationToken);
        var parallelism = await ExamineParallelismAsync(origin, instance, frame ?? whole ?? InstanceAccepts[0], frame is null ? "" : "/frames/1", findings, cancellationToken);

        var profile = new PeerProfile
        {
            FrameAccept = frame ?? PeerProfile.Default.FrameAccept,
            InstanceAccept = whole ?? PeerProfile.Default.InstanceAccept,
            HasFrames = frame is not null,
            Parallelism = parallelism,
            MeasuredAt = time.GetUtcNow(),
        };
        profiles.Save(origin.Name, profile);
        return Report(profile, null);

        PeerReport Report(PeerProfile? kept, string? problem) => new() { Origin = origin.Name, Findings = findings, Problems = problem is null ? problems : [.. problems, problem], Profile = kept };
    }

    private async Task<SeriesRef?> FindSpecimenAsync(DicomwebOrigin origin, List<PeerFinding> findings, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var studies = await origin.Searches.FindAsync($"studies?limit={MaxStudies}", CatalogLevel.Study, cancellationToken);
        findings.Add(new PeerFinding("search", "yes", string.Create(CultureInfo.InvariantCulture, $"{studies.Count} studies in {Milliseconds(start)} ms")));
        findings.Add(new PeerFinding("search limit", studies.Count <= MaxStudies ? "yes" : "no", "limit is honoured where there is more"));
        foreach (var study in studies.Take(MaxStudies))
        {
            var series = await origin.Searches.FindAsync($"studies/{study.StudyUid}/series?limit=20", CatalogLevel.Series, cancellationToken);
            if (series.FirstOrDefault(row => row.Dataset.GetString(DicomTags.Modality) is not ("SR" or "PR" or "KO" or "DOC" or "SEG" or "RTSTRUCT" or "RTPLAN")) is { } row) return new SeriesRef(row.StudyUid, row.SeriesUid);
        }
        return null;
    }

    private async Task<InstanceEntry?> ExamineMetadataAsync(DicomwebOrigin origin, SeriesRef series, string path, List<PeerFinding> findings, List<string> problems, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        using (var answer = await origin.Client.GetAsync(origin.Client.UriOf(path + "/metadata"), DicomwebClient.DicomJson, null, cancellationToken))
        {
            var bytes = (await answer.Content.ReadAsByteArrayAsync(cancellationToken)).Length;
            var elapsed = Milliseconds(start);
            findings.Add(new PeerFinding("metadata", "yes", string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} bytes in {elapsed} ms")));
            if (elapsed > 2000) problems.Add(string.Create(CultureInfo.InvariantCulture, $"The metadata of one series take {elapsed} ms: the first look at each series is that slow, later ones are not."));
            var entityTag = answer.Headers.ETag;
            var validator = entityTag is { IsWeak: false } ? "a strong entity tag" : entityTag is not null ? "a weak entity tag" : answer.Content.Headers.LastModified is not null ? "a modification time" : null;
            findings.Add(new PeerFinding("validators", validator is null ? "no" : "yes", validator ?? "metadata carry no ETag: they are fetched again in full when their freshness ends"));
        }
        if (await origin.FindSeriesAsync(series.StudyUid, series.SeriesUid, cancellationToken) is not { } known) return null;
        var instance = known.Entry.Instances.FirstOrDefault(entry => entry.HasPixels);
        if (instance is not null)
        {
            var syntaxes = known.Entry.Instances.Select(entry => entry.TransferSyntaxUid).Where(uid => uid.Length > 0).Distinct().Select(uid => DicomTransferSyntax.FromUid(uid).Name);
            findings.Add(new PeerFinding("transfer syntax told", known.Description.Members.Any(member => member.TransferSyntaxUid is not null) ? "yes" : "no", "in metadata, as Available Transfer Syntax UID; else one frame of each sort is fetched to see"));
            findings.Add(new PeerFinding("transfer syntaxes", "yes", string.Join(", ", syntaxes)));
        }
        return instance;
    }

    /// <summary>The first form that the server answers with what was asked for.</summary>
    private static async Task<string?> ExamineFormsAsync(DicomwebOrigin origin, string what, string path, string[] accepts, InstanceEntry instance, List<PeerFinding> findings, CancellationToken cancellationToken)
    {
        string? best = null;
        foreach (var accept in accepts)
        {
            string result, detail;
            try
            {
                await using var part = await origin.Client.OpenAsync(origin.Client.UriOf(path), accept, cancellationToken);
                var length = 0L;
                var isRight = false;
                var isFirst = true;
                for (var bytes = await part.ReadAsync(cancellationToken); !bytes.IsEmpty; bytes = await part.ReadAsync(cancellationToken))
                {
                    if (isFirst) isRight = what == "frame" ? DicomwebOrigin.Fits(instance, part, bytes.Span) : bytes.Length > 132 && bytes.Span.Slice(128, 4).SequenceEqual("DICM"u8);
                    isFirst = false;
                    length += bytes.Length;
                }
                if (what == "frame" && isRight && part.TransferSyntaxUid is { } uid && !DicomTransferSyntax.FromUid(uid).IsEncapsulated) isRight = DicomwebOrigin.IsNativeLength(instance, length);
                result = isRight ? "yes" : "no";
                detail = string.Create(CultureInfo.InvariantCulture, $"{length:N0} bytes, {DicomTransferSyntax.FromUid(part.TransferSyntaxUid ?? "").Name}{(isRight ? "" : ": not what it says it is")}");
                if (isRight) best ??= accept;
            }
            catch (OriginException exception)
            {
                (result, detail) = ("no", exception.Status is { } status ? $"answered {status}" : exception.Message);
            }
            findings.Add(new PeerFinding($"{what} as {accept}", result, detail));
        }
        return best;
    }

    private static async Task ExamineRangesAsync(DicomwebOrigin origin, InstanceEntry instance, string accept, List<PeerFinding> findings, List<string> problems, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, origin.Client.UriOf(instance.Item.Path));
            request.Headers.TryAddWithoutValidation("Accept", accept);
            request.Headers.TryAddWithoutValidation("Range", "bytes=0-131");
            using var answer = await origin.Client.SendAsync(request, cancellationToken);
            findings.Add(new PeerFinding("ranges of instances", answer.StatusCode == HttpStatusCode.PartialContent ? "yes" : "no", $"answered {(int)answer.StatusCode}"));
        }
        catch (OriginException exception)
        {
            findings.Add(new PeerFinding("ranges of instances", "unknown", exception.Message));
            problems.Add("A request with a Range field failed: " + Blame(exception));
        }
    }

    /// <summary>How many requests at once the server gains from: doubling goes on while it brings a fifth more per second.</summary>
    private async Task<int?> ExamineParallelismAsync(DicomwebOrigin origin, InstanceEntry instance, string accept, string suffix, List<PeerFinding> findings, CancellationToken cancellationToken)
    {
        var uri = origin.Client.UriOf(instance.Item.Path + suffix);
        var (best, bestRate) = (1, 0.0);
        var rates = new List<string>();
        try
        {
            foreach (var width in Widths)
            {
                var start = time.GetTimestamp();
                await Task.WhenAll(Enumerable.Range(0, width).Select(async _ =>
                {
                    for (var i = 0; i < 2; i++)
                    {
                        using var answer = await origin.Client.GetAsync(uri, accept, null, cancellationToken);
                        await answer.Content.CopyToAsync(Stream.Null, cancellationToken);
                    }
                }));
                var rate = 2 * width / Math.Max(1e-4, time.GetElapsedTime(start).TotalSeconds);
                rates.Add(string.Create(CultureInfo.InvariantCulture, $"{width}: {rate:N0}/s"));
                if (rate > bestRate * 1.2) (best, bestRate) = (width, rate);
            }
        }
        catch (Exception exception) when (exception is OriginException or IOException or HttpRequestException && !cancellationToken.IsCancellationRequested)
        {
            findings.Add(new PeerFinding("parallel requests", "unknown", exception.Message));
            return null;
        }
        findings.Add(new PeerFinding("parallel requests", best > 1 ? "yes" : "no", string.Join(", ", rates)));
        return best;
    }

    private long Milliseconds(long start) => (long)time.GetElapsedTime(start).TotalMilliseconds;

    private static string Blame(OriginException exception) => exception.Failure switch
    {
        OriginFailure.Refused when exception.Status is 401 or 403 => "The server refuses our credentials: look at Username and Password, BearerToken or Headers of this origin.",
        OriginFailure.Refused => exception.Message + " Look at Url, CaFile, AllowPlainHttp and AllowedAddresses of this origin.",
        OriginFailure.Timeout => "The server does not answer in time: look at its load, the network between, and TryTimeout.",
        OriginFailure.Absent => "The server answers 404: Url may not be the root of its DICOMweb services.",
        OriginFailure.Broken => exception.Message + " Url may not be the root of its DICOMweb services.",
        _ => exception.Message + " Look at Url, and whether the server runs.",
    };
}
