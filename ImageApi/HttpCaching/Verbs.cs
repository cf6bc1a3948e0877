namespace ImageApi.HttpCaching;

internal static class Verbs
{
    /// <summary>Whatever answers GET answers HEAD, with the same headers and no body (RFC 9110 9.3.2).</summary>
    public static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];
}
