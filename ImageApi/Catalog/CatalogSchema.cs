namespace ImageApi.Catalog;

/// <summary>
/// The tables of the index. A change of the tables raises <see cref="Version"/> and adds a step to <see cref="Migrations"/>;
/// a change of what is read from the files (other columns of JSON, say) raises <see cref="ContentVersion"/>, and the files are read again.
/// </summary>
internal static class CatalogSchema
{
    /// <summary>Kept in <c>PRAGMA user_version</c>.</summary>
    public const int Version = 1;

    /// <summary>Kept in the table <c>meta</c>.</summary>
    public const int ContentVersion = 2;

    /// <summary>Step n leads from version n to n + 1; the first one makes an empty database.</summary>
    public static readonly string[] Migrations = [Initial];

    private const string Initial = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;

        CREATE TABLE studies(
            id INTEGER PRIMARY KEY,
            uid TEXT NOT NULL UNIQUE,
            date TEXT, time TEXT, accession TEXT, study_id TEXT, description TEXT,
            referring_physician TEXT, referring_physician_key TEXT, referring_physician_words TEXT,
            patient_name TEXT, patient_name_key TEXT, patient_name_words TEXT,
            patient_id TEXT, patient_birth_date TEXT, patient_sex TEXT,
            json TEXT NOT NULL,
            modalities TEXT NOT NULL DEFAULT '', sop_classes TEXT NOT NULL DEFAULT '',
            series_count INTEGER NOT NULL DEFAULT 0, instance_count INTEGER NOT NULL DEFAULT 0,
            is_mixed INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX studies_by_date ON studies(date, time);
        CREATE INDEX studies_by_patient_id ON studies(patient_id);
        CREATE INDEX studies_by_patient_name ON studies(patient_name_key);
        CREATE INDEX studies_by_accession ON studies(accession);

        CREATE TABLE series(
            id INTEGER PRIMARY KEY,
            study_id INTEGER NOT NULL REFERENCES studies(id),
            uid TEXT NOT NULL,
            modality TEXT, number INTEGER, description TEXT,
            body_part TEXT, laterality TEXT, station TEXT, institution TEXT, manufacturer TEXT, manufacturer_model TEXT,
            performing_physician TEXT, performing_physician_key TEXT, performing_physician_words TEXT,
            date TEXT, time TEXT, step_start_date TEXT, step_start_time TEXT,
            json TEXT NOT NULL,
            instance_count INTEGER NOT NULL DEFAULT 0,
            UNIQUE(study_id, uid));
        CREATE INDEX series_by_uid ON series(uid);

        CREATE TABLE instances(
            id INTEGER PRIMARY KEY,
            series_id INTEGER NOT NULL REFERENCES series(id),
            uid TEXT NOT NULL UNIQUE,
            sop_class TEXT NOT NULL, number INTEGER,
            rows INTEGER NOT NULL, columns INTEGER NOT NULL, frames INTEGER NOT NULL, declared_frames INTEGER,
            samples INTEGER NOT NULL, bits_allocated INTEGER NOT NULL, bits_stored INTEGER NOT NULL,
            is_signed INTEGER NOT NULL, is_planar INTEGER NOT NULL, photometric TEXT NOT NULL,
            transfer_syntax TEXT NOT NULL,
            pixel_offset INTEGER NOT NULL, pixel_length INTEGER NOT NULL,
            position BLOB, orientation BLOB,
            json TEXT NOT NULL,
            file_id INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX instances_by_series ON instances(series_id);

        CREATE TABLE files(
            id INTEGER PRIMARY KEY,
            origin TEXT NOT NULL, item TEXT NOT NULL, folder TEXT NOT NULL,
            length INTEGER NOT NULL, modified_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
            version TEXT NOT NULL,
            state INTEGER NOT NULL,
            reason TEXT,
            sop_uid TEXT,
            instance_id INTEGER,
            UNIQUE(origin, item));
        CREATE INDEX files_by_instance ON files(instance_id);
        CREATE INDEX files_by_sop_uid ON files(sop_uid) WHERE instance_id IS NULL;
        CREATE INDEX files_by_folder ON files(folder);
        """;
}

/// <summary>What a file of an origin is to the catalog: the column <c>files.state</c>.</summary>
internal enum FileState
{
    /// <summary>A location of an instance.</summary>
    Indexed = 0,

    /// <summary>Not an instance: no DICOM, broken, or without the UIDs that name one.</summary>
    Unparsed = 1,

    /// <summary>Claims the UID of an instance whose bytes are others.</summary>
    Conflict = 2,
}
