using System.Runtime.InteropServices;
using ImageApi.Origins;

namespace ImageApi.Catalog;

/// <summary>
/// The rules of the tables, inside of the writer's transaction: one instance per SOP Instance UID, any number of locations with the same bytes, the first one
/// by (origin's rank, path) serving it; series and studies live as long as they have instances. Study and series attributes are those of the instance that came
/// first, until one of their files changes: then the new ones count.
/// </summary>
internal sealed class CatalogTables(CatalogConnection connection, Func<string, int> rankOf)
{
    private readonly Dictionary<long, bool> _touchedSeries = [];   // series id -> whether something was removed
    private CatalogChanges _changes = new();

    public void Begin()
    {
        _touchedSeries.Clear();
        _changes = new CatalogChanges();
    }

    /// <summary>Brings counts up to date and removes what has become empty.</summary>
    public CatalogChanges Finish()
    {
        var studies = new Dictionary<long, bool>();
        foreach (var (series, hasRemoved) in _touchedSeries)
        {
            var study = One("SELECT study_id FROM series WHERE id=?", series);
            if (study is null) continue;
            studies[study.Value] = hasRemoved || studies.GetValueOrDefault(study.Value);
            connection.Prepare("UPDATE series SET instance_count=(SELECT count(*) FROM instances WHERE series_id=?) WHERE id=?").Bind(series).Bind(series).Run();
            connection.Prepare("DELETE FROM series WHERE id=? AND instance_count=0").Bind(series).Run();
        }

        foreach (var (study, hasRemoved) in studies)
        {
            connection.Prepare("""
                UPDATE studies SET
                    series_count=(SELECT count(*) FROM series WHERE study_id=?),
                    instance_count=(SELECT coalesce(sum(instance_count), 0) FROM series WHERE study_id=?),
                    modalities=(SELECT coalesce(group_concat(modality, '\'), '') FROM (SELECT DISTINCT modality FROM series WHERE study_id=? AND modality IS NOT NULL ORDER BY modality))
                WHERE id=?
                """).Bind(study).Bind(study).Bind(study).Bind(study).Run();
            if (!hasRemoved) continue;
            connection.Prepare("DELETE FROM studies WHERE id=? AND instance_count=0").Bind(study).Run();
            connection.Prepare("""
                UPDATE studies SET sop_classes=(SELECT coalesce(group_concat(sop_class, '\'), '') FROM
                    (SELECT DISTINCT sop_class FROM instances WHERE series_id IN (SELECT id FROM series WHERE study_id=?) ORDER BY sop_class))
                WHERE id=?
                """).Bind(study).Bind(study).Run();
        }
        return _changes;
    }

    public IndexOutcome Upsert(IndexedFile file)
    {
        var known = FindFile(file.Location);
        if (file.Header is not { } header)
        {
            if (known is { InstanceId: not null }) Detach(known.Value);
            PutFile(known?.Id, file, FileState.Unparsed, sopUid: null, instanceId: null);
            return new IndexOutcome(IndexResult.Unparsed);
        }

        var instance = One("SELECT id FROM instances WHERE uid=?", header.SopUid);
        var other = instance is { } id ? FirstLocation(id, except: known?.Id) : null;
        if (other is not { } location)
        {
            // Nobody else holds this UID: a new instance, or a new version of what this file held.
            if (known is { InstanceId: not null }) Detach(known.Value);
            var fileId = PutFile(known?.Id, file, FileState.Indexed, header.SopUid, instanceId: null);
            var instanceId = Insert(header, fileId, isReplacement: known is not null);
            connection.Prepare("UPDATE files SET instance_id=? WHERE id=?").Bind(instanceId).Bind(fileId).Run();
            return new IndexOutcome(IndexResult.Indexed);
        }

        switch (Compare(file, location))
        {
            case null:
                return new IndexOutcome(IndexResult.NeedsComparison, location.Location, location.Version);

            case ComparisonResult.OtherGone:
                Remove(location.Location);
                return Upsert(file with { Comparison = null });

            case ComparisonResult.Different:
                if (known is { InstanceId: not null }) Detach(known.Value);
                PutFile(known?.Id, file, FileState.Conflict, header.SopUid, instanceId: null);
                return new IndexOutcome(IndexResult.Conflict, location.Location, location.Version);

            default:
                if (known is { InstanceId: { } old } && old != instance) Detach(known.Value);
                PutFile(known?.Id, file, FileState.Indexed, header.SopUid, instance);
                ChoosePrimary(instance!.Value);
                return new IndexOutcome(IndexResult.Duplicate, location.Location, location.Version);
        }
    }

