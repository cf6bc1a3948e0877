using PerfTests.Versus;

namespace PerfTests.Tests;

public class VersusTests
{
    [Fact]
    public void Parse_Targets_TakePartInWhatTheyCan()
    {
        var targets = Target.Parse(["ours=http://127.0.0.1:5101/dicomweb", "orthanc=http://127.0.0.1:18042/dicom-web", "nginx-static=http://127.0.0.1:18080/dicom-web"],
            ["ours=X-A: 1"], ["orthanc=store"], ["ours=42"], []);
        Assert.Equal(("127.0.0.1", 5101, "/dicomweb"), (targets[0].Endpoint.Host, targets[0].Endpoint.Port, targets[0].Endpoint.BasePath));
        Assert.Equal(["X-A: 1"], targets[0].Headers);
        Assert.Equal(42, targets[0].ProcessId);
        Assert.True(targets[0].TakesPartIn("metadata"));
        Assert.False(targets[1].TakesPartIn("metadata"));
        Assert.True(targets[2].TakesPartIn("frames") && !targets[2].TakesPartIn("metadata"));
        Assert.Contains("application/octet-stream;transfer-syntax=*", targets[0].FrameAccept);
        Assert.Contains("multipart/related", targets[1].FrameAccept);
    }

    [Theory]
    [InlineData("ours")]
    [InlineData("=http://a/")]
    [InlineData("ours=ftp://a/")]
    [InlineData("ours=/dicomweb")]
    public void Parse_NoTarget_Throws(string option) => Assert.Throws<ArgumentException>(() => Target.Parse([option], [], [], [], []));

    [Fact]
    public void Parse_OptionForNobody_Throws() => Assert.Throws<ArgumentException>(() => Target.Parse(["a=http://a/"], ["b=X: 1"], [], [], []));

    [Fact]
    public void Interleave_Rounds_EveryTargetOncePerRoundInRotatingOrder()
    {
        var order = new List<string>();
        new VersusRun(3, CancellationToken.None).Interleave("test", ["a", "b", "c"], (target, round) => order.Add($"{target}{round}"));
        Assert.Equal(["a0", "b0", "c0", "b1", "c1", "a1", "c2", "a2", "b2"], order);
    }

    [Fact]
    public void GetMeasurements_SeveralRounds_AreOneRowEach()
    {
        var run = new VersusRun(2, CancellationToken.None);
        run.Add("s", "t", "m", "ms", VersusRun.Conditions(("connections", 1)), 5, 10);
        run.Add("s", "t", "m", "ms", VersusRun.Conditions(("connections", 1)), 7, 10, errors: 1);
        run.Add("s", "t", "m", "ms", VersusRun.Conditions(("connections", 16)), 9, 10);
        var measurements = run.GetMeasurements();
        Assert.Equal(2, measurements.Count);
        Assert.Equal([5, 7], measurements[0].Rounds);
        Assert.Equal((6, 5, 7, 1), (measurements[0].Median, measurements[0].Min, measurements[0].Max, measurements[0].Errors));
    }

    [Theory]
    [InlineData("server --a", "exec server --a")]
    [InlineData("A=1 B_2=x server --c=d", "export A=1 B_2=x; exec server --c=d")]
    public void ExecOf_Assignments_StayBeforeTheServer(string command, string expected) => Assert.Equal(expected, StartScenario.ExecOf(command));

    [Fact]
    public void TryUnwrap_MultipartOfOne_GivesThePart()
    {
        byte[] frame = [1, 2, 13, 10, 45, 45, 3];
        byte[] body = [.. "--b1\r\nContent-Type: application/octet-stream\r\n\r\n"u8, .. frame, .. "\r\n--b1--"u8];
        Assert.True(Multipart.TryUnwrap(body, "multipart/related; type=\"application/octet-stream\"; boundary=\"b1\"", out var part));
        Assert.Equal(frame, part.ToArray());
        Assert.False(Multipart.TryUnwrap(body, "application/octet-stream", out _));
        Assert.False(Multipart.TryUnwrap("--b1\r\n"u8.ToArray(), "multipart/related; boundary=b1", out _));
    }
}
