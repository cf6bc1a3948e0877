using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using Platform.Dicom;
using Platform.TieredCache;

namespace ImageApi.Origins.Dicomweb;

/// <summary>How long what a server said is believed.</summary>
internal sealed record SeriesFreshness(TimeSpan Ttl, TimeSpan StaleWhileRevalidate, TimeSpan StaleIfError, TimeSpan NegativeTtl)
{
    public static SeriesFreshness Of(OriginFreshness options) => new(
        options.Ttl ?? TimeSpan.FromSeconds(60),
        options.StaleWhileRevalidate ?? TimeSpan.Zero,
        options.StaleIfError ?? TimeSpan.FromHours(24),
        options.NegativeTtl ?? TimeSpan.FromSeconds(10));
}

/// <summary>
/// The series of a server that were asked for, as snapshots: learnt at the first request that names one, believed while fresh, asked about again after.
/// Callers of one series wait for one asking. Bounded in instances: when full, those used least lately go.
/// </summary>
internal sealed class SeriesBook(string originName, SeriesMetadata metadata, ITieredCache cache, IRecordStore records, SeriesFreshness freshness, TimeProvider time, ILogger logger)
{
    /// <summary>The most instances held; about 600 bytes each.</summary>
    private const int MaxInstances = 60_000;

    /// <summary>So many instances changed at once are told one by one; more, as their series.</summary>
    private const int MaxToldChanges = 32;

    /// <summary>After a failure the known state serves this long before the server is bothered again.</summary>
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Slot> _slots = new(StringComparer.Ordinal);
    private long _clock;

    /// <summary>Finds out in which transfer syntax a server sends frames; set by the origin, which knows how to ask for them.</summary>
    public required Func<RemoteSeries, CancellationToken, Task<SeriesFacts>> LookAsync { get; init; }

    /// <summary>Finds the study of a series by asking the server; null where it has none.</summary>
    public required Func<string, CancellationToken, Task<string?>> FindStudyAsync { get; init; }

    /// <summary>The snapshot if it is fresh. Allocates nothing.</summary>
    public bool TryGetFresh(string seriesUid, [NotNullWhen(true)] out RemoteSeries? series)
    {
        series = null;
        if (!_slots.TryGetValue(seriesUid, out var slot) || slot.Value is not { } value || time.GetUtcNow().UtcTicks >= slot.FreshUntil) return false;
        if (slot.IsStale) StaleAnswer.Mark();
        Touch(slot);
        series = value;
        return true;
    }

    /// <summary>The series, or null when the server has none. <paramref name="studyUid"/> null: whichever study it is in.</summary>
    /// <exception cref="OriginException">The server failed, and what is known is too old to be used.</exception>
    public async ValueTask<RemoteSeries?> FindAsync(string? studyUid, string seriesUid, CancellationToken cancellationToken)
    {
        if (!TryGetFresh(seriesUid, out var series))
        {
            var slot = _slots.GetOrAdd(seriesUid, static _ => new Slot());
            var now = time.GetUtcNow().UtcTicks;
            if (slot.Value is { } stale && freshness.StaleWhileRevalidate > TimeSpan.Zero && now < slot.FreshUntil + freshness.StaleWhileRevalidate.Ticks)
            {
                _ = Join(slot, studyUid, seriesUid);
                series = stale;
                StaleAnswer.Mark();
            }
            else if (slot.Value is null && now < slot.AbsentUntil && slot.AbsentStudy == studyUid)
            {
                return null;
            }
            else
            {
                series = await Join(slot, studyUid, seriesUid).WaitAsync(cancellationToken);
            }
            Trim(slot);
            if (series is not null && slot.IsStale) StaleAnswer.Mark();
        }
        return series is not null && (studyUid is null || series.Key.StudyUid == studyUid) ? series : null;
    }

