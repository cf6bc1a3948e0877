using System.Globalization;
using System.Text;

namespace ImageApi.Catalog;

/// <summary>A query made into SQL. Every value is bound; attribute paths are checked to be hexadecimal digits and dots before they stand in a JSON path.</summary>
internal sealed class CatalogSearch
{
    private const int MaxConditions = 64;
    private const int MaxValues = 1_000;
    private const int MaxLimit = 100_000;

    private readonly CatalogLevel _level;
    private readonly string _from;
    private readonly string _order;
    private readonly List<string> _conditions = [];
    private readonly List<object> _values = [];
    private readonly int _limit;
    private readonly int _offset;

    private CatalogSearch(CatalogQuery query)
    {
        _level = query.Level;
        _limit = query.Limit;
        _offset = query.Offset;
        _from = query.Level switch
        {
            CatalogLevel.Study => "studies",
            CatalogLevel.Series => "series JOIN studies ON studies.id=series.study_id",
            _ => "instances JOIN series ON series.id=instances.series_id JOIN studies ON studies.id=series.study_id",
        };
        if (query.StudyUid is { } study) Add("studies.uid=?", study);
        if (query.SeriesUid is { } series) Add("series.uid=?", series);
        if (query.OriginName is { } origin) Add(ServedBy(query.Level), origin);
        foreach (var condition in query.Conditions) Add(condition);
        foreach (var word in query.Words) AddWord(word);
        _order = string.Join(", ", query.Order.Select(Order).Concat(DefaultOrder(query)));
    }

    /// <exception cref="ArgumentException">An attribute path or a value that is none, or too many of them.</exception>
    public static CatalogSearch Compile(CatalogQuery query)
    {
        if (query.Conditions.Count + query.Words.Count > MaxConditions) throw new ArgumentException($"A search has at most {MaxConditions} conditions.");
        if (query.Limit is < 1 or > MaxLimit || query.Offset < 0) throw new ArgumentException($"The limit is 1 to {MaxLimit} and the offset not negative.");
        if (query.SeriesUid is not null && query.Level == CatalogLevel.Study) throw new ArgumentException("Studies do not lie below a series.");
        return new CatalogSearch(query);
    }

    public CatalogPage Run(CatalogConnection reader)
    {
        reader.Run("BEGIN");
        try
        {
            var rows = ReadRows(reader);
            var total = rows.Count < _limit && (_offset == 0 || rows.Count > 0) ? _offset + rows.Count : Count(reader);
            return new CatalogPage(rows, total);
        }
        finally
        {
            reader.Run("COMMIT");
        }
    }

    private List<CatalogRow> ReadRows(CatalogConnection reader)
    {
        var columns = "studies.uid, studies.id";
        if (_level >= CatalogLevel.Series) columns += ", series.uid, series.id";
        if (_level == CatalogLevel.Instance) columns += ", instances.uid, instances.json";

        // The rows first, narrow, then each study and series once: a page of a series' instances names the same two a thousand times.
        var parents = new ParentJson(reader);
        var rows = new List<CatalogRow>();
        var select = Bind(reader.Prepare($"SELECT {columns} FROM {_from}{Where()} ORDER BY {_order} LIMIT ? OFFSET ?")).Bind((long)_limit).Bind((long)_offset);
        while (select.Step())
        {
            var study = parents.Study(select.Int64(1), select);
            rows.Add(_level switch
            {
                CatalogLevel.Study => new CatalogRow { StudyUid = study.Uid, StudyJson = study.Json },
                CatalogLevel.Series => Series(parents.Series(select.Int64(3)), study),
                _ => Series(parents.Series(select.Int64(3)), study) with { SopUid = select.Text(4), InstanceJson = select.Bytes(5).ToArray() },
            });
        }
        return rows;

        static CatalogRow Series((string Uid, byte[] Json) series, (string Uid, byte[] Json) study) =>
            new() { StudyUid = study.Uid, StudyJson = study.Json, SeriesUid = series.Uid, SeriesJson = series.Json };
    }

    private long Count(CatalogConnection reader)
    {
        var select = Bind(reader.Prepare($"SELECT count(*) FROM {_from}{Where()}"));
        select.Step();
        var count = select.Int64(0);
        select.Reset();
        return count;
    }

