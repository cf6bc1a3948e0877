using NBomber.Contracts;
using NBomber.Contracts.Stats;
using NBomber.Running;

namespace NBomber.CSharp;

public static class Scenario
{
    public static ScenarioProps Create(string name, Func<IScenarioContext, Task<IResponse>> run) => new(name, run);

    public static ScenarioProps WithInit(this ScenarioProps scenario, Func<IScenarioInitContext, Task> initFunc) => scenario.With(copy => copy.Init = initFunc);

    public static ScenarioProps WithClean(this ScenarioProps scenario, Func<IScenarioInitContext, Task> cleanFunc) => scenario.With(copy => copy.Clean = cleanFunc);

    public static ScenarioProps WithWarmUpDuration(this ScenarioProps scenario, TimeSpan duration) => scenario.With(copy => copy.WarmUpDuration = duration);

    public static ScenarioProps WithoutWarmUp(this ScenarioProps scenario) => scenario.With(copy => copy.WarmUpDuration = TimeSpan.Zero);

    public static ScenarioProps WithLoadSimulations(this ScenarioProps scenario, params LoadSimulation[] loadSimulations) => scenario.With(copy => copy.LoadSimulations = loadSimulations);

    public static ScenarioProps WithMaxFailCount(this ScenarioProps scenario, int maxFailCount) => scenario.With(copy => copy.MaxFailCount = maxFailCount);

    public static ScenarioProps WithThresholds(this ScenarioProps scenario, params Threshold[] thresholds) => scenario.With(copy => copy.Thresholds = thresholds);
}

public static class Step
{
    public static Task<Response<T>> Run<T>(string name, IScenarioContext context, Func<Task<Response<T>>> run) => ((IterationContext)context).MeasureAsync(name, run);
}

public static class Response
{
    public static Response<object> Ok() => new(false, "", 0, "");

    public static Response<object> Ok(string statusCode = "", long sizeBytes = 0, string message = "") => new(false, statusCode, sizeBytes, message);

    public static Response<T> Ok<T>(string statusCode = "", long sizeBytes = 0, string message = "") => new(false, statusCode, sizeBytes, message);

    public static Response<object> Fail() => new(true, "", 0, "");

    public static Response<object> Fail(string statusCode = "", string message = "", long sizeBytes = 0) => new(true, statusCode, sizeBytes, message);

    public static Response<T> Fail<T>(string statusCode = "", string message = "", long sizeBytes = 0) => new(true, statusCode, sizeBytes, message);
}

public static class Simulation
{
    public static LoadSimulation RampingConstant(int copies, TimeSpan during) => new(SimulationKind.RampingConstant, copies, TimeSpan.Zero, during);

    public static LoadSimulation KeepConstant(int copies, TimeSpan during) => new(SimulationKind.KeepConstant, copies, TimeSpan.Zero, during);

    public static LoadSimulation RampingInject(int rate, TimeSpan interval, TimeSpan during) => new(SimulationKind.RampingInject, rate, interval, during);

    public static LoadSimulation Inject(int rate, TimeSpan interval, TimeSpan during) => new(SimulationKind.Inject, rate, interval, during);

    public static LoadSimulation Pause(TimeSpan during) => new(SimulationKind.Pause, 0, TimeSpan.Zero, during);
}

public static class NBomberRunner
{
    public static NBomberContext RegisterScenarios(params ScenarioProps[] scenarios) => new(scenarios);

    public static NBomberContext WithTestSuite(this NBomberContext context, string testSuite) => context.With(copy => copy.TestSuite = testSuite);

    public static NBomberContext WithTestName(this NBomberContext context, string testName) => context.With(copy => copy.TestName = testName);

    /// <summary>The stand-in writes none in any case.</summary>
    public static NBomberContext WithoutReports(this NBomberContext context) => context;

    public static NBomberContext WithScenarioCompletionTimeout(this NBomberContext context, TimeSpan timeout) => context.With(copy => copy.CompletionTimeout = timeout);

    public static NodeStats Run(this NBomberContext context) => new Session(context).RunAsync().GetAwaiter().GetResult();
}
