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
    }

    [RuntimeFact]
    public void Run_Scale_Multiplies()
    {
        using var session = OnnxSession.Load(OnnxModelBuilder.Scale(3), Cpu);
        using var x = Tensor.Rent(TensorType.Float32, 2, 4);
        for (var i = 0; i < 8; i++) x.AsSpan<float>()[i] = i;
        var outputs = new Tensor?[1];

        session.Run([x], outputs, CancellationToken.None);

        using var y = outputs[0]!;
        Assert.Equal([2L, 4], y.Shape.ToArray());
        Assert.Equal([0f, 3, 6, 9, 12, 15, 18, 21], y.AsSpan<float>().ToArray());
    }
}
