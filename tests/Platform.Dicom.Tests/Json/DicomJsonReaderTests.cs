using System.Text;
using System.Text.Json;
using Platform.Dicom.Json;
using Platform.Tests.Shared;

namespace Platform.Dicom.Tests.Json;

public sealed class DicomJsonReaderTests
{
    [Fact]
    public void Read_EveryKindOfVr_HasItsValues()
    {
        var dataset = Read("""
            { "00080008": { "vr": "CS", "Value": ["ORIGINAL", null, "AXIAL"] },
              "00100010": { "Value": [{ "Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小東" }, null, { "Phonetic": "p" }], "vr": "PN" },
              "00104000": { "vr": "LT", "Value": ["a\\b\nc"] },
              "00200013": { "vr": "IS", "Value": [7, "8", 9.0] },
              "00280009": { "vr": "AT", "Value": ["00181063"] },
              "00280010": { "vr": "US", "Value": [512, "3"] },
              "00280030": { "vr": "DS", "Value": [0.70, "1.5", null] },
              "00281201": { "vr": "OW", "InlineBinary": "AQIDBA==" },
              "00409225": { "vr": "FD", "Value": ["NaN", "-inf", 0.1] },
              "00720083": { "vr": "UV", "Value": ["18446744073709551615", 1] },
              "00080050": { "vr": "SH" },
              "00081115": { "vr": "SQ", "Value": [{ "0020000e": { "vr": "UI", "Value": ["1.2"] } }, {}, null] },
              "00091001": { "vr": "UN", "InlineBinary": "/w==" } }
            """);
        Assert.Equal(["ORIGINAL", "", "AXIAL"], dataset.GetStrings(DicomTags.ImageType));
        Assert.Equal(["Wang^XiaoDong=王^小東", "", "==p"], dataset.GetStrings(DicomTags.PatientName));
        Assert.Equal("ISO_IR 192", dataset.GetString(DicomTags.SpecificCharacterSet));
        Assert.Equal("a\\b\nc", dataset.GetString(DicomTags.PatientComments));
        Assert.Equal(["7", "8", "9"], dataset.GetStrings(DicomTags.InstanceNumber));
        Assert.Equal(["00181063"], dataset.GetStrings(DicomTags.FrameIncrementPointer));
        Assert.Equal([512, 3], dataset.GetDoubles(DicomTags.Rows));
        Assert.Equal(["0.70", "1.5", ""], dataset.GetStrings(DicomTags.PixelSpacing));
        Assert.True(dataset.TryGetElement(DicomTags.RedPaletteColorLookupTableData, out var palette));
        Assert.Equal([1, 2, 3, 4], palette.Value.ToArray());
        Assert.Equal([double.NaN, double.NegativeInfinity, 0.1], dataset.GetDoubles(DicomTags.RealWorldValueSlope));
        Assert.Equal(["18446744073709551615", "1"], dataset.GetStrings(new DicomTag(0x0072, 0x0083)));
        Assert.True(dataset.TryGetElement(DicomTags.AccessionNumber, out var empty) && empty.IsEmpty && empty.Vr == DicomVr.SH);
        Assert.Equal(3, dataset.GetItems(DicomTags.ReferencedSeriesSequence).Count);
        Assert.Equal("1.2", dataset.GetItem(DicomTags.ReferencedSeriesSequence)!.GetString(DicomTags.SeriesInstanceUID));
        Assert.Equal(14, dataset.Count);
    }

    [Fact]
    public void Read_WithoutVr_UsesTheDictionary() => Assert.Equal(512, Read("""{"00280010":{"Value":[512]}}""").GetInt32(DicomTags.Rows));

    [Fact]
    public void Read_GroupLengthsAndFileMeta_ArePassedOver() =>
        Assert.Equal(0, Read("""{"00080000":{"vr":"UL","Value":[1]},"00020010":{"vr":"UI","Value":["1.2"]},"FFFEE000":{"vr":"UN"}}""").Count);

