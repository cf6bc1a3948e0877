namespace InferenceApi.Problems;

/// <summary>The stable <c>type</c> of each problem (RFC 9457 3.1.1). Clients may rely on them.</summary>
internal static class ProblemTypes
{
    private const string Prefix = "urn:platform:problem:";

    public const string BadRequest = Prefix + "bad-request";
    public const string NotFound = Prefix + "not-found";
    public const string ModelNotFound = Prefix + "model-not-found";
    public const string ModelExists = Prefix + "model-exists";
    public const string NoRoom = Prefix + "no-room";
    public const string SourceFailed = Prefix + "model-source-failed";
    public const string InvalidModel = Prefix + "invalid-model";
    public const string InvalidTensor = Prefix + "invalid-tensor";
    public const string NotFinite = Prefix + "not-finite";
    public const string MethodNotAllowed = Prefix + "method-not-allowed";
    public const string PayloadTooLarge = Prefix + "payload-too-large";
    public const string UnsupportedMediaType = Prefix + "unsupported-media-type";
    public const string InvalidPicture = Prefix + "invalid-picture";
    public const string UnsupportedInput = Prefix + "unsupported-input";
    public const string ImagesUnavailable = Prefix + "images-unavailable";
    public const string PredictionFailed = Prefix + "prediction-failed";
    public const string PredictionTimeout = Prefix + "prediction-timeout";
    public const string RuntimeMissing = Prefix + "runtime-missing";
    public const string DeviceRefused = Prefix + "device-refused";
    public const string ConfirmationRequired = Prefix + "confirmation-required";
    public const string Busy = Prefix + "busy";
    public const string Internal = Prefix + "internal";
}
