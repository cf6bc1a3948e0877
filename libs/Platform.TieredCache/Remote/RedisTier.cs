using System.Buffers;
using System.Security.Cryptography;
using StackExchange.Redis;

namespace Platform.TieredCache;

/// <summary>
/// Values in Redis, shared between nodes, and what nodes tell each other through it: what was invalidated, and who is
/// making a value at this moment. Never in the way: each command has a deadline, connecting happens in the background,
/// and a dead or hung Redis costs the deadline once and then nothing. Commands of many bytes have a connection of their
/// own, as pub/sub has. README.md of this library tells the formats and what holds when.
/// </summary>
public sealed class RedisTier : IAsyncDisposable
{
    /// <summary>Values lie in pieces of this size, so that no buffer of theirs is garbage of the large-object heap.</summary>
    internal const int ChunkBytes = 64 << 10;

    private const int ChunksAtOnce = 16;
    private static readonly TimeSpan StagingTtl = TimeSpan.FromSeconds(10), FreeForAllTtl = TimeSpan.FromSeconds(2);

    private readonly RedisTierOptions _options;
    private readonly RedisLink _small, _large;
    private readonly RedisLog _log;
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    /// <summary>A tier over connections of its own, made as <paramref name="connectionString"/> says (StackExchange.Redis's form).</summary>
    public RedisTier(string connectionString, RedisTierOptions? options = null, TimeProvider? time = null)
        : this(Connector(connectionString), options, time)
    {
    }

    /// <summary>A tier over connections that <paramref name="connect"/> makes, which it then owns; that may block and throw.</summary>
    internal RedisTier(Func<Task<IConnectionMultiplexer>> connect, RedisTierOptions? options = null, TimeProvider? time = null)
    {
        _options = options ?? new RedisTierOptions();
        time ??= TimeProvider.System;
        _small = new RedisLink(connect, _options.MaxCommands, _options, time);
        _large = new RedisLink(connect, 4 * ChunksAtOnce, _options, time);
        _log = new RedisLog(_small, _options, time);
    }

    /// <summary>Whether Redis is there and answers in time.</summary>
    public bool IsReachable => _small.IsOpen;

    /// <summary>Invalidations that Redis has not been told yet; while there are any, nothing is read from it.</summary>
    public int OwedInvalidations => _log.Owed;

    /// <summary>How far this node has followed the log; to be taken before the making of a value begins.</summary>
    internal LogMark? Mark => _log.Mark;

    /// <summary>Begins to connect, and to tell <paramref name="listener"/> what other nodes invalidate since <paramref name="from"/>.</summary>
    internal void Start(ILogListener listener, LogMark? from = null)
    {
        if (from is not null) _log.ResumeFrom(from);
        _running = Task.Run(() => RunAsync(listener));
    }

    /// <summary>
    /// Reads a value into <paramref name="to"/>. <see cref="CacheResult.Hit"/>: header and all bytes were written, and
    /// their digest was checked before the first of them. Anything else: nothing was written.
    /// </summary>
    internal async ValueTask<RemoteRead> TryReadAsync(CacheKey key, EntryWriter to, CancellationToken cancellationToken)
    {
        if (!await _log.TryPayAsync(cancellationToken).ConfigureAwait(false)) return new RemoteRead(CacheResult.Bypass);
        var (call, reply) = await _small.CallAsync(db => db.ScriptEvaluateAsync(RedisScripts.Read, [ValueKey(key), RedisLog.Key], [Bytes(key)]), cancellationToken).ConfigureAwait(false);
        if (call != RedisCall.Done) return Missed(call);
        var parts = (RedisValue[])reply!;
        return (int)parts[0] == 1 ? await ReadAsync(key, parts, to, cancellationToken).ConfigureAwait(false) : new RemoteRead(CacheResult.Miss);
    }

    /// <summary>
    /// Asks for the turn to make a value: at most one node has it, until it gives it back or its lease ends. Where the value has come in the meantime
    /// it is read instead.
    /// </summary>
    internal async ValueTask<Turn> TryTakeTurnAsync(CacheKey key, byte[] token, EntryWriter to, CancellationToken cancellationToken)
    {
        if (!await _log.TryPayAsync(cancellationToken).ConfigureAwait(false)) return Turn.NotNeeded;
        var (call, reply) = await _small.CallAsync(db => db.ScriptEvaluateAsync(RedisScripts.ReadOrTakeTurn,
            [ValueKey(key), RedisLog.Key, TurnKey(key)], [Bytes(key), token, Milliseconds(_options.TurnLease)]), cancellationToken).ConfigureAwait(false);
        if (call != RedisCall.Done) return Turn.NotNeeded;
        var parts = (RedisValue[])reply!;
        switch ((int)parts[0])
        {
            case 1: return (await ReadAsync(key, parts, to, cancellationToken).ConfigureAwait(false)).Result == CacheResult.Hit ? Turn.ValueRead : Turn.NotNeeded;
            case 2: return Turn.Taken;
            case 3: return Turn.NotNeeded;
            default: return Turn.OfAnother;
        }
    }

