using System.Net;
using System.Text.Json;
using ImageApi.Tests.Support;

namespace ImageApi.Tests.Search;

[Collection(StudiesCollection.Name)]
public sealed class SearchApiTests(StudiesFixture studies)
{
    private const string Doe = SyntheticStudies.Study;
    private const string Müller = SyntheticStudies.OtherStudy;
    private readonly ImageApiHost _host = studies.Host;

    [Theory]
    [InlineData("", "2.25.1000,2.25.2000")]
    [InlineData("PatientName=DOE^JANE", Doe)]
    [InlineData("PatientName=doe^jane", Doe)]
    [InlineData("PatientName=DOE*", Doe)]
    [InlineData("PatientName=*JANE", Doe)]
    [InlineData("PatientName=D?E^JANE", Doe)]
    [InlineData("PatientName=M%C3%9CLLER*", Müller)]
    [InlineData("PatientName=jane&fuzzymatching=true", Doe)]
    [InlineData("PatientName=jan+do&fuzzymatching=true", Doe)]
    [InlineData("PatientName=muller&fuzzymatching=true", Müller)]
    [InlineData("PatientName=NOBODY", "")]
    [InlineData("PatientName=", "2.25.1000,2.25.2000")]
    [InlineData("PatientName=*", "2.25.1000,2.25.2000")]
    [InlineData("00100010=DOE*", Doe)]
    [InlineData("PatientID=P%26Q%3D1", Müller)]
    [InlineData("PatientID=SYN-?", Doe)]
    [InlineData("StudyDate=20250110", Müller)]
    [InlineData("StudyDate=20250101-20250131", Müller)]
    [InlineData("StudyDate=20250111-", Doe)]
    [InlineData("StudyDate=-20250110", Müller)]
    [InlineData("StudyTime=0930", Müller)]
    [InlineData("StudyTime=09-10", Müller)]
    [InlineData("StudyTime=120000-130000", Doe)]
    [InlineData("StudyDate=20250101-20251231&StudyTime=09-10", Müller)]
    [InlineData("AccessionNumber=A1", Doe)]
    [InlineData("AccessionNumber=B,2", Müller)]
    [InlineData("ModalitiesInStudy=MR", Müller)]
    [InlineData("ModalitiesInStudy=SR", Doe)]
    [InlineData("ModalitiesInStudy=CT", Doe)]
    [InlineData("ModalitiesInStudy=MR,SR", "2.25.1000,2.25.2000")]
    [InlineData("ModalitiesInStudy=MR%5CSR", "2.25.1000,2.25.2000")]
    [InlineData("ModalitiesInStudy=XA", "")]
    [InlineData("ReferringPhysicianName=HOUSE*", Doe)]
    [InlineData("StudyInstanceUID=2.25.1000", Doe)]
    [InlineData("StudyInstanceUID=2.25.1000,2.25.2000,2.25.3", "2.25.1000,2.25.2000")]
    [InlineData("StudyInstanceUID=2.25.1000%5C2.25.2000", "2.25.1000,2.25.2000")]
    [InlineData("0020000D=2.25.2000", Müller)]
    [InlineData("StudyID=22", Müller)]
    [InlineData("StudyDescription=BRA*", Müller)]
    [InlineData("PatientSex=O", "2.25.1000,2.25.2000")]
    [InlineData("SOPClassesInStudy=1.2.840.10008.5.1.4.1.1.88.11", Doe)]
    [InlineData("search=jane", Doe)]
    [InlineData("search=brain+p%26q", Müller)]
    [InlineData("PatientBirthDate=19700101", "2.25.1000,2.25.2000")]
    [InlineData("ReferringPhysicianName=\"\"", Müller)]
    [InlineData("search=muller", Müller)]
    [InlineData("search=jan+DO", Doe)]
    [InlineData("search=syn-", Doe)]
    [InlineData("search=p%26q", Müller)]
    [InlineData("search=a1", Doe)]
    [InlineData("search=brai", Müller)]
    [InlineData("search=D*E", Doe)]
    [InlineData("search=jane+brai", "")]
    [InlineData("search=%25", "")]
    [InlineData("search=_", "")]
    [InlineData("search=%27+OR+1%3D1", "")]
    [InlineData("search=", "2.25.1000,2.25.2000")]
    [InlineData("search=doe&ModalitiesInStudy=MR", "")]
    public async Task SearchStudies_EachKey_Matches(string query, string expected) => await AssertFoundAsync("/dicomweb/studies", query, "0020000D", expected);