    /// <summary>Asks about a series again now, whether what is known is fresh or not.</summary>
    /// <exception cref="OriginException">The server failed.</exception>
    public async ValueTask AskAgainAsync(SeriesRef key, CancellationToken cancellationToken)
    {
        await metadata.ForgetAsync(key, cancellationToken);
        if (_slots.TryGetValue(key.SeriesUid, out var slot)) slot.FreshUntil = 0;
        slot ??= _slots.GetOrAdd(key.SeriesUid, static _ => new Slot());
        await Join(slot, key.StudyUid, key.SeriesUid).WaitAsync(cancellationToken);
    }

    /// <summary>Nothing is fresh from now on; the answers of this span of freshness are not used again.</summary>
    public void Distrust()
    {
        foreach (var (_, slot) in _slots) (slot.FreshUntil, slot.AbsentUntil, slot.IsDistrusted) = (0, 0, true);
    }

    /// <summary>Takes in that an instance came in another transfer syntax than was thought.</summary>
    public ValueTask CorrectAsync(InstanceEntry instance, string transferSyntaxUid, CancellationToken cancellationToken) =>
        ChangeFactsAsync(instance, facts => facts with { Others = new Dictionary<string, string>(facts.Others) { [instance.SopUid] = transferSyntaxUid }.ToFrozenDictionary() }, cancellationToken);

    /// <summary>Takes in that frames of a series have to be found in whole instances.</summary>
    public ValueTask UseInstancesAsync(InstanceEntry instance, CancellationToken cancellationToken) =>
        ChangeFactsAsync(instance, static facts => facts with { FromInstances = true }, cancellationToken);

    private async ValueTask ChangeFactsAsync(InstanceEntry instance, Func<SeriesFacts, SeriesFacts> change, CancellationToken cancellationToken)
    {
        if (!_slots.TryGetValue(instance.SeriesUid, out var slot)) return;
        RemoteSeries changed;
        lock (slot)
        {
            if (slot.Value is not { } known) return;
            slot.Value = changed = new RemoteSeries(originName, known.Key, known.Description, known.Metadata, change(known.Facts));
        }
        await RememberAsync(changed, new DateTimeOffset(slot.AskedAt, TimeSpan.Zero), slot.EntityTag, cancellationToken);
    }

    private Task<RemoteSeries?> Join(Slot slot, string? studyUid, string seriesUid)
    {
        lock (slot)
        {
            if (slot.Asking is { IsCompleted: false } underway && slot.AskingStudy == studyUid) return underway;
            slot.AskingStudy = studyUid;
            // Without the callers' tokens: the work is bounded by the origin's timeouts, and the next caller needs it too.
            slot.Asking = Task.Run(() => AskAsync(slot, studyUid, seriesUid, CancellationToken.None));
            _ = slot.Asking.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return slot.Asking;
        }
    }

    private async Task<RemoteSeries?> AskAsync(Slot slot, string? studyUid, string seriesUid, CancellationToken cancellationToken)
    {
        var known = slot.Value;
        if (known is null && await RecallAsync(slot, seriesUid, cancellationToken) is { } recalled)
        {
            known = slot.Value = recalled;
            if (time.GetUtcNow().UtcTicks < slot.FreshUntil) return known;
        }
        try
        {
            var study = studyUid ?? known?.Key.StudyUid ?? await FindStudyAsync(seriesUid, cancellationToken) ?? throw new OriginException(OriginFailure.Absent, "The origin has no such series.");
            return await LearnAsync(slot, new SeriesRef(study, seriesUid), known, cancellationToken);
        }
        catch (OriginException exception) when (exception.Failure == OriginFailure.Absent)
        {
            if (known is not null && (studyUid is null || known.Key.StudyUid == studyUid)) await ForgetAsync(slot, known, cancellationToken);
            (slot.AbsentStudy, slot.AbsentUntil) = (studyUid, (time.GetUtcNow() + freshness.NegativeTtl).UtcTicks);
            return null;
        }
        catch (OriginException exception) when (known is not null && time.GetUtcNow().UtcTicks < slot.AskedAt + (freshness.Ttl + freshness.StaleIfError).Ticks)
        {
            logger.SeriesServedStale(originName, exception.Failure);
            slot.IsStale = true;
            slot.FreshUntil = (time.GetUtcNow() + AfterFailure).UtcTicks;
            return known;
        }
    }

