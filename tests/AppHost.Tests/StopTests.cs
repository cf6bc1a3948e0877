namespace AppHost.Tests;

public class StopTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task Stop_Signal_EndsEverythingInOrder(string signal)
    {
        await using var run = await TestHostRun.UpAsync("chain");
        await run.PostAsync("second", "/child");

        var took = await run.EndAsync(signal);

        Assert.True(took < Limit, $"{took}");
        Assert.Empty(run.Left());
        Assert.Equal(0, run.ExitCode);
        Assert.DoesNotContain("starts again", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_ServiceThatHangs_IsKilledWithinTheLimit()
    {
        await using var run = await TestHostRun.UpAsync("one");
        await run.PostAsync("one", "/deaf");

        var took = await run.EndAsync("INT");

        Assert.InRange(took, TimeSpan.FromSeconds(3), Limit);
        Assert.Empty(run.Left());
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Stop_WhileSomethingWaits_EndsAtOnce()
    {
        await using var run = TestHostRun.Start("chain");
        await run.SaysAsync("first-one starts");

        Assert.True(await run.EndAsync() < Limit);
        Assert.Empty(run.Left());
    }

    [Fact]
    public async Task Kill_Host_LeavesNothingRunning()
    {
        await using var run = await TestHostRun.UpAsync("redis");
        await run.PostAsync("one", "/child");
        Assert.True(run.Left().Count >= 3);

        await run.EndAsync("KILL");

        // The grandchild is nobody's: the service that started it is told to end, as the cache is.
        await run.UntilAsync(() => Task.FromResult(run.Left().All(process => process.Command.StartsWith("sleep", StringComparison.Ordinal))), "everything that the host started has ended");
    }

    [Fact]
    public async Task Kill_Service_StartsAgainAndWaitsLongerEachTime()
    {
        await using var run = await TestHostRun.UpAsync("one");
        var address = run.Address("one");
        var first = await run.ProcessOfAsync("one");

        TestHostRun.Signal(first.Id, "KILL");
        await run.SaysAsync("was ended by signal 9");
        await run.SaysAsync("starts again in 0.5 s");
        await run.UntilAsync(async () => (await run.ProcessOfAsync("one")).Id != first.Id, "a second process at the same address");
        TestHostRun.Signal((await run.ProcessOfAsync("one")).Id, "KILL");
        await run.SaysAsync("starts again in 1 s");
        await run.UntilAsync(async () => (await run.ProcessOfAsync("one")).Id != first.Id, "a third process");

        Assert.Equal(address, run.Address("one"));
        await run.EndAsync();
        Assert.Empty(run.Left());
    }
}