    [Theory]
    [InlineData("", "2.25.1000.1,2.25.1000.2,2.25.1000.3,2.25.2000.1")]
    [InlineData("Modality=MR", "2.25.2000.1")]
    [InlineData("Modality=MR,SR", "2.25.1000.3,2.25.2000.1")]
    [InlineData("SeriesInstanceUID=2.25.1000.2", "2.25.1000.2")]
    [InlineData("SeriesNumber=3", "2.25.1000.3")]
    [InlineData("SeriesDescription=sli*", "2.25.1000.1")]
    [InlineData("PerformedProcedureStepStartDate=20250110", "2.25.2000.1")]
    [InlineData("PerformedProcedureStepStartTime=0930-0932", "2.25.2000.1")]
    [InlineData("RequestAttributesSequence.ScheduledProcedureStepID=SPS1", "2.25.2000.1")]
    [InlineData("00400275.00401001=RP1", "2.25.2000.1")]
    [InlineData("00400275.00401001=RP2", "")]
    [InlineData("PatientID=SYN-1", "2.25.1000.1,2.25.1000.2,2.25.1000.3")]
    [InlineData("Manufacturer=ACME*", "2.25.2000.1")]
    [InlineData("ManufacturerModelName=M1", "2.25.2000.1")]
    [InlineData("InstitutionName=St.*", "2.25.2000.1")]
    [InlineData("StationName=MR1", "2.25.2000.1")]
    [InlineData("PerformingPhysicianName=strange*", "2.25.2000.1")]
    [InlineData("Laterality=L", "2.25.2000.1")]
    [InlineData("BodyPartExamined=HEAD", "2.25.2000.1")]
    [InlineData("SeriesDate=20250110", "2.25.2000.1")]
    [InlineData("SeriesTime=0935", "2.25.2000.1")]
    [InlineData("StudyInstanceUID=2.25.2000", "2.25.2000.1")]
    public async Task SearchSeries_EachKey_Matches(string query, string expected) => await AssertFoundAsync("/dicomweb/series", query, "0020000E", expected);

    [Theory]
    [InlineData("/dicomweb/instances", "Modality=MR", "2.25.2000.1.1")]
    [InlineData("/dicomweb/instances", "SOPClassUID=1.2.840.10008.5.1.4.1.1.88.11", "2.25.1000.3.1")]
    [InlineData("/dicomweb/instances", "SOPInstanceUID=2.25.1000.1.2,2.25.2000.1.1", "2.25.1000.1.2,2.25.2000.1.1")]
    [InlineData("/dicomweb/studies/2.25.1000/instances", "InstanceNumber=5", "2.25.1000.1.5,2.25.1000.2.5")]
    [InlineData("/dicomweb/studies/2.25.1000/instances", "SeriesNumber=3", "2.25.1000.3.1")]
    [InlineData("/dicomweb/studies/2.25.1000/series/2.25.1000.1/instances", "", "2.25.1000.1.1,2.25.1000.1.2,2.25.1000.1.3,2.25.1000.1.4,2.25.1000.1.5")]
    [InlineData("/dicomweb/studies/2.25.1000/series/2.25.1000.1/instances", "InstanceNumber=2", "2.25.1000.1.2")]
    [InlineData("/dicomweb/studies/2.25.2000/series/2.25.1000.1/instances", "", "")]
    public async Task SearchInstances_EachKey_Matches(string path, string query, string expected) => await AssertFoundAsync(path, query, "00080018", expected);

