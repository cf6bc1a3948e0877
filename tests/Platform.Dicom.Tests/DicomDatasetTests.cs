using Platform.Tests.Shared;

namespace Platform.Dicom.Tests;

public sealed class DicomDatasetTests
{
    [Fact]
    public void Set_InAnyOrder_EnumeratesByTag()
    {
        var dataset = new DicomDataset().Set(DicomTags.Rows, 3).Set(DicomTags.PatientName, "A^B").Set(DicomTags.Modality, "CT").Set(DicomTags.Rows, 4);

        Assert.Equal([DicomTags.Modality, DicomTags.PatientName, DicomTags.Rows], dataset.Select(element => element.Tag));
        Assert.Equal(4, dataset.GetInt32(DicomTags.Rows));
        Assert.True(dataset.Remove(DicomTags.PatientName));
        Assert.False(dataset.Remove(DicomTags.PatientName));
        Assert.Equal(2, dataset.Count);
    }

    [Fact]
    public void GetString_CharacterSetOfTheParent_DecodesItems()
    {
        var item = new DicomDataset();
        var dataset = new DicomDataset().Set(DicomTags.SpecificCharacterSet, "ISO_IR 192").Set(DicomTags.ProcedureCodeSequence, item);
        item.Set(DicomTags.CodeMeaning, "Hüfte");

        Assert.Equal("Hüfte", item.GetString(DicomTags.CodeMeaning));
        Assert.Equal("Hüfte"u8, item.Single().Span);
        Assert.Same(dataset, item.Parent);
    }

    [Fact]
    public void Set_CharacterSetChanges_ReadsWithTheNewOne()
    {
        var dataset = new DicomDataset().Set(DicomTags.SpecificCharacterSet, "ISO_IR 100").Set(DicomTags.PatientName, "Ménard");
        Assert.Equal("Ménard", dataset.GetString(DicomTags.PatientName));
        dataset.Set(DicomTags.SpecificCharacterSet, "ISO_IR 192");

        Assert.NotEqual("Ménard", dataset.GetString(DicomTags.PatientName));
    }

    [Fact]
    public void Set_TextTheCharacterSetLacks_Throws() =>
        Assert.Throws<ArgumentException>(() => new DicomDataset().Set(DicomTags.PatientName, "山田"));

    [Fact]
    public void Set_ValuesThatDoNotFit_Throw()
    {
        var dataset = new DicomDataset();
        Assert.Throws<ArgumentException>(() => dataset.Set(DicomTags.PatientID, "a\\b"));
        Assert.Throws<ArgumentException>(() => dataset.Set(DicomTags.Rows, 70_000));
        Assert.Throws<ArgumentException>(() => dataset.Set(DicomTags.Rows, "many"));
        Assert.Throws<ArgumentException>(() => dataset.Set(DicomTags.Rows, 1.5));
        Assert.Throws<ArgumentException>(() => dataset.Set(DicomTags.PixelData, "text"));
        Assert.Throws<ArgumentException>(() => dataset.Set(DicomTags.SliceThickness, double.NaN));
        Assert.Throws<ArgumentException>(() => dataset.Set(new DicomTag(0x0009, 0x1001), "private"));
        Assert.Empty(dataset);
    }

    [Fact]
    public void Set_DataSetIntoItselfOrTwoParents_Throws()
    {
        var inner = new DicomDataset();
        var outer = new DicomDataset().Set(DicomTags.ReferencedImageSequence, inner);

        Assert.Throws<ArgumentException>(() => inner.Set(DicomTags.ReferencedImageSequence, outer));
        Assert.Throws<ArgumentException>(() => inner.Set(DicomTags.ReferencedImageSequence, inner));
        Assert.Throws<ArgumentException>(() => new DicomDataset().Set(DicomTags.ReferencedImageSequence, inner));
    }

    [Theory]
    [InlineData(0.1, "0.1")]
    [InlineData(-158.135803, "-158.135803")]
    [InlineData(1.0 / 3, "0.33333333333333")]
    [InlineData(-1.23456789012345678e-100, "-1.234567890E-100")]
    [InlineData(123456789012345680.0, "1.23456789012E+17")]
    public void Set_DecimalString_HasAtMost16Characters(double value, string expected)
    {
        var text = new DicomDataset().Set(DicomTags.SliceThickness, value).GetString(DicomTags.SliceThickness)!;

        Assert.InRange(text.Length, 1, 16);
        Assert.Equal(double.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), double.Parse(text, System.Globalization.CultureInfo.InvariantCulture), Math.Abs(value) * 1e-8);
    }

    [Fact]
    public void GetNumber_NotANumber_IsNull()
    {
        var dataset = new DicomDataset().Set(DicomTags.InstanceNumber, DicomVr.IS, "12a").Set(DicomTags.SliceThickness, DicomVr.DS, "").Set(DicomTags.PixelSpacing, DicomVr.DS, "1", "x");

        Assert.Null(dataset.GetInt32(DicomTags.InstanceNumber));
        Assert.Null(dataset.GetDouble(DicomTags.SliceThickness));
        Assert.Null(dataset.GetString(DicomTags.SliceThickness));
        Assert.Empty(dataset.GetDoubles(DicomTags.PixelSpacing));
        Assert.Equal(1, dataset.GetDouble(DicomTags.PixelSpacing));
        Assert.Null(dataset.GetInt32(DicomTags.Rows));
        Assert.Empty(dataset.GetStrings(DicomTags.Rows));
    }

    [Fact]
    public void GetInt32_WholeNumberWrittenAsDecimal_IsRead()
    {
        var dataset = new DicomDataset().Set(DicomTags.SliceThickness, DicomVr.DS, "5.0").Set(DicomTags.KVP, DicomVr.DS, "5.5");

        Assert.Equal(5, dataset.GetInt32(DicomTags.SliceThickness));
        Assert.Null(dataset.GetInt32(DicomTags.KVP));
    }

    [Fact]
    public async Task Read_FromManyThreads_GivesEachTheSame()
    {
        var bytes = new DicomBuilder().With(dataset => dataset.Set(DicomTags.ReferencedImageSequence, [.. Enumerable.Range(0, 50).Select(i => new DicomDataset().Set(DicomTags.ReferencedSOPInstanceUID, $"1.2.{i}"))])).Build();
        for (var round = 0; round < 50; round++)
        {
            using var file = DicomFile.Read(bytes);
            var data = file.Dataset;
            await Parallel.ForAsync(0, 8, (_, _) =>
            {
                Assert.Equal("SYNTHETIC^TEST", data.GetString(DicomTags.PatientName));
                Assert.Equal("1.2.49", data.GetItems(DicomTags.ReferencedImageSequence)[49].GetString(DicomTags.ReferencedSOPInstanceUID));
                return ValueTask.CompletedTask;
            });
        }
    }

    [Fact]
    public void Set_OnAReadDataSet_KeepsTheRest()
    {
        using var file = DicomFile.Read(new DicomBuilder().Build());
        var count = file.Dataset.Count;
        file.Dataset.Set(DicomTags.PatientID, "NEW").Set(new DicomTag(0x0009, 0x0010), DicomVr.LO, "MAKER");

        Assert.Equal(count + 1, file.Dataset.Count);
        Assert.Equal("NEW", file.Dataset.GetString(DicomTags.PatientID));
        Assert.Equal("SYNTHETIC^TEST", file.Dataset.GetString(DicomTags.PatientName));
    }
}
