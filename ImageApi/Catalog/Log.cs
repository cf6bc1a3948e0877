namespace ImageApi.Catalog;

/// <summary>Events 2000-2099. UIDs at Debug only; never a patient's attribute, never a path (names of files can be names of people).</summary>
internal static partial class Log
{
    [LoggerMessage(2000, LogLevel.Error, "The catalog was damaged or of a newer version; it has been set aside and is made again from the files.")]
    public static partial void CatalogSetAside(this ILogger logger);

    [LoggerMessage(2001, LogLevel.Error, "A change could not be written to the catalog.")]
    public static partial void CatalogWriteFailed(this ILogger logger, Exception exception);

    [LoggerMessage(2002, LogLevel.Warning, "A study holds instances of several patients; it is listed under the first one. `platform verify` names it.")]
    public static partial void StudyOfSeveralPatients(this ILogger logger);

    [LoggerMessage(2003, LogLevel.Debug, "A file of origin {Origin} claims the SOP Instance UID of another one with different bytes; the first one is served.")]
    public static partial void InstanceConflict(this ILogger logger, string origin);

    [LoggerMessage(2004, LogLevel.Information, "Origin {Origin} was compared with the catalog in {ElapsedMs:F0} ms: {Files} files, {Read} read, {Removed} gone, {Unparsed} of those read no instances.")]
    public static partial void OriginReconciled(this ILogger logger, string origin, double elapsedMs, long files, long read, long removed, long unparsed);

    [LoggerMessage(2005, LogLevel.Warning, "Origin {Origin} could not be compared with the catalog; its entries stay, and it is tried again.")]
    public static partial void ReconcileFailed(this ILogger logger, string origin, Exception exception);

    [LoggerMessage(2006, LogLevel.Warning, "A file of origin {Origin} could not be looked at.")]
    public static partial void ExamineFailed(this ILogger logger, string origin, Exception exception);

    [LoggerMessage(2007, LogLevel.Debug, "An instance was not as the catalog says, looking again: {SopInstanceUid}.")]
    public static partial void HealingInstance(this ILogger logger, string sopInstanceUid);

    [LoggerMessage(2008, LogLevel.Warning, "The watcher of origin {Origin} lost events; the folder is compared with the catalog.")]
    public static partial void WatcherOverflow(this ILogger logger, string origin, Exception exception);

    [LoggerMessage(2009, LogLevel.Warning, "Origin {Origin} cannot be watched; it is compared with the catalog from time to time.")]
    public static partial void WatcherFailed(this ILogger logger, string origin, Exception exception);

    [LoggerMessage(2011, LogLevel.Warning, "{Conflicts} files of origin {Origin} claim the SOP Instance UIDs of others with different bytes; the first ones are served. `platform verify` names them.")]
    public static partial void InstanceConflicts(this ILogger logger, string origin, long conflicts);

    [LoggerMessage(2010, LogLevel.Debug, "A file of origin {Origin} is no instance: {Reason}.")]
    public static partial void FileUnparsed(this ILogger logger, string origin, string reason);
}
