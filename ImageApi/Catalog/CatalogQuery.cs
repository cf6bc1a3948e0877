namespace ImageApi.Catalog;

/// <summary>What a search returns rows of.</summary>
internal enum CatalogLevel
{
    Study,
    Series,
    Instance,
}

/// <summary>How a condition compares (PS3.4 C.2.2.2, PS3.18 8.3.4).</summary>
internal enum CatalogMatch
{
    /// <summary>Equal to the one value. Person names ignore case; other text does not.</summary>
    Exact,

    /// <summary>The one value with <c>*</c> (any run) and <c>?</c> (any one character). Person names ignore case.</summary>
    Wildcard,

    /// <summary>
    /// Between two values, both ends included, either of them null for open; dates (<c>yyyyMMdd</c>), times (<c>HHmmss.ffffff</c>, shorter ones stand for the whole
    /// of what they name) and numbers. Rows without a value never match.
    /// </summary>
    Range,

    /// <summary>Equal to any of the values (lists of UIDs, and of strings as an extension).</summary>
    AnyOf,

    /// <summary>
    /// Person names: each word asked for begins a word of the name, whatever its case or accents. Words before the first <c>^</c> are looked for in the
    /// family name, those after it in the given name and so on; a value without <c>^</c> is looked for in every component.
    /// Any of the name's groups (alphabetic, ideographic, phonetic) may match.
    /// </summary>
    FuzzyName,

    /// <summary>The attribute is present and empty, or absent.</summary>
    Empty,
}

/// <summary>One condition of a search. Conditions are joined by "and".</summary>
/// <param name="Attribute">
/// The attribute's path in the form of DICOM JSON: <c>00100010</c>, or through sequences <c>00400275.00401001</c> (any item matches).
/// Attributes of the level searched and of those above it can be named. Those of PS3.18 table 10.6.1-5 and their like are columns; any other is looked for in
/// what the level's DICOM JSON holds.
/// </param>
/// <param name="Match">How.</param>
/// <param name="Values">One value; for <see cref="CatalogMatch.Range"/> two, for <see cref="CatalogMatch.AnyOf"/> any number, for <see cref="CatalogMatch.Empty"/> none.</param>
internal sealed record CatalogCondition(string Attribute, CatalogMatch Match, params string?[] Values);

/// <summary>One key to sort by; rows without a value come last. Ties are broken by UID, so that pages do not overlap.</summary>
internal readonly record struct CatalogOrder(string Attribute, bool Descending = false);

/// <summary>A search at one level.</summary>
internal sealed record CatalogQuery(CatalogLevel Level)
{
    /// <summary>Only below this study.</summary>
    public string? StudyUid { get; init; }

    /// <summary>Only below this series.</summary>
    public string? SeriesUid { get; init; }

    /// <summary>Only what this origin serves.</summary>
    public string? OriginName { get; init; }

    public IReadOnlyList<CatalogCondition> Conditions { get; init; } = [];

    /// <summary>
    /// Words as a person types them. Each one begins a word of the patient's name, or stands somewhere in the patient's ID, the accession number or the
    /// study's description, whatever its case; <c>*</c> and <c>?</c> are wildcards.
    /// </summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Empty: studies newest first, series by number, instances by number.</summary>
    public IReadOnlyList<CatalogOrder> Order { get; init; } = [];

    /// <summary>Rows of a page, 1 to 100,000.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>Rows to skip, 0 or more.</summary>
    public int Offset { get; init; }
}

/// <summary>A page of rows, and how many rows match in all.</summary>
internal sealed record CatalogPage(IReadOnlyList<CatalogRow> Rows, long Total)
{
    /// <summary>Whether an origin over a network had its say: the catalog's generation does not tell of its changes.</summary>
    public bool IsMerged { get; init; }

    /// <summary>What is missing, one sentence per origin, fit for a <c>Warning</c>: an origin that failed, was too slow, or has more than could be merged.</summary>
    public IReadOnlyList<string> Shortfalls { get; init; } = [];
}

/// <summary>
/// One row: the levels' attributes as DICOM JSON objects (UTF-8, complete with braces, keys ascending), each holding only attributes of its own level.
/// Counts and lists that the catalog computes (ModalitiesInStudy, NumberOfStudyRelatedSeries, ...) are inside them, at their level.
/// </summary>
internal sealed record CatalogRow
{
    public required string StudyUid { get; init; }
    public required ReadOnlyMemory<byte> StudyJson { get; init; }

    /// <summary>Empty at study level.</summary>
    public string SeriesUid { get; init; } = "";
    public ReadOnlyMemory<byte> SeriesJson { get; init; }

    /// <summary>Empty above instance level.</summary>
    public string SopUid { get; init; } = "";
    public ReadOnlyMemory<byte> InstanceJson { get; init; }
}
