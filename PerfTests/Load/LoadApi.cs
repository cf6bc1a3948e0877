using System.Text.Json;

namespace PerfTests.Load;

/// <summary>A series that load is put on, and where its study is listed.</summary>
internal sealed record SeriesItem(string Study, string Series, int Instances);

/// <summary>An opened series: what to ask for each of its frames, in display order.</summary>
internal sealed record OpenedSeries(IReadOnlyList<FrameItem> Frames);

/// <summary>One frame: its path and the Accept to ask with.</summary>
internal readonly record struct FrameItem(string Path, string Accept);

/// <summary>How a server is asked: the one place that differs between DICOMweb servers, the plain REST API and ours with all it offers.</summary>
internal abstract class LoadApi
{
    private const string DicomJson = "application/dicom+json";

    protected LoadApi(string dicomweb) => Dicomweb = dicomweb.TrimEnd('/');

    /// <summary>The path of the server's DICOMweb root.</summary>
    protected string Dicomweb { get; }

    public abstract string Name { get; }

    /// <summary>The series that the server holds, most instances first.</summary>
    public async Task<IReadOnlyList<SeriesItem>> FindAsync(Visitor visitor, int maxStudies, CancellationToken cancellationToken)
    {
        var found = new List<SeriesItem>();
        foreach (var study in await SearchAsync(visitor, $"/studies?limit={maxStudies}", cancellationToken))
        {
            if (Text(study, "0020000D") is not { } uid) continue;
            foreach (var series in await SearchAsync(visitor, $"/studies/{uid}/series?includefield=00201209", cancellationToken))
            {
                if (Text(series, "0020000E") is not { } seriesUid) continue;
                var count = int.TryParse(Text(series, "00201209"), out var told) ? told : (await SearchAsync(visitor, $"/studies/{uid}/series/{seriesUid}/instances", cancellationToken)).Count;
                found.Add(new SeriesItem(uid, seriesUid, count));
            }
        }

        return [.. found.OrderByDescending(static series => series.Instances)];
    }

    /// <summary>What a person sees first: the study list.</summary>
    public virtual Task ListAsync(Visitor visitor, CancellationToken cancellationToken) => visitor.ReadAsync(Dicomweb + "/studies?limit=50", DicomJson, cancellationToken);

    /// <summary>Asks for the instances of one series by search.</summary>
    public Task SearchAsync(Visitor visitor, SeriesItem series, CancellationToken cancellationToken) =>
        visitor.ReadAsync($"{Dicomweb}/studies/{series.Study}/series/{series.Series}/instances", DicomJson, cancellationToken);

    /// <summary>Asks for what has to be known before a frame can be asked for.</summary>
    public abstract Task<OpenedSeries> OpenAsync(Visitor visitor, SeriesItem series, CancellationToken cancellationToken);

    /// <summary>By name: <c>dicomweb</c>, <c>cases</c> or <c>platform</c>.</summary>
    public static LoadApi Of(string name, string dicomweb, string frameAccept) => name switch
    {
        "dicomweb" => new DicomwebApi(dicomweb, frameAccept),
        "cases" => new CasesApi(dicomweb),
        "platform" => new PlatformApi(dicomweb),
        _ => throw new ArgumentException($"There is no API '{name}'."),
    };

    private async Task<List<JsonElement>> SearchAsync(Visitor visitor, string path, CancellationToken cancellationToken)
    {
        var body = (await visitor.ReadAsync(Dicomweb + path, DicomJson, cancellationToken)).Body;
        return body.IsEmpty ? [] : [.. JsonDocument.Parse(body).RootElement.EnumerateArray()];   // 204: nothing matches
    }

    private static string? Text(JsonElement item, string tag) =>
        item.TryGetProperty(tag, out var attribute) && attribute.TryGetProperty("Value", out var values) && values.GetArrayLength() > 0 ? values[0].ToString() : null;

    /// <summary>Any DICOMweb server: the metadata of a series, then frames.</summary>
    private sealed class DicomwebApi(string dicomweb, string frameAccept) : LoadApi(dicomweb)
    {
        public override string Name => "dicomweb";

        public override async Task<OpenedSeries> OpenAsync(Visitor visitor, SeriesItem series, CancellationToken cancellationToken)
        {
            var root = $"{Dicomweb}/studies/{series.Study}/series/{series.Series}";
            var metadata = await visitor.ReadAsync(root + "/metadata", DicomJson, cancellationToken);
            using var document = JsonDocument.Parse(metadata.Body);
            return new OpenedSeries([.. from instance in document.RootElement.EnumerateArray()
                let uid = Text(instance, "00080018")
                let number = int.TryParse(Text(instance, "00200013"), out var n) ? n : 0
                where instance.TryGetProperty("00280010", out _)   // Rows: what has none has no frames
                orderby number, uid
                from frame in Enumerable.Range(1, int.TryParse(Text(instance, "00280008"), out var frames) ? frames : 1)
                select new FrameItem($"{root}/instances/{uid}/frames/{frame}", frameAccept)]);
        }
    }

    /// <summary>The plain REST API: a case lists its files, each of which is fetched whole.</summary>
    private sealed class CasesApi(string dicomweb) : LoadApi(dicomweb)
    {
        public override string Name => "cases";

        public override async Task<OpenedSeries> OpenAsync(Visitor visitor, SeriesItem series, CancellationToken cancellationToken)
        {
            var opened = await visitor.ReadAsync($"/api/dicom/{series.Study}", "application/json", cancellationToken);
            using var document = JsonDocument.Parse(opened.Body);
            var mine = document.RootElement.GetProperty("series").EnumerateArray().First(item => item.GetProperty("uid").GetString() == series.Series);
            return new OpenedSeries([.. mine.GetProperty("files").EnumerateArray().Select(file => new FrameItem($"/api/dicom/{series.Study}/files/{file.GetString()}", "application/dicom;transfer-syntax=*"))]);
        }
    }

    /// <summary>Ours: the manifest, then frames by its URLs, progressive ones where the series has them.</summary>
    private sealed class PlatformApi(string dicomweb) : LoadApi(dicomweb)
    {
        private const string AsStored = "application/octet-stream;transfer-syntax=*", Progressive = "image/jphc;transfer-syntax=1.2.840.10008.1.2.4.202";

        public override string Name => "platform";

        public override async Task<OpenedSeries> OpenAsync(Visitor visitor, SeriesItem series, CancellationToken cancellationToken)
        {
            var manifest = await visitor.ReadAsync($"/api/series/{series.Series}/manifest", "application/json", cancellationToken);
            using var document = JsonDocument.Parse(manifest.Body);
            var accept = document.RootElement.TryGetProperty("preview", out _) ? $"{Progressive},{AsStored};q=0.5" : AsStored;
            return new OpenedSeries([.. document.RootElement.GetProperty("frames").EnumerateArray().Select(frame => new FrameItem(frame.GetProperty("url").GetString()!, accept))]);
        }
    }
}
