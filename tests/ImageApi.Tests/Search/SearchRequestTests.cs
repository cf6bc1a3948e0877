using ImageApi.Catalog;
using ImageApi.Problems;
using ImageApi.Search;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.AspNetCore.Http;

namespace ImageApi.Tests.Search;

public sealed class SearchRequestTests
{
    [Theory]
    [InlineData("PatientName=DOE^JOHN", "00100010 Exact DOE^JOHN")]
    [InlineData("00100010=DOE*", "00100010 Wildcard DOE*")]
    [InlineData("PatientName=D%C3%B6?", "00100010 Wildcard Dö?")]
    [InlineData("PatientName=doe&fuzzymatching=true", "00100010 FuzzyName doe")]
    [InlineData("PatientName=doe*&fuzzymatching=true", "00100010 Wildcard doe*")]
    [InlineData("PatientID=A%26B%3DC", "00100020 Exact A&B=C")]
    [InlineData("PatientID=\"\"", "00100020 Empty ")]
    [InlineData("StudyDate=20260101", "00080020 Range 20260101|20260101")]
    [InlineData("StudyDate=20260101-20261231", "00080020 Range 20260101|20261231")]
    [InlineData("StudyDate=20260101-", "00080020 Range 20260101|")]
    [InlineData("StudyDate=-20261231", "00080020 Range |20261231")]
    [InlineData("StudyTime=1000-1130", "00080030 Range 1000|1130")]
    [InlineData("StudyTime=101112.123456", "00080030 Range 101112.123456|101112.123456")]
    [InlineData("ModalitiesInStudy=CT", "00080061 Exact CT")]
    [InlineData("ModalitiesInStudy=CT,MR", "00080061 AnyOf CT|MR")]
    [InlineData("ModalitiesInStudy=CT%5CMR", "00080061 AnyOf CT|MR")]
    [InlineData("StudyInstanceUID=1.2,1.3", "0020000D AnyOf 1.2|1.3")]
    [InlineData("StudyInstanceUID=1.2%5C1.3", "0020000D AnyOf 1.2|1.3")]
    [InlineData("StudyInstanceUID=1.2&StudyInstanceUID=1.3", "0020000D AnyOf 1.2|1.3")]
    [InlineData("0020000d=1.2", "0020000D Exact 1.2")]
    [InlineData("AccessionNumber=A,B", "00080050 Exact A,B")]
    [InlineData("PatientName=", null)]
    [InlineData("PatientName=*", null)]
    [InlineData("ReferringPhysicianName=DR*", "00080090 Wildcard DR*")]
    [InlineData("StudyID=7", "00200010 Exact 7")]
    [InlineData("StudyDescription=*head*", "00081030 Wildcard *head*")]
    public void Parse_StudyKeys_BecomeConditions(string query, string? expected) =>
        Assert.Equal(expected, Describe(Parse(CatalogLevel.Study, query).Query.Conditions));

    [Theory]
    [InlineData("Modality=CT", "00080060 Exact CT")]
    [InlineData("SeriesNumber=3", "00200011 Exact 3")]
    [InlineData("SeriesNumber=%2003", "00200011 Exact 3")]
    [InlineData("PerformedProcedureStepStartDate=20260101", "00400244 Range 20260101|20260101")]
    [InlineData("PerformedProcedureStepStartTime=10", "00400245 Range 10|10")]
    [InlineData("RequestAttributesSequence.ScheduledProcedureStepID=S1", "00400275.00400009 Exact S1")]
    [InlineData("00400275.00401001=R1", "00400275.00401001 Exact R1")]
    [InlineData("00400275.RequestedProcedureID=R1", "00400275.00401001 Exact R1")]
    [InlineData("PatientID=X", "00100020 Exact X")]
    public void Parse_SeriesKeys_BecomeConditions(string query, string? expected) =>
        Assert.Equal(expected, Describe(Parse(CatalogLevel.Series, query).Query.Conditions));

    [Theory]
    [InlineData("SOPClassUID=1.2.840.10008.5.1.4.1.1.2", "00080016 Exact 1.2.840.10008.5.1.4.1.1.2")]
    [InlineData("SOPInstanceUID=1.2", "00080018 Exact 1.2")]
    [InlineData("InstanceNumber=17", "00200013 Exact 17")]
    [InlineData("Modality=CT", "00080060 Exact CT")]
    public void Parse_InstanceKeys_BecomeConditions(string query, string? expected) =>
        Assert.Equal(expected, Describe(Parse(CatalogLevel.Instance, query).Query.Conditions));