    /// <summary>Prolongs a turn. False: it is lost, or Redis could not be asked.</summary>
    internal async ValueTask<bool> RenewTurnAsync(CacheKey key, byte[] token, CancellationToken cancellationToken)
    {
        var (call, kept) = await _small.CallAsync(db => db.ScriptEvaluateAsync(RedisScripts.RenewTurn, [TurnKey(key)], [token, Milliseconds(_options.TurnLease)]), cancellationToken).ConfigureAwait(false);
        return call == RedisCall.Done && (int)kept! == 1;
    }

    /// <summary>Gives a turn back. Where the value was not stored, those who wait for it make it at once, all of them.</summary>
    internal async ValueTask EndTurnAsync(CacheKey key, byte[] token, bool wasStored, CancellationToken cancellationToken)
        => await _small.CallAsync(db => db.ScriptEvaluateAsync(RedisScripts.EndTurn, [TurnKey(key)], [token, wasStored ? 0 : Milliseconds(FreeForAllTtl)]), cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Offers a complete value whose making began when <paramref name="began"/> was the mark. Not stored
    /// (<see cref="CacheResult.Miss"/>) where it was invalidated since, on whatever node.
    /// </summary>
    internal async ValueTask<CacheResult> WriteAsync(CacheKey key, EntryHeader header, ReadOnlySequence<byte> bytes, LogMark? began, CancellationToken cancellationToken)
    {
        if (began is null || bytes.Length > _options.MaxValueBytes || header.BodyDigest.IsNone) return CacheResult.Bypass;
        var chunks = (int)((bytes.Length + ChunkBytes - 1) / ChunkBytes);
        RedisKey staging = Prefixed("ptc2:w"u8, RandomNumberGenerator.GetBytes(16));
        for (var from = 1; from < chunks; from += ChunksAtOnce)
        {
            var calls = new List<Task<(RedisCall Call, RedisResult? Result)>>(ChunksAtOnce);
            for (var i = from; i < Math.Min(chunks, from + ChunksAtOnce); i++)
            {
                RedisValue[] arguments = [i, Chunk(i), Milliseconds(StagingTtl)];
                calls.Add(_large.CallAsync(db => db.ScriptEvaluateAsync(RedisScripts.Stage, [staging], arguments), cancellationToken).AsTask());
            }

            foreach (var (call, _) in await Task.WhenAll(calls).ConfigureAwait(false))
                if (call != RedisCall.Done) return Missed(call).Result;
        }

        // The tags of 16 bytes each, one after the other.
        var tags = new byte[header.Tags.Length * CacheTag.Size];
        for (var i = 0; i < header.Tags.Length; i++) header.Tags[i].CopyTo(tags.AsSpan(i * CacheTag.Size));
        var ttl = Milliseconds(_options.Ttl);
        RedisValue[] values = [Bytes(key), began.ToBytes(), tags, RedisEntryFormat.Write(key, header), Chunk(0), ttl, Math.Max(0, chunks - 1)];
        var (stored, result) = await _small.CallAsync(db => db.ScriptEvaluateAsync(RedisScripts.Store, [ValueKey(key), RedisLog.Key, staging], values), cancellationToken).ConfigureAwait(false);
        return stored != RedisCall.Done ? Missed(stored).Result : (int)result! == 1 ? CacheResult.Hit : CacheResult.Miss;

        byte[] Chunk(int i) => bytes.Slice((long)i * ChunkBytes, Math.Min(ChunkBytes, bytes.Length - (long)i * ChunkBytes)).ToArray();
    }

    /// <summary>
    /// Forgets on all nodes and in Redis. While Redis cannot be reached it is owed, and this node reads nothing from
    /// Redis until it was told.
    /// </summary>
    internal ValueTask InvalidateAsync(Invalidation what, CancellationToken cancellationToken) => _log.AppendAsync(what, cancellationToken);

    /// <summary>
    /// Empties Redis of values; other tiers and other nodes keep theirs. From the first moment none is read any more, then they are deleted step
    /// by step. Gives how many, and the bytes that they took; stops early when Redis fails.
    /// </summary>
    internal async ValueTask<(long Values, long Bytes)> ClearAsync(CancellationToken cancellationToken)
    {
        var (values, bytes) = (0L, 0L);
        if (!await _log.VoidValuesAsync(cancellationToken).ConfigureAwait(false)) return (values, bytes);
        RedisValue cursor = 0;
        do
        {
            var from = cursor;
            var (call, reply) = await _small.CallAsync(db => db.ScriptEvaluateAsync(RedisScripts.DeleteSome, [], [from, "ptc2:v*"]), cancellationToken).ConfigureAwait(false);
            if (call != RedisCall.Done) break;
            var parts = (RedisValue[])reply!;
            cursor = parts[0];
            values += (long)parts[1];
            bytes += (long)parts[2];
        }
        while (cursor != "0");

        return (values, bytes);
    }

    /// <summary>Ends listening and closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _small.DisposeAsync().ConfigureAwait(false);
        await _large.DisposeAsync().ConfigureAwait(false);
    }

