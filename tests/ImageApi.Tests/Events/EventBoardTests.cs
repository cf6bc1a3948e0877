using System.Text;
using ImageApi.Events;
using Microsoft.Extensions.Options;

namespace ImageApi.Tests.Events;

public sealed class EventBoardTests
{
    private static EventBoard Board(int history = 4, int maxListeners = 2) => new(Options.Create(new EventsOptions { History = history, MaxListeners = maxListeners }));

    private static StudyEvent Study(int number) => new($"2.25.{number}", [$"2.25.{number}.1"], number);

    private static List<string> Drain(EventBoard.Listener listener)
    {
        var read = new List<string>();
        while (listener.TryRead(out _) is { } bytes) read.Add(Encoding.UTF8.GetString(bytes));
        return read;
    }

    private static string IdOf(string wire) => wire[4..wire.IndexOf('\n')];

    [Fact]
    public void TryRead_EventsPublishedSince_AreReadInOrder()
    {
        var board = Board();
        board.Publish(Study(1));
        using var listener = board.Listen(null)!;
        Assert.Empty(Drain(listener));
        board.Publish(Study(2));
        board.Publish(new ThumbnailEvent("2.25.9", "0123", "data:image/jpeg;base64,AA=="));
        var read = Drain(listener);
        Assert.Equal(2, read.Count);
        Assert.EndsWith("\nevent: study\ndata: {\"study\":\"2.25.2\",\"series\":[\"2.25.2.1\"],\"instances\":2}\n\n", read[0]);
        Assert.EndsWith("\nevent: thumbnail\ndata: {\"series\":\"2.25.9\",\"version\":\"0123\",\"dataUrl\":\"data:image/jpeg;base64,AA==\"}\n\n", read[1]);
    }

    [Fact]
    public void TryRead_NothingYet_GivesWhatToWaitFor()
    {
        var board = Board();
        using var listener = board.Listen(null)!;
        Assert.Null(listener.TryRead(out var published));
        Assert.False(published.IsCompleted);
        board.Publish(Study(1));
        Assert.True(published.IsCompleted);
    }

    [Fact]
    public void Listen_WithLastEventId_ContinuesBehindIt()
    {
        var board = Board();
        string last;
        using (var first = board.Listen(null)!)
        {
            board.Publish(Study(1));
            last = IdOf(Drain(first)[0]);
        }
        board.Publish(Study(2));
        board.Publish(Study(3));
        using var second = board.Listen(last)!;
        Assert.Equal(["2.25.2\"", "2.25.3\""], Drain(second).Select(wire => wire.Split("study\":\"")[1][..7]));
    }

    [Fact]
    public void TryRead_ListenerThatFellBehind_IsToldHowManyItLost()
    {
        var board = Board(history: 4);
        using var listener = board.Listen(null)!;
        for (var i = 1; i <= 10; i++) board.Publish(Study(i));
        var read = Drain(listener);
        Assert.Equal(5, read.Count);
        Assert.EndsWith("\nevent: lost\ndata: {\"events\":6}\n\n", read[0]);
        Assert.Contains("2.25.7\"", read[1], StringComparison.Ordinal);
        // Who comes back with the id of the loss gets what came after it.
        using var again = board.Listen(IdOf(read[0]))!;
        Assert.Equal(read[1..], Drain(again));
    }

    [Theory]
    [InlineData("00000000-1")]
    [InlineData("1")]
    [InlineData("x")]
    public void Listen_IdOfAnotherProcess_IsToldThatItMayHaveLostSome(string id)
    {
        var board = Board();
        board.Publish(Study(1));
        using var listener = board.Listen(id)!;
        Assert.EndsWith("\nevent: lost\ndata: {}\n\n", Assert.Single(Drain(listener)));
    }

    [Fact]
    public void Listen_TooMany_IsRefusedUntilOneLeaves()
    {
        var board = Board(maxListeners: 2);
        var first = board.Listen(null)!;
        using var second = board.Listen(null);
        Assert.Null(board.Listen(null));
        first.Dispose();
        first.Dispose();
        using var third = board.Listen(null);
        Assert.NotNull(third);
        Assert.Null(board.Listen(null));
        Assert.Equal(2, board.Listeners);
    }
}