    private string Where() => _conditions.Count == 0 ? "" : " WHERE " + string.Join(" AND ", _conditions);

    private CatalogStatement Bind(CatalogStatement statement)
    {
        foreach (var value in _values)
        {
            if (value is long number) statement.Bind(number);
            else statement.Bind((string)value);
        }
        return statement;
    }

    private static string ServedBy(CatalogLevel level) => level switch
    {
        CatalogLevel.Instance => "EXISTS (SELECT 1 FROM files WHERE files.id=instances.file_id AND files.origin=?)",
        CatalogLevel.Series => "EXISTS (SELECT 1 FROM instances i JOIN files ON files.id=i.file_id WHERE i.series_id=series.id AND files.origin=?)",
        _ => "EXISTS (SELECT 1 FROM series s JOIN instances i ON i.series_id=s.id JOIN files ON files.id=i.file_id WHERE s.study_id=studies.id AND files.origin=?)",
    };

    private void Add(string sql, params object[] values)
    {
        _conditions.Add(sql);
        _values.AddRange(values);
    }

    private void Add(CatalogCondition condition)
    {
        var (attribute, match, values) = (condition.Attribute, condition.Match, condition.Values);
        var expected = match switch { CatalogMatch.Range => 2, CatalogMatch.Empty => 0, CatalogMatch.AnyOf => Math.Clamp(values.Length, 1, MaxValues), _ => 1 };
        if (values.Length != expected) throw new ArgumentException($"{match} takes another number of values.");
        if (match != CatalogMatch.Range && values.Contains(null)) throw new ArgumentException("A value is missing.");

        if (CatalogFields.TryGet(attribute, out var field))
        {
            if (field.Level > _level) throw new ArgumentException($"{attribute} belongs to a lower level than the one searched.");
            AddColumn(field, match, values);
        }
        else
        {
            AddJson(JsonSources(attribute), match, values);
        }
    }

    private void AddColumn(CatalogField field, CatalogMatch match, string?[] values)
    {
        var column = field.Column;
        switch (field.Kind, match)
        {
            case (_, CatalogMatch.Empty):
                Add($"coalesce({column}, '')=''");
                break;
            case (FieldKind.Name, CatalogMatch.FuzzyName):
                AddFuzzy(values[0]!, prefix => ($"instr({column}_words, ?)>0", prefix));
                break;
            case (FieldKind.Name, CatalogMatch.Exact or CatalogMatch.Wildcard or CatalogMatch.AnyOf):
                AddText($"{column}_key", match, Array.ConvertAll(values, PersonNames.Key));
                break;
            case (FieldKind.Number, CatalogMatch.Exact or CatalogMatch.AnyOf):
                Add($"{column} IN ({Marks(values.Length)})", [.. values.Select(Number)]);
                break;
            case (FieldKind.Number, CatalogMatch.Range):
                if (values[0] is { } least) Add($"{column}>=?", Number(least));
                if (values[1] is { } most) Add($"{column}<=?", Number(most));
                break;
            case (FieldKind.Date or FieldKind.Time, CatalogMatch.Range):
                AddRange(column, values);
                break;
            case (FieldKind.Time, CatalogMatch.Exact):
                AddRange(column, [values[0], values[0]]);   // 10 means the whole hour
                break;
            case (FieldKind.List, CatalogMatch.Exact or CatalogMatch.AnyOf):
                Add("(" + string.Join(" OR ", values.Select(_ => $"instr('\\'||{column}||'\\', ?)>0")) + ")", [.. values.Select(value => $"\\{value}\\")]);
                break;
            case (FieldKind.List, CatalogMatch.Wildcard):
                // One value of several: no character of the pattern may reach across a backslash, which [^\] says for ? and a list of alternatives for *.
                Add($"EXISTS (SELECT 1 FROM json_each('[\"'||replace({column}, '\\', '\",\"')||'\"]') AS part WHERE part.value GLOB ?)", Glob(values[0]!));
                break;
            case (FieldKind.Text or FieldKind.Date or FieldKind.Time, CatalogMatch.Exact or CatalogMatch.Wildcard or CatalogMatch.AnyOf):
                AddText(column, match, values);
                break;
            default:
                throw new ArgumentException($"{match} cannot be asked of this attribute.");
        }
    }

