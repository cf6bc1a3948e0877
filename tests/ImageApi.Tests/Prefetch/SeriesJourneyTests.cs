using ImageApi.Catalog;
using ImageApi.Origins;
using ImageApi.Prefetch;

namespace ImageApi.Tests.Prefetch;

public sealed class SeriesJourneyTests
{
    [Fact]
    public void Next_AtTheBeginning_GoesOn()
    {
        var journey = Journey(ahead: 2, frames: [1, 1, 1, 1, 1]);
        journey.MoveTo(0, hasFrame: true);
        Assert.Equal([1, 2, 3, 4], Rest(journey));
    }

    [Fact]
    public void Next_InTheMiddle_GoesAheadThenOutwardOnBothSides()
    {
        var journey = Journey(ahead: 2, frames: [1, 1, 1, 1, 1, 1, 1, 1, 1]);
        journey.MoveTo(4, hasFrame: true);
        Assert.Equal([5, 6, 3, 2, 7, 1, 8, 0], Rest(journey));
    }

    [Fact]
    public void Next_AfterTurningBack_FollowsTheNewDirectionAndRepeatsNothing()
    {
        var journey = Journey(ahead: 3, frames: [1, 1, 1, 1, 1, 1, 1, 1]);
        journey.MoveTo(4, hasFrame: true);
        Assert.Equal(5, journey.Next()?.Position);
        journey.MoveTo(3, hasFrame: true);
        Assert.Equal([2, 1, 0, 6, 7], Rest(journey));
    }

    [Fact]
    public void Next_OfMultiFrameObjectsAndReports_NamesInstanceAndFrame()
    {
        var journey = Journey(ahead: 10, frames: [2, 0, 0, 3, 0]);
        Assert.Equal(5, journey.FrameCount);
        Assert.Equal(2, journey.PositionOf("3", 0));
        Assert.Null(journey.PositionOf("3", 3));
        Assert.Null(journey.PositionOf("1", 0));
        Assert.Null(journey.PositionOf("none", 0));
        journey.MoveTo(0, hasFrame: true);
        var next = Enumerable.Range(0, 4).Select(_ => journey.Next()!.Value).Select(at => (at.Instance.SopUid, at.FrameIndex));
        Assert.Equal([("0", 1), ("3", 0), ("3", 1), ("3", 2)], next);
        Assert.Null(journey.Next());
    }

    [Fact]
    public void Return_AFrameThatDidNotCome_IsWantedAgain()
    {
        var journey = Journey(ahead: 10, frames: [1, 1, 1]);
        journey.MoveTo(0, hasFrame: true);
        var first = journey.Next()!.Value;
        journey.Return(first.Position);
        Assert.Equal(first.Position, journey.Next()!.Value.Position);
    }

    [Fact]
    public void Next_WhereAFrameWillBeAskedForAtOnce_BeginsWithIt()
    {
        var journey = Journey(ahead: 1, frames: [1, 1, 1]);
        journey.MoveTo(1, hasFrame: false);
        Assert.Equal([1, 2, 0], Rest(journey));
    }

    [Fact]
    public void Next_OfASeriesWithoutFrames_IsNone() => Assert.Null(Journey(ahead: 1, frames: [0, 0]).Next());

    private static int[] Rest(SeriesJourney journey)
    {
        var rest = new List<int>();
        while (journey.Next() is { } next) rest.Add(next.Position);
        return [.. rest];
    }

    private static SeriesJourney Journey(int ahead, int[] frames)
    {
        var instances = frames.Select((count, i) => new InstanceEntry
        {
            StudyUid = "1",
            SeriesUid = "2",
            SopUid = $"{i}",
            SopClassUid = "3",
            TransferSyntaxUid = "4",
            OriginName = "o",
            Item = new OriginItem($"{i}"),
            Version = new OriginVersion("v"),
            Stamp = default,
            Content = default,
            FrameCount = count,
        });
        return new SeriesJourney(new SeriesEntry("1", "2", null, null, null, default, [.. instances], null), ahead);
    }
}