    [Theory]
    [InlineData(CatalogLevel.Study, "StudyDate=2026", "StudyDate")]
    [InlineData(CatalogLevel.Study, "StudyDate=20261341", "StudyDate")]
    [InlineData(CatalogLevel.Study, "StudyDate=-", "StudyDate")]
    [InlineData(CatalogLevel.Study, "StudyDate=*", "StudyDate")]
    [InlineData(CatalogLevel.Study, "StudyTime=2561", "StudyTime")]
    [InlineData(CatalogLevel.Study, "StudyTime=12345", "StudyTime")]
    [InlineData(CatalogLevel.Study, "StudyInstanceUID=hello", "StudyInstanceUID")]
    [InlineData(CatalogLevel.Study, "StudyInstanceUID=1.2.*", "StudyInstanceUID")]
    [InlineData(CatalogLevel.Study, "PatientName=A&PatientName=B", "PatientName")]
    [InlineData(CatalogLevel.Study, "limit=x", "limit")]
    [InlineData(CatalogLevel.Study, "limit=-1", "limit")]
    [InlineData(CatalogLevel.Study, "offset=1.5", "offset")]
    [InlineData(CatalogLevel.Study, "limit=1&limit=2", "limit")]
    [InlineData(CatalogLevel.Study, "fuzzymatching=maybe", "fuzzymatching")]
    [InlineData(CatalogLevel.Study, "includefield=NoSuchAttribute", "NoSuchAttribute")]
    [InlineData(CatalogLevel.Study, "orderby=NoSuchAttribute", "NoSuchAttribute")]
    [InlineData(CatalogLevel.Study, "orderby=StudyDate:sideways", "orderby")]
    [InlineData(CatalogLevel.Study, "orderby=Modality", "orderby")]
    [InlineData(CatalogLevel.Study, "Modality=CT", "Modality")]
    [InlineData(CatalogLevel.Study, "NoSuchParameter=1", "NoSuchParameter")]
    [InlineData(CatalogLevel.Series, "SOPInstanceUID=1.2", "SOPInstanceUID")]
    [InlineData(CatalogLevel.Series, "SeriesNumber=three", "SeriesNumber")]
    public void Parse_UnknownOrUnreadable_IsAProblemThatNamesTheParameter(object level, string query, string name)
    {
        Assert.Null(SearchRequest.Parse((CatalogLevel)level, null, null, Query(query), 100, out var problem));
        Assert.Equal(400, problem!.Status);
        Assert.Contains(name, problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_UnreadableValue_IsNotRepeated()
    {
        SearchRequest.Parse(CatalogLevel.Study, null, null, Query("StudyDate=SECRET"), 100, out var problem);
        Assert.DoesNotContain("SECRET", problem!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_SeveralUnknown_NamesAll()
    {
        SearchRequest.Parse(CatalogLevel.Study, null, null, Query("One=1&Two=2&PatientID=3"), 100, out var problem);
        Assert.Equal(ProblemTypes.UnknownParameter, problem!.Type);
        Assert.Contains("One, Two", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_IncludeField_TakesKeywordsTagsPathsAndLists()
    {
        var fields = Parse(CatalogLevel.Study, "includefield=StudyDescription,00100030&includefield=RequestAttributesSequence.00400009&PatientID=1").Fields;
        Assert.False(fields.All);
        Assert.Equal(["00081030", "00100020", "00100030", "00400275"], fields.Attributes.Order());
        Assert.True(Parse(CatalogLevel.Study, "includefield=all").Fields.All);
    }

    [Theory]
    [InlineData("", 100, 0, false)]
    [InlineData("limit=10&offset=20", 10, 20, false)]
    [InlineData("limit=1000", 100, 0, false)]
    [InlineData("limit=0", 1, 0, true)]
    public void Parse_LimitAndOffset_AreBounded(string query, int limit, int offset, bool isCountOnly)
    {
        var search = Parse(CatalogLevel.Study, query);
        Assert.Equal((limit, offset, isCountOnly), (search.Query.Limit, search.Query.Offset, search.IsCountOnly));
    }

    [Fact]
    public void Parse_OrderBy_KeepsOrderAndDirection() =>
        Assert.Equal(
            [new CatalogOrder("00080020", true), new CatalogOrder("00100010")],
            Parse(CatalogLevel.Study, "orderby=StudyDate:desc,PatientName").Query.Order);

    private static SearchRequest Parse(CatalogLevel level, string query)
    {
        var search = SearchRequest.Parse(level, null, null, Query(query), 100, out var problem);
        Assert.Null(problem);
        return search!;
    }

    private static QueryCollection Query(string query) => new(QueryHelpers.ParseQuery(query));

    private static string? Describe(IReadOnlyList<CatalogCondition> conditions) =>
        conditions.Count == 0 ? null : string.Join("; ", conditions.Select(c => $"{c.Attribute} {c.Match} {string.Join('|', c.Values)}"));
}