    private void AddText(string column, CatalogMatch match, string?[] values)
    {
        if (match == CatalogMatch.Wildcard) Add($"{column} GLOB ?", Glob(values[0] ?? ""));
        else Add($"{column} IN ({Marks(values.Length)})", [.. values.Select(value => value ?? "")]);
    }

    /// <summary>Both ends as prefixes: an end at 10 takes in 10:59:59, one at 1030 takes in 10:30:59.</summary>
    private void AddRange(string column, string?[] values)
    {
        Add($"coalesce({column}, '')<>''");
        if (values[0] is { Length: > 0 } least) Add($"{column}>=?", least);
        if (values[1] is { Length: > 0 } most) Add($"substr({column}, 1, {most.Length})<=?", most);
    }

    private void AddFuzzy(string value, Func<string, (string Sql, string Value)> find)
    {
        foreach (var alternatives in PersonNames.Prefixes(value))
        {
            var found = alternatives.Select(find).ToArray();
            Add("(" + string.Join(" OR ", found.Select(one => one.Sql)) + ")", [.. found.Select(one => (object)one.Value)]);
        }
    }

    private void AddWord(string word)
    {
        var isPattern = word.AsSpan().ContainsAny('*', '?');
        var like = "%" + Like(word) + "%";
        List<string> tests = ["studies.patient_id LIKE ? ESCAPE '!'", "studies.accession LIKE ? ESCAPE '!'", "studies.description LIKE ? ESCAPE '!'"];
        List<object> values = [like, like, like];
        if (isPattern)
        {
            tests.Add("studies.patient_name_key GLOB ?");
            values.Add($"*{Glob(word.ToUpperInvariant())}*");
        }
        else if (PersonNames.Prefixes(word) is { Count: > 0 } parts)
        {
            // SMITH-JONES is two words of a name: both have to be there.
            tests.Add(string.Join(" AND ", parts.Select(part => "(" + string.Join(" OR ", part.Select(_ => "instr(studies.patient_name_words, ?)>0")) + ")")));
            values.AddRange(parts.SelectMany(part => part));
        }
        Add("(" + string.Join(" OR ", tests) + ")", [.. values]);
    }

