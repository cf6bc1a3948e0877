using System.Diagnostics;
using OpenTelemetry;

namespace ServiceDefaults.Telemetry;

/// <summary>
/// Takes out of every span what can name a patient: query strings (QIDO carries names) and paths (UIDs). Server spans are named
/// and given their route by <see cref="Requests.RequestMiddleware"/>.
/// </summary>
internal sealed class SpanScrubber : BaseProcessor<Activity>
{
    public override void OnEnd(Activity data)
    {
        data.SetTag("url.query", null);
        data.SetTag("url.path", null);
        if (data.GetTagItem("url.full") is string full && Uri.TryCreate(full, UriKind.Absolute, out var uri))
        {
            data.SetTag("url.full", uri.GetLeftPart(UriPartial.Authority));
        }
    }
}
