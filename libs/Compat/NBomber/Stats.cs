namespace NBomber.Contracts.Stats;

/// <summary>What a run gave.</summary>
public sealed class NodeStats
{
    public ScenarioStats[] ScenarioStats { get; set; } = [];

    public ThresholdResult[] Thresholds { get; set; } = [];

    public NodeInfo NodeInfo { get; set; } = new();

    public TestInfo TestInfo { get; set; } = new();

    public int AllRequestCount { get; set; }

    public int AllOkCount { get; set; }

    public int AllFailCount { get; set; }

    public long AllBytes { get; set; }

    public TimeSpan Duration { get; set; }
}

public sealed class ScenarioStats
{
    public string ScenarioName { get; set; } = "";

    public MeasurementStats Ok { get; set; } = new();

    public MeasurementStats Fail { get; set; } = new();

    public StepStats[] StepStats { get; set; } = [];

    public int AllRequestCount { get; set; }

    public int AllOkCount { get; set; }

    public int AllFailCount { get; set; }

    public long AllBytes { get; set; }

    /// <summary>Of the part that counts.</summary>
    public TimeSpan Duration { get; set; }

    public int SortIndex { get; set; }
}

public sealed class StepStats
{
    public string StepName { get; set; } = "";

    public MeasurementStats Ok { get; set; } = new();

    public MeasurementStats Fail { get; set; } = new();

    public int SortIndex { get; set; }
}

public sealed class MeasurementStats
{
    public RequestStats Request { get; set; } = new();

    public LatencyStats Latency { get; set; } = new();

    public DataTransferStats DataTransfer { get; set; } = new();

    public StatusCodeStats[] StatusCodes { get; set; } = [];
}

public sealed class RequestStats
{
    public int Count { get; set; }

    public double RPS { get; set; }

    public int Percent { get; set; }
}

/// <summary>Milliseconds.</summary>
public sealed class LatencyStats
{
    public double MinMs { get; set; }

    public double MeanMs { get; set; }

    public double MaxMs { get; set; }

    public double Percent50 { get; set; }

    public double Percent75 { get; set; }

    public double Percent95 { get; set; }

    public double Percent99 { get; set; }

    public double StdDev { get; set; }
}

/// <summary>Bytes.</summary>
public sealed class DataTransferStats
{
    public long MinBytes { get; set; }

    public long MeanBytes { get; set; }

    public long MaxBytes { get; set; }

    public long AllBytes { get; set; }
}

public sealed class StatusCodeStats
{
    public string StatusCode { get; set; } = "";

    public bool IsError { get; set; }

    public string Message { get; set; } = "";

    public int Count { get; set; }
}

public sealed class ThresholdResult
{
    public string ScenarioName { get; set; } = "";

    public string CheckExpression { get; set; } = "";

    public string ExceptionMsg { get; set; } = "";

    public bool IsFailed { get; set; }
}

public sealed class TestInfo
{
    public string SessionId { get; set; } = "";

    public string TestSuite { get; set; } = "";

    public string TestName { get; set; } = "";

    public DateTime Created { get; set; }
}

public sealed class NodeInfo
{
    public string MachineName { get; set; } = "";

    public string OS { get; set; } = "";

    public string DotNetVersion { get; set; } = "";

    public int CoresCount { get; set; }

    /// <summary>Says that this is the stand-in: figures made with it are never taken for the package's.</summary>
    public string NBomberVersion { get; set; } = "";
}
