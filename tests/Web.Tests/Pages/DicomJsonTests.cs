using System.Text.Json;
using Web.Dicomweb;

namespace Web.Tests.Pages;

public sealed class DicomJsonTests
{
    [Theory]
    [InlineData("DOE^JANE", "DOE, JANE")]
    [InlineData("DOE^JANE^Q^DR^PHD", "DOE, DR JANE Q, PHD")]
    [InlineData("DOE", "DOE")]
    [InlineData("^JANE", "JANE")]
    [InlineData("^^^^", "(no name)")]
    [InlineData("", "(no name)")]
    [InlineData(null, "(no name)")]
    public void ToString_PersonName_ReadsAsPeopleWrite(string? stored, string shown) => Assert.Equal(shown, new PersonName(stored, null).ToString());

    [Fact]
    public void Native_NameInTwoScripts_IsTheSecond() => Assert.Equal("山田, 太郎", new PersonName("YAMADA^TARO", "山田^太郎").Native);

    [Fact]
    public void ToString_NameInItsOwnScriptOnly_IsShown() => Assert.Equal("山田, 太郎", new PersonName(null, "山田^太郎").ToString());

    [Fact]
    public void From_FullStudy_ReadsEveryColumn()
    {
        var study = StudySummary.From(Parse("""
            { "0020000D": { "vr": "UI", "Value": ["1.2.3"] }, "00100010": { "vr": "PN", "Value": [{ "Alphabetic": "DOE^JANE" }] },
              "00100020": { "vr": "LO", "Value": ["P1"] }, "00100040": { "vr": "CS", "Value": ["F"] }, "00100030": { "vr": "DA", "Value": ["19700131"] },
              "00080020": { "vr": "DA", "Value": ["20261120"] }, "00080030": { "vr": "TM", "Value": ["0715"] }, "00080050": { "vr": "SH", "Value": ["A1"] },
              "00081030": { "vr": "LO", "Value": ["CT head"] }, "00080061": { "vr": "CS", "Value": ["CT", "SR"] },
              "00201206": { "vr": "IS", "Value": [3] }, "00201208": { "vr": "IS", "Value": ["400"] } }
            """))!;

        Assert.Equal(("1.2.3", "DOE, JANE", "P1", "F"), (study.StudyInstanceUid, study.PatientName.ToString(), study.PatientId, study.PatientSex));
        Assert.Equal((new DateOnly(1970, 1, 31), new DateOnly(2026, 11, 20), new TimeOnly(7, 15)), (study.PatientBirthDate, study.StudyDate, study.StudyTime));
        Assert.Equal(("A1", "CT head", 3, 400), (study.AccessionNumber, study.Description, study.SeriesCount, study.InstanceCount));
        Assert.Equal(["CT", "SR"], study.Modalities);
    }

    [Theory]
    [InlineData("""{ "0020000D": { "vr": "UI", "Value": ["1.2"] }, "00080020": { "Value": ["20261340"] }, "00100010": { "Value": [null] }, "00201208": { "Value": [{}] } }""")]
    [InlineData("""{ "0020000D": { "vr": "UI", "Value": ["1.2"] }, "00080020": [], "00100010": "x", "00201208": { "Value": ["many"] } }""")]
    [InlineData("""{ "0020000D": { "vr": "UI", "Value": ["1.2"] } }""")]
    public void From_MalformedAttributes_ReadAsAbsent(string json)
    {
        var study = StudySummary.From(Parse(json))!;

        Assert.Equal((null, null, "(no name)"), (study.StudyDate, study.InstanceCount, study.PatientName.ToString()));
    }

    [Theory]
    [InlineData("""{ }""")]
    [InlineData("""[]""")]
    [InlineData("""{ "0020000D": { "vr": "UI" } }""")]
    public void From_NoUid_IsNoStudy(string json) => Assert.Null(StudySummary.From(Parse(json)));

    [Theory]
    [InlineData("CT", true)]
    [InlineData("SR", false)]
    [InlineData("SEG", false)]
    [InlineData(null, true)]
    public void HasImages_Modality_Tells(string? modality, bool expected) => Assert.Equal(expected, new SeriesSummary("1.2", modality, 1, null, 1).HasImages);

    private static DicomJsonObject Parse(string json) => new(JsonDocument.Parse(json).RootElement);
}
