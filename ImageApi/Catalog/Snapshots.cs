using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using ImageApi.Origins;

namespace ImageApi.Catalog;

/// <summary>
/// The series and studies that were looked up lately, as immutable snapshots. A slot is put in place before the database is read and taken away
/// after a commit: what was read before the commit can then not stay behind. Bounded in instances: when full, the slots used least lately go.
/// </summary>
internal sealed class Snapshots(int maxInstances)
{
    private readonly ConcurrentDictionary<SeriesRef, Slot<SeriesEntry>> _series = new();
    private readonly ConcurrentDictionary<string, Slot<StudyEntry>> _studies = new(StringComparer.Ordinal);
    private readonly Lock _trim = new();
    private long _instances;
    private long _clock;

    public bool TryGet(SeriesRef key, [NotNullWhen(true)] out SeriesEntry? series)
    {
        series = _series.TryGetValue(key, out var slot) ? slot.Value : null;
        if (series is null) return false;
        Touch(slot!);
        return true;
    }

    public bool TryGet(string studyUid, [NotNullWhen(true)] out StudyEntry? study)
    {
        study = _studies.TryGetValue(studyUid, out var slot) ? slot.Value : null;
        return study is not null;
    }

    /// <summary>Reads a series and keeps it; callers of the same series wait for one reading.</summary>
    public SeriesEntry? Load<TState>(SeriesRef key, TState state, Func<SeriesRef, TState, SeriesEntry?> read)
    {
        var slot = _series.GetOrAdd(key, static _ => new Slot<SeriesEntry>());
        lock (slot)
        {
            if (slot.Value is { } known) return known;
            var series = read(key, state);
            if (series is null)
            {
                _series.TryRemove(new KeyValuePair<SeriesRef, Slot<SeriesEntry>>(key, slot));
                return null;
            }
            slot.Value = series;
            Touch(slot);
            var total = Interlocked.Add(ref _instances, slot.Size = series.Instances.Count + 8);
            if (!_series.TryGetValue(key, out var current) || current != slot) Discount(slot);   // forgotten while it was read
            else if (total > maxInstances) Trim(slot);
            return series;
        }
    }

    public StudyEntry? Load<TState>(string studyUid, TState state, Func<string, TState, StudyEntry?> read)
    {
        var slot = _studies.GetOrAdd(studyUid, static _ => new Slot<StudyEntry>());
        lock (slot)
        {
            if (slot.Value is { } known) return known;
            var study = read(studyUid, state);
            if (study is null) _studies.TryRemove(new KeyValuePair<string, Slot<StudyEntry>>(studyUid, slot));
            return slot.Value = study;
        }
    }

    public void Forget(CatalogChanges changes)
    {
        foreach (var key in changes.Series)
        {
            if (_series.TryRemove(key, out var slot)) Discount(slot);
        }
        foreach (var uid in changes.Studies) _studies.TryRemove(uid, out _);
    }

    /// <summary>Takes a slot's instances off the count, once.</summary>
    private long Discount(Slot<SeriesEntry> slot) => Interlocked.Add(ref _instances, -Interlocked.Exchange(ref slot.Size, 0));

    private void Touch(Slot<SeriesEntry> slot)
    {
        // Only now and then: a clock that moves with loads, not with look-ups, keeps the hot path free of shared writes.
        var now = Volatile.Read(ref _clock);
        if (slot.UsedAt != now) slot.UsedAt = now;
    }

    private void Trim(Slot<SeriesEntry> keep)
    {
        lock (_trim)
        {
            Interlocked.Increment(ref _clock);
            if (Volatile.Read(ref _instances) <= maxInstances) return;
            foreach (var pair in _series.ToArray().OrderBy(pair => pair.Value.UsedAt))
            {
                if (pair.Value == keep || pair.Value.Size == 0) continue;
                if (!_series.TryRemove(pair)) continue;
                _studies.TryRemove(pair.Key.StudyUid, out _);
                if (Discount(pair.Value) <= maxInstances / 4 * 3) return;
            }
        }
    }

    private sealed class Slot<T> where T : class
    {
        public volatile T? Value;
        public long Size;
        public long UsedAt;
    }
}
