using System.Collections.Concurrent;
using NBomber.Contracts;
using NBomber.CSharp;

namespace Compat.Tests;

public class NBomberTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(400);

    [Fact]
    public void Run_OpenLoad_BeginsAsManyAsAreDueWhateverTheyTake()
    {
        var result = NBomberRunner.RegisterScenarios(Scenario.Create("open", async context =>
        {
            await Task.Delay(50, context.ScenarioCancellationToken);
            return Response.Ok(sizeBytes: 10);
        }).WithoutWarmUp().WithLoadSimulations(Simulation.Inject(rate: 100, interval: TimeSpan.FromSeconds(1), during: Short))).WithoutReports().Run();

        var stats = Assert.Single(result.ScenarioStats);
        Assert.Equal((40, 0, 400), (stats.AllOkCount, stats.AllFailCount, stats.AllBytes));
        Assert.InRange(stats.Ok.Latency.MinMs, 45, stats.Ok.Latency.Percent50);
        Assert.Equal("stand-in", result.NodeInfo.NBomberVersion);
    }

    [Fact]
    public void Run_ClosedLoad_KeepsItsCopiesAndTheirData()
    {
        var seen = new ConcurrentDictionary<(int Copy, long Invocation), object>();
        NBomberRunner.RegisterScenarios(Scenario.Create("closed", async context =>
        {
            var kept = context.ScenarioInstanceData.TryGetValue("mine", out var mine) ? mine : context.ScenarioInstanceData["mine"] = new object();
            Assert.True(seen.TryAdd((context.ScenarioInfo.InstanceNumber, context.InvocationNumber), kept));
            await Task.Delay(20, context.ScenarioCancellationToken);
            return Response.Ok();
        }).WithoutWarmUp().WithLoadSimulations(Simulation.KeepConstant(copies: 3, during: Short))).Run();

        Assert.Equal([0, 1, 2], seen.Keys.Select(static key => key.Copy).Distinct().Order());
        Assert.All(seen.GroupBy(static pair => pair.Key.Copy), static copy =>
        {
            Assert.True(copy.Count() > 1);
            Assert.Single(copy.Select(static pair => pair.Value).Distinct());
            Assert.Equal(copy.Count(), copy.Max(static pair => pair.Key.Invocation));
        });
    }

    [Fact]
    public void Run_WarmUp_IsNotCounted()
    {
        var warm = 0;
        var result = NBomberRunner.RegisterScenarios(Scenario.Create("warm", context =>
        {
            if (context.ScenarioInfo.ScenarioOperation == ScenarioOperation.WarmUp) Interlocked.Increment(ref warm);
            return Task.FromResult<IResponse>(Response.Ok());
        }).WithWarmUpDuration(Short).WithLoadSimulations(Simulation.Inject(50, TimeSpan.FromSeconds(1), Short))).Run();
        Assert.Equal((20, 20), (warm, result.AllOkCount));
    }

    [Fact]
    public void Run_StepsAndFailures_AreCountedEachByItself()
    {
        var result = NBomberRunner.RegisterScenarios(Scenario.Create("steps", async context =>
        {
            await Step.Run("first", context, () => Task.FromResult(Response.Ok<object>(statusCode: "200")));
            await Step.Run("second", context, () => context.ScenarioInfo.InstanceNumber % 4 == 0 ? throw new InvalidOperationException("broken") : Task.FromResult(Response.Ok<object>()));
            return Response.Ok();
        }).WithoutWarmUp().WithLoadSimulations(Simulation.Inject(100, TimeSpan.FromSeconds(1), Short)).WithThresholds(
            Threshold.Create(static stats => stats.Fail.Request.Count == 0), Threshold.Create(static stats => stats.Ok.Request.Count > 0))).Run();

        var stats = result.ScenarioStats[0];
        Assert.Equal((30, 10), (stats.AllOkCount, stats.AllFailCount));
        Assert.Equal(["first", "second"], stats.StepStats.Select(static step => step.StepName));
        Assert.Equal((40, 30, 10), (stats.StepStats[0].Ok.Request.Count, stats.StepStats[1].Ok.Request.Count, stats.StepStats[1].Fail.Request.Count));
        Assert.Equal(("-101", "broken", true, 10), stats.Fail.StatusCodes.Select(static code => (code.StatusCode, code.Message, code.IsError, code.Count)).Single());
        Assert.Equal([true, false], result.Thresholds.Select(static threshold => threshold.IsFailed));
    }

    [Fact]
    public void Run_TooManyFailures_StopsTheSession()
    {
        var result = NBomberRunner.RegisterScenarios(Scenario.Create("failing", static _ => Task.FromResult<IResponse>(Response.Fail(statusCode: "500")))
            .WithoutWarmUp().WithMaxFailCount(5).WithLoadSimulations(Simulation.Inject(100, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)))).Run();
        Assert.InRange(result.AllFailCount, 5, 1000);
        Assert.True(result.Duration < TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Run_IterationsThatNeverEnd_AreCancelledAfterTheTimeout()
    {
        var cleaned = false;
        var result = NBomberRunner.RegisterScenarios(Scenario.Create("stuck", static async context =>
        {
            await Task.Delay(Timeout.Infinite, context.ScenarioCancellationToken);
            return Response.Ok();
        }).WithoutWarmUp().WithLoadSimulations(Simulation.KeepConstant(2, Short)).WithClean(_ =>
        {
            cleaned = true;
            return Task.CompletedTask;
        })).WithScenarioCompletionTimeout(TimeSpan.FromMilliseconds(200)).Run();
        Assert.Equal((0, true), (result.AllRequestCount, cleaned));
    }

    [Fact]
    public void Run_OpenAndClosedInOne_IsRefused() => Assert.Throws<InvalidOperationException>(static () => NBomberRunner.RegisterScenarios(
        Scenario.Create("mixed", static _ => Task.FromResult<IResponse>(Response.Ok())).WithLoadSimulations(Simulation.KeepConstant(1, Short), Simulation.Inject(1, Short, Short))).Run());

    [Fact]
    public void Latency_Percentiles_AreWithinAHundredth()
    {
        var measured = new NBomber.Running.Measurements();
        for (var i = 1; i <= 10_000; i++) measured.Add(TimeSpan.FromMicroseconds(i * 10), i, "", "");
        var stats = measured.ToStats(TimeSpan.FromSeconds(10), 10_000, isError: false);
        Assert.Equal((1000.0, 0.01, 100.0), (stats.Request.RPS, stats.Latency.MinMs, stats.Latency.MaxMs));
        Assert.InRange(stats.Latency.Percent50, 49.5, 50.5);
        Assert.InRange(stats.Latency.Percent99, 98.1, 99.9);
        Assert.InRange(stats.Latency.StdDev, 28.8, 28.95);
    }
}
