using System.Net;
using ImageApi.Tests.Support;

namespace ImageApi.Tests.Cases;

[Collection(StudiesCollection.Name)]
public sealed class CasesApiTests(StudiesFixture studies)
{
    private readonly ImageApiHost _host = studies.Host;

    [Theory]
    [InlineData(SyntheticStudies.Study)]
    [InlineData("first")]
    public async Task GetCase_ByUidOrFolder_ListsFilesInDisplayOrder(string caseId)
    {
        var study = await (await _host.SendAsync($"/api/dicom/{caseId}")).JsonAsync();
        Assert.Equal(caseId, study.GetProperty("caseId").GetString());
        Assert.Equal(12, study.GetProperty("files").GetArrayLength());
        var series = study.GetProperty("series");
        Assert.Equal(3, series.GetArrayLength());
        Assert.Equal(SyntheticStudies.Slices, series[0].GetProperty("uid").GetString());
        Assert.Equal("CT", series[0].GetProperty("modality").GetString());
        Assert.Equal((128, 256), (series[0].GetProperty("window").GetProperty("center").GetDouble(), series[0].GetProperty("window").GetProperty("width").GetDouble()));
        Assert.Equal(Enumerable.Range(1, 5).Select(n => $"{SyntheticStudies.Slices}.{n}"), series[0].GetProperty("files").EnumerateArray().Select(f => f.GetString()));
        foreach (var file in study.GetProperty("files").EnumerateArray())
        {
            using var response = await _host.SendAsync($"/api/dicom/{caseId}/files/{file.GetString()}");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("application/dicom", response.Header("Content-Type"));
        }
    }

    [Theory]
    [InlineData("data")] // the folder's name
    [InlineData("test")] // the origin's
    public async Task GetCase_FilesDirectlyInTheOriginsFolder_AreFoundByItsName(string caseId)
    {
        await using var host = await ImageApiHost.StartAsync(static folder => SyntheticStudies.Slice(1).Save(Path.Combine(folder, "slice1.dcm")));
        var study = await (await host.SendAsync($"/api/dicom/{caseId}")).JsonAsync();
        Assert.Equal([$"{SyntheticStudies.Slices}.1"], study.GetProperty("files").EnumerateArray().Select(file => file.GetString()!));
        using var response = await host.SendAsync($"/api/dicom/{caseId}/files/slice1.dcm");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("slice2.dcm")]
    [InlineData("2.25.1000.1.2")]
    [InlineData("2.25.1000.1.2.dcm")]
    public async Task GetFile_ByUidOrName_IsTheFile(string name)
    {
        using var response = await _host.SendAsync($"/api/dicom/first/files/{name}");
        Assert.Equal(SyntheticStudies.Slice(2).Build(), await response.Content.ReadAsByteArrayAsync());
        Assert.Equal("bytes", response.Header("Accept-Ranges"));
        Assert.NotNull(response.Header("Last-Modified"));
    }

    [Theory]
    [InlineData("/api/dicom/nobody")]
    [InlineData("/api/dicom/2.25.9")]
    [InlineData("/api/dicom/first/files/nothing.dcm")]
    [InlineData("/api/dicom/second/files/slice2.dcm")]
    [InlineData("/api/dicom/first/files/..%2Fsecond%2Fother.dcm")]
    [InlineData("/api/dicom/first/files/..%5Csecond%5Cother.dcm")]
    [InlineData("/api/dicom/first/files/%2Fetc%2Fpasswd")]
    [InlineData("/api/dicom/..%2Ffirst/files/slice2.dcm")]
    [InlineData("/api/dicom/first%00/files/slice2.dcm")]
    [InlineData("/api/dicom/first/files/slice2.dcm%00.txt")]
    [InlineData("/api/dicom/.catalog/files/catalog.db")]
    [InlineData("/api/dicom/store/files/catalog.db")]
    [InlineData("/api/dicom/first/../second/files/slice2.dcm")]
    public async Task Get_WrongNamesAndPathTricks_AreRefused(string path)
    {
        using var response = await _host.SendAsync(path);
        Assert.True(response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest, $"{response.StatusCode}");
    }

    [Fact]
    public async Task GetFile_ALongName_IsRefused()
    {
        using var response = await _host.SendAsync($"/api/dicom/first/files/{new string('a', 4000)}");
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadRequest);
    }
}
