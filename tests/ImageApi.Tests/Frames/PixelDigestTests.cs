using System.Buffers;
using System.Collections.Frozen;
using System.Net;
using ImageApi.Frames;
using ImageApi.Tests.Support;
using Platform.Codecs;
using Platform.Codecs.Htj2k;
using Platform.Codecs.JpegLs;
using Platform.Codecs.Rle;
using Platform.Dicom;
using Platform.Tests.Shared;
using FrameDescription = Platform.Codecs.FrameDescription;

namespace ImageApi.Tests.Frames;

/// <summary>The identity of pixels: written down for others to compute, and one for every lossless encoding.</summary>
public sealed class PixelDigestTests
{
    // Made with Python's hashlib from the definition, not with this code.
    [Fact]
    public void Of_Grey12_IsWhatItWas() => Assert.Equal("d734e4f96505e92b6cea12b122178ce0c6cb93d54fda61899629b0dd2211a578",
        PixelDigest.Of(new FrameDescription(2, 3, 1, 16, 12, false, false, Photometric.Monochrome2), [0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 0xFF, 0x0F], null).ToString());

    [Fact]
    public void Of_Colour_IsWhatItWas() => Assert.Equal("7a431757be71ccc3b4be65081f76be29fc8b375a16857b08a2708552d9069b37",
        PixelDigest.Of(new FrameDescription(1, 2, 3, 8, 8, false, false, Photometric.Rgb), [1, 2, 3, 250, 251, 252], null).ToString());

    [Fact]
    public void Of_Signed_IsWhatItWas() => Assert.Equal("cf2b13a0247f10187b89de131eccab1178e190023cebdddee09f1f426637c1f6",
        PixelDigest.Of(new FrameDescription(1, 2, 1, 16, 16, true, false, Photometric.Monochrome1), [0xFF, 0xFF, 0x00, 0x80], null).ToString());

    [Fact]
    public void Of_LossySource_NamesItsDecoder() => Assert.Equal("e6cda1f66ea22c1bfee81c2a70390f408191830298f30c3826892c10276cd891",
        PixelDigest.Of(new FrameDescription(1, 2, 3, 8, 8, false, false, Photometric.Rgb), [1, 2, 3, 250, 251, 252], "jpeg/1").ToString());

    [Fact]
    public async Task Head_OneImageInEveryLosslessEncoding_HasOneDigest()
    {
        var image = DerivedFramesTests.Image(1, 16, 12, isSigned: true, 1, "MONOCHROME2");
        var pixels = DerivedFramesTests.Expected(image);
        var frame = DerivedFramesTests.Describe(image);
        (DicomTransferSyntax Syntax, IFrameEncoder? Encoder)[] encodings =
        [
            (DicomTransferSyntax.ExplicitVrLittleEndian, null), (DicomTransferSyntax.ImplicitVrLittleEndian, null), (DicomTransferSyntax.ExplicitVrBigEndian, null),
            (DicomTransferSyntax.DeflatedExplicitVrLittleEndian, null), (DicomTransferSyntax.RleLossless, new RleFrameEncoder()), (DicomTransferSyntax.JpegLsLossless, new JpegLsFrameEncoder()),
            (DicomTransferSyntax.FromUid(FrameForms.Htj2k), new Htj2kFrameEncoder()), (DicomTransferSyntax.FromUid(FrameForms.Htj2kRpcl), new Htj2kFrameEncoder()),
        ];
        var builders = encodings.Select((encoding, i) => DerivedFramesTests.Image(1, 16, 12, isSigned: true, 1, "MONOCHROME2", encoding.Syntax,
            compressed: encoding.Encoder is { } encoder ? _ => Encode(encoder, pixels, frame) : null, instance: i + 1)).ToArray();
        await using var host = await ImageApiHost.StartAsync(folder => DerivedFramesTests.Save(folder, builders));
        var digests = new List<string?>();
        foreach (var builder in builders)
        {
            using var head = await host.SendAsync(HttpMethod.Head, $"{SyntheticStudies.UrlOf(builder)}/frames/1");
            digests.Add(head.Header(PixelDigest.HeaderName));
        }
        Assert.Equal(PixelDigest.Of(frame, pixels, null).ToString(), Assert.Single(digests.Distinct()));
        // It stands beside the frame as stored as soon as it is known.
        using var get = await host.SendAsync($"{SyntheticStudies.UrlOf(builders[4])}/frames/1");
        Assert.Equal(digests[4], get.Header(PixelDigest.HeaderName));
        using var derived = await host.SendAsync($"{SyntheticStudies.UrlOf(builders[4])}/frames/1", ("Accept", DerivedFramesTests.Rpcl));
        Assert.Equal(digests[4], derived.Header(PixelDigest.HeaderName));
    }

