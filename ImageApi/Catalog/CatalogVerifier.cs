using System.Runtime.CompilerServices;
using ImageApi.Origins;

namespace ImageApi.Catalog;

/// <summary>Compares the catalog with the files that it was made from. Changes nothing.</summary>
internal sealed class CatalogVerifier(SqliteCatalog catalog, OriginSet origins)
{
    private const int ProgressEvery = 250;
    private int _running;

    /// <summary>One at a time: it reads every file.</summary>
    public bool TryBegin() => Interlocked.CompareExchange(ref _running, 1, 0) == 0;

    public void End() => Volatile.Write(ref _running, 0);

    public async IAsyncEnumerable<VerifyLine> VerifyAsync(bool content, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        var total = catalog.Read(reader => Count(reader, "SELECT count(*) FROM files"), cancellationToken);
        long done = 0, problems = 0, bytes = 0;
        foreach (var origin in origins.Folders)
        {
            foreach (var finding in Compare(origin, content, read => bytes += read, cancellationToken))
            {
                if (finding is { } problem)
                {
                    problems++;
                    yield return problem with { Origin = origin.Name };
                }
                if (++done % ProgressEvery == 0) yield return new VerifyLine("progress") { Checked = done, Total = Math.Max(done, total) };
            }
        }
        foreach (var study in catalog.Read(MixedStudies, cancellationToken))
        {
            problems++;
            yield return Problem("several-patients", "The study holds instances of several patients.") with { Study = study };
        }
        yield return new VerifyLine("summary") { Checked = done, Problems = problems, Bytes = bytes };
    }

    /// <summary>A finding per file, null where all is well.</summary>
    private IEnumerable<VerifyLine?> Compare(FolderOrigin origin, bool content, Action<long> counted, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(origin.Path))
        {
            yield return Problem("missing", "The origin's folder cannot be opened.");
            yield break;
        }

        var folders = catalog.Read(reader => FolderRows.Folders(reader, origin.Name), cancellationToken);
        foreach (var folder in FolderScan.Folders(origin.Root).Concat(folders).Distinct(StringComparer.Ordinal).ToArray())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rows = catalog.Read(reader => Rows(reader, origin.Name, folder), cancellationToken);
            foreach (var (item, stamp) in FolderScan.Files(origin.Root, folder))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!rows.Remove(item.Path, out var row)) yield return Problem("not-indexed", "A file is not in the catalog (yet).");
                else yield return Judge(origin, item, stamp, row, content, counted);
            }
            foreach (var row in rows.Values) yield return row.State == FileState.Indexed ? Problem("missing", "The file is gone.") with { Study = row.Study, Instance = row.Instance } : null;
        }
    }

    private static VerifyLine? Judge(FolderOrigin origin, OriginItem item, FileStamp stamp, Row row, bool content, Action<long> counted)
    {
        var named = new VerifyLine("problem") { Study = row.Study, Instance = row.Instance };
        if (row.Stamp != stamp) return named with { Kind = "changed", Detail = "The file is not the one that was indexed." };
        if (row.State == FileState.Conflict) return named with { Kind = "conflict", Detail = "The file claims the UID of an instance with other bytes; it is not served." };
        var isStored = origin.Traits.HasFlag(OriginTraits.Writable);
        if (row.State == FileState.Unparsed) return isStored ? named with { Kind = "damaged", Detail = row.Reason } : null;
        if (!content || !row.Version.IsSha256) return null;
        counted(stamp.Length);
        try
        {
            return CatalogIndexer.Matches(origin, item, row.Version) ? null : named with { Kind = "damaged", Detail = "The bytes are not those that were stored." };
        }
        catch (Exception exception) when (exception is IOException or OriginException or UnauthorizedAccessException)
        {
            return named with { Kind = "damaged", Detail = "The file cannot be read." };
        }
    }

    private static Dictionary<string, Row> Rows(CatalogConnection reader, string origin, string folder)
    {
        var rows = new Dictionary<string, Row>(StringComparer.Ordinal);
        var select = reader.Prepare("""
            SELECT f.item, f.length, f.modified_ns, f.inode, f.state, f.reason, f.version, coalesce(i.uid, f.sop_uid), studies.uid
            FROM files f LEFT JOIN instances i ON i.id=f.instance_id LEFT JOIN series ON series.id=i.series_id LEFT JOIN studies ON studies.id=series.study_id
            WHERE f.folder=? AND f.origin=?
            """).Bind(folder).Bind(origin);
        while (select.Step())
        {
            rows[select.Text(0)] = new Row(new FileStamp(select.Int64(1), select.Int64(2), select.Int64(3)), (FileState)select.Int32(4), select.NullableText(5),
                new OriginVersion(select.Text(6)), select.NullableText(7), select.NullableText(8));
        }
        return rows;
    }

    private static List<string> MixedStudies(CatalogConnection reader)
    {
        var studies = new List<string>();
        var select = reader.Prepare("SELECT uid FROM studies WHERE is_mixed<>0");
        while (select.Step()) studies.Add(select.Text(0));
        return studies;
    }

    private static long Count(CatalogConnection reader, string sql)
    {
        var select = reader.Prepare(sql);
        select.Step();
        var count = select.Int64(0);
        select.Reset();
        return count;
    }

    private static VerifyLine Problem(string kind, string detail) => new("problem") { Kind = kind, Detail = detail };

    private sealed record Row(FileStamp Stamp, FileState State, string? Reason, OriginVersion Version, string? Instance, string? Study);
}
