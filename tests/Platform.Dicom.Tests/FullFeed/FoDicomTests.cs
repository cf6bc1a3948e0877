using Platform.Tests.Shared;
using FoDicom = FellowOakDicom;

namespace Platform.Dicom.Tests.FullFeed;

/// <summary>Every element of every real file as fo-dicom reads it: tag, VR and the bytes of its value, at every depth.</summary>
public sealed class FoDicomTests
{
    public static TheoryData<string> Files()
    {
        var data = new TheoryData<string>();
        foreach (var folder in new[] { "dicom-zoo", "ct-series-a", "mr-series" })
        {
            foreach (var path in TestData.GetFiles(folder)) data.Add($"{folder}/{Path.GetFileName(path)}");
        }
        if (data.Count == 0) data.Add("none");
        return data;
    }

    [DataTheory("dicom-zoo")]
    [MemberData(nameof(Files))]
    public void Read_RealFile_HasTheElementsThatFoDicomSees(string file)
    {
        var path = TestData.GetPath(file);
        using var ours = DicomFile.Read(path, new DicomReadOptions { StopBeforePixels = false });
        var theirs = FoDicom.DicomFile.Open(path, FoDicom.FileReadOption.ReadAll);
        Compare(theirs.Dataset, ours.Dataset, isSameByteOrder: !ours.TransferSyntax.IsBigEndian);
    }

    private static void Compare(FoDicom.DicomDataset theirs, DicomDataset ours, bool isSameByteOrder)
    {
        foreach (var item in theirs)
        {
            var tag = new DicomTag(item.Tag.Group, item.Tag.Element);
            if (tag.Element == 0) continue; // group lengths: fo-dicom drops or keeps them by its own rule
            Assert.True(ours.TryGetElement(tag, out var element), $"{tag} is missing");
            switch (item)
            {
                case FoDicom.DicomSequence sequence:
                    var items = ours.GetItems(tag);
                    Assert.Equal(sequence.Items.Count, items.Count);
                    for (var i = 0; i < items.Count; i++) Compare(sequence.Items[i], items[i], isSameByteOrder);
                    break;
                case FoDicom.DicomElement value:
                    Assert.Equal(value.Buffer.Size, element.Length);
                    if (isSameByteOrder && !element.IsDeferred) Assert.Equal(value.Buffer.Data, element.Span.ToArray());
                    break;
            }
        }
    }
}
