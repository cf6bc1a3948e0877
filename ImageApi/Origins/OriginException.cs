namespace ImageApi.Origins;

/// <summary>Whose fault it was that an origin did not deliver.</summary>
internal enum OriginFailure
{
    /// <summary>No connection, no such folder, a failing disk. 502 unless something stale may be served.</summary>
    Unreachable,

    /// <summary>It took too long. 504.</summary>
    Timeout,

    /// <summary>The origin, or a rule of ours, says no: permission denied, a path that leads out of the folder. 502.</summary>
    Refused,

    /// <summary>The item is not the version that was asked for. Tell the catalog (<c>ICatalog.HealAsync</c>) and start over once; then 503.</summary>
    Changed,

    /// <summary>The item is there and is not what it should be: broken DICOM, a frame that lies outside of its file. 502, and trying again is no use.</summary>
    Broken,

    /// <summary>The item is gone. Tell the catalog (<c>ICatalog.HealAsync</c>) and start over once: another location may serve it; then 404.</summary>
    Absent,
}

/// <summary>An origin failed to deliver. The message carries no path and no patient's values; UIDs are left to Debug logs.</summary>
internal sealed class OriginException : Exception
{
    public OriginException(OriginFailure failure, string message, Exception? inner = null)
        : base(message, inner) => Failure = failure;

    public OriginFailure Failure { get; }

    /// <summary>When trying again may help, if the origin said so.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The HTTP status that the origin answered, where it answered.</summary>
    public int? Status { get; init; }
}
