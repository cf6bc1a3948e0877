using ImageApi.Rendered;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Rendered;

public sealed class AnnotationTextTests
{
    [Theory]
    [InlineData("DOE^JANE^MARY^^MD", "DOE, JANE MARY MD")]
    [InlineData("M\u00FCller^J\u00F6rg", "Muller, Jorg")]
    [InlineData("\u0141\u0105cka-G\u0142\u00F3g^Stra\u00DFe", "Lacka-Glog, Strasse")]
    [InlineData("\u0427\u0430\u0439\u043A\u043E\u0432\u0441\u043A\u0438\u0439^\u041F\u0451\u0442\u0440", "Chaikovskii, Petr")]
    [InlineData("\u0398\u03B5\u03BF\u03B4\u03C9\u03C1\u03AC\u03BA\u03B7\u03C2^\u039C\u03AF\u03BA\u03B7\u03C2", "Theodorakis, Mikis")]
    [InlineData("Yamada^Tarou=\u5C71\u7530^\u592A\u90CE=\u3084\u307E\u3060^\u305F\u308D\u3046", "Yamada, Tarou")]
    [InlineData("=\u5C71\u7530^\u592A\u90CE", "name [not in Latin letters]")]
    [InlineData("D\u5C71^Jane", "name [not in Latin letters]")]
    public void Read_Name_IsSpeltInLatinLettersOrSaidNotToBe(string name, string expected)
    {
        var dataset = new DicomBuilder().With(DicomTags.PatientName, name).ToDataset();
        Assert.Equal(expected, AnnotationText.Read(dataset, Annotations.Patient, 0, 1).Patient[0]);
    }

    [Fact]
    public void Read_Technique_SaysWhatWasDoneAndNothingOfThePatient()
    {
        var text = AnnotationText.Read(new DicomBuilder { Frames = 3, InstanceNumber = 7 }.ToDataset(), Annotations.Technique, 1, 3);
        Assert.Empty(text.Patient);
        Assert.Equal(["CT  2026-11-20  12:00  synthetic", "series 1  axial", "image 7  frame 2/3  at 0, 0, 8.8 mm  thickness 1.25 mm"], text.Technique);
    }
}