    [Fact]
    public void Read_BulkDataUri_IsResolvedOrLeftOut()
    {
        const string json = """{"7FE00010":{"vr":"OB","BulkDataURI":"bulk/1"},"00080060":{"vr":"CS","Value":["CT"]}}""";
        Assert.Equal(1, Read(json).Count);

        string? asked = null;
        var dataset = Read(json, new DicomJsonReadOptions
        {
            BulkData = (tag, vr, uri) =>
            {
                asked = $"{tag} {vr} {uri}";
                return new byte[] { 1, 2 };
            }
        });
        Assert.Equal("(7FE0,0010) OB bulk/1", asked);
        Assert.True(dataset.TryGetElement(DicomTags.PixelData, out var pixels));
        Assert.Equal([1, 2], pixels.Value.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{}{}")]
    [InlineData("{\"00080060\":1}")]
    [InlineData("{\"PatientName\":{\"vr\":\"PN\"}}")]
    [InlineData("{\"0008006\":{\"vr\":\"CS\"}}")]
    [InlineData("{\"0x080060\":{\"vr\":\"CS\"}}")]
    [InlineData("{\"00080060\":{\"vr\":\"ZZ\"}}")]
    [InlineData("{\"00080060\":{\"vr\":5}}")]
    [InlineData("{\"00091001\":{\"Value\":[1]}}")]
    [InlineData("{\"00080060\":{\"vr\":\"CS\"},\"00080060\":{\"vr\":\"CS\"}}")]
    [InlineData("{\"0020000E\":{\"vr\":\"UI\"},\"00080060\":{\"vr\":\"CS\"},\"0020000e\":{\"vr\":\"UI\"}}")]
    [InlineData("{\"00080060\":{\"vr\":\"CS\",\"Value\":\"CT\"}}")]
    [InlineData("{\"00080060\":{\"vr\":\"CS\",\"Value\":[5]}}")]
    [InlineData("{\"00080060\":{\"vr\":\"CS\",\"Value\":[{}]}}")]
    [InlineData("{\"00080060\":{\"vr\":\"CS\",\"Value\":[\"é\"]}}")]
    [InlineData("{\"00080060\":{\"vr\":\"CS\",\"Value\":[\"a\\\\b\"]}}")]
    [InlineData("{\"00080060\":{\"vr\":\"CS\",\"Value\":[\"a\"],\"Value\":[\"b\"]}}")]
    [InlineData("{\"00080060\":{\"vr\":\"CS\",\"Value\":[\"a\"],\"InlineBinary\":\"\"}}")]
    [InlineData("{\"00080060\":{\"vr\":\"CS\",\"InlineBinary\":\"AA==\"}}")]
    [InlineData("{\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Alphabetic\":\"a=b\"}]}}")]
    [InlineData("{\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Latin\":\"a\"}]}}")]
    [InlineData("{\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Alphabetic\":1}]}}")]
    [InlineData("{\"00100010\":{\"vr\":\"PN\",\"Value\":[\"\\ud800\"]}}")]
    [InlineData("{\"00104000\":{\"vr\":\"LT\",\"Value\":[\"a\",\"b\"]}}")]
    [InlineData("{\"00200013\":{\"vr\":\"IS\",\"Value\":[1.5]}}")]
    [InlineData("{\"00200013\":{\"vr\":\"IS\",\"Value\":[true]}}")]
    [InlineData("{\"00180050\":{\"vr\":\"DS\",\"Value\":[1e400000000000]}}")]
    [InlineData("{\"00280010\":{\"vr\":\"US\",\"Value\":[65536]}}")]
    [InlineData("{\"00280010\":{\"vr\":\"US\",\"Value\":[-1]}}")]
    [InlineData("{\"00280010\":{\"vr\":\"US\",\"Value\":[1.5]}}")]
    [InlineData("{\"00280010\":{\"vr\":\"US\",\"Value\":[null]}}")]
    [InlineData("{\"00280010\":{\"vr\":\"US\",\"Value\":[\"x\"]}}")]
    [InlineData("{\"00280009\":{\"vr\":\"AT\",\"Value\":[\"0018\"]}}")]
    [InlineData("{\"00089459\":{\"vr\":\"FL\",\"Value\":[1e39]}}")]
    [InlineData("{\"00281201\":{\"vr\":\"OW\",\"InlineBinary\":\"?\"}}")]
    [InlineData("{\"00281201\":{\"vr\":\"OW\",\"Value\":[1]}}")]
    [InlineData("{\"00081115\":{\"vr\":\"SQ\",\"Value\":[1]}}")]
    [InlineData("{\"00081115\":{\"vr\":\"SQ\",\"BulkDataURI\":\"x\"}}")]
    [InlineData("{\"00081115\":{\"vr\":\"SQ\",\"InlineBinary\":\"AA==\"}}")]
    public void Read_WhatIsNotDicomJson_Throws(string json) => Assert.Throws<DicomJsonException>(() => Read(json));

    [Fact]
    public void Read_BrokenValue_SaysWhereWithoutTheValue()
    {
        var failure = Assert.Throws<DicomJsonException>(() => Read("""{"00100020":{"vr":"LO","Value":["SECRET\\ID"]}}"""));
        Assert.Equal(DicomTags.PatientID, failure.Tag);
        Assert.Equal(32, failure.Offset);
        Assert.DoesNotContain("SECRET", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NestedTooDeep_Throws()
    {
        Assert.NotNull(Read(Nested(64)));
        Assert.Contains("deep", Assert.Throws<DicomJsonException>(() => Read(Nested(65))).Message, StringComparison.Ordinal);
        Assert.Throws<DicomJsonException>(() => Read(Nested(100_000)));
        Assert.Throws<DicomJsonException>(() => Read(string.Concat(Enumerable.Repeat("[", 1_000_000))));

        static string Nested(int depth) => string.Concat(Enumerable.Repeat("""{"00081115":{"vr":"SQ","Value":[""", depth)) + "{}" + string.Concat(Enumerable.Repeat("]}}", depth));
    }

    [Fact]
    public void Read_TooManyAttributes_Throws()
    {
        var json = "{" + string.Join(',', Enumerable.Range(0, 101).Select(i => $"\"0009{i + 0x1000:X4}\":{{\"vr\":\"LO\"}}")) + "}";
        Assert.Equal(101, Read(json).Count);
        Assert.Throws<DicomJsonException>(() => Read(json, new DicomJsonReadOptions { MaxElements = 100 }));
        Assert.Throws<DicomJsonException>(() => Read("""{"00081115":{"vr":"SQ","Value":[{},{},{},{}]}}""", new DicomJsonReadOptions { MaxElements = 4 }));
    }

    [Fact]
    public void Read_AttributesInReverseOrder_IsNotQuadratic()
    {
        const int Count = 200_000;
        var json = "{" + string.Join(',', Enumerable.Range(0, Count).Select(i => $"\"{(uint)(0x7FDF_FFFF - i):X8}\":{{\"vr\":\"LO\"}}").Where(a => !a.Contains("0000\":"))) + "}";
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        Assert.InRange(Read(json).Count, Count - 100, Count);
        // Inserting each in front of all others would take many minutes.
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 60);
    }

    [Fact]
    public void ReadArray_SeveralDatasets_AreReadApart()
    {
        var datasets = DicomJsonReader.ReadArray("""[{"00100010":{"vr":"PN","Value":[{"Alphabetic":"é"}]}},{"00080060":{"vr":"CS","Value":["CT"]}},{}]"""u8);
        Assert.Equal([2, 1, 0], datasets.Select(dataset => dataset.Count));
        Assert.Empty(DicomJsonReader.ReadArray("[]"u8));
        Assert.Throws<DicomJsonException>(() => DicomJsonReader.ReadArray("{}"u8));
        Assert.Throws<DicomJsonException>(() => DicomJsonReader.ReadArray("[{}"u8));
    }

    [DataTheory("dicom-zoo")]
    [MemberData(nameof(Zoo))]
    public void Read_WhatWasWritten_IsTheSameDataset(string path)
    {
        using var file = DicomFile.Read(path);
        var json = DicomJsonWriter.ToUtf8(file.Dataset);
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 256 });

        var again = DicomJsonReader.Read(json);
        Assert.Equal(Encoding.UTF8.GetString(json), Encoding.UTF8.GetString(DicomJsonWriter.ToUtf8(again)));
        AssertSame(file.Dataset, again);
    }

    public static TheoryData<string> Zoo => [.. TestData.GetFiles("dicom-zoo")];

    /// <summary>Any data set that the parser makes of damaged files becomes valid JSON, and reading that JSON gives a data set or the exception.</summary>
    [DataFact("dicom-zoo")]
    public void Write_DatasetsOfDamagedFiles_AreValidJson()
    {
        var files = TestData.GetFiles("dicom-zoo").Select(File.ReadAllBytes).Where(bytes => bytes.Length < 12_000).ToArray();
        var random = new Random(20261120);
        var written = 0;
        for (var round = 0; round < 3000; round++)
        {
            var bytes = files[round % files.Length].ToArray();
            for (var i = random.Next(1, 12); i > 0; i--) bytes[random.Next(Math.Min(bytes.Length, 132), bytes.Length)] = (byte)random.Next(256);
            try
            {
                using var file = DicomFile.Read((ReadOnlyMemory<byte>)bytes, new DicomReadOptions { StopBeforePixels = round % 2 == 0 });
                var json = DicomJsonWriter.ToUtf8(file.Dataset);
                JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 512 }).Dispose();
                written++;
                DicomJsonReader.Read(json);
            }
            catch (Exception expected) when (expected is DicomParseException or DicomJsonException)
            {
            }
        }

