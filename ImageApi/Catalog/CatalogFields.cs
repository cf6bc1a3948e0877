namespace ImageApi.Catalog;

/// <summary>How a column compares.</summary>
internal enum FieldKind
{
    Text,
    Name,
    Date,
    Time,
    Number,

    /// <summary>Several values joined by backslashes in one column.</summary>
    List,
}

/// <summary>An attribute that has a column: of which level, under which SQL name.</summary>
internal sealed record CatalogField(CatalogLevel Level, string Column, FieldKind Kind);

/// <summary>
/// The attributes that have columns: the matching keys of PS3.18 tables 10.6.1-3 to 10.6.1-5 (with those that they refer to) and what clients commonly
/// ask for besides. Everything else in a level's DICOM JSON is matched there.
/// </summary>
internal static class CatalogFields
{
    private static readonly Dictionary<string, CatalogField> Fields = new(StringComparer.Ordinal)
    {
        ["00080020"] = new(CatalogLevel.Study, "studies.date", FieldKind.Date),
        ["00080030"] = new(CatalogLevel.Study, "studies.time", FieldKind.Time),
        ["00080050"] = new(CatalogLevel.Study, "studies.accession", FieldKind.Text),
        ["00080061"] = new(CatalogLevel.Study, "studies.modalities", FieldKind.List),
        ["00080062"] = new(CatalogLevel.Study, "studies.sop_classes", FieldKind.List),
        ["00080090"] = new(CatalogLevel.Study, "studies.referring_physician", FieldKind.Name),
        ["00081030"] = new(CatalogLevel.Study, "studies.description", FieldKind.Text),
        ["00100010"] = new(CatalogLevel.Study, "studies.patient_name", FieldKind.Name),
        ["00100020"] = new(CatalogLevel.Study, "studies.patient_id", FieldKind.Text),
        ["00100030"] = new(CatalogLevel.Study, "studies.patient_birth_date", FieldKind.Date),
        ["00100040"] = new(CatalogLevel.Study, "studies.patient_sex", FieldKind.Text),
        ["0020000D"] = new(CatalogLevel.Study, "studies.uid", FieldKind.Text),
        ["00200010"] = new(CatalogLevel.Study, "studies.study_id", FieldKind.Text),
        ["00201206"] = new(CatalogLevel.Study, "studies.series_count", FieldKind.Number),
        ["00201208"] = new(CatalogLevel.Study, "studies.instance_count", FieldKind.Number),

        ["00080021"] = new(CatalogLevel.Series, "series.date", FieldKind.Date),
        ["00080031"] = new(CatalogLevel.Series, "series.time", FieldKind.Time),
        ["00080060"] = new(CatalogLevel.Series, "series.modality", FieldKind.Text),
        ["00080070"] = new(CatalogLevel.Series, "series.manufacturer", FieldKind.Text),
        ["00080080"] = new(CatalogLevel.Series, "series.institution", FieldKind.Text),
        ["00081010"] = new(CatalogLevel.Series, "series.station", FieldKind.Text),
        ["0008103E"] = new(CatalogLevel.Series, "series.description", FieldKind.Text),
        ["00081050"] = new(CatalogLevel.Series, "series.performing_physician", FieldKind.Name),
        ["00081090"] = new(CatalogLevel.Series, "series.manufacturer_model", FieldKind.Text),
        ["00180015"] = new(CatalogLevel.Series, "series.body_part", FieldKind.Text),
        ["0020000E"] = new(CatalogLevel.Series, "series.uid", FieldKind.Text),
        ["00200011"] = new(CatalogLevel.Series, "series.number", FieldKind.Number),
        ["00200060"] = new(CatalogLevel.Series, "series.laterality", FieldKind.Text),
        ["00201209"] = new(CatalogLevel.Series, "series.instance_count", FieldKind.Number),
        ["00400244"] = new(CatalogLevel.Series, "series.step_start_date", FieldKind.Date),
        ["00400245"] = new(CatalogLevel.Series, "series.step_start_time", FieldKind.Time),

        ["00080016"] = new(CatalogLevel.Instance, "instances.sop_class", FieldKind.Text),
        ["00080018"] = new(CatalogLevel.Instance, "instances.uid", FieldKind.Text),
        ["00083002"] = new(CatalogLevel.Instance, "instances.transfer_syntax", FieldKind.Text),
        ["00200013"] = new(CatalogLevel.Instance, "instances.number", FieldKind.Number),
        ["00280008"] = new(CatalogLevel.Instance, "instances.declared_frames", FieldKind.Number),
        ["00280010"] = new(CatalogLevel.Instance, "nullif(instances.rows, 0)", FieldKind.Number),
        ["00280011"] = new(CatalogLevel.Instance, "nullif(instances.columns, 0)", FieldKind.Number),
        ["00280100"] = new(CatalogLevel.Instance, "nullif(instances.bits_allocated, 0)", FieldKind.Number),
    };

    public static bool TryGet(string attribute, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out CatalogField? field) => Fields.TryGetValue(attribute, out field);
}
