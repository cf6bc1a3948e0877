using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Platform.Dicom.Tests.Oracles;
using Platform.Tests.Shared;

namespace Platform.Dicom.Tests.Parsing;

/// <summary>Real files of many makers: every element at every level equals what pydicom reads.</summary>
public sealed class RealFileTests(PydicomOracle oracle) : IClassFixture<PydicomOracle>
{
    public static TheoryData<string, string> Files
    {
        get
        {
            var files = new TheoryData<string, string>();
            foreach (var folder in new[] { "dicom-zoo", "ct-series-a", "mr-series", "pet-with-seg", "wsi-pyramid" })
            {
                foreach (var file in TestData.GetFiles(folder)) files.Add(folder, Path.GetFileName(file));
            }
            return files;
        }
    }

    [ToolTheory("pydicom", Data = "dicom-zoo")]
    [MemberData(nameof(Files))]
    public async Task Read_RealFile_EqualsPydicom(string folder, string name)
    {
        var expected = await oracle.ElementsOfAsync(folder, name);
        using var file = DicomFile.Read(TestData.GetPath(Path.Combine(folder, name)), new DicomReadOptions { StopBeforePixels = false });
        var actual = new List<(string Path, DicomElement Element)>();
        Walk(file.Dataset, "", actual);

        Assert.Equal(expected.Select(element => element.Path), actual.Select(element => element.Path));
        foreach (var (theirs, (path, ours)) in expected.Zip(actual))
        {
            if (theirs.Sha1 is null)
            {
                Assert.True(ours.IsSequence, path);
                Assert.True(theirs.Length == ours.Items.Count, path);
                continue;
            }
            if (theirs.Sha1.Length > 0)
            {
                var bytes = StoredBytes(ours);
                Assert.True(theirs.Length == bytes.Length, $"{path} has {bytes.Length} bytes, not {theirs.Length}");
                Assert.True(theirs.Sha1 == Convert.ToHexStringLower(SHA1.HashData(bytes)), $"{path} has other bytes");
            }
            // pydicom knows the VR of some private elements where the file does not say it.
            if (theirs.Vr is { Length: 2 } && !(ours.Tag.IsPrivate && ours.Vr == DicomVr.UN)) Assert.True(theirs.Vr == ours.Vr.ToString(), $"{path} is {ours.Vr}, not {theirs.Vr}");
            if (theirs.Values is not null && !ours.Tag.IsPrivate) AssertValues(theirs.Values, ours, path);
        }
    }

    [DataTheory("dicom-zoo")]
    [MemberData(nameof(Files))]
    public void Read_HeaderOnly_EqualsWholeFile(string folder, string name)
    {
        var path = TestData.GetPath(Path.Combine(folder, name));
        using var header = DicomFile.Read(path);
        using var whole = DicomFile.Read(path, new DicomReadOptions { StopBeforePixels = false });

        Assert.Equal(whole.PixelData, header.PixelData);
        Assert.Equal(whole.TransferSyntax, header.TransferSyntax);
        Assert.Equal(
            whole.Dataset.Where(element => whole.PixelData is null || element.Tag < whole.PixelData.Value.Tag).Select(element => (element.Tag, element.Vr, element.Length, element.Offset)),
            header.Dataset.Select(element => (element.Tag, element.Vr, element.Length, element.Offset)));
    }

    private static void AssertValues(string[] theirs, DicomElement ours, string path)
    {
        if (ours.Vr is DicomVr.US or DicomVr.SS or DicomVr.UL or DicomVr.SL or DicomVr.UV or DicomVr.SV or DicomVr.FL or DicomVr.FD)
        {
            Assert.Equal(theirs.Select(value => double.Parse(value, CultureInfo.InvariantCulture)), ours.GetDoubles());
            return;
        }
        if (!ours.Vr.IsText) return;
        if (ours.Vr is DicomVr.DS or DicomVr.IS && theirs.All(value => value.Length > 0))
            Assert.Equal(theirs.Select(value => double.Parse(value, CultureInfo.InvariantCulture)), ours.GetDoubles());
        // What surrounds a value is trimmed a little differently; character sets have tests of their own.
        if (!ours.Vr.UsesCharacterSet || ours.Vr == DicomVr.PN) return;
        Assert.True(string.Join('\\', theirs.Select(Trim)) == string.Join('\\', ours.GetStrings().Select(Trim)), $"{path}: {string.Join('\\', ours.GetStrings())}, not {string.Join('\\', theirs)}");

        static string Trim(string value) => value.Trim(' ', '\0');
    }

    /// <summary>The value as it stands in the file: of fragments with their item headers.</summary>
    private static byte[] StoredBytes(DicomElement element)
    {
        if (!element.IsEncapsulated) return element.Span.ToArray();
        using var bytes = new MemoryStream();
        var header = new byte[] { 0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0 };
        foreach (var fragment in element.Fragments)
        {
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), fragment.Length);
            bytes.Write(header);
            bytes.Write(fragment.Span);
        }
        return bytes.ToArray();
    }

    private static void Walk(DicomDataset dataset, string prefix, List<(string, DicomElement)> elements)
    {
        foreach (var element in dataset)
        {
            var path = prefix + element.Tag.ToJsonKey();
            elements.Add((path, element));
            for (var i = 0; i < element.Items.Count; i++) Walk(element.Items[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), elements);
        }
    }
}
