using System.Text;
using System.Text.Json;
using Platform.Tests.Shared;
using PerfTests.Report;

namespace PerfTests.Tests;

public class ResultFileTests
{
    [Fact]
    public void Write_Read_GivesTheSame()
    {
        using var folder = new TempFolder();
        var result = Example();
        var path = result.WriteTo(folder.Path);
        Assert.Equal("2026-11-20-example.json", Path.GetFileName(path));
        Assert.Equal("2026-11-20-example-2.json", Path.GetFileName(result.WriteTo(folder.Path)));
        var read = ResultFile.Read(path);
        using var again = new MemoryStream();
        read.Write(again);
        Assert.Equal(File.ReadAllBytes(path), again.ToArray());
        Assert.Equal(3, read.Measurements[0].Rounds.Count);
        Assert.Equal(result.StartedAt, read.StartedAt);
    }

    [Fact]
    public void Write_Names_ArePinned()
    {
        using var stream = new MemoryStream();
        Example().Write(stream);
        var root = JsonDocument.Parse(stream.ToArray()).RootElement;
        Assert.Equal(["format", "name", "startedAt", "durationSeconds", "commit", "isModified", "machine", "seed", "parameters", "targets", "measurements", "ratios"],
            root.EnumerateObject().Select(p => p.Name));
        Assert.Equal(["scenario", "target", "measure", "unit", "conditions", "n", "errors", "rounds", "median", "min", "max", "percentiles"],
            root.GetProperty("measurements")[0].EnumerateObject().Select(p => p.Name));
        Assert.Equal(["scenario", "measure", "conditions", "of", "to", "rounds", "median", "min", "max"], root.GetProperty("ratios")[0].EnumerateObject().Select(p => p.Name));
        Assert.Equal(["cpu", "cores", "memoryGigabytes", "operatingSystem", "runtime", "loadAverage"], root.GetProperty("machine").EnumerateObject().Select(p => p.Name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"format":"other/1"}""")]
    [InlineData("""{"unknown":1}""")]
    public void Read_SomethingElse_ThrowsInvalidData(string text)
        => Assert.Throws<InvalidDataException>(() => ResultFile.Read(new MemoryStream(Encoding.UTF8.GetBytes(text))));

    [Fact]
    public void Compute_Ratios_AreOfEachRoundAndOfEqualConditionsOnly()
    {
        var ratios = Example().Ratios;
        var ratio = Assert.Single(ratios);
        Assert.Equal(("ours", "orthanc", "frames"), (ratio.Of, ratio.To, ratio.Scenario));
        Assert.Equal([10, 5, 4], ratio.Rounds);
        Assert.Equal((5, 4, 10), (ratio.Median, ratio.Min, ratio.Max));
    }

    [Fact]
    public void Print_Result_IsATable()
    {
        var lines = MarkdownTable.Print(Example()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("example, 2026-11-20 12:00 UTC, commit abc", lines[0]);
        Assert.Equal("| scenario | measure | ours | orthanc | ours / orthanc |", lines[1].TrimEnd());
        Assert.Equal("| frames, 16 connections | requests per second, 1/s | 5,000 | 1,000 | 5.00 (4.00-10.0) |", lines[3].TrimEnd());
        Assert.Equal("| frames, 1 connections | latency, ms | p50 0.25, p99 0.80 (2 errors) |  |  |", lines[4].TrimEnd());
    }

    [Theory]
    [InlineData(new double[] { 3 }, 3)]
    [InlineData(new double[] { 3, 1 }, 2)]
    [InlineData(new double[] { 9, 1, 5 }, 5)]
    public void Median_Values_IsTheMiddle(double[] values, double expected) => Assert.Equal(expected, Statistics.Median(values));

    private static ResultFile Example()
    {
        var sixteen = new Dictionary<string, string> { ["connections"] = "16" };
        var one = new Dictionary<string, string> { ["connections"] = "1" };
        List<Measurement> measurements =
        [
            Measurement.Of("frames", "ours", "requests per second", "1/s", sixteen, 4000, 0, [5000, 6000, 4000], new() { ["p50"] = 1, ["max"] = 2 }),
            Measurement.Of("frames", "orthanc", "requests per second", "1/s", sixteen, 4000, 0, [500, 1200, 1000]),
            Measurement.Of("frames", "ours", "latency", "ms", one, 4000, 2, [0.25], new() { ["p50"] = 0.25, ["p99"] = 0.8 }),
        ];
        return new ResultFile
        {
            Name = "example",
            StartedAt = new DateTimeOffset(2026, 11, 20, 12, 0, 0, TimeSpan.Zero),
            DurationSeconds = 12.5,
            Commit = "abc",
            Machine = new Machine { Cpu = "cpu", Cores = 2, MemoryGigabytes = 24, OperatingSystem = "Linux", Runtime = ".NET", LoadAverage = 0.5 },
            Seed = 1,
            Parameters = new() { ["rounds"] = "3" },
            Targets = new() { ["ours"] = "", ["orthanc"] = "" },
            Measurements = measurements,
            Ratios = Ratio.Compute(measurements, "ours"),
        };
    }
}
