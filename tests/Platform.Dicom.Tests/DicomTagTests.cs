namespace Platform.Dicom.Tests;

public sealed class DicomTagTests
{
    [Theory]
    [InlineData("00100010")]
    [InlineData("0010,0010")]
    [InlineData("(0010,0010)")]
    [InlineData("PatientName")]
    public void TryParse_EveryForm_GivesTheTag(string text) => Assert.Equal(DicomTags.PatientName, DicomTag.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("0010001")]
    [InlineData("(0010,0010")]
    [InlineData("0010,00G0")]
    [InlineData("patientname")]
    [InlineData("+0100010")]
    public void TryParse_NoTag_IsFalse(string text)
    {
        Assert.False(DicomTag.TryParse(text, out _));
        Assert.Throws<FormatException>(() => DicomTag.Parse(text));
    }

    [Fact]
    public void Properties_OfPrivateTags()
    {
        var element = new DicomTag(0x0029, 0x1234);
        Assert.True(element.IsPrivate);
        Assert.Equal(new DicomTag(0x0029, 0x0012), element.PrivateCreator);
        Assert.True(element.PrivateCreator.IsPrivateCreator);
        Assert.Equal("(0029,1234)", element.ToString());
        Assert.Equal("00291234", element.ToJsonKey());
        Assert.True(element > DicomTags.Rows == (element.Value > DicomTags.Rows.Value));
    }

    [Fact]
    public void Vr_Traits_AreThoseOfTheStandard()
    {
        // PS3.5 table 7.1-1: these have a 32-bit length in explicit VR.
        Assert.Equal(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"], Enum.GetValues<DicomVr>().Where(vr => vr.IsLong).Select(vr => vr.ToString()).Order(StringComparer.Ordinal));
        Assert.Equal(34, Enum.GetValues<DicomVr>().Count(vr => vr.IsKnown));
        Assert.False(((DicomVr)0x5A5A).IsKnown);
        Assert.True(DicomVrExtensions.TryParse("PN", out var name) && name == DicomVr.PN);
        Assert.False(DicomVrExtensions.TryParse("ZZ", out _));
    }
}
