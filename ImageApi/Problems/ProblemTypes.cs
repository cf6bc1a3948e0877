namespace ImageApi.Problems;

/// <summary>
/// The stable <c>type</c> of each problem (RFC 9457 3.1.1). Clients may rely on them; docs/conformance.md lists them.
/// </summary>
internal static class ProblemTypes
{
    private const string Prefix = "urn:platform:problem:";

    public const string BadRequest = Prefix + "bad-request";
    public const string InvalidUid = Prefix + "invalid-uid";
    public const string UnknownParameter = Prefix + "unknown-parameter";
    public const string InvalidParameter = Prefix + "invalid-parameter";
    public const string InvalidFrameList = Prefix + "invalid-frame-list";
    public const string NotFound = Prefix + "not-found";
    public const string FrameNotFound = Prefix + "frame-not-found";
    public const string StaleVersion = Prefix + "stale-version";
    public const string MethodNotAllowed = Prefix + "method-not-allowed";
    public const string NotAcceptable = Prefix + "not-acceptable";
    public const string PreconditionFailed = Prefix + "precondition-failed";
    public const string PreconditionRequired = Prefix + "precondition-required";
    public const string AdministrationRefused = Prefix + "administration-refused";
    public const string ConfirmationRequired = Prefix + "confirmation-required";
    public const string OriginConflict = Prefix + "origin-conflict";
    public const string InvalidSettings = Prefix + "invalid-settings";
    public const string PayloadTooLarge = Prefix + "payload-too-large";
    public const string UnsupportedMediaType = Prefix + "unsupported-media-type";
    public const string RangeNotSatisfiable = Prefix + "range-not-satisfiable";
    public const string BrokenInstance = Prefix + "broken-instance";
    public const string BrokenFrame = Prefix + "broken-frame";
    public const string BrokenPicture = Prefix + "broken-picture";
    public const string BrokenVolume = Prefix + "broken-volume";
    public const string OriginUnreachable = Prefix + "origin-unreachable";
    public const string OriginTimeout = Prefix + "origin-timeout";
    public const string OriginRefused = Prefix + "origin-refused";
    public const string OriginChanged = Prefix + "origin-changed";
    public const string StorageFull = Prefix + "storage-full";
    public const string Busy = Prefix + "busy";
    public const string Internal = Prefix + "internal";
}
