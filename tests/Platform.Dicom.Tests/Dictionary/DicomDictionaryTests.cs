using System.Globalization;

namespace Platform.Dicom.Tests.Dictionary;

public sealed class DicomDictionaryTests
{
    [Theory]
    [InlineData(0x00100010u, "PatientName", "PN", "1")]
    [InlineData(0x0020000Du, "StudyInstanceUID", "UI", "1")]
    [InlineData(0x00020010u, "TransferSyntaxUID", "UI", "1")]
    [InlineData(0x00080008u, "ImageType", "CS", "2-n")]
    [InlineData(0x00200037u, "ImageOrientationPatient", "DS", "6")]
    [InlineData(0x7FE00001u, "ExtendedOffsetTable", "OV", "1")]
    [InlineData(0x00081301u, "PrincipalDiagnosisCodeSequence", "SQ", "1")]
    [InlineData(0x300A039Bu, "ScanSpotGantryAngles", "FL", "1-n")]
    public void TryGet_KnownElement_HasItsRow(uint tag, string keyword, string vr, string vm)
    {
        Assert.True(DicomDictionary.TryGet(new DicomTag(tag), out var entry));
        Assert.Equal(keyword, entry.Keyword);
        Assert.Equal(vr, Letters(entry.Vr));
        Assert.Equal(vm, entry.Multiplicity.ToString());
        Assert.True(DicomDictionary.TryGetTag(keyword, out var back));
        Assert.Equal(tag, back.Value);
    }

    [Theory]
    [InlineData(0x7FE00010u, "OW", false)]   // OB or OW
    [InlineData(0x00281201u, "OW", false)]
    [InlineData(0x00283006u, "OW", false)]   // US or OW
    [InlineData(0x00281200u, "OW", false)]   // US or SS or OW
    [InlineData(0x54001010u, "OW", false)]   // OB or OW
    [InlineData(0x00280106u, "US", true)]    // US or SS
    [InlineData(0x00283002u, "US", true)]
    [InlineData(0x00280010u, "US", false)]
    [InlineData(0x60003000u, "OW", false)]
    [InlineData(0x60023000u, "OW", false)]   // a repeating group
    [InlineData(0x601E0010u, "US", false)]
    [InlineData(0x50103000u, "OW", false)]
    [InlineData(0x00203102u, "CS", false)]   // (0020,31xx)
    [InlineData(0x00280410u, "US", false)]   // (0028,04x0)
    [InlineData(0x7F100010u, "OW", false)]
    [InlineData(0x00100000u, "UL", false)]   // group length
    [InlineData(0x00090000u, "UL", false)]
    [InlineData(0x00090010u, "LO", false)]   // private creator
    [InlineData(0x000900FFu, "LO", false)]
    public void TryGetVr_TagWithoutVrInItsEncoding_FollowsTheStandard(uint tag, string vr, bool isSignedWithPixels)
    {
        Assert.True(DicomDictionary.TryGetVr(new DicomTag(tag), out var found, out var signed));
        Assert.Equal(vr, Letters(found));
        Assert.Equal(isSignedWithPixels, signed);
    }

    [Theory]
    [InlineData(0x00091001u)]   // private
    [InlineData(0x00100011u + 0xEEEE)]
    [InlineData(0x60013000u)]   // odd: private, no repeating group
    [InlineData(0x0009000Fu)]
    [InlineData(0xFFFEE000u)]
    [InlineData(0xFFFFFFFFu)]
    public void TryGetVr_UnknownTag_IsUn(uint tag)
    {
        Assert.False(DicomDictionary.TryGetVr(new DicomTag(tag), out var vr, out _));
        Assert.Equal(DicomVr.UN, vr);
    }

    [Theory]
    [InlineData("")]
    [InlineData("patientname")]
    [InlineData("PatientNam")]
    [InlineData("PatientNameX")]
    [InlineData("Ж")]
    public void TryGetTag_NoSuchKeyword_IsFalse(string keyword) => Assert.False(DicomDictionary.TryGetTag(keyword, out _));

