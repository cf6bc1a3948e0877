namespace ImageApi.Store;

/// <summary>Failure Reason (0008,1197), PS3.18 table I.2-2 and PS3.7 annex C.</summary>
internal enum FailureReason : ushort
{
    None = 0,

    /// <summary>Could not be written, for a reason of ours.</summary>
    ProcessingFailure = 0x0110,

    /// <summary>The SOP Instance UID is that of a stored instance with other bytes. Nothing is overwritten.</summary>
    DuplicateInstance = 0x0111,

    /// <summary>The disk is full, or the instance is longer than what is taken.</summary>
    OutOfResources = 0xA700,

    /// <summary>A UID that names the instance is missing or no UID.</summary>
    DoesNotMatchSopClass = 0xA900,

    /// <summary>Belongs to another study than the one in the URL.</summary>
    OtherStudy = 0xA901,

    /// <summary>No DICOM file, broken, or cut short.</summary>
    CannotUnderstand = 0xC000,

    /// <summary>The transfer syntax is none of the standard's.</summary>
    TransferSyntaxNotSupported = 0xC122,
}

/// <summary>What became of one instance of a request.</summary>
internal sealed record StoreOutcome
{
    public FailureReason Failure { get; private init; }
    public string? SopClassUid { get; private init; }
    public string? SopUid { get; private init; }
    public string? StudyUid { get; private init; }
    public string? SeriesUid { get; private init; }

    /// <summary>It was there already, byte for byte.</summary>
    public bool WasStored { get; private init; }

    /// <summary>Failed for lack of space: by itself that is 507.</summary>
    public bool IsDiskFull { get; private init; }

    public bool IsStored => Failure == FailureReason.None;

    public static StoreOutcome Refused(FailureReason reason, string? sopClassUid = null, string? sopUid = null, bool isDiskFull = false) =>
        new() { Failure = reason, SopClassUid = sopClassUid, SopUid = sopUid, IsDiskFull = isDiskFull };

    public static StoreOutcome Stored(Arrival arrival, bool wasStored) => new()
    {
        SopClassUid = arrival.Header!.SopClassUid,
        SopUid = arrival.Header.SopUid,
        StudyUid = arrival.Header.Study.Uid,
        SeriesUid = arrival.Header.Series.Uid,
        WasStored = wasStored,
    };

    public static StoreOutcome Refused(Arrival arrival, FailureReason reason, bool isDiskFull = false) =>
        Refused(reason, arrival.Header?.SopClassUid, arrival.Header?.SopUid, isDiskFull);
}
