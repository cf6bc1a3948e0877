using Web.Dicomweb;

namespace Web.Studies;

public enum ListingState { Found, NothingStored, NothingFound, Slow, Down }

/// <summary>What the list page shows: a page of studies, or why there is none.</summary>
public sealed record StudyListing(StudyFilter Filter, ListingState State, IReadOnlyList<StudySummary> Studies, int? Total)
{
    public int FirstNumber => (Filter.Page - 1) * StudyFilter.PageSize + 1;
    public int LastNumber => FirstNumber + Studies.Count - 1;
    public int? PageCount => Total is { } total ? Math.Max(1, (total + StudyFilter.PageSize - 1) / StudyFilter.PageSize) : null;
    public bool HasNext => Total is { } total ? LastNumber < total : Studies.Count == StudyFilter.PageSize;
    public bool IsUnavailable => State is ListingState.Slow or ListingState.Down;
}

/// <summary>Asks ImageApi for a page of the list; its failures are states of the page, not errors.</summary>
internal sealed class StudyLister(StudiesClient studies, TimeProvider time)
{
    public async Task<StudyListing> ListAsync(StudyFilter filter, CancellationToken cancellationToken)
    {
        try
        {
            var today = DateOnly.FromDateTime(time.GetLocalNow().Date);
            var page = await studies.SearchAsync(StudyQueries.For(filter, today), cancellationToken);
            if (page.Studies.Count > 0) return new(filter, ListingState.Found, page.Studies, page.Total);

            // A page beyond the last one: studies were removed, or the filter was narrowed. Show the last.
            if (filter.Page > 1) return await ListAsync(filter with { Page = LastPage(page.Total, filter.Page) }, cancellationToken);
            return new(filter, filter.IsFiltered ? ListingState.NothingFound : ListingState.NothingStored, [], 0);
        }
        catch (ImageApiUnavailableException exception)
        {
            return new(filter, exception.TimedOut ? ListingState.Slow : ListingState.Down, [], null);
        }
    }

    private static int LastPage(int? total, int asked) =>
        Math.Clamp(((total ?? 0) + StudyFilter.PageSize - 1) / StudyFilter.PageSize, 1, asked - 1);
}
