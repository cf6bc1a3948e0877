using System.Security.Cryptography;
using System.Text.Json;

namespace Platform.Onnx.Tests;

/// <summary>The models that ship, on small pictures whose answer is known. Their quality is measured by models/check.py.</summary>
public class ShippedModelsTests
{
    private static readonly OnnxSessionOptions Cpu = new() { Device = "cpu" };
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "models");

    public static TheoryData<string> Names => [.. Directory.EnumerateFiles(Folder, "*.json").Where(static path => Directory.Exists(Path.ChangeExtension(path, null))).Select(static path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    [RuntimeTheory]
    [MemberData(nameof(Names))]
    public void Manifest_OfModel_SaysWhatItsFileIsTakesAndGives(string name)
    {
        using var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, name + ".json")));
        var file = Assert.Single(manifest.RootElement.GetProperty("files").EnumerateArray());
        var bytes = File.ReadAllBytes(Path.Combine(Folder, file.GetProperty("source").GetString()!));
        using var session = OnnxSession.Load(bytes, Cpu);

        Assert.Equal(file.GetProperty("bytes").GetInt64(), bytes.LongLength);
        Assert.Equal(file.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        Assert.Equal(Described(manifest.RootElement.GetProperty("inputs")), session.Inputs.Select(static input => input.ToString()));
        Assert.Equal(Described(manifest.RootElement.GetProperty("outputs")), session.Outputs.Select(static output => output.ToString()));
    }

    [RuntimeTheory]
    [InlineData("ct-tissue", false)]
    [InlineData("ct-tissue-3d", true)]
    public void CtTissue_BodyOfKnownTissue_NamesEach(string name, bool volume)
    {
        const int size = 160, slices = 9;
        var hu = Body(size);
        using var x = volume ? Tensor.Rent(TensorType.Float32, 1, 1, slices, size, size) : Tensor.Rent(TensorType.Float32, 1, 1, size, size);
        for (var at = 0; at < x.Count; at += hu.Length) hu.CopyTo(x.AsSpan<float>()[at..]);

        using var y = Run(name, x);

        var classes = y.AsSpan<byte>()[(volume ? slices / 2 * size * size : 0)..];
        Assert.Equal(0, classes[0]);                             // the room
        Assert.Equal(0, classes[60 * size + 80]);                // the windpipe
        Assert.Equal(1, classes[80 * size + 50]);
        Assert.Equal(1, classes[80 * size + 110]);
        Assert.Equal(2, classes[80 * size + 14]);
        Assert.Equal(3, classes[80 * size + 80]);
        Assert.Equal(4, classes[112 * size + 80]);
        Assert.Equal(0, classes[152 * size + 80]);               // the couch
        Assert.InRange(y.AsSpan<byte>().Count((byte)4), 1, slices * size * size / 20);
    }

    [RuntimeTheory]
    [InlineData(-1000)]
    [InlineData(40)]
    public void CtLung_NothingOfAPatient_FindsNoLung(float hu)
    {
        using var x = Tensor.Rent(TensorType.Float32, 1, 1, 256, 256);
        x.AsSpan<float>().Fill(hu);

        using var y = Run("ct-lung", x);

        Assert.Equal(0, CountFrom(y, 0.5f));
    }

    [RuntimeFact]
    public void CtLung_TwoSlicesOfOtherSize_AnswersEachByItself()
    {
        using var two = Tensor.Rent(TensorType.Float32, 2, 1, 192, 256);
        two.AsSpan<float>().Fill(-1000);
        for (var i = 0; i < 192 * 256; i++) two.AsSpan<float>()[192 * 256 + i] = i * 7919 % 1500 - 1000;
        using var one = Tensor.Rent(TensorType.Float32, 1, 1, 192, 256);
        two.AsSpan<float>()[(192 * 256)..].CopyTo(one.AsSpan<float>());

        using var both = Run("ct-lung", two);
        using var alone = Run("ct-lung", one);

        Assert.Equal([2L, 1, 192, 256], both.Shape.ToArray());
        for (var i = 0; i < 192 * 256; i += 97) Assert.Equal(alone.AsSpan<float>()[i], both.AsSpan<float>()[192 * 256 + i], 1e-4f);
    }

    [RuntimeFact]
    public void PhotoObject_BallBeforeAWall_FindsTheBall()
    {
        using var x = Tensor.Rent(TensorType.Float32, 1, 3, 256, 256);
        Ball(x, (channel, value) => value[channel]);

        using var y = Run("photo-object", x);

        int both = 0, either = 0;
        for (var i = 0; i < 256 * 256; i++)
        {
            var (found, ball) = (y.AsSpan<float>()[i] >= 0.5f, InBall(i));
            both += found && ball ? 1 : 0;
            either += found || ball ? 1 : 0;
        }
        Assert.True(both > 0.7 * either, $"{both} of {either} pixels agree");
    }

    [RuntimeFact]
    public void DepthSmall_BallOnAFloor_IsNearerThanTheWallAndTheFloorRecedes()
    {
        using var x = Tensor.Rent(TensorType.Float32, 1, 3, 256, 256);
        Ball(x, static (channel, value) => (value[channel] - MiDaSMean[channel]) / MiDaSDeviation[channel]);

        using var y = Run("depth-small", x);

        var depth = y.AsSpan<float>();
        float wall = 0, far = 0, near = 0, ball = 0;
        for (var k = 0; k < 40; k++)
        {
            wall += depth[30 * 256 + 20 + 5 * k];
            far += depth[160 * 256 + k];
            near += depth[245 * 256 + k];
            ball += depth[150 * 256 + 108 + k];
        }
        Assert.True(ball > wall, $"ball {ball}, wall {wall}");
        Assert.True(near > far && far >= wall, $"near {near}, far {far}, wall {wall}");
    }

    private static readonly float[] MiDaSMean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] MiDaSDeviation = [0.229f, 0.224f, 0.225f];

    private static Tensor Run(string name, Tensor input)
    {
        using var session = OnnxSession.Load(Path.Combine(Folder, name, "model.onnx"), Cpu);
        var outputs = new Tensor?[1];
        session.Run([input], outputs, CancellationToken.None);
        return outputs[0]!;
    }

    private static int CountFrom(Tensor probabilities, float threshold)
    {
        var count = 0;
        foreach (var p in probabilities.AsSpan<float>()) count += p >= threshold ? 1 : 0;
        return count;
    }

    private static IEnumerable<string> Described(JsonElement tensors) => tensors.EnumerateArray().Select(static tensor =>
        $"{tensor.GetProperty("name").GetString()} {(tensor.GetProperty("element").GetString() == "uint8" ? "UInt8" : "Float32")}[{string.Join(", ", tensor.GetProperty("shape").EnumerateArray().Select(static size => size.ToString()))}]");

    /// <summary>A slice of a trunk: fat about muscle, two lungs, windpipe and spine, on a thin couch.</summary>
    private static float[] Body(int size)
    {
        var hu = new float[size * size];
        for (var i = 0; i < hu.Length; i++)
        {
            var (px, py) = (i % size, i / size);
            bool In(float cx, float cy, float a, float b) => (px - cx) * (px - cx) / (a * a) + (py - cy) * (py - cy) / (b * b) < 1;
            hu[i] = py is > 150 and < 154 ? 300 : -1000;
            if (In(80, 80, 72, 56)) hu[i] = -100;
            if (In(80, 80, 62, 46)) hu[i] = 45;
            if (In(50, 80, 20, 30) || In(110, 80, 20, 30)) hu[i] = -840;
            if (In(80, 112, 12, 10)) hu[i] = 600;
            if (In(80, 60, 7, 7)) hu[i] = -1000;
            hu[i] += i * 7919 % 31 - 15;
        }
        return hu;
    }

    private static bool InBall(int i) => (i % 256 - 128) * (i % 256 - 128) + (i / 256 - 150) * (i / 256 - 150) < 60 * 60;

    /// <summary>A shaded red ball on a checked floor that recedes to a grey wall; red, green, blue from 0 to 1.</summary>
    private static void Ball(Tensor x, Func<int, float[], float> normalise)
    {
        for (var i = 0; i < 256 * 256; i++)
        {
            var (px, py) = (i % 256, i / 256);
            float[] colour = [0.62f, 0.62f, 0.6f];
            if (py > 130)
            {
                var z = 120f / (py - 110);
                var dark = ((int)MathF.Floor((px - 128) * z / 40) + (int)MathF.Floor(z * 6)) % 2 == 0;
                colour = dark ? [0.35f, 0.38f, 0.42f] : [0.5f, 0.52f, 0.55f];
                if ((px - 150) * (px - 150) / 3600f + (py - 212) * (py - 212) / 160f < 1) colour = [0.18f, 0.19f, 0.21f];
            }
            if (InBall(i))
            {
                var light = 0.45f + 0.55f * Math.Clamp(1 - MathF.Sqrt((px - 108) * (px - 108) + (py - 125) * (py - 125)) / 95, 0, 1);
                colour = [0.85f * light, 0.2f * light, 0.15f * light];
            }
            for (var channel = 0; channel < 3; channel++) x.AsSpan<float>()[channel * 256 * 256 + i] = normalise(channel, colour);
        }
    }
}
