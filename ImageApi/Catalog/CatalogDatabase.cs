using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ImageApi.Catalog;

/// <summary>
/// The SQLite file: opened (checked, migrated, or set aside and begun anew), one connection for the writer, a pool for readers.
/// WAL with <c>synchronous=NORMAL</c>: a killed process loses nothing that was committed; a power cut may lose the last commits, which
/// the comparison with the files at the next start makes good.
/// </summary>
internal sealed class CatalogDatabase : IDisposable
{
    private const int Corrupt = 11;
    private const int NotADatabase = 26;

    private readonly string _path;
    private readonly ConcurrentBag<CatalogConnection> _idleReaders = [];
    private bool _isDisposed;

    private CatalogDatabase(string path, CatalogConnection writer, bool wasRebuilt)
    {
        _path = path;
        Writer = writer;
        WasRebuilt = wasRebuilt;
    }

    /// <summary>Used by one thread at a time: the catalog's writer.</summary>
    public CatalogConnection Writer { get; }

    /// <summary>The database that was found could not be used and has been set aside as <c>*.damaged-N</c>; this one began empty.</summary>
    public bool WasRebuilt { get; }

    /// <summary>Whether an error says that the file itself is damaged.</summary>
    public static bool IsDamage(SqliteException exception) => exception.SqliteErrorCode is Corrupt or NotADatabase;

