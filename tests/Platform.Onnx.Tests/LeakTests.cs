using System.Globalization;
using Platform.Tests.Shared;

namespace Platform.Onnx.Tests;

/// <summary>What the process holds of memory, natively too, before and after many rounds.</summary>
[Collection(nameof(LeakTests))]
[CollectionDefinition(nameof(LeakTests), DisableParallelization = true)]
public class LeakTests
{
    private static readonly OnnxSessionOptions Cpu = new() { Device = "cpu" };

    /// <summary>5 MB of weights each time: a leak of one in ten would show.</summary>
    [RuntimeFact]
    public void Load_AHundredTimes_LeavesNothing()
    {
        var model = OnnxModelBuilder.Work(1024, 2);

        AssertSteady(20, 100, maxGrowth: 0.1, () =>
        {
            using var session = OnnxSession.Load(model, Cpu);
            using var x = Tensor.Rent(TensorType.Float32, 4, 1024);
            x.Bytes.Clear();
            var outputs = new Tensor?[1];
            session.Run([x], outputs, CancellationToken.None);
            outputs[0]!.Dispose();
        });
        Assert.Equal(0, TensorPool.Rented);
    }

    /// <summary>Statuses, bindings and values of what failed are freed as well.</summary>
    [RuntimeFact]
    public void Fail_ThousandsOfTimes_LeavesNothing()
    {
        var bad = OnnxSessionTests.BadModel("unknown operator");
        using var session = OnnxSession.Load(new OnnxModelBuilder().Input("a", OnnxModelBuilder.Float, "N").Input("b", OnnxModelBuilder.Float, "M").Output("y", OnnxModelBuilder.Float, "N").Node("Add", ["a", "b"], ["y"]).Build(), Cpu);

        AssertSteady(200, 1000, maxGrowth: 0.1, () =>
        {
            Assert.Throws<InvalidModelException>(() => OnnxSession.Load(bad, Cpu));
            using var a = Tensor.Rent(TensorType.Float32, 30);
            using var b = Tensor.Rent(TensorType.Float32, 20);
            Assert.Throws<OnnxRunException>(() => session.Run([a, b], new Tensor?[1], CancellationToken.None));
        });
        Assert.Equal(0, TensorPool.Rented);
    }

    private static void AssertSteady(int warmUp, int rounds, double maxGrowth, Action round)
    {
        for (var i = 0; i < warmUp; i++) round();
        var before = Resident();
        for (var i = 0; i < rounds; i++) round();
        var after = Resident();
        Assert.True(after <= before * (1 + maxGrowth), $"{before >> 20} MB before, {after >> 20} MB after");
    }

    /// <summary>Memory that is not of files (RssAnon), after a collection.</summary>
    private static long Resident()
    {
#pragma warning disable RS0030 // measuring
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
#pragma warning restore RS0030
        if (!OperatingSystem.IsLinux()) return Environment.WorkingSet;
        var line = File.ReadLines("/proc/self/status").First(static line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan(8).Trim().ToString().Split(' ')[0], CultureInfo.InvariantCulture) * 1024;
    }
}
