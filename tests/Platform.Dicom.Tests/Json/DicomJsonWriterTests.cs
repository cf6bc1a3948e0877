using System.Buffers;
using System.Text;
using System.Text.Json;
using Platform.Dicom.Json;
using Platform.Tests.Shared;

namespace Platform.Dicom.Tests.Json;

public sealed class DicomJsonWriterTests
{
    private static readonly DicomTag Private = new(0x0009, 0x1001);

    [Fact]
    public void Write_EmptyDataset_IsAnEmptyObject() => Assert.Equal("{}", Json([]));

    [Fact]
    public void Write_EveryKindOfVr_HasItsForm()
    {
        var dataset = new DicomDataset()
            .Set(DicomTags.SpecificCharacterSet, DicomVr.CS, "ISO_IR 100")
            .Set(DicomTags.ImageType, DicomVr.CS, "ORIGINAL", "", "AXIAL")
            .Set(DicomTags.SOPInstanceUID, DicomVr.UI, "1.2.3")
            .SetEmpty(DicomTags.AccessionNumber, DicomVr.SH)
            .Set(DicomTags.PatientName, DicomVr.PN, "Ménard^Zoë=x=y")
            .Set(DicomTags.PatientComments, DicomVr.LT, "a\\b \"quoted\"\r\n\tend")
            .Set(DicomTags.FrameIncrementPointer, new DicomTag(0x0018, 0x1063))
            .Set(DicomTags.PixelSpacing, DicomVr.DS, "0.70", "+1.5")
            .Set(DicomTags.InstanceNumber, DicomVr.IS, "007")
            .Set(DicomTags.Rows, DicomVr.US, 512L)
            .Set(DicomTags.PixelPaddingValue, DicomVr.SS, -2000L)
            .Set(DicomTags.RedPaletteColorLookupTableData, DicomVr.OW, new byte[] { 1, 2, 3, 4 })
            .Set(Private, DicomVr.UN, new byte[] { 0xFF });
        Assert.Equal(
            """
            {"00080005":{"vr":"CS","Value":["ISO_IR 192"]},
            "00080008":{"vr":"CS","Value":["ORIGINAL",null,"AXIAL"]},
            "00080018":{"vr":"UI","Value":["1.2.3"]},
            "00080050":{"vr":"SH"},
            "00091001":{"vr":"UN","InlineBinary":"/w=="},
            "00100010":{"vr":"PN","Value":[{"Alphabetic":"Ménard^Zoë","Ideographic":"x","Phonetic":"y"}]},
            "00104000":{"vr":"LT","Value":["a\\b \"quoted\"\r\n\tend"]},
            "00200013":{"vr":"IS","Value":[7]},
            "00280009":{"vr":"AT","Value":["00181063"]},
            "00280010":{"vr":"US","Value":[512]},
            "00280030":{"vr":"DS","Value":[0.70,1.5]},
            "00280120":{"vr":"SS","Value":[-2000]},
            "00281201":{"vr":"OW","InlineBinary":"AQIDBA=="}}
            """.ReplaceLineEndings(""), Json(dataset));
    }

    [Theory]
    [InlineData("1", "1")]
    [InlineData("-1.50", "-1.50")]
    [InlineData("+3", "3")]
    [InlineData(".5", "0.5")]
    [InlineData("-.5", "-0.5")]
    [InlineData("5.", "5")]
    [InlineData("-007.10", "-7.10")]
    [InlineData("000", "0")]
    [InlineData("1E5", "1E5")]
    [InlineData("1e-05", "1e-05")]
    [InlineData(" 12 ", "12")]
    [InlineData("1E400", "\"1E400\"")]              // no double
    [InlineData("9007199254740993", "9007199254740993")]
    [InlineData("123456789012345678901", "\"123456789012345678901\"")]
    [InlineData("1,5", "\"1,5\"")]
    [InlineData("NaN", "\"NaN\"")]
    [InlineData("0x10", "\"0x10\"")]
    [InlineData("-", "\"-\"")]
    [InlineData("+", "\"+\"")]
    [InlineData(".", "\".\"")]
    [InlineData("1 2", "\"1 2\"")]
    [InlineData("1\"}", "\"1\\\"}\"")]
    public void Write_NumberAsText_IsANumberWhereItIsOne(string text, string json)
    {
        var dataset = new DicomDataset().Set(DicomTags.SliceThickness, DicomVr.DS, Encoding.ASCII.GetBytes(text));
        Assert.Equal("{\"00180050\":{\"vr\":\"DS\",\"Value\":[" + json + "]}}", Json(dataset));
    }

    [Fact]
    public void Write_ManyTextNumbers_KeepsEmptyOnesAsNull()
    {
        var dataset = new DicomDataset().Set(DicomTags.ContourData, DicomVr.DS, "1\\\\-2.5\\ \\x"u8.ToArray());
        Assert.Equal("""{"30060050":{"vr":"DS","Value":[1,null,-2.5,null,"x"]}}""", Json(dataset));
    }

