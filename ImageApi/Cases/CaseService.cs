using ImageApi.Catalog;
using ImageApi.Manifest;
using ImageApi.Negotiation;
using ImageApi.Origins;
using ImageApi.Retrieve;
using Platform.TieredCache;

namespace ImageApi.Cases;

/// <summary>
/// Finds cases and their files by name. Names are only ever compared with what the catalog has: none becomes part of a path.
/// </summary>
internal sealed class CaseService(ICatalog catalog, IOrigins origins, InstanceHeaders headers)
{
    private const int MaxNameLength = 255;

    public static readonly IReadOnlyList<Offer> FileOffers = [new(TransferSyntaxMediaTypes.Dicom)];

    /// <summary>Whether text can be the name of a case or a file at all.</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= MaxNameLength && name is not ("." or "..") && !name.AsSpan().ContainsAny('/', '\\') && !name.Any(char.IsControl);

    /// <summary>The study by its UID, else by the folder that its files lie in.</summary>
    public async ValueTask<StudyEntry?> FindAsync(string caseId, CancellationToken cancellationToken)
    {
        if (Uids.IsValid(caseId) && await catalog.FindStudyAsync(caseId, cancellationToken) is { } study)
            return study;
        string[] roots = [.. origins.All.Where(origin => origin.Name == caseId || (origin is FolderOrigin folder && Path.GetFileName(folder.Path) == caseId)).Select(origin => origin.Name)];
        return await catalog.FindStudyByFolderAsync(caseId, roots, cancellationToken) is { } uid ? await catalog.FindStudyAsync(uid, cancellationToken) : null;
    }

    /// <summary>The instance by its SOP Instance UID, else by its file's name, with or without <c>.dcm</c>.</summary>
    public static InstanceEntry? FindFile(StudyEntry study, string name)
    {
        foreach (var series in study.Series)
            if (series.TryGetInstance(name, out var instance) || (name.EndsWith(".dcm", StringComparison.Ordinal) && series.TryGetInstance(name[..^4], out instance)))
                return instance;
        foreach (var series in study.Series)
            foreach (var instance in series.Instances)
                if (instance.FileName == name)
                    return instance;
        return null;
    }

    public static Digest256 ContentOf(StudyEntry study, string caseId)
    {
        var builder = new DigestBuilder(stackalloc byte[512], "case1"u8);
        builder.Add(study.Content);
        builder.Add(caseId);
        return builder.Finish();
    }

    /// <summary>Reads one header per series, for its window.</summary>
    public async Task<Case> MakeAsync(string caseId, StudyEntry study, CancellationToken cancellationToken)
    {
        var series = new List<CaseSeries>(study.Series.Count);
        foreach (var entry in study.Series)
        {
            string[] files = [.. entry.Instances.Select(instance => instance.SopUid)];
            series.Add(new CaseSeries(entry.SeriesUid, entry.Content.ToShortString(), entry.Modality, entry.Number, entry.Description,
                await ReadWindowAsync(entry, cancellationToken), files));
        }
        return new Case(caseId, study.StudyUid, [.. series.SelectMany(each => each.Files)], series);
    }

    private async Task<CaseWindow?> ReadWindowAsync(SeriesEntry series, CancellationToken cancellationToken)
    {
        if (series.Instances.FirstOrDefault(instance => instance.HasPixels) is not { } first)
            return null;
        await foreach (var (instance, file) in headers.ReadAsync([first], cancellationToken))
            if (new FrameAttributes(file.Dataset, instance).Windows(0) is [var window, ..])
                return new CaseWindow(window.Center, window.Width);
        return null;
    }
}
