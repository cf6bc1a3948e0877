using Platform.Tests.Shared;

namespace Platform.Models.Tests;

/// <summary>Against PyTorch, h5py, numpy and pickle themselves, in both directions.</summary>
public class WeightsOracleTests
{
    [ToolFact("torch")]
    public async Task ReadAsync_FilesOfPyTorchH5pyAndPickle_GivesTheSameTensorsAndRunsNothing()
    {
        using var folder = new TempFolder();
        var told = await WeightLines.RunAsync("make", folder.Path);

        foreach (var file in told.Select(static line => line.Split('\t')[0]).Distinct())
        {
            Assert.True(WeightFormats.TryParsePath(file, out var format));
            var ours = await WeightLines.OfAsync(file, await WeightFiles.ReadAsync(folder.Combine(file), format, default));
            var expected = told.Where(line => line.StartsWith(file + "\t", StringComparison.Ordinal));
            Assert.Equal(expected.Order(StringComparer.Ordinal), ours.Where(static line => !line.Contains("\tb\t", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        }

        foreach (var evil in (string[])["evil0.pkl", "evil2.pkl", "evil4.pkl", "evil.pt"])
        {
            Assert.True(WeightFormats.TryParsePath(evil, out var format));
            var refused = await Assert.ThrowsAsync<ModelException>(() => WeightFiles.ReadAsync(folder.Combine(evil), format, default));
            Assert.Contains("posix.system", refused.Message, StringComparison.Ordinal);
        }
        Assert.False(File.Exists(folder.Combine("ran")));
        var module = await Assert.ThrowsAsync<ModelException>(() => WeightFiles.ReadAsync(folder.Combine("whole-module.pt"), WeightFormat.Torch, default));
        Assert.Contains("torch.nn.modules.container.Sequential", module.Message, StringComparison.Ordinal);
    }

    [ToolFact("torch")]
    public async Task WriteAsync_EveryFormat_IsReadByPyTorchH5pyAndPickle()
    {
        using var folder = new TempFolder();
        var expected = new List<string>();
        foreach (var name in WeightFormats.Names)
        {
            Assert.True(WeightFormats.TryParse(name, out var format));
            var file = "ours." + name;
            var tensors = SomeTensors.All(bfloat16: format == WeightFormat.Torch);
            await using (var stream = File.Create(folder.Combine(file))) await WeightFiles.WriteAsync(tensors, format, stream, default);
            expected.AddRange(await WeightLines.OfAsync(file, tensors));
        }

        Assert.Equal(expected.Order(StringComparer.Ordinal), (await WeightLines.RunAsync("check", folder.Path)).Order(StringComparer.Ordinal));
    }
}
