namespace PerfTests.HitRate;

/// <summary>The traces, all of them made from a seed. Sizes are those of images: 512 KiB is a CT slice of 512 x 512 pixels.</summary>
internal static class Traces
{
    private const int Slice = 512 << 10;
    private const long Memory = 64 << 20;

    public static IReadOnlyList<Trace> All(int seed) =>
    [
        Zipf("zipf 0.7, one size", seed, 0.7, _ => Slice),
        Zipf("zipf 1.0, one size", seed, 1.0, _ => Slice),
        Zipf("zipf 0.9, sizes of 1 KB to 1 MB", seed, 0.9, item => 1024 << (item * 7919 % 11)),
        Scans(seed),
        Readers(seed),
        LongSeries(seed),
        Loop("loop, 2 passes over 1.5 x memory", 2, 192),
        Loop("loop, 6 passes over 1.5 x memory", 6, 192),
        Loop("loop, 6 passes over 4 x memory", 6, 512),
        BackAndForth(),
        ViewerSessions(seed, concurrent: 1),
        ViewerSessions(seed, concurrent: 4),
    ];

    /// <summary>Independent requests of a popularity that does not change.</summary>
    private static Trace Zipf(string name, int seed, double exponent, Func<int, int> bytes)
    {
        var random = new Random(seed);
        var pick = new Zipf(2000, exponent);
        return new Trace(name, Memory, [.. Enumerable.Range(0, 100_000).Select(_ => pick.Next(random)).Select(item => new Access(item, bytes(item)))]);
    }

    /// <summary>A working set that fits, and now and then a pass over a series that nobody asks for again.</summary>
    private static Trace Scans(int seed)
    {
        var random = new Random(seed);
        var pick = new Zipf(200, 0.8);
        var (accesses, scanned) = (new List<Access>(), 10_000);
        for (var i = 0; i < 400; i++)
        {
            for (var j = 0; j < 150; j++) accesses.Add(new Access(pick.Next(random), Slice));
            for (var slice = 0; slice < 150; slice++) accesses.Add(new Access(scanned++, Slice));
        }

        return new Trace("popular frames among scans", Memory, [.. accesses]);
    }

    /// <summary>Series of 40 frames, popular ones read more often, among passes over long series.</summary>
    private static Trace Readers(int seed)
    {
        var random = new Random(seed);
        var pick = new Zipf(20, 1.0);
        var (accesses, scanned) = (new List<Access>(), 10_000);
        for (var visit = 0; visit < 1000; visit++)
        {
            var series = pick.Next(random);
            for (var frame = 0; frame < 40; frame++) accesses.Add(new Access((series * 40) + frame, Slice));
            if (visit % 4 == 0)
                for (var slice = 0; slice < 200; slice++) accesses.Add(new Access(scanned++, Slice));
        }

        return new Trace("popular series among scans", Memory, [.. accesses]);
    }

    /// <summary>60 frames that everybody uses, then one pass over 2,000 slices, then they are used again.</summary>
    private static Trace LongSeries(int seed)
    {
        var random = new Random(seed);
        var accesses = new List<Access>();
        for (var round = 0; round < 3; round++)
            for (var frame = 0; frame < 60; frame++) accesses.Add(new Access(frame, Slice));
        for (var slice = 0; slice < 2000; slice++)
        {
            accesses.Add(new Access(1000 + slice, Slice));
            if (slice % 20 == 0) accesses.Add(new Access(random.Next(60), Slice));
        }

        for (var round = 0; round < 10; round++)
            for (var frame = 0; frame < 60; frame++) accesses.Add(new Access(frame, Slice));
        return new Trace("one pass over 2,000 slices", Memory, [.. accesses]);
    }

    /// <summary>The same series again and again in the same order.</summary>
    private static Trace Loop(string name, int passes, int slices)
        => new(name, Memory, [.. Enumerable.Range(0, passes * slices).Select(i => new Access(i % slices, Slice))]);

    /// <summary>A series of three times the memory, scrolled to its end and back, six times.</summary>
    private static Trace BackAndForth()
    {
        const int Slices = 384;
        return new Trace("back and forth, 3 x memory", Memory,
            [.. Enumerable.Range(0, 12 * Slices).Select(i => new Access(i / Slices % 2 == 0 ? i % Slices : Slices - 1 - (i % Slices), Slice))]);
    }

