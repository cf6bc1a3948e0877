namespace ImageApi.HttpCaching;

/// <summary>
/// Marks an answer for which an origin could not be asked whether what is known of it still holds: policy allows it, and who gets it is told
/// (<c>fwd=stale</c> in <c>Cache-Status</c>, and <c>Warning: 110</c>, which clients of older days look for).
/// </summary>
internal sealed class StaleAnswer
{
    private static readonly AsyncLocal<StaleAnswer?> Current = new();

    private bool _isMarked;

    /// <summary>Whether the answer of this request is marked.</summary>
    public static bool IsMarked => Current.Value is { _isMarked: true };

    /// <summary>Marks the answer of the request that this is done for; work that nobody waits for marks nothing.</summary>
    public static void Mark()
    {
        if (Current.Value is { } answer) answer._isMarked = true;
    }

    /// <summary>Has to come before whatever may mark.</summary>
    public static IApplicationBuilder Use(IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        Current.Value = new StaleAnswer();
        return next(context);
    });
}