    private async Task<RemoteSeries> LearnAsync(Slot slot, SeriesRef key, RemoteSeries? known, CancellationToken cancellationToken)
    {
        if (slot.IsDistrusted)
        {
            slot.IsDistrusted = false;
            await metadata.ForgetAsync(key, cancellationToken);
        }
        (Digest256, string)? validator = known is not null && known.Key == key && slot.EntityTag is { Length: > 0 } tag ? (known.Metadata, tag) : null;
        await using var asked = await metadata.AskAsync(key, validator, cancellationToken);
        var header = asked.Header;
        var askedAt = header.MadeAt < time.GetUtcNow() ? header.MadeAt : time.GetUtcNow();   // another node's clock may be ahead
        RemoteSeries series;
        if (known is not null && known.Key == key && known.Metadata == header.BodyDigest && known.Facts.IsKnown)
        {
            series = known;
        }
        else
        {
            series = await ReadAsync(key, asked, known, cancellationToken);
            if (known is not null) await TellChangesAsync(known, series, cancellationToken);
        }

        lock (slot)
        {
            // Facts may have been corrected meanwhile.
            if (slot.Value is { } current && current.Metadata == series.Metadata && current.Facts.IsKnown) series = current;
            slot.Value = series;
            slot.AskedAt = askedAt.UtcTicks;
            slot.IsStale = false;
            slot.EntityTag = Encoding.ASCII.GetString(header.Extra.Span);
            slot.FreshUntil = (askedAt + freshness.Ttl).UtcTicks;
            slot.AbsentUntil = default;
        }
        await RememberAsync(series, askedAt, slot.EntityTag, cancellationToken);
        return series;
    }

    private async Task<RemoteSeries> ReadAsync(SeriesRef key, CacheLease asked, RemoteSeries? known, CancellationToken cancellationToken)
    {
        SeriesDescription description;
        try
        {
            description = await ParseAsync(key, asked, cancellationToken);
        }
        catch (OriginException)
        {
            await metadata.ForgetAsync(key, cancellationToken);
            throw;
        }
        if (description.Members.Count == 0) throw new OriginException(OriginFailure.Absent, "The origin has no instances in this series.");
        var facts = known is not null && known.Key == key && known.Facts.IsKnown ? known.Facts : SeriesFacts.Unknown;
        var series = new RemoteSeries(originName, key, description, asked.Header.BodyDigest, facts);
        // Keeps the metadata for good, from what was just read.
        await using (await metadata.GetAsync(key, series.Metadata, cancellationToken)) { }
        if (facts.IsKnown || description.Members.All(member => member.TransferSyntaxUid is not null)) return series;
        return new RemoteSeries(originName, key, description, series.Metadata, await LookAsync(series, cancellationToken));
    }

    private async Task<SeriesDescription> ParseAsync(SeriesRef key, CacheLease lease, CancellationToken cancellationToken)
    {
        if (lease.TryGetBytes(out var bytes)) return SeriesReader.Read(originName, key, bytes);
        // Larger than memory keeps: from the disk tier, for as long as it is parsed.
        await using var stream = await LeaseStream.OpenAsync(lease, cancellationToken);
        var buffer = new byte[stream.Length];
        await stream.ReadExactlyAsync(buffer, cancellationToken);
        return SeriesReader.Read(originName, key, new System.Buffers.ReadOnlySequence<byte>(buffer));
    }

    /// <summary>What was known before a restart, or before it was trimmed.</summary>
    private async Task<RemoteSeries?> RecallAsync(Slot slot, string seriesUid, CancellationToken cancellationToken)
    {
        if (await records.ReadAsync(SeriesRecord.KeyOf(originName, seriesUid), cancellationToken) is not { } record || SeriesRecord.FromBytes(record.Value.Span) is not { } known) return null;
        var key = new SeriesRef(known.Study, seriesUid);
        if (!Digest256.TryParse(known.Metadata, out var digest) || await metadata.TryGetAsync(key, digest, cancellationToken) is not { } lease) return null;
        await using (lease)
        {
            try
            {
                await lease.WaitUntilCompleteAsync(cancellationToken);
                var series = new RemoteSeries(originName, key, await ParseAsync(key, lease, cancellationToken), digest, known.Facts);
                var now = time.GetUtcNow();
                slot.AskedAt = (known.AskedAt < now ? known.AskedAt : now).UtcTicks;
                slot.FreshUntil = slot.AskedAt + freshness.Ttl.Ticks;
                slot.EntityTag = known.EntityTag ?? "";
                return series;
            }
            catch (OriginException)
            {
                return null;
            }
        }
    }

