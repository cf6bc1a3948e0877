using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Platform.TieredCache;

/// <summary>
/// A place in the log of invalidations: which log, which entry, and 8 random bytes that only this entry of this log
/// has. A value carries the mark that was known when its making began.
/// </summary>
internal sealed record LogMark(ulong Log, long Entry, ulong Random)
{
    /// <summary>As values carry it: the random bytes, then the number in decimals.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[8 + 20];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Random);
        Entry.TryFormat(bytes.AsSpan(8), out var digits);
        return bytes[..(8 + digits)];
    }
}

/// <summary>What the log tells the cache of this node.</summary>
internal interface ILogListener
{
    /// <summary>Another node invalidated this.</summary>
    ValueTask ForgetAsync(Invalidation what, CancellationToken cancellationToken);

    /// <summary>Entries were missed: anything may have been invalidated.</summary>
    ValueTask ForgetAllAsync(CancellationToken cancellationToken);

    /// <summary>Redis lost the log, or it is another Redis. Nodes tell it again what they invalidated lately.</summary>
    ValueTask LogLostAsync(CancellationToken cancellationToken);

    /// <summary>Everything up to this mark was applied.</summary>
    ValueTask CaughtUpAsync(LogMark mark, CancellationToken cancellationToken);
}

/// <summary>
/// The log of invalidations in Redis, as one node sees it. What this node invalidates is appended at once; what could
/// not be appended is owed, and until it was, this node reads no values from Redis. What others append is read
/// when pub/sub says that there is something, and twice a second in any case: a message that was missed, a connection that was
/// gone, a node that slept all end in the same reading on from the last known entry.
/// </summary>
internal sealed class RedisLog(RedisLink link, RedisTierOptions options, TimeProvider time)
{
    private const int EntriesPerRead = 512, MaxOwed = 1024;

    // How long a node remembers what it invalidated, for a Redis that forgets.
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    private static readonly RedisChannel Channel = new("ptc2:log"u8.ToArray(), RedisChannel.PatternMode.Literal);

    private enum FollowState { NoLog, Entries, EntriesGone, OtherLog }

    // The values in Redis only: no business of other tiers.
    private static readonly byte[] ValuesScope = "r"u8.ToArray();

    private readonly byte[] _node = RandomNumberGenerator.GetBytes(8);
    private readonly Lock _lock = new();
    private readonly Dictionary<Invalidation, long> _owed = [];        // and when it was last asked for: again while being sent is twice
    private readonly Queue<(long At, Invalidation What)> _told = new();
    private readonly SemaphoreSlim _paying = new(1, 1), _wake = new(0, 1);
    private LogMark? _mark;
    private long _asked;
    private bool _isLost;

    public static RedisKey Key { get; } = "ptc2:log"u8.ToArray();

    /// <summary>How far this node has followed; null before it first did, and after the log was lost.</summary>
    public LogMark? Mark => Volatile.Read(ref _mark);

    /// <summary>Invalidations that Redis does not know yet.</summary>
    public int Owed
    {
        get { lock (_lock) return _owed.Count; }
    }

    /// <summary>Asks to be told when something is appended. For each new connection.</summary>
    public Task SubscribeAsync(IConnectionMultiplexer multiplexer)
    {
        Wake();
        return multiplexer.GetSubscriber().SubscribeAsync(Channel, (_, _) => Wake());
    }

    /// <summary>Lets <see cref="WaitAsync"/> go on.</summary>
    public void Wake()
    {
        try
        {
            if (_wake.CurrentCount == 0) _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // Another was faster.
        }
    }

    /// <summary>Waits until something may have been appended, half a second at most.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _wake.WaitAsync(options.PollInterval, cancellationToken);

    /// <summary>Appends an invalidation; where that cannot be done now, it is owed.</summary>
    public async ValueTask AppendAsync(Invalidation what, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            Owe(what);
            _told.Enqueue((time.GetTimestamp(), what));
            while (_told.Count > MaxOwed) _told.Dequeue();
        }

        await TryPayAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes every value in Redis void, and nothing else. False: it could not be asked.</summary>
    public async ValueTask<bool> VoidValuesAsync(CancellationToken cancellationToken)
    {
        var (call, done) = await AppendAsync([Key], ValuesScope, cancellationToken).ConfigureAwait(false);
        return call == RedisCall.Done && (int)done! == 1;
    }

    /// <summary>True when Redis knows everything that this node has invalidated.</summary>
    public ValueTask<bool> TryPayAsync(CancellationToken cancellationToken)
        => Owed == 0 ? ValueTask.FromResult(true) : PayAsync(cancellationToken);

    /// <summary>Goes on from a mark that an earlier process of this node has kept.</summary>
    public void ResumeFrom(LogMark mark) => Volatile.Write(ref _mark, mark);

