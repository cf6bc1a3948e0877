namespace Platform.TieredCache;

/// <summary>
/// What runs inside Redis, each atomically. A value is a hash: <c>m</c> the mark of the log that was known when its
/// making began, <c>t</c> its tags, <c>h</c> its header, <c>0</c>, <c>1</c>, ... its bytes in chunks. The log is one hash,
/// so that it is lost as a whole or not at all: <c>id</c> and <c>seq</c>, the entries <c>e0</c>, <c>e1</c>, ... from
/// <c>floor</c> on (8 random bytes, 8 bytes of the node, the scope), and for each scope <c>s...</c> the number of its last entry.
/// A mark is an entry's random bytes and its number: it matches no other log, nor one that was set back.
/// </summary>
internal static class RedisScripts
{
    // A value holds while its mark stands in the log, and none of its scopes was invalidated after it.
    private const string Valid =
        """
        local function valid(log, mark, tags, key)
          local seq = string.sub(mark, 9)
          local entry = redis.call('HGET', log, 'e' .. seq)
          if not entry or string.sub(entry, 1, 8) ~= string.sub(mark, 1, 8) then return false end
          local scopes = {'sa', 'sr', 'sn' .. string.sub(key, 33, 33), 'sk' .. key}
          for i = 1, #tags, 16 do scopes[#scopes + 1] = 'st' .. string.sub(tags, i, i + 15) end
          for _, last in ipairs(redis.call('HMGET', log, unpack(scopes))) do
            if last and tonumber(last) > tonumber(seq) then return false end
          end
          return true
        end

        """;

    private const string ReadValue = Valid +
        """
        local function read(value, log, key)
          local v = redis.call('HMGET', value, 'm', 't', 'h', '0')
          if not v[1] or not v[2] or not v[3] or not v[4] then return nil end
          if not valid(log, v[1], v[2], key) then redis.call('DEL', value) return nil end
          return {1, v[3], v[4]}
        end

        """;

    /// <summary>KEYS: value, log. ARGV: key. Gives {1, header, first chunk} or {0}.</summary>
    public const string Read = ReadValue + "return read(KEYS[1], KEYS[2], ARGV[1]) or {0}";

    /// <summary>
    /// KEYS: value, log, turn. ARGV: key, token, lease in ms. Gives the value as <see cref="Read"/> does, else {2}: the
    /// turn is the asker's, {3}: go without one, {4}: another's.
    /// </summary>
    public const string ReadOrTakeTurn = ReadValue +
        """
        local v = read(KEYS[1], KEYS[2], ARGV[1])
        if v then return v end
        local holder = redis.call('GET', KEYS[3])
        if holder == '' then return {3} end
        if holder and holder ~= ARGV[2] then return {4} end
        redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[3])
        return {2}
        """;

    /// <summary>KEYS: turn. ARGV: token, lease in ms. Gives 1 while the turn is the asker's.</summary>
    public const string RenewTurn =
        """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        return redis.call('PEXPIRE', KEYS[1], ARGV[2])
        """;

    /// <summary>KEYS: turn. ARGV: token, ms for which others go without a turn, 0 where the value was stored.</summary>
    public const string EndTurn =
        """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
        redis.call('SET', KEYS[1], '', 'PX', ARGV[2])
        return 1
        """;

    /// <summary>KEYS: staging. ARGV: chunk's number, chunk, TTL in ms.</summary>
    public const string Stage =
        """
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        return redis.call('PEXPIRE', KEYS[1], ARGV[3])
        """;

    /// <summary>KEYS: value, log, staging. ARGV: key, mark, tags, header, first chunk, TTL in ms, staged chunks. Gives 1 when it was stored.</summary>
    public const string Store = Valid +
        """
        local staged = tonumber(ARGV[7])
        if not valid(KEYS[2], ARGV[2], ARGV[3], ARGV[1]) or (staged > 0 and redis.call('HLEN', KEYS[3]) ~= staged) then
          redis.call('DEL', KEYS[3])
          return 0
        end
        if staged > 0 then redis.call('RENAME', KEYS[3], KEYS[1]) else redis.call('DEL', KEYS[1]) end
        redis.call('HSET', KEYS[1], 'm', ARGV[2], 't', ARGV[3], 'h', ARGV[4], '0', ARGV[5])
        redis.call('PEXPIRE', KEYS[1], ARGV[6])
        return 1
        """;

