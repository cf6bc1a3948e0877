using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace ServiceDefaults.Requests;

/// <summary>
/// The steps of one answer with their times, sent as <c>Server-Timing</c> (W3C Server Timing) when the answer starts.
/// Not thread safe: steps are added by the code that serves the request.
/// </summary>
public sealed class ServerTiming
{
    private readonly StringBuilder _value = new(64);

    /// <summary>Adds a step. <paramref name="name"/> is a token (letters, digits, <c>-</c>); <paramref name="description"/> names a
    /// tier or origin, never a patient's value.</summary>
    public void Add(string name, TimeSpan duration, string? description = null)
    {
        if (_value.Length > 0) _value.Append(", ");
        _value.Append(name);
        if (description is not null) _value.Append(";desc=\"").Append(description).Append('"');
        _value.Append(CultureInfo.InvariantCulture, $";dur={duration.TotalMilliseconds:0.###}");
    }

    /// <summary>The header's value, or an empty string before the first step.</summary>
    public override string ToString() => _value.ToString();
}

public static class ServerTimingExtensions
{
    /// <summary>The request's <see cref="ServerTiming"/>, made on first use; what is added before the answer starts goes out with it.</summary>
    public static ServerTiming ServerTiming(this HttpContext context)
    {
        var timing = context.Features.Get<ServerTiming>();
        if (timing is not null) return timing;
        timing = new ServerTiming();
        context.Features.Set(timing);
        context.Response.OnStarting(static state =>
        {
            var http = (HttpContext)state;
            var value = http.Features.Get<ServerTiming>()!.ToString();
            if (value.Length > 0) http.Response.Headers["Server-Timing"] = value;
            return Task.CompletedTask;
        }, context);
        return timing;
    }
}
