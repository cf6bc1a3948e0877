using System.Globalization;
using ImageApi.Catalog;
using ImageApi.Problems;
using Microsoft.Extensions.Primitives;
using Platform.Dicom;

namespace ImageApi.Search;

/// <summary>Which attributes a search returns beside what its level always returns.</summary>
/// <param name="All">Everything that the catalog holds of each level.</param>
/// <param name="Attributes">Top-level tags as in DICOM JSON, upper case.</param>
internal sealed record IncludedFields(bool All, IReadOnlySet<string> Attributes);

/// <summary>A search as the client asked for it, read from the query string (PS3.18 8.3.4 and 10.6.1).</summary>
internal sealed record SearchRequest
{
    private const int MaxParameters = 100;
    private const int MaxWords = 16;

    public required CatalogQuery Query { get; init; }
    public required IncludedFields Fields { get; init; }

    /// <summary>The client asked for no rows, only for their number.</summary>
    public bool IsCountOnly { get; init; }

    /// <summary>Nothing but the level and the UIDs of the path: the answer can be a ready document.</summary>
    public bool IsPlain { get; init; }

    /// <summary>
    /// Reads a query string. A parameter that is no matching key of the level, a value that cannot be read, or a key given twice is
    /// a problem with status 400 that names the parameter, never the value.
    /// </summary>
    public static SearchRequest? Parse(CatalogLevel level, string? studyUid, string? seriesUid, IQueryCollection parameters, int maxResults, out Problem? problem)
    {
        var reader = new Reader(level, maxResults);
        problem = reader.Read(parameters);
        if (problem is not null)
            return null;
        return new SearchRequest
        {
            Query = new CatalogQuery(level)
            {
                StudyUid = studyUid,
                SeriesUid = seriesUid,
                Conditions = reader.Conditions,
                Words = reader.Words,
                Order = reader.Order,
                Limit = Math.Max(1, reader.Limit),
                Offset = reader.Offset,
            },
            Fields = new IncludedFields(reader.IncludesAll, reader.Included),
            IsCountOnly = reader.Limit == 0,
            IsPlain = parameters.Count == 0 || (parameters.Count == 1 && parameters.ContainsKey("accept")),
        };
    }

    private sealed class Reader(CatalogLevel level, int maxResults)
    {
        private int? _limit;

        public List<CatalogCondition> Conditions { get; } = [];
        public List<CatalogOrder> Order { get; } = [];
        public IReadOnlyList<string> Words { get; private set; } = [];
        public HashSet<string> Included { get; } = new(StringComparer.Ordinal);
        public bool IncludesAll { get; private set; }
        public int Limit => Math.Min(_limit ?? maxResults, maxResults);
        public int Offset { get; private set; }

        public Problem? Read(IQueryCollection parameters)
        {
            if (parameters.Count > MaxParameters)
                return Problem.BadRequest($"The query has more than {MaxParameters} parameters.");
            if (!TryReadFlag(parameters["fuzzymatching"], out var isFuzzy))
                return Invalid("fuzzymatching", "is neither true nor false");
            List<string>? unknown = null;
            foreach (var (name, values) in parameters)
            {
                if (ReadParameter(name, values, isFuzzy, out var isKnown) is { } problem)
                    return problem;
                if (!isKnown)
                    (unknown ??= []).Add(Printable(name));
            }
            return unknown is null ? null : new Problem(ProblemTypes.UnknownParameter, "Unknown parameter", StatusCodes.Status400BadRequest,
                $"A search for {Plural(level)} does not know: {string.Join(", ", unknown)}.");
        }

