using ImageApi.Origins;

namespace ImageApi.HttpCaching;

/// <summary>
/// The catalog may know an item wrongly: it changed or vanished a moment ago. Who finds that out tells the catalog (<c>ICatalog.HealAsync</c>) and
/// throws; the answer then starts over once, from the look-up, with what the catalog knows by then. After the first byte there is no second try.
/// </summary>
internal static class Healing
{
    public static async Task RetryAsync<TState>(HttpContext context, TState state, Func<HttpContext, TState, Task> serve)
    {
        try
        {
            await serve(context, state);
        }
        catch (OriginException exception) when (IsStale(exception) && !context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status200OK;
            context.Response.ContentLength = null;
            await serve(context, state);
        }
    }

    /// <summary>Whether the catalog's word about an item, and not the origin, is to blame.</summary>
    public static bool IsStale(OriginException exception) => exception.Failure is OriginFailure.Changed or OriginFailure.Absent;
}
