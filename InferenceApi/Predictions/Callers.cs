namespace InferenceApi.Predictions;

/// <summary>Who asks: callers take turns.</summary>
internal static class Callers
{
    private const string Header = "Platform-Caller";
    private const int MaxLength = 64;

    /// <summary>What a proxy of ours says, else the address.</summary>
    public static string Of(HttpContext context) =>
        context.Request.Headers[Header].ToString() is { Length: > 0 and <= MaxLength } caller ? caller : context.Connection.RemoteIpAddress?.ToString() ?? "";
}
