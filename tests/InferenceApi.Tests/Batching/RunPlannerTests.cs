using InferenceApi.Batching;
using InferenceApi.Tests.Support;
using Platform.Onnx;
using Platform.Tests.Shared;

namespace InferenceApi.Tests.Batching;

public class RunPlannerTests
{
    private static readonly BatchingOptions Options = new() { MeasureFor = TimeSpan.FromMilliseconds(500) };

    /// <summary>A product with a matrix for each sample costs the reading of the matrix: together it is read once.</summary>
    [RuntimeFact]
    public void Plan_SamplesGainFromEachOther_RunTogether()
    {
        var (session, plan) = Plan(OnnxModelBuilder.Work(1024, 4), [1, 1024], Options);
        using (session)
        {
            Assert.True(plan.MaxBatch > 1, $"{plan}");
            Assert.InRange(plan.Threads * plan.Workers, 1, Environment.ProcessorCount);
            Assert.Equal(plan.Threads, session.IntraOpThreads);
            Assert.True(plan.PerSample > TimeSpan.Zero);
        }
    }

    /// <summary>Centres the batch: what a sample gives depends on who it runs with. It must run alone, however fast the other way were.</summary>
    [RuntimeFact]
    public void Plan_SamplesInfluenceEachOther_RunAlone()
    {
        var model = new OnnxModelBuilder().Input("x", OnnxModelBuilder.Float, "N", 1024).Output("y", OnnxModelBuilder.Float, "N", 1024)
            .Node("ReduceMean", ["x"], ["mean"], ("axes", new long[] { 0 }), ("keepdims", 1)).Node("Sub", ["x", "mean"], ["y"]).Build();

        var (session, plan) = Plan(model, [1, 1024], Options);
        using (session) Assert.Equal(1, plan.MaxBatch);
    }

    [RuntimeFact]
    public void Plan_FixedNumberOfSamples_RunAlone()
    {
        var model = new OnnxModelBuilder().Input("x", OnnxModelBuilder.Float, 1, 1024).Output("y", OnnxModelBuilder.Float, 1, 1024).Node("Identity", ["x"], ["y"]).Build();

        var (session, plan) = Plan(model, [1, 1024], Options);
        using (session) Assert.Equal(1, plan.MaxBatch);
    }

    [RuntimeFact]
    public void Plan_ShapesWereAWrongGuess_CanBeUsedAllTheSame()
    {
        // Two inputs that must be as long as each other, which their names do not say.
        var model = new OnnxModelBuilder().Input("a", OnnxModelBuilder.Float, "N").Input("b", OnnxModelBuilder.Float, "M").Output("y", OnnxModelBuilder.Float, "N").Node("Add", ["a", "b"], ["y"]).Build();

        var (session, plan) = new RunPlanner(Options, TimeProvider.System).Plan(threads => Load(model, threads), 2, static _ => [[3], [2]], CancellationToken.None);
        using (session) Assert.Equal(new RunPlan(2, 1, 1, TimeSpan.Zero), plan);
    }

    private static (OnnxSession, RunPlan) Plan(byte[] model, long[] shape, BatchingOptions options) =>
        new RunPlanner(options, TimeProvider.System).Plan(threads => Load(model, threads), Environment.ProcessorCount, _ => [shape], CancellationToken.None);

    private static OnnxSession Load(byte[] model, int threads) => OnnxSession.Load(model, new OnnxSessionOptions { Device = "cpu", IntraOpThreads = threads });
}