    [Fact]
    public void Write_RealsThatAreNotFinite_AreStrings()
    {
        var dataset = new DicomDataset()
            .Set(DicomTags.RealWorldValueSlope, DicomVr.FD, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0.1, 1e300, -0.0)
            .Set(DicomTags.RecommendedDisplayFrameRateInFloat, DicomVr.FL, 0.1, double.NaN);
        Assert.Equal("""{"00089459":{"vr":"FL","Value":[0.1,"NaN"]},"00409225":{"vr":"FD","Value":["NaN","inf","-inf",0.1,1E+300,-0]}}""", Json(dataset));
    }

    [Fact]
    public void Write_LargeWholeNumbers_AreStringsBeyondADoublesReach()
    {
        var dataset = new DicomDataset()
            .Set(new DicomTag(0x0072, 0x0082), DicomVr.SV, 9007199254740991, 9007199254740992, -9007199254740991, -9007199254740992, long.MinValue)
            .Set(new DicomTag(0x0072, 0x0083), DicomVr.UV, "1", "18446744073709551615");
        Assert.Equal(
            """{"00720082":{"vr":"SV","Value":[9007199254740991,"9007199254740992",-9007199254740991,"-9007199254740992","-9223372036854775808"]},"00720083":{"vr":"UV","Value":[1,"18446744073709551615"]}}""",
            Json(dataset));
    }

    [Fact]
    public void Write_Sequences_NestAndMayBeEmpty()
    {
        var dataset = new DicomDataset()
            .Set(DicomTags.ReferencedSeriesSequence, new DicomDataset().Set(DicomTags.ReferencedSOPSequence, new DicomDataset(), new DicomDataset().Set(DicomTags.ReferencedSOPInstanceUID, "1.2")))
            .SetEmpty(DicomTags.ProcedureCodeSequence, DicomVr.SQ);
        Assert.Equal("""{"00081032":{"vr":"SQ"},"00081115":{"vr":"SQ","Value":[{"00081199":{"vr":"SQ","Value":[{},{"00081155":{"vr":"UI","Value":["1.2"]}}]}}]}}""", Json(dataset));
    }

    [Fact]
    public void Write_GroupLengthsAndFileMeta_AreLeftOut()
    {
        var dataset = new DicomDataset()
            .Set(new DicomTag(0x0008, 0), DicomVr.UL, 10L)
            .Set(DicomTags.TransferSyntaxUID, "1.2.840.10008.1.2")
            .Set(DicomTags.Modality, "CT");
        Assert.Equal("""{"00080060":{"vr":"CS","Value":["CT"]}}""", Json(dataset));
    }

    [Theory]
    [InlineData("", "{\"00100010\":{\"vr\":\"PN\"}}")]
    [InlineData("==", "{\"00100010\":{\"vr\":\"PN\"}}")]
    [InlineData("=x", "{\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Ideographic\":\"x\"}]}}")]
    [InlineData("a\\\\b==c=d", "{\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Alphabetic\":\"a\"},null,{\"Alphabetic\":\"b\",\"Phonetic\":\"c=d\"}]}}")]
    public void Write_PersonName_HasTheGroupsThatAreNotEmpty(string name, string json) =>
        Assert.Equal(json, Json(new DicomDataset().Set(DicomTags.PatientName, DicomVr.PN, Encoding.ASCII.GetBytes(name))));

