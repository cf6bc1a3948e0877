namespace Platform.TieredCache;

/// <summary>What this cache does with what other nodes say.</summary>
public sealed partial class TieredCache : ILogListener
{
    ValueTask ILogListener.ForgetAsync(Invalidation what, CancellationToken cancellationToken) => ForgetAsync(what, fromAnotherNode: true, cancellationToken);

    ValueTask ILogListener.ForgetAllAsync(CancellationToken cancellationToken) => ForgetAsync(Invalidation.All, fromAnotherNode: true, cancellationToken);

    // Nodes tell the new log what they invalidated lately. What can be missed is what a node said that has died since, and that was not heard before:
    // memory is emptied for that. Disk and records are not, or a Redis that keeps nothing would empty them with each of its starts: what lies
    // on disk are values of named versions, and how long a record is believed without asking the origin stands in it.
    ValueTask ILogListener.LogLostAsync(CancellationToken cancellationToken)
    {
        _flights.Invalidate(Invalidation.All, _forget);
        return ValueTask.CompletedTask;
    }

    ValueTask ILogListener.CaughtUpAsync(LogMark mark, CancellationToken cancellationToken)
    {
        _disk?.WriteMark(mark);
        return ValueTask.CompletedTask;
    }

    /// <summary>The single flight over nodes: true when another node made the value meanwhile and it was read.</summary>
    private ValueTask<bool> WaitForTurnAsync(Flight flight)
        => _redis is null || !_redis.Holds(flight.Policy) ? ValueTask.FromResult(false) : _redis.WaitForTurnAsync(flight);
}