    [Fact]
    public async Task SearchSeries_OfAStudy_IsInOrderOfTheirNumbers()
    {
        var series = await (await _host.SendAsync($"/dicomweb/studies/{Doe}/series")).JsonAsync();
        Assert.Equal(["1", "2", "3"], series.EnumerateArray().Select(s => s.Value("00200011")));
    }

    [Fact]
    public async Task SearchStudies_Row_HasWhatTheStandardAsksFor()
    {
        var study = (await (await _host.SendAsync("/dicomweb/studies?StudyInstanceUID=2.25.1000")).JsonAsync())[0];
        Assert.Equal("20261120", study.Value("00080020"));
        Assert.Equal("ONLINE", study.Value("00080056"));
        Assert.Equal(["CT", "SR"], study.GetProperty("00080061").GetProperty("Value").EnumerateArray().Select(v => v.GetString()).Order());
        Assert.Equal("/dicomweb/studies/2.25.1000", study.Value("00081190"));
        Assert.Equal("DOE^JANE", study.Value("00100010"));
        Assert.Equal("3", study.Value("00201206"));
        Assert.Equal("12", study.Value("00201208"));
        Assert.Equal("1", study.Value("00200010"));
        string[] keys = [.. study.EnumerateObject().Select(member => member.Name)];
        Assert.Equal(keys.Order(StringComparer.Ordinal), keys);
    }

    [Fact]
    public async Task SearchSeries_Row_HasItsCountAndAnswersItsUrl()
    {
        var series = (await (await _host.SendAsync($"/dicomweb/studies/{Müller}/series")).JsonAsync())[0];
        Assert.Equal("1", series.Value("00201209"));
        Assert.Equal("MR", series.Value("00080060"));
        Assert.Equal("SPS1", series.GetProperty("00400275").GetProperty("Value")[0].Value("00400009"));
        Assert.Equal("2.25.2000", series.Value("0020000D"));
        using var retrieved = await _host.SendAsync(series.Value("00081190")!);
        Assert.Equal(HttpStatusCode.OK, retrieved.StatusCode);
    }

    [Fact]
    public async Task SearchInstances_AcrossStudies_ReturnsTheUpperLevelsToo()
    {
        var instance = (await (await _host.SendAsync("/dicomweb/instances?SOPInstanceUID=2.25.2000.1.1")).JsonAsync())[0];
        Assert.Equal("MÜLLER^HANS", instance.Value("00100010"));
        Assert.Equal("MR", instance.Value("00080060"));
        Assert.Equal("16", instance.Value("00280010"));
        var inSeries = (await (await _host.SendAsync($"{SyntheticStudies.SeriesPath(SyntheticStudies.OtherSeries)}/instances")).JsonAsync())[0];
        Assert.Null(inSeries.Value("00100010"));
        Assert.Equal("2.25.2000", inSeries.Value("0020000D"));
    }

    [Fact]
    public async Task SearchStudies_IncludeField_AddsAttributes()
    {
        Assert.Null((await FirstAsync("/dicomweb/studies?StudyInstanceUID=2.25.2000")).Value("00101010"));
        var all = await FirstAsync($"{SyntheticStudies.SeriesPath()}/instances?includefield=all&limit=1");
        Assert.NotNull(all.Value("00200032"));
        Assert.Null((await FirstAsync($"{SyntheticStudies.SeriesPath()}/instances?limit=1")).Value("00200032"));
        Assert.NotNull((await FirstAsync($"{SyntheticStudies.SeriesPath()}/instances?includefield=ImagePositionPatient&limit=1")).Value("00200032"));
        Assert.NotNull((await FirstAsync($"{SyntheticStudies.SeriesPath()}/instances?includefield=00200032,00180050&limit=1")).Value("00180050"));
    }

