using StackExchange.Redis;

namespace Platform.TieredCache;

/// <summary>How a command went: only <see cref="Done"/> has a result.</summary>
internal enum RedisCall : byte
{
    /// <summary>Redis answered.</summary>
    Done,
    /// <summary>It was not asked: there is no connection, or too many commands are under way.</summary>
    NotAsked,
    /// <summary>It did not answer in time, refused, or the connection broke.</summary>
    Failed,
}

/// <summary>
/// One connection to Redis that is never in the way. Every command has a deadline (StackExchange.Redis 1.x gives
/// asynchronous calls none), commands under way are capped, and after some failures in a row the connection is dropped
/// with everything that waits in it, so that a server that comes back is not met by a queue of old commands. It is
/// opened again by whoever calls <see cref="TryOpenAsync"/> in the background; requests never wait for that.
/// </summary>
internal sealed class RedisLink(Func<Task<IConnectionMultiplexer>> connect, int maxInFlight, RedisTierOptions options, TimeProvider time) : IAsyncDisposable
{
    // A server that is there answers the handshake, half a dozen commands, well within this.
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private Connection? _connection;
    private bool _wasTried, _disposed;
    private long _triedAt;

    /// <summary>Whether there is a connection that answers.</summary>
    public bool IsOpen => Volatile.Read(ref _connection) is not null;

    /// <summary>
    /// Connects, unless it is connected or was tried less than the break ago; <paramref name="onOpened"/> runs before commands do.
    /// One caller at a time. True when there is a connection.
    /// </summary>
    public async ValueTask<bool> TryOpenAsync(Func<IConnectionMultiplexer, Task>? onOpened, CancellationToken cancellationToken)
    {
        if (IsOpen) return true;
        if (_wasTried && time.GetElapsedTime(_triedAt) < options.BreakDuration) return false;
        _wasTried = true;
        _triedAt = time.GetTimestamp();
        // On the pool: resolving names may block.
        var connecting = Task.Run(connect, CancellationToken.None);
        try
        {
            var multiplexer = await connecting.WaitAsync(ConnectTimeout, time, cancellationToken).ConfigureAwait(false);
            var database = multiplexer.GetDatabase();
            // A server that is slow for a ping is too slow for requests.
            await database.PingAsync().WaitAsync(options.Timeout, time, cancellationToken).ConfigureAwait(false);
            if (onOpened is not null) await onOpened(multiplexer).WaitAsync(ConnectTimeout, time, cancellationToken).ConfigureAwait(false);
            lock (_lock)
            {
                if (_disposed) throw new ObjectDisposedException(nameof(RedisLink));
                _connection = new Connection(multiplexer, database, maxInFlight);
            }

            return true;
        }
        catch (Exception)
        {
            _triedAt = time.GetTimestamp();
            _ = CloseAsync(connecting);
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }

    /// <summary>
    /// Sends a command and waits for its answer, at most the timeout. Throws for the caller's cancellation only. A
    /// command that was given up may still be carried out.
    /// </summary>
    public async ValueTask<(RedisCall Call, T? Result)> CallAsync<T>(Func<IDatabase, Task<T>> command, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _connection) is not { } connection) return (RedisCall.NotAsked, default);
        if (!await connection.Slots.WaitAsync(options.Timeout, cancellationToken).ConfigureAwait(false)) return (RedisCall.NotAsked, default);
        var answer = StartAsync(connection, command);
        try
        {
            var result = await answer.WaitAsync(options.Timeout, time, cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref connection.Failures, 0);
            return (RedisCall.Done, result);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Forget(answer);
            throw;
        }
        catch (RedisServerException)
        {
            // It answers, only not what was asked: out of memory, loading, read-only. Costs nothing to ask again.
            Volatile.Write(ref connection.Failures, 0);
            return (RedisCall.Failed, default);
        }
        catch (Exception)
        {
            Forget(answer);
            if (Interlocked.Increment(ref connection.Failures) >= options.FailuresBeforeBreak) Drop(connection);
            return (RedisCall.Failed, default);
        }
    }

    /// <summary>Lets go of the connection; commands under way fail.</summary>
    public ValueTask DisposeAsync()
    {
        Connection? connection;
        lock (_lock)
        {
            _disposed = true;
            connection = _connection;
        }

        if (connection is not null) Drop(connection);
        return ValueTask.CompletedTask;
    }

    private static async Task<T> StartAsync<T>(Connection connection, Func<IDatabase, Task<T>> command)
    {
        // The slot is held until the command has ended, not until its caller gave up: what is capped is the queue.
        try
        {
            return await command(connection.Database).ConfigureAwait(false);
        }
        finally
        {
            connection.Slots.Release();
        }
    }

    // How it ends, nobody asks any more.
    private static void Forget(Task answer) => _ = answer.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private void Drop(Connection connection)
    {
        lock (_lock)
        {
            if (_connection != connection) return;
            _connection = null;
            _triedAt = time.GetTimestamp();
        }

        _ = CloseAsync(Task.FromResult(connection.Multiplexer));
    }

    private static async Task CloseAsync(Task<IConnectionMultiplexer> connecting)
    {
        try
        {
            var multiplexer = await connecting.ConfigureAwait(false);
            await Task.Run(() => multiplexer.Close(allowCommandsToComplete: false)).ConfigureAwait(false);
            multiplexer.Dispose();
        }
        catch (Exception)
        {
            // It never came up, or it is gone already.
        }
    }

    private sealed class Connection(IConnectionMultiplexer multiplexer, IDatabase database, int maxInFlight)
    {
        public int Failures;

        public IConnectionMultiplexer Multiplexer { get; } = multiplexer;

        public IDatabase Database { get; } = database;

        public SemaphoreSlim Slots { get; } = new(maxInFlight);
    }
}
