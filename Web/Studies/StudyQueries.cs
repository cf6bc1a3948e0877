using System.Globalization;
using Web.Dicomweb;

namespace Web.Studies;

/// <summary>
/// What a <see cref="StudyFilter"/> means in QIDO-RS. <c>search</c> (the words in name, id, accession number or description) and
/// <c>orderby</c> are ImageApi's extensions: one query, one page, one total, whatever the words hit.
/// </summary>
internal static class StudyQueries
{
    public static QidoQuery For(StudyFilter filter, DateOnly today)
    {
        var query = new QidoQuery();
        if (filter.Text.Length > 0) query.With("search", filter.Text);
        if (filter.Modality is { } modality) query.With("ModalitiesInStudy", modality);
        var (first, last) = filter.Days(today);
        if ((first ?? last) is not null) query.With("StudyDate", first == last ? Da(first) : $"{Da(first)}-{Da(last)}");
        var direction = filter.Descending ? ":desc" : "";
        query.With("orderby", string.Join(',', KeysOf(filter.Sort).Select(key => key + direction)));
        query.With("limit", StudyFilter.PageSize.ToString(CultureInfo.InvariantCulture));
        var offset = (filter.Page - 1) * StudyFilter.PageSize;
        return offset == 0 ? query : query.With("offset", offset.ToString(CultureInfo.InvariantCulture));
    }

    private static string[] KeysOf(StudySort sort) => sort switch
    {
        StudySort.Name => ["PatientName"],
        StudySort.PatientId => ["PatientID"],
        StudySort.Modality => ["ModalitiesInStudy"],
        StudySort.Description => ["StudyDescription"],
        StudySort.Accession => ["AccessionNumber"],
        _ => ["StudyDate", "StudyTime"],
    };

    private static string Da(DateOnly? date) => date?.ToString("yyyyMMdd", CultureInfo.InvariantCulture) ?? "";
}
