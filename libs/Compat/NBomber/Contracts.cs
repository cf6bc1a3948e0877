using NBomber.Contracts.Stats;

namespace NBomber.Contracts;

/// <summary>What an iteration or a step gave.</summary>
public interface IResponse
{
    string StatusCode { get; }

    bool IsError { get; }

    long SizeBytes { get; }

    string Message { get; }
}

/// <inheritdoc cref="IResponse"/>
public sealed class Response<T> : IResponse
{
    internal Response(bool isError, string statusCode, long sizeBytes, string message) => (IsError, StatusCode, SizeBytes, Message) = (isError, statusCode, sizeBytes, message);

    public string StatusCode { get; }

    public bool IsError { get; }

    public long SizeBytes { get; }

    public string Message { get; }
}

/// <summary>Whether a run warms up or counts.</summary>
public enum ScenarioOperation
{
    Init,
    Clean,
    WarmUp,
    Bombing,
}

/// <summary>Which copy of which scenario runs.</summary>
public sealed class ScenarioInfo
{
    internal ScenarioInfo(string scenarioName, int instanceNumber, TimeSpan scenarioDuration, ScenarioOperation scenarioOperation) =>
        (ScenarioName, InstanceNumber, InstanceId, ScenarioDuration, ScenarioOperation) = (scenarioName, instanceNumber, $"{scenarioName}_{instanceNumber}", scenarioDuration, scenarioOperation);

    public string InstanceId { get; }

    public int InstanceNumber { get; }

    public string ScenarioName { get; }

    public TimeSpan ScenarioDuration { get; }

    public ScenarioOperation ScenarioOperation { get; }
}

/// <summary>What an iteration gets.</summary>
public interface IScenarioContext
{
    ScenarioInfo ScenarioInfo { get; }

    /// <summary>From 1 on, per copy.</summary>
    long InvocationNumber { get; }

    /// <summary>Kept from iteration to iteration of one copy.</summary>
    Dictionary<string, object> ScenarioInstanceData { get; }

    CancellationToken ScenarioCancellationToken { get; }

    Random Random { get; }

    void StopCurrentTest(string reason);
}

/// <summary>What initialisation and cleaning get.</summary>
public interface IScenarioInitContext
{
    ScenarioInfo ScenarioInfo { get; }
}

/// <summary>How many copies of a scenario run, and when.</summary>
public sealed class LoadSimulation
{
    internal LoadSimulation(SimulationKind kind, int value, TimeSpan interval, TimeSpan during) => (Kind, Value, Interval, During) = (kind, value, interval, during);

    internal SimulationKind Kind { get; }

    internal int Value { get; }

    internal TimeSpan Interval { get; }

    internal TimeSpan During { get; }

    internal bool IsOpen => Kind is SimulationKind.Inject or SimulationKind.RampingInject;
}

internal enum SimulationKind
{
    KeepConstant,
    RampingConstant,
    Inject,
    RampingInject,
    Pause,
}

/// <summary>A check of a scenario's figures, made at the end.</summary>
public sealed class Threshold
{
    private Threshold(Func<ScenarioStats, bool> checkScenario, string expression) => (CheckScenario, Expression) = (checkScenario, expression);

    internal Func<ScenarioStats, bool> CheckScenario { get; }

    internal string Expression { get; }

    public static Threshold Create(Func<ScenarioStats, bool> checkScenario, int? abortWhenErrorCount = null, TimeSpan? startCheckAfter = null) =>
        abortWhenErrorCount is null && startCheckAfter is null
            ? new(checkScenario, "scenario")
            : throw new NotSupportedException("The stand-in checks thresholds at the end only.");
}

/// <summary>A scenario and how it is to run.</summary>
public sealed class ScenarioProps
{
    internal ScenarioProps(string scenarioName, Func<IScenarioContext, Task<IResponse>>? run) => (ScenarioName, Run) = (scenarioName, run);

    public string ScenarioName { get; }

    internal Func<IScenarioContext, Task<IResponse>>? Run { get; }

    internal Func<IScenarioInitContext, Task>? Init { get; set; }

    internal Func<IScenarioInitContext, Task>? Clean { get; set; }

    internal TimeSpan WarmUpDuration { get; set; } = TimeSpan.FromSeconds(30);

    internal IReadOnlyList<LoadSimulation> LoadSimulations { get; set; } = [new(SimulationKind.KeepConstant, 1, TimeSpan.Zero, TimeSpan.FromMinutes(1))];

    internal int MaxFailCount { get; set; } = 5000;

    internal IReadOnlyList<Threshold> Thresholds { get; set; } = [];

    /// <summary>A copy with a change.</summary>
    internal ScenarioProps With(Action<ScenarioProps> change)
    {
        var copy = (ScenarioProps)MemberwiseClone();
        change(copy);
        return copy;
    }
}

/// <summary>A run that is being put together.</summary>
public sealed class NBomberContext
{
    internal NBomberContext(IReadOnlyList<ScenarioProps> scenarios) => Scenarios = scenarios;

    internal IReadOnlyList<ScenarioProps> Scenarios { get; }

    internal string TestSuite { get; set; } = "nbomber_default_test_suite_name";

    internal string TestName { get; set; } = "nbomber_default_test_name";

    internal TimeSpan CompletionTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <inheritdoc cref="ScenarioProps.With"/>
    internal NBomberContext With(Action<NBomberContext> change)
    {
        var copy = (NBomberContext)MemberwiseClone();
        change(copy);
        return copy;
    }
}