    public void Remove(FileLocation location)
    {
        if (FindFile(location) is not { } file) return;
        if (file.InstanceId is not null) Detach(file);
        connection.Prepare("DELETE FROM files WHERE id=?").Bind(file.Id).Run();
    }

    public void KeepOrigins(IReadOnlyCollection<string> names)
    {
        var gone = new List<FileLocation>();
        var select = connection.Prepare("SELECT origin, item FROM files");
        while (select.Step())
        {
            if (!names.Contains(select.Text(0))) gone.Add(new FileLocation(select.Text(0), new OriginItem(select.Text(1))));
        }
        foreach (var location in gone) Remove(location);
    }

    private static ComparisonResult? Compare(IndexedFile file, in LocatedFile other)
    {
        if (file.Version.IsSha256 && other.Version.IsSha256) return file.Version == other.Version ? ComparisonResult.Same : ComparisonResult.Different;
        if (file.Stamp.Length != other.Length) return ComparisonResult.Different;
        return file.Comparison is { } made && made.Other == other.Location && made.OtherVersion == other.Version ? made.Result : null;
    }

    private KnownFile? FindFile(FileLocation location)
    {
        var select = connection.Prepare("SELECT id, instance_id FROM files WHERE origin=? AND item=?").Bind(location.OriginName).Bind(location.Item.Path);
        if (!select.Step()) return null;
        var file = new KnownFile(select.Int64(0), select.IsNull(1) ? null : select.Int64(1));
        select.Reset();
        return file;
    }

    private long PutFile(long? id, IndexedFile file, FileState state, string? sopUid, long? instanceId)
    {
        var (origin, item) = file.Location;
        var put = id is { } known
            ? connection.Prepare("REPLACE INTO files(id, origin, item, folder, length, modified_ns, inode, version, state, reason, sop_uid, instance_id) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)").Bind(known)
            : connection.Prepare("INSERT INTO files(origin, item, folder, length, modified_ns, inode, version, state, reason, sop_uid, instance_id) VALUES(?,?,?,?,?,?,?,?,?,?,?)");
        put.Bind(origin).Bind(item.Path).Bind(FolderOf(item.Path)).Bind(file.Stamp.Length).Bind(file.Stamp.ModifiedNs).Bind(file.Stamp.Inode)
            .Bind(file.Version.Value).Bind((long)state).Bind(file.Reason).Bind(sopUid);
        (instanceId is { } instance ? put.Bind(instance) : put.Bind((string?)null)).Run();
        return id ?? One("SELECT last_insert_rowid()")!.Value;
    }

    private static string FolderOf(string item) => item.LastIndexOf('/') is var slash and >= 0 ? item[..slash] : "";

    /// <summary>Takes a location from its instance; the instance goes with its last one.</summary>
    private void Detach(in KnownFile file)
    {
        var instance = file.InstanceId!.Value;
        connection.Prepare("UPDATE files SET instance_id=NULL WHERE id=?").Bind(file.Id).Run();
        if (FirstLocation(instance, except: null) is not null)
        {
            ChoosePrimary(instance);
            return;
        }

        var select = connection.Prepare("SELECT series_id, uid FROM instances WHERE id=?").Bind(instance);
        if (!select.Step()) return;
        var (series, sopUid) = (select.Int64(0), select.Text(1));
        select.Reset();
        Touch(series, hasRemoved: true);
        connection.Prepare("DELETE FROM instances WHERE id=?").Bind(instance).Run();

        var refused = connection.Prepare("SELECT origin, item FROM files WHERE sop_uid=? AND instance_id IS NULL AND id<>? AND state=?").Bind(sopUid).Bind(file.Id).Bind((long)FileState.Conflict);
        while (refused.Step()) _changes.Reexamine.Add(new FileLocation(refused.Text(0), new OriginItem(refused.Text(1))));
    }

