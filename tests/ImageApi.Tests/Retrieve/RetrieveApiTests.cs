using System.Net;
using ImageApi.Tests.Support;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Retrieve;

[Collection(StudiesCollection.Name)]
public sealed class RetrieveApiTests(StudiesFixture studies)
{
    private readonly ImageApiHost _host = studies.Host;

    [Fact]
    public async Task GetInstance_AsDicom_IsTheFileAsStored()
    {
        var builder = SyntheticStudies.Rle;
        using var response = await _host.SendAsync(SyntheticStudies.UrlOf(builder), ("Accept", "application/dicom;transfer-syntax=*"));
        Assert.Equal("application/dicom;transfer-syntax=1.2.840.10008.1.2.5", response.Header("Content-Type"));
        Assert.Equal(builder.Build(), await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("*/*")]
    [InlineData("multipart/related;type=\"application/dicom\"")]
    [InlineData("multipart/related;type=application/dicom;transfer-syntax=*")]
    [InlineData("multipart/related;type=application/dicom;transfer-syntax=1.2.840.10008.1.2.5")]
    public async Task GetInstance_ByDefault_IsMultipart(string? accept)
    {
        var builder = SyntheticStudies.Rle;
        using var response = await _host.SendAsync(SyntheticStudies.UrlOf(builder), accept is null ? [] : [("Accept", accept)]);
        var part = Assert.Single(await MultipartParts.ReadAsync(response));
        Assert.Equal(builder.Build(), part.Body);
        Assert.Equal("application/dicom;transfer-syntax=1.2.840.10008.1.2.5", part.Headers["Content-Type"]);
    }

    [Theory]
    [InlineData("multipart/related;type=\"application/dicom\";transfer-syntax=1.2.840.10008.1.2.4.90")]
    [InlineData("application/dicom;transfer-syntax=1.2.840.10008.1.2.1")]
    [InlineData("application/octet-stream")]
    [InlineData("image/png")]
    public async Task GetInstance_WhatNeedsTranscoding_IsNotAcceptable(string accept)
    {
        using var response = await _host.SendAsync(SyntheticStudies.UrlOf(SyntheticStudies.Rle), ("Accept", accept));
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.NotAcceptable);
    }

    [Fact]
    public async Task GetSeries_AllInstances_InDisplayOrder()
    {
        using var response = await _host.SendAsync(SyntheticStudies.SeriesPath());
        var parts = await MultipartParts.ReadAsync(response);
        Assert.Equal(Enumerable.Range(1, SyntheticStudies.SliceCount).Select(number => SyntheticStudies.Slice(number).Build()), parts.Select(part => part.Body));
    }

    [Fact]
    public async Task GetStudy_AllInstances_EachOnce()
    {
        using var response = await _host.SendAsync($"/dicomweb/studies/{SyntheticStudies.Study}");
        var parts = await MultipartParts.ReadAsync(response);
        Assert.Equal(12, parts.Select(part => part.Headers["Content-Location"]).Distinct().Count());
        Assert.All(parts, part => Assert.StartsWith("DICM", System.Text.Encoding.ASCII.GetString(part.Body, 128, 4), StringComparison.Ordinal));
    }

