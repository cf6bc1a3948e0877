namespace Platform.Dicom.Tests;

public sealed class DicomTransferSyntaxTests
{
    [Theory]
    [InlineData("1.2.840.10008.1.2.4.53", true)]
    [InlineData("1.2.840.10008.1.2.4.55", true)]
    [InlineData("1.2.840.10008.1.2.4.58", false)]
    [InlineData("1.2.840.10008.1.2.4.66", false)]
    public void FromUid_RetiredJpeg_IsKnownAndEncapsulated(string uid, bool isLossy)
    {
        var syntax = DicomTransferSyntax.FromUid(uid);
        Assert.True(syntax is { IsKnown: true, IsEncapsulated: true, IsExplicitVr: true, IsBigEndian: false });
        Assert.Equal(isLossy, syntax.IsLossy);
        Assert.StartsWith("JPEG", syntax.Name);
    }

    [Fact]
    public void FromUid_Stranger_IsTakenAsEncapsulatedAndNotKnown() =>
        Assert.True(DicomTransferSyntax.FromUid("1.2.3.4") is { IsKnown: false, IsEncapsulated: true });

    [Fact]
    public void All_KnownTransferSyntaxes_HaveNames() =>
        Assert.All(DicomTransferSyntax.All, syntax => Assert.NotEqual(syntax.Uid, syntax.Name));
}