    /// <summary>
    /// 500 sessions of people who read 40 studies, which studies by Zipf 0.9, on workstations that keep nothing themselves. A
    /// session opens a study (manifests and thumbnails of all its series), reads one to all of its series: once through
    /// from the first slice, then scrolling both ways between places of interest; sometimes it returns to a series that it has read,
    /// sometimes it opens another study (a prior) for comparison. CT, MR and plain films, 2 GB in all.
    /// </summary>
    private static Trace ViewerSessions(int seed, int concurrent)
    {
        var random = new Random(seed);
        var (studies, items) = (new List<Study>(), 0);
        for (var i = 0; i < 40; i++) studies.Add(Study.Make(random, ref items));
        var pick = new Zipf(studies.Count, 0.9);
        var sessions = Enumerable.Range(0, 500).Select(_ => Session(random, studies, pick)).ToList();
        var name = concurrent == 1 ? "viewer sessions" : $"viewer sessions, {concurrent} at a time";
        if (concurrent == 1) return new Trace(name, Memory, [.. sessions.SelectMany(s => s)]);

        // Each goes on for a while, then another.
        var (waiting, running, accesses) = (new Queue<List<Access>>(sessions), new List<(List<Access> Session, int At)>(), new List<Access>());
        while (waiting.Count + running.Count > 0)
        {
            while (running.Count < concurrent && waiting.TryDequeue(out var next)) running.Add((next, 0));
            var which = random.Next(running.Count);
            var (session, at) = running[which];
            var until = Math.Min(session.Count, at + random.Next(1, 30));
            accesses.AddRange(session[at..until]);
            if (until == session.Count) running.RemoveAt(which);
            else running[which] = (session, until);
        }

        return new Trace(name, Memory, [.. accesses]);
    }

    private static List<Access> Session(Random random, List<Study> studies, Zipf pick)
    {
        var accesses = new List<Access>();
        var study = studies[pick.Next(random)];
        Read(study);
        if (random.NextDouble() < 0.2) Read(studies[pick.Next(random)]);
        return accesses;

        void Read(Study opened)
        {
            foreach (var series in opened.Series) accesses.AddRange(series.Opening);
            var count = random.Next(1, opened.Series.Count + 1);
            for (var i = 0; i < count; i++)
            {
                Scroll(opened.Series[i]);
                if (i > 0 && random.NextDouble() < 0.3) Scroll(opened.Series[random.Next(i)], again: true);
            }
        }

        void Scroll(Series series, bool again = false)
        {
            var slices = series.Slices;
            if (!again) accesses.AddRange(slices);
            var (at, sweeps) = (random.Next(slices.Length), random.Next(1, 5));
            for (var sweep = 0; sweep < sweeps; sweep++)
            {
                for (var to = random.Next(slices.Length); at != to; at += Math.Sign(to - at)) accesses.Add(slices[at]);
            }
        }
    }

    private sealed record Series(Access[] Opening, Access[] Slices);

    private sealed record Study(List<Series> Series)
    {
        public static Study Make(Random random, ref int items)
        {
            var kind = random.NextDouble();
            // How many series, slices of each, and bytes of a slice as it is stored.
            var (series, least, most, bytes) = kind < 0.5 ? (random.Next(1, 4), 40, 160, Slice)      // CT
                : kind < 0.85 ? (random.Next(3, 7), 20, 60, 128 << random.Next(0, 3) << 10)          // MR
                : (random.Next(1, 4), 1, 2, 8 << 20);                                                // plain films
            var made = new List<Series>();
            for (var i = 0; i < series; i++)
            {
                Access[] opening = [new(items++, random.Next(20, 200) << 10), new(items++, random.Next(4, 12) << 10)];
                var slices = new Access[random.Next(least, most + 1)];
                for (var slice = 0; slice < slices.Length; slice++) slices[slice] = new Access(items++, bytes);
                made.Add(new Series(opening, slices));
            }

            return new Study(made);
        }
    }
}

/// <summary>Numbers below <paramref name="count"/>, the n-th as often as 1 / n to the power of <paramref name="exponent"/>.</summary>
internal sealed class Zipf(int count, double exponent)
{
    private readonly double[] _upTo = Sums(count, exponent);

    public int Next(Random random)
    {
        var found = Array.BinarySearch(_upTo, random.NextDouble() * _upTo[^1]);
        return Math.Min(found < 0 ? ~found : found, _upTo.Length - 1);
    }

    private static double[] Sums(int count, double exponent)
    {
        var (sums, sum) = (new double[count], 0.0);
        for (var i = 0; i < count; i++) sums[i] = sum += Math.Pow(i + 1, -exponent);
        return sums;
    }
}