    private LocatedFile? FirstLocation(long instance, long? except)
    {
        LocatedFile? first = null;
        var select = connection.Prepare("SELECT id, origin, item, version, length FROM files WHERE instance_id=? AND id<>?").Bind(instance).Bind(except ?? -1);
        while (select.Step())
        {
            var file = new LocatedFile(select.Int64(0), new FileLocation(select.Text(1), new OriginItem(select.Text(2))), new OriginVersion(select.Text(3)), select.Int64(4));
            if (first is not { } best || IsBefore(file.Location, best.Location)) first = file;
        }
        return first;
    }

    private bool IsBefore(in FileLocation left, in FileLocation right)
    {
        var byRank = rankOf(left.OriginName).CompareTo(rankOf(right.OriginName));
        return byRank != 0 ? byRank < 0 : string.CompareOrdinal(left.Item.Path, right.Item.Path) < 0;
    }

    private void ChoosePrimary(long instance)
    {
        if (FirstLocation(instance, except: null) is not { } primary) return;
        if (connection.Prepare("UPDATE instances SET file_id=? WHERE id=? AND file_id<>?").Bind(primary.Id).Bind(instance).Bind(primary.Id).Run() == 0) return;
        Touch(One("SELECT series_id FROM instances WHERE id=?", instance)!.Value, hasRemoved: false);
    }

    private long Insert(InstanceHeader header, long fileId, bool isReplacement)
    {
        var study = PutStudy(header.Study, header.SopClassUid, isReplacement);
        var series = PutSeries(study, header.Series, isReplacement);
        var pixels = header.Pixels;
        var hasPixels = pixels is not null;
        connection.Prepare("""
            INSERT INTO instances(series_id, uid, sop_class, number, rows, columns, frames, declared_frames, samples, bits_allocated, bits_stored,
                is_signed, is_planar, photometric, transfer_syntax, pixel_offset, pixel_length, position, orientation, json, file_id)
            VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
            """)
            .Bind(series).Bind(header.SopUid).Bind(header.SopClassUid).Bind(header.Number)
            .Bind((long)(pixels?.Rows ?? 0)).Bind((long)(pixels?.Columns ?? 0)).Bind(hasPixels ? (long)Math.Max(1, pixels!.Value.FrameCount) : 0L).Bind(header.DeclaredFrameCount)
            .Bind((long)(pixels?.SamplesPerPixel ?? 0)).Bind((long)(pixels?.BitsAllocated ?? 0)).Bind((long)(pixels?.BitsStored ?? 0))
            .Bind(pixels?.IsSigned ?? false).Bind(pixels?.IsPlanar ?? false).Bind(pixels?.Photometric ?? "").Bind(header.TransferSyntaxUid)
            .Bind(hasPixels ? header.PixelOffset : -1).Bind(hasPixels ? header.PixelLength : -1)
            .BindBlob(MemoryMarshal.AsBytes(header.Position.AsSpan())).BindBlob(MemoryMarshal.AsBytes(header.Orientation.AsSpan()))
            .BindText(header.Json).Bind(fileId).Run();
        Touch(series, hasRemoved: false);
        return One("SELECT id FROM instances WHERE uid=?", header.SopUid)!.Value;
    }

    private long PutStudy(StudyHeader study, string sopClass, bool isReplacement)
    {
        var nameKey = PersonNames.Key(study.PatientName);
        var select = connection.Prepare("SELECT id, patient_id, patient_name_key, sop_classes FROM studies WHERE uid=?").Bind(study.Uid);
        if (select.Step())
        {
            var id = select.Int64(0);
            var isSamePatient = select.NullableText(1) == study.PatientId && select.NullableText(2) == nameKey;
            var sopClasses = select.Text(3);
            select.Reset();
            if (!sopClasses.Split('\\').Contains(sopClass, StringComparer.Ordinal))
                connection.Prepare("UPDATE studies SET sop_classes=? WHERE id=?").Bind(sopClasses.Length == 0 ? sopClass : $"{sopClasses}\\{sopClass}").Bind(id).Run();
            if (!isReplacement)
            {
                if (!isSamePatient && connection.Prepare("UPDATE studies SET is_mixed=1 WHERE id=? AND is_mixed=0").Bind(id).Run() > 0) _changes.Mixed.Add(study.Uid);
                return id;
            }
            BindStudy(connection.Prepare("""
                UPDATE studies SET uid=?, date=?, time=?, accession=?, study_id=?, description=?, referring_physician=?, referring_physician_key=?, referring_physician_words=?,
                    patient_name=?, patient_name_key=?, patient_name_words=?, patient_id=?, patient_birth_date=?, patient_sex=?, json=? WHERE id=?
                """), study, nameKey).Bind(id).Run();
            return id;
        }

        BindStudy(connection.Prepare("""
            INSERT INTO studies(uid, date, time, accession, study_id, description, referring_physician, referring_physician_key, referring_physician_words,
                patient_name, patient_name_key, patient_name_words, patient_id, patient_birth_date, patient_sex, json, sop_classes) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
            """), study, nameKey).Bind(sopClass).Run();
        return One("SELECT last_insert_rowid()")!.Value;
    }

