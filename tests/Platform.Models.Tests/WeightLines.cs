using System.Diagnostics;
using System.Security.Cryptography;
using Platform.Tests.Shared;

namespace Platform.Models.Tests;

/// <summary>What files of weights hold, as weights.py tells it.</summary>
internal static class WeightLines
{
    public static async Task<string[]> RunAsync(string what, string folder)
    {
        using var process = Process.Start(new ProcessStartInfo(ToolPath.Find("torch")!, [Path.Combine(AppContext.BaseDirectory, "weights.py"), what, folder]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var lines = (await process.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);
        return lines;
    }

    public static async Task<string[]> OfAsync(string file, IEnumerable<WeightTensor> tensors)
    {
        var lines = new List<string>();
        foreach (var tensor in tensors)
        {
            var shape = tensor.Shape.IsEmpty ? "-" : string.Join('x', tensor.Shape);
            lines.Add(string.Join('\t', file, tensor.Name, tensor.Element == TensorElement.BFloat16 ? "int16" : tensor.Element.ToName(), shape, Convert.ToHexStringLower(SHA256.HashData(await tensor.Data.ToArrayAsync(default)))));
        }
        return [.. lines];
    }
}