    [Fact]
    public void Write_ControlCharacters_AreEscaped()
    {
        var json = Json(new DicomDataset().Set(DicomTags.PatientComments, DicomVr.LT, Enumerable.Range(1, 31).Select(b => (byte)b).Append((byte)'.').ToArray()));
        using var document = JsonDocument.Parse(json);
        Assert.StartsWith("\u0001\u0002", document.RootElement.GetProperty("00104000").GetProperty("Value")[0].GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(json, char.IsControl);
    }

    [Fact]
    public void Write_ItemWithItsOwnCharacterSet_IsDecodedWithIt()
    {
        var item = new DicomDataset()
            .Set(DicomTags.SpecificCharacterSet, DicomVr.CS, "ISO_IR 144")
            .Set(DicomTags.CodeMeaning, DicomVr.LO, "Люкceмбypг");
        var inherits = new DicomDataset();
        var dataset = new DicomDataset().Set(DicomTags.SpecificCharacterSet, DicomVr.CS, "ISO_IR 100").Set(DicomTags.ProcedureCodeSequence, item, inherits);
        inherits.Set(DicomTags.CodeMeaning, DicomVr.LO, "é");
        Assert.Equal(
            """{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00081032":{"vr":"SQ","Value":[{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00080104":{"vr":"LO","Value":["Люкceмбypг"]}},{"00080104":{"vr":"LO","Value":["é"]}}]}}""",
            Json(dataset));
    }

    [Fact]
    public void Write_BulkDataUri_IsAskedForLongValuesWithTheirPath()
    {
        var inner = new DicomDataset().Set(DicomTags.RedPaletteColorLookupTableData, DicomVr.OW, new byte[2000]);
        var dataset = new DicomDataset()
            .Set(DicomTags.IconImageSequence, new DicomDataset(), inner)
            .Set(DicomTags.EncapsulatedDocument, DicomVr.OB, new byte[1025])
            .Set(DicomTags.ICCProfile, DicomVr.OB, new byte[2])
            .SetFragments(DicomTags.PixelData, [default, new byte[4]]);
        var options = new DicomJsonOptions { BulkDataUri = Uri };
        Assert.Equal(
            """{"00282000":{"vr":"OB","InlineBinary":"AAA="},"00420011":{"vr":"OB","BulkDataURI":"/00420011?1025"},"00880200":{"vr":"SQ","Value":[{},{"00281201":{"vr":"OW","BulkDataURI":"/00880200/1/00281201?2000"}}]},"7FE00010":{"vr":"OB","BulkDataURI":"/7FE00010?"}}""",
            Json(dataset, options));

        static string Uri(in DicomBulkValue value)
        {
            var uri = new StringBuilder("/");
            foreach (var step in value.Path) uri.Append($"{step.Sequence.ToJsonKey()}/{step.ItemIndex}/");
            return uri.Append($"{value.Tag.ToJsonKey()}?{value.LengthBytes}").ToString();
        }
    }

    [Fact]
    public void Write_BulkDataUriThatIsNull_WritesTheValue() =>
        Assert.Contains("InlineBinary", Json(new DicomDataset().Set(DicomTags.EncapsulatedDocument, DicomVr.OB, new byte[5000]), new DicomJsonOptions { BulkDataUri = (in value) => null }), StringComparison.Ordinal);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3072)]
    [InlineData(3073)]
    [InlineData(100_000)]
    public void Write_InlineBinary_IsTheValueWhateverItsLength(int length)
    {
        var value = new byte[length];
        new Random(length).NextBytes(value);
        using var document = JsonDocument.Parse(Json(new DicomDataset().Set(DicomTags.EncapsulatedDocument, DicomVr.OB, value)));
        var element = document.RootElement.GetProperty("00420011");
        Assert.Equal(value, element.TryGetProperty("InlineBinary", out var inline) ? inline.GetBytesFromBase64() : []);
    }

    [Fact]
    public void Write_Filter_PicksElementsOfTheTopLevel()
    {
        var dataset = new DicomDataset().Set(DicomTags.Modality, "CT").Set(DicomTags.ProcedureCodeSequence, new DicomDataset().Set(DicomTags.CodeValue, "1"));
        Assert.Equal("""{"00081032":{"vr":"SQ","Value":[{"00080100":{"vr":"SH","Value":["1"]}}]}}""", Json(dataset, new DicomJsonOptions { Filter = tag => tag != DicomTags.Modality }));
    }

    [Fact]
    public void Write_UnknownVrOfAKnownElement_HasTheDictionarysVr() =>
        Assert.Equal("""{"00180050":{"vr":"DS","Value":[1.25]}}""", Json(new DicomDataset().Set(DicomTags.SliceThickness, DicomVr.UN, "1.25"u8.ToArray())));

    [Fact]
    public void Write_LongText_IsWholeAcrossBlocks()
    {
        var text = string.Concat(Enumerable.Range(0, 5000).Select(i => $"{i}é\"\n"));
        using var document = JsonDocument.Parse(Json(new DicomDataset().Set(DicomTags.SpecificCharacterSet, "ISO_IR 100").Set(DicomTags.TextValue, DicomVr.UT, text)));
        Assert.Equal(text, document.RootElement.GetProperty("0040A160").GetProperty("Value")[0].GetString());
    }

    [Fact]
    public void Write_ThroughUtf8JsonWriter_IsAValueAmongOthers()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            DicomJsonWriter.Write(json, new DicomDataset().Set(DicomTags.Modality, "CT"));
            DicomJsonWriter.Write(json, []);
            json.WriteEndArray();
        }

        Assert.Equal("""[{"00080060":{"vr":"CS","Value":["CT"]}},{}]""", Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    [DataFact("ct-series-a")]
    public void Write_HeaderOfARealImage_MakesNoGarbage()
    {
        using var file = DicomFile.Read(TestData.GetFiles("ct-series-a")[0]);
        var buffer = new ArrayBufferWriter<byte>(1 << 20);
        DicomJsonWriter.Write(buffer, file.Dataset);
        buffer.ResetWrittenCount();
        var before = GC.GetAllocatedBytesForCurrentThread();
        DicomJsonWriter.Write(buffer, file.Dataset);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 512);
    }

    [DataFact("ct-series-a")]
    public void Write_FileWhosePixelsWereNotRead_GivesThemAUri()
    {
        using var file = DicomFile.Read(TestData.GetFiles("ct-series-a")[0]);
        var buffer = new ArrayBufferWriter<byte>();
        DicomJsonWriter.Write(buffer, file, new DicomJsonOptions { BulkDataUri = (in value) => $"bulk/{value.Tag.ToJsonKey()}" });
        Assert.EndsWith("""
            ,"7FE00010":{"vr":"OW","BulkDataURI":"bulk/7FE00010"}}
            """, Encoding.UTF8.GetString(buffer.WrittenSpan), StringComparison.Ordinal);
    }

    private static string Json(DicomDataset dataset, DicomJsonOptions? options = null) => Encoding.UTF8.GetString(DicomJsonWriter.ToUtf8(dataset, options));
}