        private Problem? ReadParameter(string name, StringValues values, bool isFuzzy, out bool isKnown)
        {
            isKnown = true;
            switch (name)
            {
                case "limit":
                    if (!TryReadCount(values, out var limit))
                        return Invalid(name, "is not a whole number of 0 or more");
                    _limit = limit;
                    return null;
                case "offset":
                    if (!TryReadCount(values, out var offset))
                        return Invalid(name, "is not a whole number of 0 or more");
                    Offset = offset;
                    return null;
                case "fuzzymatching" or "accept" or "charset":
                    return null;
                case "emptyvaluematching" or "multiplevaluematching":
                    // Both are always on: what they ask for is what these values mean here anyway.
                    return TryReadFlag(values, out _) ? null : Invalid(name, "is neither true nor false");
                case "includefield":
                    return ReadIncludedFields(values);
                case "orderby":
                    return ReadOrder(values);
                case "search" when level == CatalogLevel.Study:
                    return ReadWords(values);
                default:
                    return ReadKey(name, values, isFuzzy, out isKnown);
            }
        }

        private Problem? ReadKey(string name, StringValues values, bool isFuzzy, out bool isKnown)
        {
            var key = SearchKeys.Find(name);
            isKnown = key is not null && key.Level <= level;
            if (!isKnown)
                return null;
            if (values.Count != 1 && key!.Kind != SearchValueKind.Uid)
                return Invalid(name, "is given more than once");
            var condition = MatchingValue.Parse(key!, values.Count == 1 ? values[0] ?? "" : string.Join(',', values.ToArray()), isFuzzy, out var error);
            if (error is not null)
                return Invalid(name, error);
            Included.Add(key!.Attribute);
            if (condition is not null)
                Conditions.Add(condition);
            return null;
        }

        private Problem? ReadIncludedFields(StringValues values)
        {
            foreach (var line in values)
            {
                foreach (var field in (line ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                {
                    if (field.Equals("all", StringComparison.OrdinalIgnoreCase))
                        IncludesAll = true;
                    else if (DicomTag.TryParse(field.Split('.')[0], out var tag)) // an item's attribute comes with its sequence
                        Included.Add(tag.ToJsonKey());
                    else
                        return Invalid("includefield", $"names no attribute: {Printable(field)}");
                }
            }
            return null;
        }

        private Problem? ReadOrder(StringValues values)
        {
            foreach (var line in values)
            {
                foreach (var item in (line ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                {
                    var colon = item.IndexOf(':');
                    var (name, direction) = colon < 0 ? (item, "asc") : (item[..colon], item[(colon + 1)..]);
                    if (SearchKeys.Find(name) is not { } key || key.Level > level || direction is not ("asc" or "desc"))
                        return Invalid("orderby", $"cannot sort by {Printable(item)}");
                    Order.Add(new CatalogOrder(key.Path, direction == "desc"));
                }
            }
            return null;
        }

        /// <summary>An extension, for people who type: see <see cref="CatalogQuery.Words"/>.</summary>
        private Problem? ReadWords(StringValues values)
        {
            Words = values.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            return Words.Count > MaxWords ? Invalid("search", $"has more than {MaxWords} words") : null;
        }

        private static Problem Invalid(string name, string what) =>
            new(ProblemTypes.InvalidParameter, "Invalid parameter", StatusCodes.Status400BadRequest, $"The parameter {Printable(name)} {what}.");

        private static bool TryReadFlag(StringValues values, out bool flag)
        {
            flag = false;
            return values.Count == 0 || (values.Count == 1 && bool.TryParse(values[0], out flag));
        }

        private static bool TryReadCount(StringValues values, out int count)
        {
            count = 0;
            return values.Count == 1 && int.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out count);
        }

        private static string Plural(CatalogLevel level) => level switch
        {
            CatalogLevel.Study => "studies",
            CatalogLevel.Series => "series",
            _ => "instances",
        };

        // Names come from outside: bounded, and nothing that a terminal or a log could take for something else.
        private static string Printable(string name)
        {
            var text = name.Length <= 64 ? name : name[..64] + "...";
            return string.Create(text.Length, text, static (to, from) =>
            {
                for (var i = 0; i < to.Length; i++)
                    to[i] = char.IsAsciiLetterOrDigit(from[i]) || from[i] is '.' or '-' or '_' or ':' ? from[i] : '?';
            });
        }
    }
}
