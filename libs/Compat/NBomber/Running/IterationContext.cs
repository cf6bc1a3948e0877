using System.Diagnostics;
using NBomber.Contracts;

namespace NBomber.Running;

/// <summary>What a copy of a scenario has in hand; one at a time uses it.</summary>
internal sealed class IterationContext(ScenarioRun run, ScenarioInfo info, int seed, CancellationToken cancellationToken) : IScenarioContext
{
    public ScenarioInfo ScenarioInfo => info;

    public long InvocationNumber { get; private set; }

    public Dictionary<string, object> ScenarioInstanceData { get; } = [];

    public CancellationToken ScenarioCancellationToken => cancellationToken;

    public Random Random { get; } = new(seed);

    public void StopCurrentTest(string reason) => run.StopAll(reason);

    public async Task<Response<T>> MeasureAsync<T>(string name, Func<Task<Response<T>>> step)
    {
        var started = Stopwatch.GetTimestamp();
        Response<T> response;
        try
        {
            response = await step();
        }
        catch (Exception exception)
        {
            var (code, message) = Explain(exception);
            response = new Response<T>(true, code, 0, message);
        }

        run.Record(info.ScenarioOperation, name, Stopwatch.GetElapsedTime(started), response);
        if (response.IsError) throw new StepFailedException(response);   // a failed step restarts the iteration
        return response;
    }

    public async Task IterateAsync(Func<IScenarioContext, Task<IResponse>> body)
    {
        InvocationNumber++;
        var started = Stopwatch.GetTimestamp();
        IResponse response;
        try
        {
            response = await body(this);
        }
        catch (StepFailedException failed)
        {
            response = failed.Response;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;   // the run is over: neither done nor failed
        }
        catch (Exception exception)
        {
            var (code, message) = Explain(exception);
            response = new Response<object>(true, code, 0, message);
        }

        run.Record(info.ScenarioOperation, null, Stopwatch.GetElapsedTime(started), response);
    }

    private static (string Code, string Message) Explain(Exception exception) =>
        exception is OperationCanceledException or TimeoutException ? ("-100", "operation timeout") : ("-101", exception.Message);

    /// <summary>Leaves an iteration at the step that failed.</summary>
    private sealed class StepFailedException(IResponse response) : Exception
    {
        public IResponse Response => response;
    }
}