    internal static RedisKey ValueKey(CacheKey key) => Prefixed("ptc2:v"u8, Bytes(key));

    private async Task RunAsync(ILogListener listener)
    {
        var stopping = _stopping.Token;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var large = _large.TryOpenAsync(null, stopping);
                if (await _small.TryOpenAsync(_log.SubscribeAsync, stopping).ConfigureAwait(false))
                {
                    await _log.TryPayAsync(stopping).ConfigureAwait(false);
                    await _log.FollowAsync(listener, stopping).ConfigureAwait(false);
                }

                await large.ConfigureAwait(false);
            }
            catch (Exception) when (!stopping.IsCancellationRequested)
            {
                // Whatever it was: the next round reads on from the same entry.
            }

            await _log.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async ValueTask<RemoteRead> ReadAsync(CacheKey key, RedisValue[] parts, EntryWriter to, CancellationToken cancellationToken)
    {
        if (RedisEntryFormat.Read(key, (byte[])parts[1]!) is not { } header || header.Length > _options.MaxValueBytes) return Corrupt;
        var length = (int)header.Length!.Value;
        var chunks = new byte[Math.Max(1, (length + ChunkBytes - 1) / ChunkBytes)][];
        chunks[0] = (byte[])parts[2]!;
        var value = ValueKey(key);
        for (var from = 1; from < chunks.Length; from += ChunksAtOnce)
        {
            var calls = new List<Task<(RedisCall Call, RedisValue Result)>>(ChunksAtOnce);
            for (var i = from; i < Math.Min(chunks.Length, from + ChunksAtOnce); i++)
            {
                RedisValue field = i;
                calls.Add(_large.CallAsync(db => db.HashGetAsync(value, field), cancellationToken).AsTask());
            }

            var replies = await Task.WhenAll(calls).ConfigureAwait(false);
            for (var i = 0; i < replies.Length; i++)
            {
                if (replies[i].Call != RedisCall.Done) return Missed(replies[i].Call);
                // Gone: it was evicted or invalidated since the first chunk.
                if (replies[i].Result.IsNull) return new RemoteRead(CacheResult.Miss);
                chunks[from + i] = replies[i].Result!;
            }
        }

        if (!Matches(header, chunks)) return Corrupt;
        to.Start(header);
        foreach (var chunk in chunks) to.Write(chunk);
        return new RemoteRead(CacheResult.Hit);
    }

    private static RemoteRead Corrupt => new(CacheResult.Miss, IsCorrupt: true);

    private static RemoteRead Missed(RedisCall call) => new(call == RedisCall.NotAsked ? CacheResult.Bypass : CacheResult.Error);

    private static bool Matches(EntryHeader header, byte[][] chunks)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long length = 0;
        foreach (var chunk in chunks)
        {
            hash.AppendData(chunk);
            length += chunk.Length;
        }

        Span<byte> digest = stackalloc byte[Digest256.Size];
        hash.GetHashAndReset(digest);
        return length == header.Length && new Digest256(digest) == header.BodyDigest;
    }

    private static Func<Task<IConnectionMultiplexer>> Connector(string connectionString)
    {
        var configuration = ConfigurationOptions.Parse(connectionString);
        configuration.AbortOnConnectFail = true;            // it is tried again by us
        configuration.ConnectRetry = 1;
        configuration.ConnectTimeout = Math.Min(configuration.ConnectTimeout, 1000);
        return async () => await ConnectionMultiplexer.ConnectAsync(configuration.Clone()).ConfigureAwait(false);
    }

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;

    internal static RedisKey TurnKey(CacheKey key) => Prefixed("ptc2:f"u8, Bytes(key));

    private static byte[] Bytes(CacheKey key)
    {
        var bytes = new byte[CacheKey.Size];
        key.CopyTo(bytes);
        return bytes;
    }

    private static RedisKey Prefixed(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> name) => (byte[])[.. prefix, .. name];
}

/// <summary>How a read of Redis went.</summary>
/// <param name="Result">Hit, miss, bypass (the tier is unwell and was not asked) or error.</param>
/// <param name="IsCorrupt">A value was there and did not match its digest or key; it was not served.</param>
internal readonly record struct RemoteRead(CacheResult Result, bool IsCorrupt = false);

/// <summary>What came of asking for the turn to make a value.</summary>
internal enum Turn : byte
{
    /// <summary>Another node made the value, and it was read.</summary>
    ValueRead,
    /// <summary>It is this node's.</summary>
    Taken,
    /// <summary>Another node has it.</summary>
    OfAnother,
    /// <summary>Make it without one: Redis is away, or the value is not one that nodes share.</summary>
    NotNeeded,
}
