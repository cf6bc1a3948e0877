using System.Diagnostics;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>What the viewer's own decoder, OpenJPH as WebAssembly, sees in our streams: whole, and cut where a resolution ends.</summary>
public sealed class Htj2kViewerTests
{
    [ViewerCodecFact]
    public async Task Encode_AnyPixels_ViewerDecodesThemWholeAndCut()
    {
        using var folder = new TempFolder();
        var expected = new List<(string Path, byte[] Pixels)>();
        var list = new List<string>();
        var grey = new FrameDescription(203, 301, 1, 16, 12, false, false, Photometric.Monochrome2);
        foreach (var frame in new[] { grey, grey with { BitsStored = 16, IsSigned = true }, grey with { SamplesPerPixel = 3, BitsAllocated = 8, BitsStored = 8, Photometric = Photometric.Rgb } })
        {
            for (var seed = 0; seed < 4; seed++)
            {
                var pixels = Htj2kDecoderTests.Picture(frame, seed);
                var ends = new List<long>();
                var stream = Htj2kEncoderTests.Encode(pixels, frame, ends: ends);
                // Noise over the full range exceeds it at lower resolutions, where the viewer's decoder does not clamp.
                for (var reduce = 0; reduce <= (seed < 2 ? 3 : 0); reduce++)
                {
                    var prefix = stream[..(int)ends[^(1 + reduce)]];
                    var (source, target) = (folder.Combine($"{list.Count}.j2c"), folder.Combine($"{list.Count}.raw"));
                    await File.WriteAllBytesAsync(source, prefix);
                    list.Add($"{source}\t{reduce}\t{target}");
                    expected.Add((target, reduce == 0 ? pixels : Htj2kDecoderTests.Decode(prefix, frame, out _, new DecodeOptions { ReduceLevels = reduce })));
                }
            }
        }

        await File.WriteAllLinesAsync(folder.Combine("list"), list);
        await OpenJph.RunAsync("node", [Path.Combine(AppContext.BaseDirectory, "codec-openjph.cjs"), ViewerCodecFactAttribute.Package!, folder.Combine("list")]);
        for (var i = 0; i < expected.Count; i++)
        {
            var seen = await File.ReadAllBytesAsync(expected[i].Path);
            Assert.True(expected[i].Pixels.AsSpan().SequenceEqual(seen), list[i]);
        }
    }
}

/// <summary>A fact that needs Node.js and the viewer's decoder, which the front end's packages bring.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ViewerCodecFactAttribute : FactAttribute
{
    /// <summary>The folder of the package in the repository that the tests were built in; null where it is not installed.</summary>
    public static string? Package { get; } = Find();

    public override string? Skip
    {
        get => base.Skip ?? (ToolPath.Find("node") is null ? "needs node on the PATH" : Package is null ? "needs the packages of Web/client (npm ci)" : null);
        set => base.Skip = value;
    }

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "Web", "client", "node_modules", "@cornerstonejs", "codec-openjph");
            if (Directory.Exists(candidate)) return candidate;
        }
        return null;
    }
}