    // The same image in many transfer syntaxes: what was encoded without loss has one digest, each lossy one has its own.
    private static readonly FrozenDictionary<string, string[]> Sets = new Dictionary<string, string[]>
    {
        ["ct_setA_signed16"] = ["exple", "implle", "expbe", "deflated", "j2k90", "jls80", "jpeg57", "jpeg70", "rle"],
        ["enhanced_mr_10frames"] = ["exple", "expbe", "j2k90", "jls80", "rle"],
        ["mr_small"] = ["exple", "implle", "expbe", "j2k90", "rle"],
        ["sc_rgb_16bit"] = ["exple", "expbe", "rle"],
    }.ToFrozenDictionary();

    [DataFact("dicom-zoo")]
    public async Task Head_RealImagesInManyEncodings_HaveOneDigestEach()
    {
        await using var host = await ImageApiHost.StartAsync(folder =>
        {
            var number = 0;
            foreach (var (name, syntaxes) in Sets)
                foreach (var syntax in syntaxes) Rename(TestData.GetPath($"dicom-zoo/{syntax}__{name}.dcm"), Path.Combine(folder, $"{syntax}__{name}.dcm"), ++number);
        });
        var digests = new Dictionary<string, List<string?>>();
        foreach (var instance in (await (await host.SendAsync("/dicomweb/instances?limit=100")).JsonAsync()).EnumerateArray())
        {
            using var head = await host.SendAsync(HttpMethod.Head, $"{instance.Value("00081190")}/frames/1");
            Assert.Equal(HttpStatusCode.OK, head.StatusCode);
            var shape = $"{instance.Value("00280010")} {instance.Value("00280011")}";
            if (!digests.TryGetValue(shape, out var of)) digests[shape] = of = [];
            of.Add(head.Header(PixelDigest.HeaderName));
        }
        Assert.Equal(Sets.Values.Sum(syntaxes => syntaxes.Length), digests.Values.Sum(of => of.Count));
        foreach (var (shape, of) in digests) Assert.True(of.Distinct().Count() <= Sets.Count && of.All(digest => digest is not null), $"{shape}: {string.Join(' ', of)}");
        Assert.Equal(Sets.Count, digests.Values.SelectMany(of => of).Distinct().Count());
    }

    /// <summary>Every frame of the collection that is offered re-encoded decodes to its stored pixels, or is a problem that says what is wrong.</summary>
    [DataFact("dicom-zoo")]
    public async Task GetFrames_EveryRealFileInEveryForm_IsFaithfulOrAProblem()
    {
        await using var host = await ImageApiHost.StartOverAsync(TestData.GetPath("dicom-zoo"));
        var (made, failures) = (0, new List<string>());
        foreach (var instance in (await (await host.SendAsync("/dicomweb/instances?limit=500&includefield=all")).JsonAsync()).EnumerateArray())
        {
            // Plain films take seconds in a debug build, and go the same way.
            if (!int.TryParse(instance.Value("00280010"), out var rows) || rows > 1024) continue;
            var path = $"{instance.Value("00081190")}/frames/1";
            string? digest = null;
            foreach (var accept in new[] { DerivedFramesTests.Rpcl, DerivedFramesTests.JpegLs, "application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1" })
            {
                using var response = await host.SendAsync(path, ("Accept", accept));
                if (response.StatusCode is HttpStatusCode.NotAcceptable or HttpStatusCode.NotFound) continue;
                if (!response.IsSuccessStatusCode)
                {
                    failures.Add($"{path} {accept}: {await response.Content.ReadAsStringAsync()}");
                    continue;
                }
                made++;
                if (response.Header(PixelDigest.HeaderName) is not { } given) continue;
                digest ??= given;
                if (given != digest) failures.Add($"{path} {accept}: {given}, not {digest}");
            }
        }
        Assert.True(failures.Count == 0, string.Join('\n', failures));
        Assert.InRange(made, 200, int.MaxValue);
    }

    private static byte[] Encode(IFrameEncoder encoder, byte[] pixels, FrameDescription frame)
    {
        var stream = new ArrayBufferWriter<byte>();
        encoder.Encode(pixels, frame, stream, null, CancellationToken.None);
        return stream.WrittenSpan.ToArray();
    }

    /// <summary>The file with UIDs of its own: the collection has one image under one UID in many encodings.</summary>
    private static void Rename(string source, string target, int number)
    {
        using var file = DicomFile.Read(source, DicomReadOptions.Default with { StopBeforePixels = false, DeferBulkOverBytes = int.MaxValue }, CancellationToken.None);
        file.Dataset.Set(DicomTags.StudyInstanceUID, DicomVr.UI, "2.25.3000").Set(DicomTags.SeriesInstanceUID, DicomVr.UI, "2.25.3000.1").Set(DicomTags.SOPInstanceUID, DicomVr.UI, $"2.25.3000.1.{number}");
        file.FileMeta.Set(DicomTags.MediaStorageSOPInstanceUID, DicomVr.UI, $"2.25.3000.1.{number}");
        var bytes = new ArrayBufferWriter<byte>();
        DicomWriter.Write(bytes, file);
        File.WriteAllBytes(target, bytes.WrittenSpan.ToArray());
    }
}
