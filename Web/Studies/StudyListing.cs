using Web.Dicomweb;

namespace Web.Studies;

public enum ListingState { Found, NothingStored, NothingFound, Slow, Down }

/// <summary>What the list page shows: a page of studies, or why there is none.</summary>
public sealed record StudyListing(StudyFilter Filter, ListingState State, IReadOnlyList<StudySummary> Studies, int? Total)
{
    /// <summary>The series of the studies by Study Instance UID; none where they could not be had in time.</summary>
    public ILookup<string, SeriesSummary> Series { get; init; } = Array.Empty<SeriesSummary>().ToLookup(static _ => "");

    public int FirstNumber => (Filter.Page - 1) * StudyFilter.PageSize + 1;
    public int LastNumber => FirstNumber + Studies.Count - 1;
    public int? PageCount => Total is { } total ? Math.Max(1, (total + StudyFilter.PageSize - 1) / StudyFilter.PageSize) : null;
    public bool HasNext => Total is { } total ? LastNumber < total : Studies.Count == StudyFilter.PageSize;
    public bool IsUnavailable => State is ListingState.Slow or ListingState.Down;
}

/// <summary>Asks ImageApi for a page of the list; its failures are states of the page, not errors.</summary>
internal sealed class StudyLister(StudiesClient studies, TimeProvider time)
{
    /// <summary>Small pictures are no reason to wait for a list.</summary>
    private static readonly TimeSpan SeriesTimeout = TimeSpan.FromSeconds(1);

    public async Task<StudyListing> ListAsync(StudyFilter filter, CancellationToken cancellationToken)
    {
        try
        {
            var today = DateOnly.FromDateTime(time.GetLocalNow().Date);
            var page = await studies.SearchAsync(StudyQueries.For(filter, today), cancellationToken);
            if (page.Studies.Count > 0) return new(filter, ListingState.Found, page.Studies, page.Total) { Series = await FindSeriesAsync(page.Studies, cancellationToken) };

            // A page beyond the last one: studies were removed, or the filter was narrowed. Show the last.
            if (filter.Page > 1) return await ListAsync(filter with { Page = LastPage(page.Total, filter.Page) }, cancellationToken);
            return new(filter, filter.IsFiltered ? ListingState.NothingFound : ListingState.NothingStored, [], 0);
        }
        catch (ImageApiUnavailableException exception)
        {
            return new(filter, exception.TimedOut ? ListingState.Slow : ListingState.Down, [], null);
        }
    }

    private async Task<ILookup<string, SeriesSummary>> FindSeriesAsync(IReadOnlyList<StudySummary> found, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(SeriesTimeout);
        try
        {
            return await studies.FindSeriesAsync(found.Select(static study => study.StudyInstanceUid), patience.Token);
        }
        catch (Exception exception) when (exception is ImageApiUnavailableException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return Array.Empty<SeriesSummary>().ToLookup(static _ => "");
        }
    }

    private static int LastPage(int? total, int asked) =>
        Math.Clamp(((total ?? 0) + StudyFilter.PageSize - 1) / StudyFilter.PageSize, 1, asked - 1);
}
