using Platform.TieredCache;
using ServiceDefaults.Requests;

namespace InferenceApi.ResultCache;

/// <summary>Sends a result that was kept, and says whether a model ran for it.</summary>
internal static class ResultAnswer
{
    /// <param name="context">The request.</param>
    /// <param name="lease">What goes out.</param>
    /// <param name="outcome">Of the result; what goes out may have been drawn from it.</param>
    public static async Task SendAsync(HttpContext context, CacheLease lease, CacheOutcome outcome)
    {
        var tier = outcome.Tier.ToString().ToLowerInvariant();
        var response = context.Response;
        response.ContentType = lease.Header.MediaType;
        response.Headers.CacheControl = "no-store";   // of a patient, and an answer to a POST
        response.Headers["Cache-Status"] = outcome switch
        {
            { IsHit: true } => $"platform; hit; detail={tier}",
            { IsCoalesced: true } => "platform; fwd=miss; collapsed; detail=computed",
            _ => "platform; fwd=miss; detail=computed",
        };
        context.ServerTiming().Add("result", outcome.Waited, outcome.IsHit ? tier : "computed");
        await lease.WaitUntilCompleteAsync(context.RequestAborted);
        await lease.CopyToAsync(response.BodyWriter, 0, null, context.RequestAborted);
    }
}