    [Fact]
    public async Task GetSeries_AsSinglePart_IsNotAcceptable()
    {
        using var response = await _host.SendAsync(SyntheticStudies.SeriesPath(), ("Accept", "application/dicom"));
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.NotAcceptable);
    }

    [Theory]
    [InlineData("/dicomweb/studies/2.25.9")]
    [InlineData("/dicomweb/studies/2.25.9/metadata")]
    [InlineData("/dicomweb/studies/2.25.1000/series/2.25.9")]
    [InlineData("/dicomweb/studies/2.25.2000/series/2.25.1000.1")]
    [InlineData("/dicomweb/studies/2.25.1000/series/2.25.9/metadata")]
    [InlineData("/dicomweb/studies/2.25.1000/series/2.25.1000.1/instances/2.25.9")]
    [InlineData("/dicomweb/studies/2.25.1000/series/2.25.1000.2/instances/2.25.1000.1.1/metadata")]
    public async Task Get_WhatIsNotThere_IsNotFound(string path)
    {
        using var response = await _host.SendAsync(path);
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.NotFound, "urn:platform:problem:not-found");
    }

    [Fact]
    public async Task GetSeriesMetadata_EveryInstance_InDisplayOrderWithKeysAscending()
    {
        using var response = await _host.SendAsync($"{SyntheticStudies.SeriesPath()}/metadata");
        Assert.Equal("application/dicom+json", response.Header("Content-Type"));
        var instances = await response.JsonAsync();
        Assert.Equal(Enumerable.Range(1, SyntheticStudies.SliceCount).Select(n => $"{SyntheticStudies.Slices}.{n}"), instances.EnumerateArray().Select(i => i.Value("00080018")));
        foreach (var instance in instances.EnumerateArray())
        {
            string[] keys = [.. instance.EnumerateObject().Select(member => member.Name)];
            Assert.Equal(keys.Order(StringComparer.Ordinal), keys);
            Assert.DoesNotContain(keys, key => key.StartsWith("0002", StringComparison.Ordinal));
            Assert.Equal("DOE^JANE", instance.Value("00100010"));
        }
    }

    [Fact]
    public async Task GetStudyMetadata_AllSeries_IsOneArray()
    {
        var instances = await (await _host.SendAsync($"/dicomweb/studies/{SyntheticStudies.Study}/metadata")).JsonAsync();
        Assert.Equal(12, instances.EnumerateArray().Select(i => i.Value("00080018")).Distinct().Count());
    }

    [Fact]
    public async Task GetMetadata_Pixels_AreAUriThatGivesThem()
    {
        var builder = SyntheticStudies.Native;
        var metadata = await (await _host.SendAsync($"{SyntheticStudies.UrlOf(builder)}/metadata")).JsonAsync();
        var uri = metadata[0].GetProperty("7FE00010").GetProperty("BulkDataURI").GetString()!;
        using var response = await _host.SendAsync(uri, ("Accept", "application/octet-stream"));
        var expected = Enumerable.Range(0, builder.Frames).SelectMany(builder.NativeFrame).ToArray();
        Assert.Equal(expected, await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task GetMetadata_CompressedPixels_AreAUriThatGivesTheFrames()
    {
        var builder = SyntheticStudies.JpegLs;
        var metadata = await (await _host.SendAsync($"{SyntheticStudies.UrlOf(builder)}/metadata")).JsonAsync();
        using var response = await _host.SendAsync(metadata[0].GetProperty("7FE00010").GetProperty("BulkDataURI").GetString()!);
        Assert.Equal(Enumerable.Range(0, builder.Frames).Select(builder.EncodedFrame), (await MultipartParts.ReadAsync(response)).Select(part => part.Body));
    }

    [Fact]
    public async Task GetMetadata_LargeBinary_IsAUriAlsoBelowASequence()
    {
        var metadata = await (await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Report)}/metadata")).JsonAsync();
        var top = metadata[0].GetProperty("00091010").GetProperty("BulkDataURI").GetString()!;
        var nested = metadata[0].GetProperty("0040A730").GetProperty("Value")[1].GetProperty("00091020").GetProperty("BulkDataURI").GetString()!;
        Assert.EndsWith("/bulkdata/0040A730/1/00091020", nested, StringComparison.Ordinal);
        Assert.Equal(SyntheticStudies.Bulk(2000), await (await _host.SendAsync(top, ("Accept", "application/octet-stream"))).Content.ReadAsByteArrayAsync());
        Assert.Equal(SyntheticStudies.Bulk(1000), await (await _host.SendAsync(nested, ("Accept", "application/octet-stream"))).Content.ReadAsByteArrayAsync());
        using var range = await _host.SendAsync(top, ("Accept", "application/octet-stream"), ("Range", "bytes=100-109"));
        Assert.Equal(SyntheticStudies.Bulk(2000)[100..110], await range.Content.ReadAsByteArrayAsync());
        using var multipart = await _host.SendAsync(top, ("Accept", "multipart/related;type=\"application/octet-stream\""));
        Assert.Equal(SyntheticStudies.Bulk(2000), Assert.Single(await MultipartParts.ReadAsync(multipart)).Body);
    }

    [Theory]
    [InlineData("00099999")]
    [InlineData("0040A730/7/00091020")]
    [InlineData("0040A730")]
    [InlineData("hello")]
    [InlineData("../../../etc/passwd")]
    [InlineData("..%2F..%2Fetc%2Fpasswd")]
    [InlineData("0040A730/99999999999/00091020")]
    public async Task GetBulkData_NoSuchValue_IsNotFound(string path)
    {
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Report)}/bulkdata/{path}");
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("multipart/related;type=\"application/dicom+xml\"")]
    [InlineData("text/html")]
    public async Task GetMetadata_OtherThanJson_IsNotAcceptable(string accept)
    {
        using var response = await _host.SendAsync($"{SyntheticStudies.SeriesPath()}/metadata", ("Accept", accept));
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.NotAcceptable);
    }

    [Fact]
    public async Task GetSeriesMetadata_LongSeries_IsOneArrayOfSeveralDocuments()
    {
        await using var host = await ImageApiHost.StartAsync(folder =>
        {
            for (var number = 1; number <= 1203; number++)
                SyntheticStudies.Slice(number).Save(Path.Combine(folder, $"{number:0000}.dcm"));
        });
        using var response = await host.SendAsync($"{SyntheticStudies.SeriesPath()}/metadata", ("Accept-Encoding", "br"));
        var instances = await response.JsonAsync();
        Assert.Equal(Enumerable.Range(1, 1203).Select(n => $"{n}"), instances.EnumerateArray().Select(i => i.Value("00200013")));
        using var again = await host.SendAsync($"{SyntheticStudies.SeriesPath()}/metadata", ("If-None-Match", response.Header("ETag")!));
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
    }

    [DataFact("ct-series-a")]
    public async Task GetInstance_RealSeries_EveryFileComesBackAsItIs()
    {
        await using var host = await ImageApiHost.StartOverAsync(TestData.GetPath("ct-series-a"));
        var instances = await (await host.SendAsync("/dicomweb/instances")).JsonAsync();
        Assert.Equal(64, instances.GetArrayLength());
        var files = TestData.GetFiles("ct-series-a").Select(file => (File: file, Digest: Digest(File.ReadAllBytes(file)))).ToDictionary(pair => pair.Digest, pair => pair.File);
        foreach (var instance in instances.EnumerateArray())
        {
            var bytes = await (await host.SendAsync(instance.Value("00081190")!, ("Accept", "application/dicom"))).Content.ReadAsByteArrayAsync();
            Assert.True(files.Remove(Digest(bytes)), "A file came back changed, or twice.");
        }
        Assert.Empty(files);
    }

    private static string Digest(byte[] bytes) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(bytes));
}