    /// <summary>The levels whose JSON may hold the attribute, and the joins down to its values; <c>leaf.value</c> is one value.</summary>
    private List<string> JsonSources(string attribute)
    {
        var tags = attribute.Split('.');
        if (tags.Length > 8 || tags.Any(tag => tag.Length != 8 || !tag.All(char.IsAsciiHexDigitUpper))) throw new ArgumentException("An attribute path is tags of 8 upper-case hexadecimal digits, joined by dots.");
        var sources = new List<string>();
        foreach (var table in new[] { "studies", "series", "instances" }.Take((int)_level + 1))
        {
            var from = new StringBuilder();
            var parent = $"{table}.json";
            for (var i = 0; i < tags.Length; i++)
            {
                var name = i == tags.Length - 1 ? "leaf" : $"item{i}";
                from.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ", ")}json_each({parent}, '$.\"{tags[i]}\".Value') AS {name}");
                parent = $"{name}.value";
            }
            sources.Add(from.ToString());
        }
        return sources;
    }

    private void AddJson(List<string> sources, CatalogMatch match, string?[] values)
    {
        // A person name is an object of groups; everything else a string or a number.
        const string text = "CASE leaf.type WHEN 'object' THEN json_extract(leaf.value, '$.Alphabetic') ELSE leaf.value END";
        var (test, bound) = match switch
        {
            CatalogMatch.Exact or CatalogMatch.AnyOf => ($"CAST({text} AS TEXT) IN ({Marks(values.Length)})", values.Select(value => (object)value!)),
            CatalogMatch.Wildcard => ($"upper(CAST({text} AS TEXT)) GLOB ?", [Glob(values[0]!.ToUpperInvariant())]),
            CatalogMatch.Range => (JsonRange(text, values), values.Where(value => value is { Length: > 0 }).Select(value => (object)value!)),
            CatalogMatch.FuzzyName => ($"instr(' '||upper(replace(CAST({text} AS TEXT), '^', ' ')), ?)>0", [" " + values[0]!.ToUpperInvariant()]),
            _ => ("leaf.value IS NOT NULL", []),
        };
        var found = string.Join(" OR ", sources.Select(source => $"EXISTS (SELECT 1 FROM {source} WHERE {test})"));
        var all = bound.ToArray();
        Add(match == CatalogMatch.Empty ? $"NOT ({found})" : $"({found})", [.. sources.SelectMany(_ => all)]);
    }

    private static string JsonRange(string text, string?[] values)
    {
        var sql = new StringBuilder("1");
        if (values[0] is { Length: > 0 }) sql.Append(CultureInfo.InvariantCulture, $" AND CAST({text} AS TEXT)>=?");
        if (values[1] is { Length: > 0 } most) sql.Append(CultureInfo.InvariantCulture, $" AND substr(CAST({text} AS TEXT), 1, {most.Length})<=?");
        return sql.ToString();
    }

    private string Order(CatalogOrder order)
    {
        if (!CatalogFields.TryGet(order.Attribute, out var field) || field.Level > _level) throw new ArgumentException("Rows cannot be sorted by this attribute.");
        var column = field.Kind == FieldKind.Name ? $"{field.Column}_key" : field.Column;
        return $"coalesce({column}, '')='', {column}{(order.Descending ? " DESC" : "")}";
    }

    private static IEnumerable<string> DefaultOrder(CatalogQuery query) => query.Level switch
    {
        CatalogLevel.Study when query.Order.Count == 0 => ["coalesce(studies.date, '')=''", "studies.date DESC", "studies.time DESC", "studies.uid"],
        CatalogLevel.Study => ["studies.uid"],
        CatalogLevel.Series when query.Order.Count == 0 => ["studies.uid", "series.number IS NULL", "series.number", "series.uid"],
        CatalogLevel.Series => ["studies.uid", "series.uid"],
        _ when query.Order.Count == 0 => ["studies.uid", "series.uid", "instances.number IS NULL", "instances.number", "instances.uid"],
        _ => ["instances.uid"],
    };

    private static string Marks(int count) => string.Join(',', Enumerable.Repeat('?', count));

    private static object Number(string? value) =>
        long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw new ArgumentException("The value is no whole number.");

    /// <summary>DICOM's <c>*</c> and <c>?</c> are SQLite's; its <c>[</c> is not.</summary>
    private static string Glob(string pattern) => pattern.Replace("[", "[[]", StringComparison.Ordinal);

    /// <summary>LIKE's wildcards for DICOM's; its own are meant literally. LIKE ignores the case of ASCII letters.</summary>
    private static string Like(string pattern) => pattern
        .Replace("!", "!!", StringComparison.Ordinal).Replace("%", "!%", StringComparison.Ordinal).Replace("_", "!_", StringComparison.Ordinal)
        .Replace('*', '%').Replace('?', '_');

    /// <summary>The JSON of studies and series with what the catalog counts, made once per page.</summary>
    private sealed class ParentJson(CatalogConnection reader)
    {
        private readonly Dictionary<long, (string Uid, byte[] Json)> _studies = [];
        private readonly Dictionary<long, (string Uid, byte[] Json)> _series = [];

        public (string Uid, byte[] Json) Study(long id, CatalogStatement row)
        {
            if (_studies.TryGetValue(id, out var known)) return known;
            var select = reader.Prepare("SELECT json, modalities, sop_classes, series_count, instance_count FROM studies WHERE id=?").Bind(id);
            select.Step();
            var json = HeaderJson.Merge(select.Bytes(0),
            [
                new("00080061", "CS", Split(select.Text(1))),
                new("00080062", "UI", Split(select.Text(2))),
                new("00201206", "IS", select.Int64(3)),
                new("00201208", "IS", select.Int64(4)),
            ]);
            select.Reset();
            return _studies[id] = (row.Text(0), json);
        }

        public (string Uid, byte[] Json) Series(long id)
        {
            if (_series.TryGetValue(id, out var known)) return known;
            var select = reader.Prepare("SELECT json, uid, instance_count FROM series WHERE id=?").Bind(id);
            select.Step();
            var series = (select.Text(1), HeaderJson.Merge(select.Bytes(0), [new("00201209", "IS", select.Int64(2))]));
            select.Reset();
            return _series[id] = series;
        }

        private static string[] Split(string list) => list.Length == 0 ? [] : list.Split('\\');
    }
}