        Assert.True(written > 1000, $"only {written} damaged files could be read");
    }

    [Fact]
    public void Read_DamagedJson_GivesDataOrTheException()
    {
        var good = """{"00080008":{"vr":"CS","Value":["ORIGINAL",null]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"Wang^X","Ideographic":"王^小東"}]},"00081115":{"vr":"SQ","Value":[{"0020000E":{"vr":"UI","Value":["1.2"]}},{}]},"00280010":{"vr":"US","Value":[512]},"00281201":{"vr":"OW","InlineBinary":"AQIDBA=="},"00409225":{"vr":"FD","Value":["NaN",0.1]}}"""u8.ToArray();
        var random = new Random(7);
        var pieces = "{}[]:,\"\\0e1.-n\u00ff"u8.ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var json = good.AsSpan(0, round % 5 == 0 ? random.Next(good.Length) : good.Length).ToArray();
            for (var i = random.Next(4); i > 0 && json.Length > 0; i--) json[random.Next(json.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : pieces[random.Next(pieces.Length)];
            try
            {
                DicomJsonReader.Read(json);
            }
            catch (DicomJsonException)
            {
            }
        }
    }

    private static void AssertSame(DicomDataset expected, DicomDataset actual)
    {
        foreach (var element in expected)
        {
            if (element.Tag.IsGroupLength || element.Tag == DicomTags.SpecificCharacterSet || element.IsDeferred) continue;
            Assert.True(actual.TryGetElement(element.Tag, out var other), element.ToString());
            if (element.IsSequence)
            {
                Assert.Equal(element.Items.Count, other.Items.Count);
                for (var i = 0; i < element.Items.Count; i++) AssertSame(element.Items[i], other.Items[i]);
            }
            else if (element.Vr.IsText)
            {
                Assert.Equal(Texts(element), Texts(other));
            }
            else if (element.Vr.IsNumeric)
            {
                Assert.Equal(element.GetStrings(), other.GetStrings());
            }
        }

        // A number may lose its plus sign and leading zeros, a name its empty groups, and one empty value is none.
        static object[] Texts(DicomElement element) => element.Vr is DicomVr.DS or DicomVr.IS && element.GetDoubles() is { Length: > 0 } numbers
            ? [.. numbers.Cast<object>()]
            : element.GetStrings() is [var only] && only.TrimEnd('=').Length == 0 ? [] : [.. element.GetStrings().Select(text => element.Vr == DicomVr.PN ? text.TrimEnd('=') : text)];
    }

    private static DicomDataset Read(string json, DicomJsonReadOptions? options = null) => DicomJsonReader.Read(Encoding.UTF8.GetBytes(json), options);
}
