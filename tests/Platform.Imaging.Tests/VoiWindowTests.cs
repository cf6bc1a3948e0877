using System.Diagnostics;
using System.Globalization;
using Platform.Tests.Shared;

namespace Platform.Imaging.Tests;

public sealed class VoiWindowTests
{
    [ToolTheory("pydicom")]
    [InlineData(40, 400, "LINEAR", 1, -1024)]
    [InlineData(-600, 1500, "LINEAR", 1, -1024)]
    [InlineData(2048, 1, "LINEAR", 1, 0)]
    [InlineData(40.5, 400.25, "LINEAR_EXACT", 1, -1024)]
    [InlineData(300, 700, "SIGMOID", 0.5, -200)]
    public async Task Apply_EveryValue_EqualsPydicom(double center, double width, string function, double slope, double intercept)
    {
        string[] arguments = [Path.Combine(AppContext.BaseDirectory, "pydicom_windows.py"), Text(center), Text(width), function, Text(slope), Text(intercept)];
        using var process = Process.Start(new ProcessStartInfo(ToolPath.Find("pydicom")!, arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var expected = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => double.Parse(line, CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(4096, expected.Length);

        var window = new VoiWindow(center, width, function switch { "SIGMOID" => VoiFunction.Sigmoid, "LINEAR_EXACT" => VoiFunction.LinearExact, _ => VoiFunction.Linear });
        var mapping = new GreyMapping { Slope = slope, Intercept = intercept };
        for (var stored = 0; stored < expected.Length; stored++) Assert.Equal(expected[stored], window.Apply(mapping.ToModality(stored)), 9);
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