    /// <summary>Opens or makes the database. One that is damaged, or that a newer version has made, is set aside: the files are the truth.</summary>
    /// <exception cref="SqliteException">The folder cannot be written, the disk is full, another process holds the file.</exception>
    public static CatalogDatabase Open(string path)
    {
        Batteries_V2.Init();
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            return new CatalogDatabase(path, OpenWriter(path), wasRebuilt: false);
        }
        catch (Exception exception) when (exception is InvalidDataException || (exception is SqliteException sqlite && IsDamage(sqlite)))
        {
            SetAside(path);
            return new CatalogDatabase(path, OpenWriter(path), wasRebuilt: true);
        }
    }

    /// <summary>A reader's connection; give it back with <see cref="Return"/>, or dispose it when it failed.</summary>
    public CatalogConnection Rent()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _idleReaders.TryTake(out var reader) ? reader : Connect(_path, SqliteOpenMode.ReadOnly);
    }

    public void Return(CatalogConnection reader)
    {
        if (_isDisposed || _idleReaders.Count >= Environment.ProcessorCount * 2) reader.Dispose();
        else _idleReaders.Add(reader);
    }

    public void Dispose()
    {
        _isDisposed = true;
        while (_idleReaders.TryTake(out var reader)) reader.Dispose();
        Writer.Dispose();
    }

    private static CatalogConnection OpenWriter(string path)
    {
        var writer = Connect(path, SqliteOpenMode.ReadWriteCreate);
        try
        {
            writer.Run("PRAGMA journal_mode=WAL");
            writer.Run("PRAGMA synchronous=NORMAL");
            writer.Run("PRAGMA wal_autocheckpoint=2000");
            if (writer.Scalar<string>("PRAGMA quick_check(1)") != "ok") throw new InvalidDataException("The catalog is damaged.");
            Migrate(writer);
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    private static void Migrate(CatalogConnection writer)
    {
        var version = (int)writer.Scalar<long>("PRAGMA user_version");
        if (version > CatalogSchema.Version) throw new InvalidDataException("The catalog was made by a newer version.");
        if (version < CatalogSchema.Version)
        {
            writer.Run("BEGIN IMMEDIATE");
            for (; version < CatalogSchema.Version; version++) writer.Run(CatalogSchema.Migrations[version]);
            writer.Run($"PRAGMA user_version={CatalogSchema.Version}");
            writer.Run("COMMIT");
        }

        // What is read from the files has changed since: forget what was read, keep the file.
        if (writer.Scalar<string>("SELECT value FROM meta WHERE key='content'") is { } content && content != $"{CatalogSchema.ContentVersion}")
            writer.Run("BEGIN IMMEDIATE; DELETE FROM files; DELETE FROM instances; DELETE FROM series; DELETE FROM studies; COMMIT");
        writer.Run($"INSERT OR REPLACE INTO meta VALUES('content', '{CatalogSchema.ContentVersion}')");
    }

    private static CatalogConnection Connect(string path, SqliteOpenMode mode)
    {
        var builder = new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = 10 };
        var connection = new SqliteConnection(builder.ToString());
        try
        {
            connection.Open();
            var result = new CatalogConnection(connection);
            result.Run("PRAGMA busy_timeout=5000");
            result.Run("PRAGMA cache_size=-4096");
            result.Run("PRAGMA temp_store=MEMORY");
            return result;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void SetAside(string path)
    {
        var number = 1;
        while (File.Exists($"{path}.damaged-{number}")) number++;
        File.Move(path, $"{path}.damaged-{number}");
        File.Delete(path + "-wal");
        File.Delete(path + "-shm");
    }
}

/// <summary>A connection with its prepared statements. Used by one thread at a time.</summary>
internal sealed class CatalogConnection(SqliteConnection connection) : IDisposable
{
    private const int MaxStatements = 64;
    private readonly Dictionary<string, CatalogStatement> _statements = new(StringComparer.Ordinal);

    /// <summary>The prepared statement for this text, reset and ready to be bound.</summary>
    public CatalogStatement Prepare(string sql)
    {
        if (_statements.TryGetValue(sql, out var statement)) return statement;
        if (_statements.Count >= MaxStatements)
        {
            foreach (var old in _statements.Values) old.Dispose();
            _statements.Clear();
        }
        return _statements[sql] = new CatalogStatement(connection.Handle!, sql);
    }

    /// <summary>Runs statements that return nothing.</summary>
    public void Run(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>The first column of the first row, or default.</summary>
    public T? Scalar<T>(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() is T value ? value : default;
    }

    /// <summary>Makes the running statement end with an error; may be called from another thread.</summary>
    public void Interrupt() => raw.sqlite3_interrupt(connection.Handle);

    public void Dispose()
    {
        foreach (var statement in _statements.Values) statement.Dispose();
        connection.Dispose();
    }
}

/// <summary>
/// A prepared statement over SQLite's own functions: binding and reading UTF-8 without strings between, which is what makes thousands of inserts a second cheap.
/// Parameters are bound in the order of the question marks. Bind, then <see cref="Step"/> or <see cref="Run"/>; both reset it at the end.
/// </summary>
internal sealed class CatalogStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private int _parameter;

    public CatalogStatement(sqlite3 database, string sql)
    {
        _database = database;
        SqliteException.ThrowExceptionForRC(raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement), database);
    }

    public CatalogStatement Bind(string? value) => Check(value is null ? raw.sqlite3_bind_null(_statement, ++_parameter) : raw.sqlite3_bind_text(_statement, ++_parameter, value));
    public CatalogStatement Bind(long value) => Check(raw.sqlite3_bind_int64(_statement, ++_parameter, value));
    public CatalogStatement Bind(int? value) => value is { } number ? Bind((long)number) : Check(raw.sqlite3_bind_null(_statement, ++_parameter));
    public CatalogStatement Bind(bool value) => Bind(value ? 1L : 0L);
    public CatalogStatement BindText(ReadOnlySpan<byte> utf8) => Check(raw.sqlite3_bind_text(_statement, ++_parameter, utf8));
    public CatalogStatement BindBlob(ReadOnlySpan<byte> value) => Check(value.IsEmpty ? raw.sqlite3_bind_null(_statement, ++_parameter) : raw.sqlite3_bind_blob(_statement, ++_parameter, value));

    /// <summary>Goes to the next row; false at the end, when the statement has been reset.</summary>
    public bool Step()
    {
        var result = raw.sqlite3_step(_statement);
        if (result == raw.SQLITE_ROW) return true;
        Reset();
        if (result != raw.SQLITE_DONE) SqliteException.ThrowExceptionForRC(result, _database);
        return false;
    }

    /// <summary>Runs a statement that returns no rows; gives the number of rows that it changed.</summary>
    public int Run()
    {
        while (Step()) { }
        return raw.sqlite3_changes(_database);
    }

    /// <summary>Ends reading before the last row.</summary>
    public void Reset()
    {
        _ = raw.sqlite3_reset(_statement);
        _ = raw.sqlite3_clear_bindings(_statement);
        _parameter = 0;
    }

    public bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;
    public long Int64(int column) => raw.sqlite3_column_int64(_statement, column);
    public int Int32(int column) => raw.sqlite3_column_int(_statement, column);
    public bool Bool(int column) => Int64(column) != 0;
    public int? NullableInt32(int column) => IsNull(column) ? null : Int32(column);
    public string Text(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string() ?? "";
    public string? NullableText(int column) => IsNull(column) ? null : Text(column);

    /// <summary>The bytes of a text or blob, valid until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(_statement, column);

    public void Dispose() => _statement.Dispose();

    private CatalogStatement Check(int result)
    {
        if (result != raw.SQLITE_OK) SqliteException.ThrowExceptionForRC(result, _database);
        return this;
    }
}