    [Fact]
    public async Task Search_LimitAndOffset_PageWithoutOverlapAndSayWhatIsLeft()
    {
        var found = new List<string?>();
        for (var offset = 0; offset < 12; offset += 5)
        {
            using var response = await _host.SendAsync($"/dicomweb/studies/{Doe}/instances?limit=5&offset={offset}");
            found.AddRange((await response.JsonAsync()).EnumerateArray().Select(i => i.Value("00080018")));
            Assert.Equal("12", response.Header("X-Total-Count"));
            var left = 12 - Math.Min(12, offset + 5);
            Assert.Equal(left == 0 ? null : $"299 platform \"There are {left} additional results that can be requested\"", response.Header("Warning"));
        }
        Assert.Equal(12, found.Distinct().Count());
        Assert.Equal(12, found.Count);

        using var count = await _host.SendAsync("/dicomweb/studies?limit=0");
        Assert.Equal(("[]", "2"), (await count.Content.ReadAsStringAsync(), count.Header("X-Total-Count")));
        using var beyond = await _host.SendAsync("/dicomweb/studies?offset=100");
        Assert.Equal(("[]", "2"), (await beyond.Content.ReadAsStringAsync(), beyond.Header("X-Total-Count")));
    }

    [Fact]
    public async Task Search_MoreThanTheServersLimit_IsCutWithAWarning()
    {
        await using var host = await ImageApiHost.StartAsync(SyntheticStudies.Fill, ("ImageApi:Search:MaxResults", "3"));
        foreach (var path in new[] { $"{SyntheticStudies.SeriesPath()}/instances", $"{SyntheticStudies.SeriesPath()}/instances?limit=100" })
        {
            using var response = await host.SendAsync(path);
            Assert.Equal(3, (await response.JsonAsync()).GetArrayLength());
            Assert.StartsWith("299 ", response.Header("Warning"), StringComparison.Ordinal);
            Assert.Equal("5", response.Header("X-Total-Count"));
        }
    }

    [Theory]
    [InlineData("orderby=PatientName", "2.25.1000,2.25.2000")]
    [InlineData("orderby=PatientName:desc", "2.25.2000,2.25.1000")]
    [InlineData("orderby=StudyDate", "2.25.2000,2.25.1000")]
    [InlineData("", "2.25.1000,2.25.2000")]
    public async Task SearchStudies_OrderBy_Sorts(string query, string expected)
    {
        var found = await (await _host.SendAsync($"/dicomweb/studies?{query}")).JsonAsync();
        Assert.Equal(expected, string.Join(',', found.EnumerateArray().Select(s => s.Value("0020000D"))));
    }

    [Theory]
    [InlineData("/dicomweb/studies?Foo=1", "urn:platform:problem:unknown-parameter", "Foo")]
    [InlineData("/dicomweb/studies?SeriesNumber=1", "urn:platform:problem:unknown-parameter", "SeriesNumber")]
    [InlineData("/dicomweb/studies?StudyDate=yesterday", "urn:platform:problem:invalid-parameter", "StudyDate")]
    [InlineData("/dicomweb/studies?limit=-1", "urn:platform:problem:invalid-parameter", "limit")]
    [InlineData("/dicomweb/studies/2.25.1000/series/2.25.1000.1/instances?includefield=Nonsense", "urn:platform:problem:invalid-parameter", "includefield")]
    [InlineData("/dicomweb/studies/x/series", "urn:platform:problem:invalid-uid", "study")]
    public async Task Search_WrongParameters_AreAProblemThatNamesThem(string path, string type, string name)
    {
        using var response = await _host.SendAsync(path);
        var problem = await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadRequest, type);
        Assert.Contains(name, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Search_OtherThanJson_IsNotAcceptable()
    {
        using var response = await _host.SendAsync("/dicomweb/studies", ("Accept", "multipart/related;type=\"application/dicom+xml\""));
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.NotAcceptable);
    }

    private async Task AssertFoundAsync(string path, string query, string tag, string expected)
    {
        using var response = await _host.SendAsync($"{path}?{query}");
        var found = await response.JsonAsync();
        Assert.Equal(expected, string.Join(',', found.EnumerateArray().Select(item => item.Value(tag)).Order(StringComparer.Ordinal)));
        Assert.Equal($"{found.GetArrayLength()}", response.Header("X-Total-Count"));
        Assert.Equal("application/dicom+json", response.Header("Content-Type"));
    }

    private async Task<JsonElement> FirstAsync(string path) => (await (await _host.SendAsync(path)).JsonAsync())[0];
}
