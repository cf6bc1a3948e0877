using Platform.HttpCache.Storing;
using Platform.TieredCache;

namespace Platform.HttpCache.Fetching;

internal enum LandingKind
{
    /// <summary>An answer that others may read while it arrives.</summary>
    Arriving,
    /// <summary>The record says something new.</summary>
    Changed,
    /// <summary>The answer is its asker's alone: everybody asks for himself.</summary>
    Alone,
    /// <summary>Who asked has left: somebody else has to.</summary>
    Abandoned,
    Failed,
}

/// <summary>What came of a question that several waited for.</summary>
internal sealed record Landing(LandingKind Kind, StoredResponse? Response = null, Digest256 Body = default, Exception? Failure = null)
{
    public static Landing Changed { get; } = new(LandingKind.Changed);

    public static Landing Alone { get; } = new(LandingKind.Alone);

    public static Landing Abandoned { get; } = new(LandingKind.Abandoned);
}

/// <summary>A question to the origin that is under way. Listed until it landed, and where its answer arrives, until all of it is here.</summary>
internal sealed class Flight(FlightTable table, (Digest256, string) key)
{
    private readonly TaskCompletionSource<Landing> _landing = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<Landing> Landing => _landing.Task;

    /// <summary>Tells those who wait. The first landing counts; any but <see cref="LandingKind.Arriving"/> also ends the flight, so that nobody joins any more.</summary>
    public void Land(Landing landing)
    {
        if (landing.Kind != LandingKind.Arriving) table.End(key, this);
        _landing.TrySetResult(landing);
    }

}

/// <summary>The questions under way, by URI and range: the first who asks leads, the others wait for what he learns (RFC 9211 calls them collapsed).</summary>
internal sealed class FlightTable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(Digest256, string), Flight> _flights = [];

    public int Count
    {
        get { lock (_lock) return _flights.Count; }
    }

    /// <summary>The flight of that name; begun, and then the caller's to land, when there was none.</summary>
    public Flight Join(Digest256 uri, string range, out bool leads)
    {
        lock (_lock)
        {
            leads = !_flights.TryGetValue((uri, range), out var flight);
            return flight ?? (_flights[(uri, range)] = new Flight(this, (uri, range)));
        }
    }

    public Flight? Find(Digest256 uri, string range)
    {
        lock (_lock) return _flights.GetValueOrDefault((uri, range));
    }

    public void End((Digest256, string) key, Flight flight)
    {
        lock (_lock)
        {
            if (_flights.TryGetValue(key, out var listed) && listed == flight) _flights.Remove(key);
        }
    }
}