    /// <summary>
    /// KEYS: none. ARGV: cursor, pattern of the values' names. One step of going through all keys: gives the next cursor, how many values it deleted, and how
    /// many bytes they took.
    /// </summary>
    public const string DeleteSome =
        """
        local found = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 200)
        local bytes = 0
        for _, name in ipairs(found[2]) do
          bytes = bytes + (redis.call('MEMORY', 'USAGE', name) or 0)
          redis.call('UNLINK', name)
        end
        return {found[1], #found[2], bytes}
        """;

    // Zero bytes stand for the node of the first entry.
    private const string Begin =
        """
        local function begin(log, id)
          if redis.call('EXISTS', log) == 1 then return true end
          local done = redis.pcall('HSET', log, 'id', id, 'seq', 0, 'floor', 0, 'e0', id .. string.rep('\0', 8))
          return not (type(done) == 'table' and done.err)
        end

        """;

    /// <summary>
    /// KEYS: log, value (where the scope is a key). ARGV: id if the log is to be begun, entry's random bytes, node, scope, entries to
    /// keep, channel. Gives 1; or 0 when there was no memory: then the log was deleted, which makes every value void.
    /// </summary>
    public const string Append = Begin +
        """
        local log, scope = KEYS[1], 's' .. ARGV[4]
        if KEYS[2] then redis.call('DEL', KEYS[2]) end
        local seq = begin(log, ARGV[1]) and redis.pcall('HINCRBY', log, 'seq', 1)
        local done = type(seq) == 'number' and redis.pcall('HSET', log, 'e' .. seq, ARGV[2] .. ARGV[3] .. ARGV[4], scope, seq)
        if type(done) ~= 'number' then
          redis.call('DEL', log)
          redis.call('PUBLISH', ARGV[6], '')
          return 0
        end
        local floor = tonumber(redis.call('HGET', log, 'floor'))
        while seq - floor >= tonumber(ARGV[5]) do
          local old = redis.call('HGET', log, 'e' .. floor)
          local of = 's' .. string.sub(old or '', 17)
          if redis.call('HGET', log, of) == tostring(floor) then redis.call('HDEL', log, of) end
          redis.call('HDEL', log, 'e' .. floor)
          floor = redis.call('HINCRBY', log, 'floor', 1)
        end
        redis.call('PUBLISH', ARGV[6], '')
        return 1
        """;

    /// <summary>
    /// KEYS: log. ARGV: id if the log is to be begun, known id, known mark's random bytes, its number, entries to give, 1 to read another
    /// log from its start. Gives {state, id, number of an entry, its random bytes, entries...}: 1 the entries up to that one
    /// follow; 2 some in between are gone, it is the head; 3 another log, it is its oldest or its head; 0 no log, and no memory to begin one.
    /// </summary>
    public const string Follow = Begin +
        """
        local log = KEYS[1]
        if not begin(log, ARGV[1]) then return {0} end
        local id, head, floor = unpack(redis.call('HMGET', log, 'id', 'seq', 'floor'))
        local function reply(state, seq)
          return {state, id, seq, string.sub(redis.call('HGET', log, 'e' .. seq) or '', 1, 8)}
        end
        local known = redis.call('HGET', log, 'e' .. ARGV[4])
        if id == ARGV[2] and not known and tonumber(ARGV[4]) < tonumber(floor) then return reply(2, head) end
        if id ~= ARGV[2] or not known or string.sub(known, 1, 8) ~= ARGV[3] then
          return reply(3, ARGV[6] == '1' and floor or head)
        end
        local upTo = math.min(tonumber(head), tonumber(ARGV[4]) + tonumber(ARGV[5]))
        local entries = reply(1, tostring(upTo))
        for seq = tonumber(ARGV[4]) + 1, upTo do entries[#entries + 1] = redis.call('HGET', log, 'e' .. seq) end
        return entries
        """;
}
