using Platform.Tests.Shared;

namespace Platform.Onnx.Tests;

public class OnnxSessionTests
{
    private static readonly OnnxSessionOptions Cpu = new() { Device = "cpu" };

    [RuntimeFact]
    public void Load_Model_SaysWhatItTakesAndGives()
    {
        using var session = OnnxSession.Load(new OnnxModelBuilder().Input("x", OnnxModelBuilder.Float, "N", 3, null).Output("y", OnnxModelBuilder.Float, "N", 3, null)
            .Node("Identity", ["x"], ["y"]).Metadata("unit", "HU").Build(), Cpu);

        Assert.Equal("x Float32[N, 3, ?]", Assert.Single(session.Inputs).ToString());
        Assert.Equal("y", Assert.Single(session.Outputs).Name);
        Assert.Equal("HU", session.Metadata["unit"]);
        Assert.Equal(Device.Cpu, session.Device.Device);
        Assert.Equal(Environment.ProcessorCount, session.IntraOpThreads);
    }

    [RuntimeFact]
    public void Load_FileAndItsOptimisedForm_GiveTheSame()
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder.Combine("model.onnx"), OnnxModelBuilder.Scale(3));
        using (OnnxSession.Load(folder.Combine("model.onnx"), Cpu with { OptimizedModelPath = folder.Combine("optimised.onnx") }))
        {
        }

        using var session = OnnxSession.Load(folder.Combine("optimised.onnx"), Cpu with { Optimize = false });

        Assert.Equal([3f, 6, 9, 12], Run(session, [1, 2, 3, 4], 1, 4));
    }

    [RuntimeTheory]
    [InlineData("empty")]
    [InlineData("text")]
    [InlineData("cut")]
    [InlineData("unknown operator")]
    [InlineData("absurd size")]
    [InlineData("absurd rank")]
    [InlineData("strings")]
    [InlineData("no outputs")]
    [InlineData("missing input")]
    public void Load_BadModel_SaysSo(string kind)
    {
        var exception = Assert.Throws<InvalidModelException>(() => OnnxSession.Load(BadModel(kind), Cpu));

        Assert.NotEmpty(exception.Message);
    }

    [RuntimeFact]
    public void Load_NoFile_SaysSo() => Assert.Contains("NoSuchFile", Assert.Throws<InvalidModelException>(() => OnnxSession.Load("/nowhere/model.onnx", Cpu)).Message);

    [RuntimeFact]
    public void Run_Scale_Multiplies()
    {
        using var session = OnnxSession.Load(OnnxModelBuilder.Scale(3), Cpu);

        Assert.Equal([0f, 3, 6, 9, 12, 15, 18, 21], Run(session, [0, 1, 2, 3, 4, 5, 6, 7], 2, 4));
        Assert.Equal([3f, 3, 3, 3], Run(session, [1, 1, 1, 1], 1, 4));
    }

    [RuntimeFact]
    public void Run_OutputsOfTheCaller_AreWrittenAndNothingIsAllocated()
    {
        using var session = OnnxSession.Load(OnnxModelBuilder.Scale(2), Cpu);
        using var x = Rent([1, 2, 3, 4], 1, 4);
        using var y = Tensor.Rent(TensorType.Float32, 1, 4);
        var inputs = new[] { x };
        var outputs = new Tensor?[] { y };
        session.Run(inputs, outputs, CancellationToken.None);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1000; i++) session.Run(inputs, outputs, CancellationToken.None);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Same(y, outputs[0]);
        Assert.Equal([2f, 4, 6, 8], y.AsSpan<float>().ToArray());
    }

    /// <summary>How many values are not zero is known only when the model has run.</summary>
    [RuntimeFact]
    public void Run_ShapeOfTheOutputDependsOnTheData_IsAllocatedByTheRuntime()
    {
        using var session = OnnxSession.Load(new OnnxModelBuilder().Input("x", OnnxModelBuilder.Float, "N").Output("y", OnnxModelBuilder.Int64, 1, null).Node("NonZero", ["x"], ["y"]).Build(), Cpu);

        foreach (var (values, expected) in new (float[], long[])[] { ([0, 1, 0, 2], [1, 3]), ([5, 6], [0, 1]), ([0], []) })
        {
            using var x = Rent(values, values.Length);
            var outputs = new Tensor?[1];
            session.Run([x], outputs, CancellationToken.None);
            using var y = outputs[0]!;
            Assert.Equal([1, expected.Length], y.Shape.ToArray());
            Assert.Equal(expected, y.AsSpan<long>().ToArray());
        }
    }

    /// <summary>Says [N] and gives [2N]: exporters do that.</summary>
    [RuntimeFact]
    public void Run_ModelBreaksItsPromiseOfAShape_GivesWhatItMade()
    {
        using var session = OnnxSession.Load(new OnnxModelBuilder().Input("x", OnnxModelBuilder.Float, "N").Output("y", OnnxModelBuilder.Float, "N").Node("Concat", ["x", "x"], ["y"], ("axis", 0)).Build(), Cpu);

        for (var i = 0; i < 2; i++) Assert.Equal([1f, 2, 1, 2], Run(session, [1, 2], 2));
    }

    [RuntimeFact]
    public void Run_WrongInputs_SaysWhich()
    {
        using var session = OnnxSession.Load(OnnxModelBuilder.Scale(), Cpu);
        using var integers = Tensor.Rent(TensorType.Int32, 1, 4);
        using var wide = Tensor.Rent(TensorType.Float32, 1, 5);
        using var flat = Tensor.Rent(TensorType.Float32, 4);
        using var good = Tensor.Rent(TensorType.Float32, 1, 4);

        Assert.Contains("Float32, not Int32", Assert.Throws<InvalidTensorException>(() => session.Check([integers])).Message);
        Assert.Contains("[N, 4], not [1, 5]", Assert.Throws<InvalidTensorException>(() => session.Check([wide])).Message);
        Assert.Contains("[N, 4], not [4]", Assert.Throws<InvalidTensorException>(() => session.Check([flat])).Message);
        Assert.Contains("1 inputs, not 2", Assert.Throws<InvalidTensorException>(() => session.Check([good, good])).Message);
    }

    /// <summary>The check that we cannot make, made by the runtime; nothing stays rented.</summary>
    [RuntimeFact]
    public void Run_ModelFails_SaysSoAndKeepsNothing()
    {
        using var session = OnnxSession.Load(new OnnxModelBuilder().Input("a", OnnxModelBuilder.Float, "N").Input("b", OnnxModelBuilder.Float, "M").Output("y", OnnxModelBuilder.Float, "N").Node("Add", ["a", "b"], ["y"]).Build(), Cpu);
        using var a = Rent([1, 2, 3], 3);
        using var b = Rent([1, 2], 2);
        var outputs = new Tensor?[1];

        Assert.Throws<OnnxRunException>(() => session.Run([a, b], outputs, CancellationToken.None));

        Assert.Null(outputs[0]);
    }

    [RuntimeFact]
    public async Task Run_Cancelled_EndsEarlyAndTheSessionGoesOn()
    {
        // Seconds of work if nobody ended it.
        using var session = OnnxSession.Load(OnnxModelBuilder.Work(1024, 1500), Cpu with { Optimize = false });
        using var x = Tensor.Rent(TensorType.Float32, 256, 1024);
        x.AsSpan<float>().Fill(1);
        using var stop = new CancellationTokenSource();
        var outputs = new Tensor?[1];
        var run = Task.Run(() => session.Run([x], outputs, stop.Token));
        await Task.Delay(100);
        Assert.False(run.IsCompleted);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Null(outputs[0]);
        using var small = Tensor.Rent(TensorType.Float32, 1, 1024);
        small.AsSpan<float>().Fill(1);
        session.Run([small], outputs, CancellationToken.None);
        using var y = outputs[0]!;
        Assert.Equal(1, y.AsSpan<float>()[0], 0.01);
        Assert.Throws<OperationCanceledException>(() => session.Run([small], new Tensor?[1], stop.Token));
    }

    [RuntimeFact]
    public async Task Run_FromManyThreads_EveryoneGetsTheirOwn()
    {
        using var session = OnnxSession.Load(OnnxModelBuilder.Scale(2), Cpu with { IntraOpThreads = 1 });

        await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Task.Run(() =>
        {
            for (var i = 0; i < 200; i++) Assert.Equal([caller * 2f, i * 2f, 0, 2], Run(session, [caller, i, 0, 1], 1, 4));
        })));
    }

    [RuntimeFact]
    public async Task Dispose_WhileOthersRun_LetsThemEnd()
    {
        var session = OnnxSession.Load(OnnxModelBuilder.Work(256, 200), Cpu);
        using var x = Tensor.Rent(TensorType.Float32, 64, 256);
        x.AsSpan<float>().Fill(1);
        var runs = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 50; i++)
            {
                var outputs = new Tensor?[1];
                session.Run([x], outputs, CancellationToken.None);
                Assert.Equal(1, outputs[0]!.AsSpan<float>()[^1], 0.01);
                outputs[0]!.Dispose();
            }
        })).ToArray();
        await Task.Delay(20);

        session.Dispose();

        foreach (var run in runs)
        {
            try
            {
                await run.WaitAsync(TimeSpan.FromSeconds(30));
            }
            catch (ObjectDisposedException)
            {
                // The next one it began came too late.
            }
        }
    }

    internal static byte[] BadModel(string kind) => kind switch
    {
        "empty" => [],
        "text" => "this is no model"u8.ToArray(),
        "cut" => OnnxModelBuilder.Scale()[..^20],
        "unknown operator" => new OnnxModelBuilder().Input("x", OnnxModelBuilder.Float, "N").Output("y", OnnxModelBuilder.Float, "N").Node("Frobnicate", ["x"], ["y"]).Build(),
        "absurd size" => new OnnxModelBuilder().Input("x", OnnxModelBuilder.Float, 1L << 40).Output("y", OnnxModelBuilder.Float, 1L << 40).Node("Identity", ["x"], ["y"]).Build(),
        "absurd rank" => new OnnxModelBuilder().Input("x", OnnxModelBuilder.Float, [.. Enumerable.Repeat((object?)null, 1000)]).Output("y", OnnxModelBuilder.Float, [.. Enumerable.Repeat((object?)null, 1000)]).Node("Identity", ["x"], ["y"]).Build(),
        "strings" => new OnnxModelBuilder().Input("x", OnnxModelBuilder.String, "N").Output("y", OnnxModelBuilder.String, "N").Node("Identity", ["x"], ["y"]).Build(),
        "no outputs" => new OnnxModelBuilder().Input("x", OnnxModelBuilder.Float, "N").Build(),
        _ => new OnnxModelBuilder().Output("y", OnnxModelBuilder.Float, "N").Node("Identity", ["nowhere"], ["y"]).Build(),
    };

    private static Tensor Rent(float[] values, params long[] shape)
    {
        var tensor = Tensor.Rent(TensorType.Float32, shape);
        values.CopyTo(tensor.AsSpan<float>());
        return tensor;
    }

    private static float[] Run(OnnxSession session, float[] values, params long[] shape)
    {
        using var x = Rent(values, shape);
        var outputs = new Tensor?[1];
        session.Run([x], outputs, CancellationToken.None);
        using var y = outputs[0]!;
        return y.AsSpan<float>().ToArray();
    }
}
