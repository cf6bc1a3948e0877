using System.Collections.Concurrent;
using ImageApi.Origins;
using Microsoft.Extensions.Options;

namespace ImageApi.Volumes;

/// <summary>
/// The volumes that the origins can list. All origins are asked at once, each within its time; what one lacks does not keep the others back. An
/// origin's list is believed for some seconds.
/// </summary>
internal sealed class VolumeList(IOrigins origins, VolumeService volumes, IOptions<VolumesOptions> options, TimeProvider time, ILogger<VolumeList> logger)
{
    // A folder of DICOM has a hundred names for each one that is a volume.
    private const int MostLooked = 1_000_000;

    private readonly ConcurrentDictionary<string, Listing> _listings = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Origin, string Path), Seen> _seen = new();

    public async Task<VolumePage> GetAsync(int offset, int limit, CancellationToken cancellationToken)
    {
        var listings = await Task.WhenAll(origins.Files.Select(origin => ListAsync(origin, cancellationToken)));
        var all = listings.SelectMany(static listing => listing.Items, static (listing, item) => (listing.Origin, Item: item)).ToList();
        var page = new List<VolumeSummary>();
        foreach (var (origin, item) in all.Skip(offset).Take(limit)) page.Add(await SummarizeAsync(origin, item, cancellationToken));
        return new VolumePage(all.Count, offset, limit, page, [.. listings.Where(static listing => listing.Missing is not null).Select(static listing => listing.Missing!)]);
    }

    /// <summary>Remembers the files of a volume that was described, so that lists can tell of it.</summary>
    public void Saw(VolumeFiles files)
    {
        if (_seen.Count > options.Value.MaxListed) _seen.Clear();
        _seen[(files.Origin.Name, files.Item.Path)] = new Seen(files);
    }

    private async Task<VolumeSummary> SummarizeAsync(IFileOrigin origin, FileItem item, CancellationToken cancellationToken)
    {
        VolumeFiles? files = null;
        VolumeDocument? known = null;
        try
        {
            // A file of this machine is asked for its version; of others we know the one that was described.
            files = origin.Traits.HasFlag(OriginTraits.Local) ? await VolumeFiles.FindAsync(origin, item.Item, cancellationToken) : _seen.GetValueOrDefault((origin.Name, item.Item.Path))?.Files;
            known = files is null ? null : await volumes.TryGetAsync(files, cancellationToken);
        }
        catch (OriginException)
        {
            // The list says what it says.
        }
        var isStill = known is not null && (files!.Image is not null || item.Length is null || item.Length == known.Bytes);
        var name = item.Item.Path[(item.Item.Path.LastIndexOf('/') + 1)..];
        return new VolumeSummary(
            origin.Name, item.Item.Path, name, item.Length, item.LastModified,
            isStill ? files!.Url : $"/api/volumes/{origin.Name}/{VolumeFiles.Escape(item.Item)}", VolumeFiles.FileUrl(origin, item.Item),
            isStill ? known!.Geometry : null, isStill ? known!.Type : null);
    }

    private async Task<Listing> ListAsync(IFileOrigin origin, CancellationToken cancellationToken)
    {
        if (_listings.TryGetValue(origin.Name, out var known) && time.GetElapsedTime(known.At) < options.Value.ListTtl) return known;
        var items = new List<FileItem>();
        MissingOrigin? missing = null;
        using var limit = new CancellationTokenSource(options.Value.ListTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var looked = 0;
            await foreach (var item in origin.ListAsync("", either.Token).WithCancellation(either.Token))
            {
                looked++;
                if (VolumeNames.IsVolume(item.Item.Path)) items.Add(item);
                if (items.Count < options.Value.MaxListed && looked < MostLooked) continue;
                missing = new MissingOrigin(origin.Name, $"It has more files than are listed: the list ends after {items.Count} volumes.");
                break;
            }
        }
        catch (OriginException exception)
        {
            missing = new MissingOrigin(origin.Name, exception.Message);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            missing = new MissingOrigin(origin.Name, "It took too long to list its files.");
        }
        if (missing is not null) logger.OriginNotListed(missing.Origin, items.Count);
        items.Sort(static (x, y) => string.CompareOrdinal(x.Item.Path, y.Item.Path));
        return _listings[origin.Name] = new Listing(origin, items, missing, time.GetTimestamp());
    }

    private sealed record Listing(IFileOrigin Origin, IReadOnlyList<FileItem> Items, MissingOrigin? Missing, long At);

    private sealed record Seen(VolumeFiles Files);
}