    private static CatalogStatement BindStudy(CatalogStatement put, StudyHeader study, string? nameKey) => put
        .Bind(study.Uid).Bind(study.Date).Bind(study.Time).Bind(study.AccessionNumber).Bind(study.StudyId).Bind(study.Description)
        .Bind(study.ReferringPhysician).Bind(PersonNames.Key(study.ReferringPhysician)).Bind(PersonNames.Words(study.ReferringPhysician))
        .Bind(study.PatientName).Bind(nameKey).Bind(PersonNames.Words(study.PatientName))
        .Bind(study.PatientId).Bind(study.PatientBirthDate).Bind(study.PatientSex).BindText(study.Json);

    private long PutSeries(long study, SeriesHeader series, bool isReplacement)
    {
        if (One("SELECT id FROM series WHERE study_id=? AND uid=?", study, series.Uid) is { } id)
        {
            if (!isReplacement) return id;
            BindSeries(connection.Prepare("""
                UPDATE series SET study_id=?, uid=?, modality=?, number=?, description=?, body_part=?, laterality=?, station=?, institution=?, manufacturer=?, manufacturer_model=?,
                    performing_physician=?, performing_physician_key=?, performing_physician_words=?, date=?, time=?, step_start_date=?, step_start_time=?, json=? WHERE id=?
                """), study, series).Bind(id).Run();
            return id;
        }

        BindSeries(connection.Prepare("""
            INSERT INTO series(study_id, uid, modality, number, description, body_part, laterality, station, institution, manufacturer, manufacturer_model,
                performing_physician, performing_physician_key, performing_physician_words, date, time, step_start_date, step_start_time, json) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
            """), study, series).Run();
        return One("SELECT last_insert_rowid()")!.Value;
    }

    private static CatalogStatement BindSeries(CatalogStatement put, long study, SeriesHeader series) => put
        .Bind(study).Bind(series.Uid).Bind(series.Modality).Bind(series.Number).Bind(series.Description).Bind(series.BodyPart).Bind(series.Laterality)
        .Bind(series.Station).Bind(series.Institution).Bind(series.Manufacturer).Bind(series.ManufacturerModel)
        .Bind(series.PerformingPhysician).Bind(PersonNames.Key(series.PerformingPhysician)).Bind(PersonNames.Words(series.PerformingPhysician))
        .Bind(series.Date).Bind(series.Time).Bind(series.StepStartDate).Bind(series.StepStartTime).BindText(series.Json);

    private void Touch(long series, bool hasRemoved)
    {
        var isKnown = _touchedSeries.TryGetValue(series, out var removedBefore);
        _touchedSeries[series] = removedBefore || hasRemoved;
        if (isKnown) return;
        var select = connection.Prepare("SELECT studies.uid, series.uid FROM series JOIN studies ON studies.id=series.study_id WHERE series.id=?").Bind(series);
        if (!select.Step()) return;
        _changes.Studies.Add(select.Text(0));
        _changes.Series.Add(new SeriesRef(select.Text(0), select.Text(1)));
        select.Reset();
    }

    private long? One(string sql)
    {
        var select = connection.Prepare(sql);
        return First(select);
    }

    private long? One(string sql, long value) => First(connection.Prepare(sql).Bind(value));
    private long? One(string sql, string value) => First(connection.Prepare(sql).Bind(value));
    private long? One(string sql, long first, string second) => First(connection.Prepare(sql).Bind(first).Bind(second));

    private static long? First(CatalogStatement select)
    {
        if (!select.Step()) return null;
        long? value = select.IsNull(0) ? null : select.Int64(0);
        select.Reset();
        return value;
    }

    private readonly record struct KnownFile(long Id, long? InstanceId);

    private readonly record struct LocatedFile(long Id, FileLocation Location, OriginVersion Version, long Length);
}