    [Fact]
    public void Tables_EveryRowOfTheSource_IsFoundByTagAndKeyword()
    {
        var rows = 0;
        foreach (var columns in ReadTsv("elements.tsv"))
        {
            Assert.True(DicomDictionary.TryGet(columns[1], out var entry), columns[1]);
            Assert.All(columns[0].Zip(entry.Tag.ToJsonKey()), digits => Assert.True(digits.First == 'x' || digits.First == digits.Second, columns[0]));
            Assert.Equal(columns[1], DicomDictionary.GetKeyword(entry.Tag));
            Assert.Equal(columns[1], entry.Keyword);
            Assert.Equal(columns[2] == "-" ? "" : columns[2].Split('/')[0], Letters(entry.Vr));
            Assert.Equal(columns[3], entry.Multiplicity.ToString());
            Assert.Equal(columns[4] == "R", entry.IsRetired);
            Assert.Equal(columns[5], entry.Name);
            Assert.Equal(columns[0].Contains('x'), entry.IsFamily);
            foreach (var vr in columns[2].Split('/').Where(v => v != "-"))
            {
                Assert.True(DicomVrExtensions.TryParse(vr, out var known));
                Assert.True(entry.Allows(known));
            }

            // The digits that vary may have any value.
            var any = uint.Parse(columns[0].Replace('x', 'E'), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            Assert.Equal(columns[1], DicomDictionary.GetKeyword(new DicomTag(any)));
            rows++;
        }

        Assert.Equal(rows, DicomDictionary.Count);
        Assert.True(rows > 5000);
    }

    [Fact]
    public void TryGetVr_EveryRow_AllocatesNothing()
    {
        Look();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Look();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Look()
        {
            for (var i = 0; i < DicomDictionary.Count; i++) DicomDictionary.TryGetVr(DicomDictionary.GetEntry(i).Tag, out _, out _);
        }
    }

    [Theory]
    [InlineData(1, 1, 1, "1")]
    [InlineData(1, null, 1, "1-n")]
    [InlineData(2, null, 2, "2-2n")]
    [InlineData(1, 3, 1, "1-3")]
    public void Multiplicity_Bounds_AllowWhatTheySay(int least, int? most, int step, string text)
    {
        var vm = new DicomMultiplicity(least, most, step);
        Assert.Equal(text, vm.ToString());
        Assert.True(vm.Allows(0));
        Assert.True(vm.Allows(least));
        Assert.Equal(least == 1, vm.Allows(1));
        Assert.Equal(most is null && step == 1, vm.Allows(5));
        Assert.Equal(most is null, vm.Allows(8));
    }

    [Fact]
    public void Tags_KeywordProperties_AreTheStandardsTags()
    {
        Assert.Equal(new DicomTag(0x0008, 0x0018), DicomTags.SOPInstanceUID);
        Assert.Equal(new DicomTag(0x7FE0, 0x0010), DicomTags.PixelData);
        Assert.Equal(new DicomTag(0x6000, 0x3000), DicomTags.OverlayData);
        foreach (var property in typeof(DicomTags).GetProperties())
            Assert.Equal(property.Name, DicomDictionary.GetKeyword((DicomTag)property.GetValue(null)!));
    }

    [Theory]
    [InlineData("1.2.840.10008.1.2.4.202", "HTJ2KLosslessRPCL", DicomUidKind.TransferSyntax)]
    [InlineData("1.2.840.10008.1.2.4.112", "JPEGXL", DicomUidKind.TransferSyntax)]
    [InlineData("1.2.840.10008.1.2.8.1", "DeflatedImageFrameCompression", DicomUidKind.TransferSyntax)]
    [InlineData("1.2.840.10008.1.2.1.98", "EncapsulatedUncompressedExplicitVRLittleEndian", DicomUidKind.TransferSyntax)]
    [InlineData("1.2.840.10008.5.1.4.1.1.2", "CTImageStorage", DicomUidKind.SopClass)]
    public void Uids_KnownIdentifier_HasItsRow(string uid, string keyword, DicomUidKind kind)
    {
        Assert.True(DicomUids.TryGet(uid, out var entry));
        Assert.Equal((uid, keyword, kind, false), (entry.Value, entry.Keyword, entry.Kind, entry.IsRetired));
    }

    [Fact]
    public void Uids_EveryRowOfTheSource_IsFound()
    {
        foreach (var columns in ReadTsv("uids.tsv"))
        {
            Assert.True(DicomUids.TryGet(columns[0], out var entry), columns[0]);
            Assert.Equal((columns[1], columns[3] == "R", columns[4]), (entry.Keyword, entry.IsRetired, entry.Name));
        }
    }

    [Fact]
    public void GetName_UnknownUid_IsTheUid() => Assert.Equal("1.2.3", DicomUids.GetName("1.2.3"));

    private static string Letters(DicomVr vr) => vr == DicomVr.None ? "" : new string([(char)((int)vr & 0xFF), (char)((int)vr >> 8)]);

    private static IEnumerable<string[]> ReadTsv(string name)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Platform.sln"))) folder = folder.Parent;
        Assert.NotNull(folder);
        return File.ReadLines(Path.Combine(folder.FullName, "libs/Platform.Dicom/Dictionary", name)).Where(l => l[0] != '#').Select(l => l.Split('\t'));
    }

    [Fact]
    public void FromName_SameName_IsTheSameUid()
    {
        // By Python: sha256 of the name, its first 128 bits with version 8 and variant 10.
        Assert.Equal("2.25.77210111846016297468465224670688639089", DicomUids.FromName("platform phantom ct 1 1 study"));
        Assert.NotEqual(DicomUids.FromName("a"), DicomUids.FromName("b"));
    }
}
