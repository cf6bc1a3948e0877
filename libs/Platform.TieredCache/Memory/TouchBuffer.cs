using System.Numerics;

namespace Platform.TieredCache;

/// <summary>
/// Hits on their way to the policy: noted by readers without a lock, in a stripe chosen by the processor they run on,
/// and taken by whoever holds the policy's lock. An entry is noted once between two takings, so that a hot one costs its readers a
/// comparison. Two readers that fall into one slot lose a note; then an entry counts as used a little earlier than it was.
/// </summary>
internal sealed class TouchBuffer
{
    private const int Slots = 64;

    private static readonly int StripeMask = (int)Math.Min(16, BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount)) - 1;

    private readonly Stripe[] _stripes = [.. Enumerable.Range(0, StripeMask + 1).Select(_ => new Stripe())];
    private int _taking = 1;

    /// <summary>Notes a hit. True when its stripe is full.</summary>
    public bool Add(PolicyNode node)
    {
        var taking = _taking;
        if (node.TouchedIn == taking) return false;
        node.TouchedIn = taking;
        node.Hits++;
        var stripe = _stripes[Thread.GetCurrentProcessorId() & StripeMask];
        var at = stripe.Count;
        if ((uint)at >= Slots) return true;
        stripe.Nodes[at] = node;
        stripe.Count = at + 1;
        return at + 1 == Slots;
    }

    /// <summary>Gives what was noted to <paramref name="policy"/>. One caller at a time.</summary>
    public void Drain(EvictionPolicy policy)
    {
        var any = false;
        foreach (var stripe in _stripes)
        {
            var count = Math.Min(stripe.Count, Slots);
            if (count == 0) continue;
            any = true;
            foreach (ref var slot in stripe.Nodes.AsSpan(0, count))
            {
                // Null: its writer is not that far yet.
                if (slot?.Item is { } item) policy.Play(item);
                slot = null;
            }

            stripe.Count = 0;
        }

        if (any) _taking++;
    }

    private sealed class Stripe
    {
        public readonly PolicyNode?[] Nodes = new PolicyNode?[Slots];
        public int Count;
    }
}
