using System.Diagnostics;
using Platform.Tests.Shared;

namespace Platform.Dicom.Tests.Dictionary;

/// <summary>The dictionary against pydicom's, which is of an older edition: nothing of it may be missing or another VR.</summary>
public sealed class DicomDictionaryOracleTests
{
    private const string Script =
        """
        from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
        for tag, (vr, vm, name, retired, keyword) in list(DicomDictionary.items()) + list(RepeatersDictionary.items()):
            if keyword:
                print(tag if isinstance(tag, str) else "%08X" % tag, vr.replace(" or ", "/"), keyword)
        """;

    [ToolFact("pydicom")]
    public async Task Tables_EveryElementOfPydicom_HasTheSameVrAndKeyword()
    {
        using var process = Process.Start(new ProcessStartInfo(ToolPath.Find("pydicom")!, ["-c", Script]) { RedirectStandardOutput = true })!;
        var lines = (await process.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await process.WaitForExitAsync();

        var compared = 0;
        foreach (var line in lines.Where(line => !line.StartsWith("0000", StringComparison.Ordinal)))
        {
            var parts = line.Split(' ');
            Assert.True(DicomDictionary.TryGet(parts[2], out var entry), line);
            Assert.True(parts[0].Zip(entry.Tag.ToJsonKey()).All(digit => digit.First == 'x' || digit.First == digit.Second), line);
            if (parts[1] != "NONE")
                Assert.All(parts[1].Split('/'), vr => Assert.True(DicomVrExtensions.TryParse(vr, out var known) && entry.Allows(known), line));
            compared++;
        }

        Assert.True(compared > 4900, $"only {compared} elements were compared");
    }
}
