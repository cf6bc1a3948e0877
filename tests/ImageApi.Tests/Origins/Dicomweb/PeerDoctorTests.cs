using System.Net;
using ImageApi.Tests.Support;
using Microsoft.AspNetCore.Http;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Origins.Dicomweb;

/// <summary>The examination of a PACS, and what is kept of it.</summary>
[Collection(OrthancCollection.Name)]
public sealed class PeerDoctorTests(OrthancFixture fixture)
{
    [ToolFact("Orthanc")]
    public async Task Examine_Orthanc_FindsHowItIsBestAsked_AndKeepsIt()
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url);
        using var answer = await api.Client.PostAsync("/api/origins/pacs1/examine", null);
        var report = await answer.JsonAsync();
        var findings = report.GetProperty("findings").EnumerateArray().ToDictionary(finding => finding.GetProperty("name").GetString()!, finding => finding.GetProperty("result").GetString());
        Assert.Equal("yes", findings["search"]);
        Assert.Equal("yes", findings["metadata"]);
        Assert.Equal("no", findings["validators"]);
        Assert.Equal("no", findings["ranges of instances"]);
        Assert.Equal("yes", findings["frame as multipart/related; type=\"application/octet-stream\"; transfer-syntax=*"]);
        Assert.Equal("no", findings["frame as application/octet-stream; transfer-syntax=*"]);
        Assert.Empty(report.GetProperty("problems").EnumerateArray());
        Assert.True(report.GetProperty("profile").GetProperty("hasFrames").GetBoolean());
        Assert.True(File.Exists(api.Folder.Combine("store", ".origins", "pacs1.json")));
        Assert.All(proxy.Requests, request => Assert.StartsWith("GET ", request, StringComparison.Ordinal));
    }

    [ToolFact("Orthanc")]
    public async Task Examine_APeerWithoutFrames_SaysSo_AndFramesAreNotAskedForAgain()
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url);
        proxy.Interfere = static context =>
        {
            if (!context.Request.Path.Value!.Contains("/frames/", StringComparison.Ordinal)) return Task.FromResult(false);
            context.Response.StatusCode = StatusCodes.Status501NotImplemented;
            return Task.FromResult(true);
        };
        using var answer = await api.Client.PostAsync("/api/origins/pacs1/examine", null);
        var report = await answer.JsonAsync();
        Assert.False(report.GetProperty("profile").GetProperty("hasFrames").GetBoolean());
        Assert.Contains("whole instances", report.GetProperty("problems")[0].GetString(), StringComparison.Ordinal);
        proxy.Clear();
        var slice = SyntheticStudies.Slice(2);
        Assert.Equal(slice.NativeFrame(0), await DicomwebOriginTests.FrameAsync(api, DicomwebOriginTests.PathOf(slice) + "/frames/1"));
        Assert.Equal(0, proxy.Count("/frames/"));
    }

    [ToolFact("Orthanc")]
    public async Task Examine_WhatIsWrong_IsToldInWords()
    {
        await using var api = await OrthancFixture.StartApiAsync(fixture.Orthanc.Address + "nowhere");
        var report = await (await api.Client.PostAsync("/api/origins/pacs1/examine", null)).JsonAsync();
        Assert.Contains("Url may not be the root", report.GetProperty("problems")[0].GetString(), StringComparison.Ordinal);
        Assert.False(report.TryGetProperty("profile", out _));
        using var folder = await api.Client.PostAsync("/api/origins/test/examine", null);
        Assert.Equal(HttpStatusCode.NotFound, folder.StatusCode);
    }
}
