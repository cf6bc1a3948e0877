using System.Text.Json;
using ImageApi.Catalog;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Catalog;

public sealed class CatalogSearchTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private CatalogFixture _fixture = null!;

    public async Task InitializeAsync()
    {
        Study(1, "Müller^Anna Maria^^Dr.", "20260110", "101530.25", "ID-1", "CT");
        Study(2, "MULLER-SMITH^Peter", "20260210", "1016", "ID-2", "MR");
        Study(3, "Łukasz^Zoë", "20260310", "11", "id[3]", "CT", number: 7);
        Study(4, "Yamada^Tarou=山田^太郎=やまだ^たろう", "20250101", "", "ID%4", "US");
        new DicomBuilder { StudyUid = "2.25.1", SeriesUid = "2.25.1.2", InstanceUid = "2.25.1.2.1", Modality = "SR" }
            .With(DicomTags.PatientName, "Müller^Anna Maria^^Dr.").With(DicomTags.PatientID, "ID-1").With(DicomTags.StudyDate, "20260110").With(DicomTags.StudyTime, "101530.25")
            .With(dataset => dataset.Set(DicomTags.RequestAttributesSequence, new DicomDataset().Set(DicomTags.ScheduledProcedureStepID, "SPS-9")))
            .Save(_folder.Combine("a", "sr.dcm"));
        _fixture = await CatalogFixture.OpenAsync(_folder, run: false);
        await _fixture.ReconcileAsync();
    }

    public async Task DisposeAsync()
    {
        await _fixture.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("00100020", nameof(CatalogMatch.Exact), "ID-1", "1")]
    [InlineData("00100020", nameof(CatalogMatch.Exact), "id-1", "")]
    [InlineData("00100020", nameof(CatalogMatch.Wildcard), "ID*", "1,2,4")]
    [InlineData("00100020", nameof(CatalogMatch.Wildcard), "ID?4", "4")]
    [InlineData("00100020", nameof(CatalogMatch.Wildcard), "id[3]", "3")]
    [InlineData("00100020", nameof(CatalogMatch.Wildcard), "id[0-9]", "")]
    [InlineData("00100010", nameof(CatalogMatch.Exact), "mÜller^anna maria^^dr.", "1")]
    [InlineData("00100010", nameof(CatalogMatch.Wildcard), "mull*", "2")]
    [InlineData("00100010", nameof(CatalogMatch.FuzzyName), "muller", "1,2")]
    [InlineData("00100010", nameof(CatalogMatch.FuzzyName), "smi^pet", "2")]
    [InlineData("00100010", nameof(CatalogMatch.FuzzyName), "^mar", "1")]
    [InlineData("00100010", nameof(CatalogMatch.FuzzyName), "mar^", "")]
    [InlineData("00100010", nameof(CatalogMatch.FuzzyName), "zoe luk", "3")]
    [InlineData("00100010", nameof(CatalogMatch.FuzzyName), "太郎", "4")]
    [InlineData("00100010", nameof(CatalogMatch.FuzzyName), "uller", "")]
    [InlineData("00080061", nameof(CatalogMatch.Exact), "CT", "1,3")]
    [InlineData("00080061", nameof(CatalogMatch.Exact), "C", "")]
    [InlineData("00080061", nameof(CatalogMatch.Wildcard), "S?", "1")]
    [InlineData("00080030", nameof(CatalogMatch.Exact), "10", "1,2")]
    [InlineData("00080030", nameof(CatalogMatch.Empty), null, "4")]
    [InlineData("00201208", nameof(CatalogMatch.Exact), "2", "1")]
    public async Task QueryAsync_OneCondition_MatchesWhatTheStandardSays(string attribute, string match, string? value, string expected)
    {
        var values = value is null ? Array.Empty<string?>() : [value];
        Assert.Equal(expected, await StudiesAsync(new CatalogCondition(attribute, Enum.Parse<CatalogMatch>(match), values)));
    }

    [Theory]
    [InlineData("00080020", "20260110", "20260210", "1,2")]
    [InlineData("00080020", null, "20260109", "4")]
    [InlineData("00080020", "20260211", null, "3")]
    [InlineData("00080030", "1016", "11", "2,3")]
    [InlineData("00080030", "101530", "101530", "1")]
    public async Task QueryAsync_Range_TakesBothEndsIn(string attribute, string? least, string? most, string expected) =>
        Assert.Equal(expected, await StudiesAsync(new CatalogCondition(attribute, CatalogMatch.Range, least, most)));

    [Fact]
    public async Task QueryAsync_UidList_MatchesAnyOfThem() =>
        Assert.Equal("1,4", await StudiesAsync(new CatalogCondition("0020000D", CatalogMatch.AnyOf, "2.25.1", "2.25.4", "2.25.5")));

    [Fact]
    public async Task QueryAsync_InsideASequence_MatchesAnyItem()
    {
        var page = await _fixture.Catalog.QueryAsync(new CatalogQuery(CatalogLevel.Series) { Conditions = [new("00400275.00400009", CatalogMatch.Exact, "SPS-9")] }, default);
        Assert.Equal("2.25.1.2", Assert.Single(page.Rows).SeriesUid);
    }

    [Fact]
    public async Task QueryAsync_Paging_IsCompleteWithoutOverlap()
    {
        var seen = new List<string>();
        for (var offset = 0; offset < 5; offset += 2)
        {
            var page = await _fixture.Catalog.QueryAsync(new CatalogQuery(CatalogLevel.Study) { Limit = 2, Offset = offset, Order = [new("00100040")] }, default);
            Assert.Equal(4, page.Total);
            seen.AddRange(page.Rows.Select(row => row.StudyUid));
        }
        Assert.Equal(["2.25.1", "2.25.2", "2.25.3", "2.25.4"], seen);
    }

    [Fact]
    public async Task QueryAsync_DefaultOrder_IsNewestFirst()
    {
        var page = await _fixture.Catalog.QueryAsync(new CatalogQuery(CatalogLevel.Study), default);
        Assert.Equal(["2.25.3", "2.25.2", "2.25.1", "2.25.4"], page.Rows.Select(row => row.StudyUid));
    }

    [Fact]
    public async Task QueryAsync_Rows_HoldTheirLevelsAttributesWithKeysAscending()
    {
        var page = await _fixture.Catalog.QueryAsync(new CatalogQuery(CatalogLevel.Instance) { StudyUid = "2.25.1", SeriesUid = "2.25.1.1" }, default);
        var row = Assert.Single(page.Rows);
        using var study = JsonDocument.Parse(row.StudyJson);
        var keys = study.RootElement.EnumerateObject().Select(property => property.Name).ToArray();
        Assert.Equal(keys.Order(StringComparer.Ordinal), keys);
        Assert.Equal(["CT", "SR"], study.RootElement.GetProperty("00080061").GetProperty("Value").EnumerateArray().Select(value => value.GetString()!));
        Assert.Equal(2, study.RootElement.GetProperty("00201206").GetProperty("Value")[0].GetInt32());
        Assert.Equal("Müller^Anna Maria^^Dr.", study.RootElement.GetProperty("00100010").GetProperty("Value")[0].GetProperty("Alphabetic").GetString());
        using var series = JsonDocument.Parse(row.SeriesJson);
        Assert.Equal(1, series.RootElement.GetProperty("00201209").GetProperty("Value")[0].GetInt32());
        using var instance = JsonDocument.Parse(row.InstanceJson);
        Assert.Equal("1.2.840.10008.1.2.1", instance.RootElement.GetProperty("00083002").GetProperty("Value")[0].GetString());
        Assert.Equal(16, instance.RootElement.GetProperty("00280010").GetProperty("Value")[0].GetInt32());
    }

    [Theory]
    [InlineData("PatientName")]
    [InlineData("00100010'; DROP TABLE studies; --")]
    [InlineData("0040027g")]
    [InlineData("00280010")]
    public async Task QueryAsync_NoAttributeOfTheLevel_ThrowsArgumentException(string attribute) =>
        await Assert.ThrowsAsync<ArgumentException>(() => _fixture.Catalog.QueryAsync(new CatalogQuery(CatalogLevel.Study) { Conditions = [new(attribute, CatalogMatch.Exact, "1")] }, default));

    private async Task<string> StudiesAsync(CatalogCondition condition)
    {
        var page = await _fixture.Catalog.QueryAsync(new CatalogQuery(CatalogLevel.Study) { Conditions = [condition] }, default);
        Assert.Equal(page.Rows.Count, page.Total);
        return string.Join(',', page.Rows.Select(row => row.StudyUid[5..]).Order(StringComparer.Ordinal));
    }

    private void Study(int study, string name, string date, string time, string id, string modality, int number = 1) =>
        new DicomBuilder { StudyUid = $"2.25.{study}", SeriesUid = $"2.25.{study}.1", InstanceUid = $"2.25.{study}.1.1", Modality = modality, InstanceNumber = number }
            .With(DicomTags.PatientName, name).With(DicomTags.StudyDate, date).With(DicomTags.StudyTime, time).With(DicomTags.PatientID, id)
            .Save(_folder.Combine("a", $"{study}.dcm"));
}
