namespace Platform.TieredCache;

/// <summary>How long values of one kind live, and how large they may be in each tier. Null: what the tier or the value's own policy says.</summary>
public sealed record KindPolicy
{
    /// <summary>How long tiers below memory keep a value of this kind.</summary>
    public TimeSpan? Ttl { get; init; }

    /// <summary>How long after it grew stale a relayed answer may still be given while it is asked for anew (RFC 5861 3).</summary>
    public TimeSpan StaleWhileRevalidate { get; init; }

    /// <summary>How long after it grew stale a relayed answer may be given when the origin fails (RFC 5861 4).</summary>
    public TimeSpan StaleIfError { get; init; }

    /// <summary>How long an origin's "there is none" is believed.</summary>
    public TimeSpan NegativeTtl { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The most bytes of one value in memory.</summary>
    public long? MaxMemoryBytes { get; init; }

    /// <summary>The most bytes of one value in a tier shared between nodes.</summary>
    public long? MaxRemoteBytes { get; init; }

    /// <summary>The most bytes of one value on disk.</summary>
    public long? MaxDiskBytes { get; init; }
}

/// <summary>The policies of all kinds at one moment. Immutable: to change one, apply new <see cref="CacheBounds"/>.</summary>
public sealed class KindPolicies
{
    private static readonly KindPolicy Unset = new();
    private readonly KindPolicy[] _byKind = new KindPolicy[Enum.GetValues<EntryKind>().Length];

    /// <summary>These policies, and defaults for the kinds that are not named.</summary>
    public KindPolicies(IEnumerable<KeyValuePair<EntryKind, KindPolicy>>? policies = null)
    {
        Array.Fill(_byKind, Unset);
        foreach (var (kind, policy) in policies ?? []) _byKind[(int)kind] = policy;
    }

    /// <summary>Nothing said of any kind.</summary>
    public static KindPolicies Default { get; } = new();

    /// <summary>The policy of a kind.</summary>
    public KindPolicy this[EntryKind kind] => _byKind[(int)kind];

    /// <summary>All kinds with their policies.</summary>
    public IEnumerable<KeyValuePair<EntryKind, KindPolicy>> All
        => _byKind.Select((policy, kind) => new KeyValuePair<EntryKind, KindPolicy>((EntryKind)kind, policy));

    /// <summary>The same with another policy for one kind.</summary>
    public KindPolicies With(EntryKind kind, KindPolicy policy)
        => new(All.Select(pair => pair.Key == kind ? new KeyValuePair<EntryKind, KindPolicy>(kind, policy) : pair));
}
