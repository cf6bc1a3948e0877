using System.Collections.Concurrent;
using PerfTests.HitRate;
using PerfTests.Measuring;

namespace PerfTests.Load;

/// <summary>What the iterations of one scenario on one server share.</summary>
/// <param name="Api">How the server is asked.</param>
/// <param name="Client">For all people.</param>
/// <param name="Series">What there is, most instances first.</param>
internal sealed record LoadContext(LoadApi Api, HttpClient Client, IReadOnlyList<SeriesItem> Series)
{
    /// <summary>Browsers open so many connections to a server.</summary>
    public const int Connections = 6;

    private readonly ConcurrentBag<Person> _idle = [];

    public Zipf Popularity { get; } = new(Series.Count, 0.9);

    public Visitor NewVisitor() => new(Client, TimeProvider.System);

    /// <summary>Somebody who is free, else a new one, who is made ready first: what is not measured.</summary>
    public async ValueTask<Person> TakeAsync(LoadScenario scenario, Random random, CancellationToken cancellationToken)
    {
        if (scenario.PrepareAsync is null) return new Person(NewVisitor());   // another one each time
        if (_idle.TryTake(out var person)) return person;
        person = new Person(NewVisitor());
        await scenario.PrepareAsync(this, person, random, cancellationToken);
        return person;
    }

    public void Release(LoadScenario scenario, Person person)
    {
        if (scenario.PrepareAsync is not null) _idle.Add(person);
    }

    public SeriesItem Any(Random random) => Series[random.Next(Series.Count)];
}

/// <summary>Somebody at a workstation, what they have open, and where they are in it.</summary>
internal sealed class Person(Visitor visitor)
{
    public Visitor Visitor => visitor;

    public SeriesItem? Series { get; set; }

    public OpenedSeries? Opened { get; set; }

    public int At { get; set; }
}

/// <summary>One thing that people do, defined once, run against any server.</summary>
/// <param name="Name">On the command line and in results.</param>
/// <param name="Describes">For people.</param>
/// <param name="IterateAsync">Does it once. It throws where the server fails.</param>
internal sealed record LoadScenario(string Name, string Describes, Func<LoadContext, Person, Random, LatencyLog, CancellationToken, Task> IterateAsync)
{
    /// <summary>Makes a person ready who then does it again and again; null where each time another one does it.</summary>
    public Func<LoadContext, Person, Random, CancellationToken, Task>? PrepareAsync { get; init; }

    /// <summary>Whether people think before they go on.</summary>
    public bool HasThinkTime { get; init; }

    /// <summary>All of them.</summary>
    public static IReadOnlyList<LoadScenario> All { get; } =
    [
        new("first-image", "List the studies, open a series, get its first image; each time another person.", FirstImageAsync),
        new("series-full", "Open a series and get all its images over six connections; each time another person.", SeriesFullAsync),
        new("scroll", "Go through a series image by image, now and then jumping; nothing is remembered.", ScrollAsync) { PrepareAsync = OpenAnyAsync },
        new("revisit", "Look at a whole series again, with what the answers let a browser keep.", RevisitAsync) { PrepareAsync = LookAtAnyAsync },
        new("zipf-clinic", "Open series by Zipf 0.9, look at some images, think, come back; browsers remember.", ClinicAsync) { PrepareAsync = static (_, _, _, _) => Task.CompletedTask, HasThinkTime = true },
        new("metadata", "Get what has to be known of a series before its images; each time another person.", static (load, person, random, _, token) => load.Api.OpenAsync(person.Visitor, load.Any(random), token)),
        new("search", "Search for the instances of a series; each time another person.", static (load, person, random, _, token) => load.Api.SearchAsync(person.Visitor, load.Any(random), token)),
    ];

    private static async Task FirstImageAsync(LoadContext load, Person person, Random random, LatencyLog log, CancellationToken cancellationToken)
    {
        await load.Api.ListAsync(person.Visitor, cancellationToken);
        var opened = await load.Api.OpenAsync(person.Visitor, load.Any(random), cancellationToken);
        await LookAsync(person.Visitor, opened.Frames[opened.Frames.Count / 2], log, cancellationToken);
    }

    private static async Task SeriesFullAsync(LoadContext load, Person person, Random random, LatencyLog log, CancellationToken cancellationToken) =>
        await LookThroughAsync(person.Visitor, await load.Api.OpenAsync(person.Visitor, load.Any(random), cancellationToken), log, cancellationToken);

    private static async Task OpenAnyAsync(LoadContext load, Person person, Random random, CancellationToken cancellationToken) =>
        person.Opened = await load.Api.OpenAsync(person.Visitor, person.Series = load.Any(random), cancellationToken);

    private static async Task ScrollAsync(LoadContext load, Person person, Random random, LatencyLog log, CancellationToken cancellationToken)
    {
        var frames = person.Opened!.Frames;
        person.At = random.NextDouble() < 0.05 ? random.Next(frames.Count) : (person.At + 1) % frames.Count;
        person.Visitor.Forget();
        await LookAsync(person.Visitor, frames[person.At], log, cancellationToken);
    }

    private static async Task LookAtAnyAsync(LoadContext load, Person person, Random random, CancellationToken cancellationToken)
    {
        await OpenAnyAsync(load, person, random, cancellationToken);
        await LookThroughAsync(person.Visitor, person.Opened!, null, cancellationToken);
    }

    private static async Task RevisitAsync(LoadContext load, Person person, Random random, LatencyLog log, CancellationToken cancellationToken) =>
        await LookThroughAsync(person.Visitor, await load.Api.OpenAsync(person.Visitor, person.Series!, cancellationToken), log, cancellationToken);

    private static async Task ClinicAsync(LoadContext load, Person person, Random random, LatencyLog log, CancellationToken cancellationToken)
    {
        await load.Api.ListAsync(person.Visitor, cancellationToken);
        var frames = (await load.Api.OpenAsync(person.Visitor, load.Series[load.Popularity.Next(random)], cancellationToken)).Frames;
        var start = random.Next(frames.Count);
        for (var left = Math.Min(frames.Count, 1 + random.Next(40)); left > 0; left--) await LookAsync(person.Visitor, frames[start++ % frames.Count], log, cancellationToken);
    }

    /// <summary>All images, so many at a time as a browser has connections.</summary>
    private static Task LookThroughAsync(Visitor visitor, OpenedSeries opened, LatencyLog? log, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(opened.Frames, new ParallelOptions { MaxDegreeOfParallelism = LoadContext.Connections, CancellationToken = cancellationToken },
            async (frame, token) => await LookAsync(visitor, frame, log, token));

    private static async Task LookAsync(Visitor visitor, FrameItem frame, LatencyLog? log, CancellationToken cancellationToken)
    {
        var from = Clock.Now;
        var fetched = await visitor.LookAsync(frame.Path, frame.Accept, cancellationToken);
        if (fetched.Bytes == 0 && !fetched.IsFromCache) throw new InvalidDataException($"No bytes for {frame.Path}.");
        log?.Image(from);
    }
}
