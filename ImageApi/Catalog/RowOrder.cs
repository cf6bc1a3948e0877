using System.Globalization;
using Platform.Dicom;
using Platform.Dicom.Json;

namespace ImageApi.Catalog;

/// <summary>Orders rows of several origins as the catalog's SQL orders its own: without a value last, ties broken by UID.</summary>
internal sealed class RowOrder : IComparer<RowOrder.Row>
{
    private readonly CatalogOrder[] _order;

    public RowOrder(CatalogQuery query) => _order = query.Order.Count > 0 ? [.. query.Order] : query.Level switch
    {
        CatalogLevel.Study => [new("00080020", Descending: true), new("00080030", Descending: true)],
        CatalogLevel.Series => [new("0020000D"), new("00200011")],
        _ => [new("0020000D"), new("0020000E"), new("00200013")],
    };

    /// <summary>A row with what it is ordered by.</summary>
    public sealed record Row(CatalogRow Value, IComparable?[] Keys);

    public Row Of(CatalogRow row) => Of(row, [.. new[] { row.InstanceJson, row.SeriesJson, row.StudyJson }.Where(json => !json.IsEmpty).Select(json => DicomJsonReader.Read(json.Span))]);

    public Row Of(CatalogRow row, params DicomDataset[] levels) => new(row, [.. _order.Select(order => Key(order.Attribute, levels))]);

    public int Compare(Row? x, Row? y)
    {
        for (var i = 0; i < _order.Length; i++)
        {
            var (left, right) = (x!.Keys[i], y!.Keys[i]);
            if (left is null || right is null)
            {
                if (left is null != right is null) return left is null ? 1 : -1;
                continue;
            }
            var compared = left is string text ? string.CompareOrdinal(text, (string)right) : left.CompareTo(right);
            if (compared != 0) return _order[i].Descending ? -compared : compared;
        }
        var byStudy = string.CompareOrdinal(x!.Value.StudyUid, y!.Value.StudyUid);
        var bySeries = byStudy != 0 ? byStudy : string.CompareOrdinal(x.Value.SeriesUid, y.Value.SeriesUid);
        return bySeries != 0 ? bySeries : string.CompareOrdinal(x.Value.SopUid, y.Value.SopUid);
    }

    private static IComparable? Key(string attribute, DicomDataset[] levels)
    {
        var tags = attribute.Split('.');
        foreach (var level in levels)
        {
            var dataset = level;
            for (var i = 0; i < tags.Length - 1 && dataset is not null; i++) dataset = DicomTag.TryParse(tags[i], out var sequence) ? dataset.GetItem(sequence) : null;
            if (dataset is null || !DicomTag.TryParse(tags[^1], out var tag) || dataset.GetString(tag) is not { Length: > 0 } text) continue;
            if (!CatalogFields.TryGet(attribute, out var field)) return text;
            return field.Kind switch
            {
                FieldKind.Name => PersonNames.Key(text),
                FieldKind.Number => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null,
                FieldKind.List => string.Join('\\', dataset.GetStrings(tag)),
                _ => text,
            };
        }
        return null;
    }
}
