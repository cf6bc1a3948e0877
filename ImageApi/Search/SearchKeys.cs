using ImageApi.Catalog;

namespace ImageApi.Search;

/// <summary>How a key's value is read and compared (PS3.4 C.2.2.2).</summary>
internal enum SearchValueKind
{
    /// <summary>Text with wildcards, case as stored.</summary>
    Text,

    /// <summary>Code strings: text where a comma separates alternatives too.</summary>
    Code,
    PersonName,
    Uid,
    Date,
    Time,
    Integer,
}

/// <summary>An attribute that can be matched or sorted by. <paramref name="Path"/> is as in DICOM JSON, sequences joined by a dot.</summary>
internal sealed record SearchKey(string Keyword, string Path, CatalogLevel Level, SearchValueKind Kind)
{
    /// <summary>The top attribute of the path: what a result must hold to show the match.</summary>
    public string Attribute => Path[..8];
}

/// <summary>
/// The attributes that searches match, by level (PS3.18 tables 10.6.1-5 and 8.3.4-1), and what each level returns unasked (PS3.18 tables 10.6.3-3 to
/// 10.6.3-5). Those marked as extensions are not in the standard's tables.
/// </summary>
internal static class SearchKeys
{
    public static readonly IReadOnlyList<SearchKey> All =
    [
        Study("StudyDate", "00080020", SearchValueKind.Date),
        Study("StudyTime", "00080030", SearchValueKind.Time),
        Study("AccessionNumber", "00080050", SearchValueKind.Text),
        Study("ModalitiesInStudy", "00080061", SearchValueKind.Code),
        Study("ReferringPhysicianName", "00080090", SearchValueKind.PersonName),
        Study("PatientName", "00100010", SearchValueKind.PersonName),
        Study("PatientID", "00100020", SearchValueKind.Text),
        Study("StudyInstanceUID", "0020000D", SearchValueKind.Uid),
        Study("StudyID", "00200010", SearchValueKind.Text),
        // Extensions.
        Study("StudyDescription", "00081030", SearchValueKind.Text),
        Study("PatientBirthDate", "00100030", SearchValueKind.Date),
        Study("PatientSex", "00100040", SearchValueKind.Code),
        Study("SOPClassesInStudy", "00080062", SearchValueKind.Uid),

        Series("Modality", "00080060", SearchValueKind.Code),
        Series("SeriesInstanceUID", "0020000E", SearchValueKind.Uid),
        Series("SeriesNumber", "00200011", SearchValueKind.Integer),
        Series("PerformedProcedureStepStartDate", "00400244", SearchValueKind.Date),
        Series("PerformedProcedureStepStartTime", "00400245", SearchValueKind.Time),
        Series("RequestAttributesSequence.ScheduledProcedureStepID", "00400275.00400009", SearchValueKind.Text),
        Series("RequestAttributesSequence.RequestedProcedureID", "00400275.00401001", SearchValueKind.Text),
        // Extensions.
        Series("SeriesDescription", "0008103E", SearchValueKind.Text),
        Series("BodyPartExamined", "00180015", SearchValueKind.Code),
        Series("SeriesDate", "00080021", SearchValueKind.Date),
        Series("SeriesTime", "00080031", SearchValueKind.Time),
        Series("Manufacturer", "00080070", SearchValueKind.Text),
        Series("ManufacturerModelName", "00081090", SearchValueKind.Text),
        Series("InstitutionName", "00080080", SearchValueKind.Text),
        Series("StationName", "00081010", SearchValueKind.Text),
        Series("PerformingPhysicianName", "00081050", SearchValueKind.PersonName),
        Series("Laterality", "00200060", SearchValueKind.Code),

        Instance("SOPClassUID", "00080016", SearchValueKind.Uid),
        Instance("SOPInstanceUID", "00080018", SearchValueKind.Uid),
        Instance("InstanceNumber", "00200013", SearchValueKind.Integer),
    ];

    private static readonly string[] _studyAttributes =
    [
        "00080005", "00080020", "00080030", "00080050", "00080056", "00080061", "00080090", "00080201", "00081190",
        "00100010", "00100020", "00100030", "00100040", "0020000D", "00200010", "00201206", "00201208",
        "00081030", // Study Description: an extension that every study list needs
    ];

    private static readonly string[] _seriesAttributes =
    [
        "00080005", "00080056", "00080060", "00080201", "0008103E", "00081190", "0020000D", "0020000E", "00200011",
        "00201209", "00400244", "00400245", "00400275",
    ];

    private static readonly string[] _instanceAttributes =
    [
        "00080005", "00080016", "00080018", "00080056", "00080201", "00081190", "0020000D", "0020000E", "00200013",
        "00280008", "00280010", "00280011", "00280100",
    ];

    private static readonly Dictionary<string, SearchKey> _byName = Index();

    /// <summary>The key by keyword or by hexadecimal tags, alone or as a path: <c>00400275.ScheduledProcedureStepID</c>.</summary>
    public static SearchKey? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>What a search returns of one level without being asked.</summary>
    public static IReadOnlyList<string> Returned(CatalogLevel level) => level switch
    {
        CatalogLevel.Study => _studyAttributes,
        CatalogLevel.Series => _seriesAttributes,
        _ => _instanceAttributes,
    };

    private static Dictionary<string, SearchKey> Index()
    {
        var index = new Dictionary<string, SearchKey>(StringComparer.OrdinalIgnoreCase);
        foreach (var key in All)
        {
            var (words, tags) = (key.Keyword.Split('.'), key.Path.Split('.'));
            index[key.Keyword] = key;
            index[key.Path] = key;
            if (words.Length == 2)
            {
                index[$"{words[0]}.{tags[1]}"] = key;
                index[$"{tags[0]}.{words[1]}"] = key;
            }
        }
        return index;
    }

    private static SearchKey Study(string keyword, string path, SearchValueKind kind) => new(keyword, path, CatalogLevel.Study, kind);

    private static SearchKey Series(string keyword, string path, SearchValueKind kind) => new(keyword, path, CatalogLevel.Series, kind);

    private static SearchKey Instance(string keyword, string path, SearchValueKind kind) => new(keyword, path, CatalogLevel.Instance, kind);
}