    /// <summary>Reads what was appended since the last time and tells the listener. False: Redis could not be asked.</summary>
    public async ValueTask<bool> FollowAsync(ILogListener listener, CancellationToken cancellationToken)
    {
        while (true)
        {
            var mark = Mark;
            // A node that begins has nothing to forget and starts at the head; one that lost the log reads all of the new one.
            var fromStart = mark is not null || _isLost;
            RedisValue[] arguments =
            [
                RandomNumberGenerator.GetBytes(8), Bytes(mark?.Log ?? 0), Bytes(mark?.Random ?? 0), mark?.Entry ?? -1, EntriesPerRead, fromStart,
            ];
            var (call, result) = await link.CallAsync(db => db.ScriptEvaluateAsync(RedisScripts.Follow, [Key], arguments), cancellationToken).ConfigureAwait(false);
            if (call != RedisCall.Done) return false;
            var reply = (RedisValue[])result!;
            var state = (FollowState)(int)reply[0];
            if (state is FollowState.NoLog or FollowState.OtherLog && mark is not null) await LoseAsync(listener, cancellationToken).ConfigureAwait(false);
            if (state == FollowState.NoLog) return true;

            var next = new LogMark(Number(reply[1]), (long)reply[2], Number(reply[3]));
            if (state == FollowState.EntriesGone || (state == FollowState.OtherLog && fromStart && next.Entry > 0))
                await listener.ForgetAllAsync(cancellationToken).ConfigureAwait(false);
            for (var i = 4; i < reply.Length; i++) await ApplyAsync((byte[])reply[i]!, listener, cancellationToken).ConfigureAwait(false);
            _isLost = false;
            if (next == mark) return true;
            Volatile.Write(ref _mark, next);
            await listener.CaughtUpAsync(next, cancellationToken).ConfigureAwait(false);
            if (state == FollowState.Entries && reply.Length < 4 + EntriesPerRead) return true;
        }
    }

    private ValueTask ApplyAsync(byte[]? entry, ILogListener listener, CancellationToken cancellationToken)
    {
        if (entry is null || entry.Length < 17) return listener.ForgetAllAsync(cancellationToken);
        if (entry.AsSpan(8, 8).SequenceEqual(_node)) return ValueTask.CompletedTask;        // this node did so before it told others
        if (entry.AsSpan(16).SequenceEqual(ValuesScope)) return ValueTask.CompletedTask;
        return TryReadScope(entry.AsSpan(16), out var what) ? listener.ForgetAsync(what, cancellationToken) : listener.ForgetAllAsync(cancellationToken);
    }

    private async ValueTask LoseAsync(ILogListener listener, CancellationToken cancellationToken)
    {
        if (Mark is null) return;
        _isLost = true;
        Volatile.Write(ref _mark, null);
        lock (_lock)
        {
            foreach (var (at, what) in _told)
                if (time.GetElapsedTime(at) < Memory) Owe(what);
        }

        await listener.LogLostAsync(cancellationToken).ConfigureAwait(false);
    }

    private void Owe(Invalidation what)
    {
        // Too many to remember one by one: then everything, which is also said with one entry.
        if (_owed.Count >= MaxOwed)
        {
            _owed.Clear();
            what = Invalidation.All;
        }

        _owed[what] = ++_asked;
    }

    private async ValueTask<bool> PayAsync(CancellationToken cancellationToken)
    {
        // Who comes while another pays waits no longer than a command may take.
        if (!await _paying.WaitAsync(options.Timeout, cancellationToken).ConfigureAwait(false)) return false;
        try
        {
            while (true)
            {
                Invalidation what;
                long asked;
                lock (_lock)
                {
                    if (_owed.Count == 0) return true;
                    (what, asked) = _owed.First();
                }

                RedisKey[] keys = what.Scope == InvalidationScope.Key ? [Key, RedisTier.ValueKey(what.Key)] : [Key];
                var (call, done) = await AppendAsync(keys, ScopeBytes(what), cancellationToken).ConfigureAwait(false);
                if (call != RedisCall.Done || (int)done! != 1) return false;
                lock (_lock)
                {
                    if (_owed.TryGetValue(what, out var last) && last == asked) _owed.Remove(what);
                }
            }
        }
        finally
        {
            _paying.Release();
        }
    }

    private ValueTask<(RedisCall Call, RedisResult? Result)> AppendAsync(RedisKey[] keys, byte[] scope, CancellationToken cancellationToken)
    {
        RedisValue[] arguments = [RandomNumberGenerator.GetBytes(8), RandomNumberGenerator.GetBytes(8), _node, scope, options.LogEntries, (byte[])Channel!];
        return link.CallAsync(db => db.ScriptEvaluateAsync(RedisScripts.Append, keys, arguments), cancellationToken);
    }

    private static byte[] ScopeBytes(Invalidation what)
    {
        switch (what.Scope)
        {
            case InvalidationScope.Key:
                var key = new byte[1 + CacheKey.Size];
                key[0] = (byte)'k';
                what.Key.CopyTo(key.AsSpan(1));
                return key;
            case InvalidationScope.Tag:
                var tag = new byte[1 + CacheTag.Size];
                tag[0] = (byte)'t';
                what.Tag.CopyTo(tag.AsSpan(1));
                return tag;
            case InvalidationScope.Kind:
                return [(byte)'n', (byte)what.Kind];
            default:
                return "a"u8.ToArray();
        }
    }

    /// <summary>False for what this version does not know.</summary>
    private static bool TryReadScope(ReadOnlySpan<byte> bytes, out Invalidation what)
    {
        what = default;
        var name = bytes[1..];
        switch ((char)bytes[0])
        {
            case 'k' when name.Length == CacheKey.Size: what = Invalidation.Of(CacheKey.Read(name)); return true;
            case 't' when name.Length == CacheTag.Size: what = Invalidation.Of(CacheTag.Read(name)); return true;
            case 'n' when name.Length == 1: what = Invalidation.Of((EntryKind)name[0]); return true;
            case 'a' when name.Length == 0: what = Invalidation.All; return true;
            default: return false;
        }
    }

    private static byte[] Bytes(ulong number)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        return bytes;
    }

    private static ulong Number(byte[]? bytes) => bytes is { Length: 8 } ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : 0;
}