    private async ValueTask RememberAsync(RemoteSeries series, DateTimeOffset askedAt, string? entityTag, CancellationToken cancellationToken)
    {
        var key = SeriesRecord.KeyOf(originName, series.Key.SeriesUid);
        var record = new CacheRecord { Value = SeriesRecord.Of(series, askedAt, entityTag).ToBytes(), Tags = metadata.TagsOf(series.Key), ExpiresAt = askedAt + freshness.Ttl + freshness.StaleIfError };
        var before = await records.ReadAsync(key, cancellationToken);
        await records.TryReplaceAsync(key, before?.Version ?? 0, record, cancellationToken);   // someone was faster: what they saw is as good
    }

    private async Task ForgetAsync(Slot slot, RemoteSeries known, CancellationToken cancellationToken)
    {
        lock (slot)
        {
            if (slot.Value == known) slot.Value = null;
        }
        if (await records.ReadAsync(SeriesRecord.KeyOf(originName, known.Key.SeriesUid), cancellationToken) is { } record)
            await records.TryRemoveAsync(SeriesRecord.KeyOf(originName, known.Key.SeriesUid), record.Version, cancellationToken);
        await cache.InvalidateAsync(CacheTags.Series(known.Key.SeriesUid), cancellationToken);
    }

    /// <summary>What changed or went is forgotten by every tier and node. Instances that stayed as they were keep their frames.</summary>
    private async Task TellChangesAsync(RemoteSeries before, RemoteSeries now, CancellationToken cancellationToken)
    {
        var changed = before.Description.Members
            .Where(member => !now.TryGetMember(member.Entry.SopUid, out var other) || other.Entry.HeaderContent != member.Entry.HeaderContent)
            .Select(member => member.Entry.SopUid).Take(MaxToldChanges + 1).ToArray();
        if (changed.Length > MaxToldChanges)
        {
            await cache.InvalidateAsync(CacheTags.Series(before.Key.SeriesUid), cancellationToken);
            return;
        }
        foreach (var sopUid in changed) await cache.InvalidateAsync(CacheTags.Instance(sopUid), cancellationToken);
    }

    private void Touch(Slot slot)
    {
        var now = Volatile.Read(ref _clock);
        if (slot.UsedAt != now) slot.UsedAt = now;
    }

    private void Trim(Slot keep)
    {
        keep.UsedAt = Interlocked.Increment(ref _clock);
        long total = 0;
        foreach (var (_, slot) in _slots) total += 8 + (slot.Value?.Entry.Instances.Count ?? 0);
        if (total <= MaxInstances) return;
        foreach (var pair in _slots.ToArray().OrderBy(pair => pair.Value.UsedAt))
        {
            if (pair.Value == keep || pair.Value.Asking is { IsCompleted: false } || !_slots.TryRemove(pair)) continue;
            total -= 8 + (pair.Value.Value?.Entry.Instances.Count ?? 0);
            if (total <= MaxInstances / 4 * 3) return;
        }
    }

    private sealed class Slot
    {
        public volatile RemoteSeries? Value;
        public Task<RemoteSeries?>? Asking;
        public string? AskingStudy;
        public string? AbsentStudy;
        public string? EntityTag;
        public volatile bool IsDistrusted;

        /// <summary>The server could not be asked when what is known had to be.</summary>
        public volatile bool IsStale;

        // In ticks of UTC: read without the lock, so one word each.
        public long AskedAt;
        public long FreshUntil;
        public long AbsentUntil;
        public long UsedAt;
    }
}
