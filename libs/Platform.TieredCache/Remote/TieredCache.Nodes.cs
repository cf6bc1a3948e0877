namespace Platform.TieredCache;

/// <summary>What this cache does with what other nodes say.</summary>
public sealed partial class TieredCache : ILogListener
{
    ValueTask ILogListener.ForgetAsync(Invalidation what, CancellationToken cancellationToken) => ForgetAsync(what, fromAnotherNode: true, cancellationToken);

    ValueTask ILogListener.ForgetAllAsync(CancellationToken cancellationToken) => ForgetAsync(Invalidation.All, fromAnotherNode: true, cancellationToken);

    // Nodes tell the new log what they invalidated lately, so that only what a node said that has died since can be missed. Memory is
    // emptied all the same. The disk is not: a Redis that keeps nothing would empty it with each of its starts, and what
    // lies there are values of named versions. Which version is current stands in the records, and they are forgotten.
    ValueTask ILogListener.LogLostAsync(CancellationToken cancellationToken)
    {
        _flights.Invalidate(Invalidation.All, _forget);
        _records.ForgetAll();
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
