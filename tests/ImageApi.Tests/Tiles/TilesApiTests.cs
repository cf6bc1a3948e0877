using System.Buffers;
using System.Net;
using ImageApi.Tests.Support;
using ImageApi.Tiles;
using Platform.Codecs;
using Platform.Codecs.Jpeg;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Tiles;

public sealed class TilesApiTests
{
    private const string Case = $"/api/dicom/{SyntheticSlide.Study}";

    // Every value of a tile within a few steps of what it has to be, so that a seam, a shift or a wrong colour shows.
    private static readonly (string, string) Fine = ("ImageApi:Tiles:Quality", "100");

    [Theory]
    [InlineData(256, false, false)]
    [InlineData(240, false, false)]
    [InlineData(512, true, false)]
    [InlineData(240, true, false)]
    [InlineData(256, false, true)]
    public async Task GetTile_EveryOneOfASlide_ShowsItsPart(int frameSize, bool isSparse, bool isJpeg)
    {
        // Levels 3 (the whole, 1100 x 790) and 1 are stored; 2 and 0 are made.
        var slide = new SyntheticSlide(1100, 790) { FrameSize = frameSize, IsSparse = isSparse, IsJpeg = isJpeg };
        await using var host = await ImageApiHost.StartAsync(folder => slide.Save(folder, 0, 2), Fine);
        var described = await (await host.SendAsync($"{Case}/slide")).JsonAsync();
        Assert.Equal((1100, 790), (described.GetProperty("width").GetInt32(), described.GetProperty("height").GetInt32()));
        Assert.Equal([false, true, false, true], described.GetProperty("levels").EnumerateArray().Select(level => level.GetProperty("isStored").GetBoolean()));
        var grid = new TileGrid(1100, 790);
        for (var level = 0; level <= 3; level++)
        {
            var (columns, rows) = grid.TilesAt(level);
            for (var y = 0; y < rows; y++)
            {
                for (var x = 0; x < columns; x++)
                {
                    using var response = await host.SendAsync($"{Case}/tiles/{level}/{x}/{y}");
                    Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                    var (width, height) = grid.SizeOf(new TileAddress(level, x, y));
                    AssertLike(slide.Cut(3 - level, x * 256, y * 256, width, height), Decode(await response.Content.ReadAsByteArrayAsync(), width, height), isJpeg ? 40 : 8, isJpeg ? 3 : 1);
                }
            }
        }
    }

    [Fact]
    public async Task GetTile_FrameThatIsTheTile_PassesByteForByte()
    {
        var slide = new SyntheticSlide(600, 520) { IsJpeg = true };
        await using var host = await ImageApiHost.StartAsync(folder => slide.Save(folder, 0));
        var stored = slide.Level(0);
        foreach (var (x, y) in new[] { (0, 0), (1, 0), (0, 1), (1, 1) })
        {
            using var response = await host.SendAsync($"{Case}/tiles/2/{x}/{y}");
            var frame = stored.EncodedFrame(y * 3 + x);
            Assert.Equal(frame, (await response.Content.ReadAsByteArrayAsync())[..frame.Length]);
            Assert.InRange(response.Content.Headers.ContentLength!.Value, frame.Length, frame.Length + 1);
        }
        using var border = await host.SendAsync($"{Case}/tiles/2/2/1");
        Decode(await border.Content.ReadAsByteArrayAsync(), 600 - 512, 256);
        using var corner = await host.SendAsync($"{Case}/tiles/2/2/2");
        Decode(await corner.Content.ReadAsByteArrayAsync(), 600 - 512, 520 - 512);
    }

    [Fact]
    public async Task GetTile_PlaceWithoutFrame_HasTheColourForIt()
    {
        var slide = new SyntheticSlide(1024, 512) { IsSparse = true, Has = static (column, _) => column != 1 };
        await using var host = await ImageApiHost.StartAsync(folder => slide.Level(0).With(dataset =>
            dataset.Set(DicomTags.RecommendedAbsentPixelCIELabValue, 0x8A3D, 0xBF00, 0x6C80)).Save(Path.Combine(folder, "slide.dcm")), Fine);   // L* 54, a* 63, b* -20: a pink
        using var response = await host.SendAsync($"{Case}/tiles/2/1/0");
        var pixels = Decode(await response.Content.ReadAsByteArrayAsync(), 256, 256);
        var (r, g, b) = AbsentColour.FromLab(0x8A3D, 0xBF00, 0x6C80);
        AssertLike([.. Enumerable.Repeat((byte[])[r, g, b], 256 * 256).SelectMany(static pixel => pixel)], pixels, 3, 2);
        using var neighbour = await host.SendAsync($"{Case}/tiles/2/2/1");
        AssertLike(slide.Cut(0, 512, 256, 256, 256), Decode(await neighbour.Content.ReadAsByteArrayAsync(), 256, 256), 8, 1);
    }

    [Fact]
    public async Task GetTile_Concatenation_IsOneLevel()
    {
        var slide = new SyntheticSlide(1500, 900) { FrameSize = 240 };
        await using var host = await ImageApiHost.StartAsync(folder =>
        {
            for (var part = 0; part < 3; part++) slide.Level(0, (part, 3)).Save(Path.Combine(folder, $"part{part}.dcm"));
        }, Fine);
        foreach (var (x, y) in new[] { (0, 0), (3, 1), (5, 3) })
        {
            var (width, height) = new TileGrid(1500, 900).SizeOf(new TileAddress(3, x, y));
            using var response = await host.SendAsync($"{Case}/tiles/3/{x}/{y}");
            AssertLike(slide.Cut(0, x * 256, y * 256, width, height), Decode(await response.Content.ReadAsByteArrayAsync(), width, height), 8, 1);
        }
    }

    [Fact]
    public async Task GetSlide_LabelAndOverview_AreBesideThePyramid()
    {
        var slide = new SyntheticSlide(900, 700);
        await using var host = await ImageApiHost.StartAsync(folder =>
        {
            slide.Save(folder, 0, 1);
            foreach (var kind in new[] { "LABEL", "OVERVIEW" })
            {
                new DicomBuilder
                {
                    StudyUid = SyntheticSlide.Study,
                    SeriesUid = SyntheticSlide.Series,
                    InstanceUid = $"{SyntheticSlide.Series}.{kind.Length}00",
                    Modality = "SM",
                    SopClassUid = "1.2.840.10008.5.1.4.1.1.77.1.6",
                    Rows = 40,
                    Columns = 50,
                    BitsAllocated = 8,
                    SamplesPerPixel = 3,
                }.With(DicomTags.ImageType, "ORIGINAL", "PRIMARY", kind, "NONE").Save(Path.Combine(folder, kind + ".dcm"));
            }
        });
        using var response = await host.SendAsync($"{Case}/slide");
        var described = await response.JsonAsync();
        Assert.Equal(["label", "overview"], described.GetProperty("associated").EnumerateArray().Select(item => item.GetProperty("kind").GetString()!).Order());
        Assert.Equal((900, 3), (described.GetProperty("width").GetInt32(), described.GetProperty("levels").GetArrayLength()));
        Assert.Equal((0.00025, 0.0005), (described.GetProperty("spacing").GetProperty("x").GetDouble(), described.GetProperty("spacing").GetProperty("y").GetDouble()));
        Assert.Equal(20, described.GetProperty("objectivePower").GetDouble());
        foreach (var picture in described.GetProperty("associated").EnumerateArray())
        {
            using var shown = await host.SendAsync(picture.GetProperty("url").GetString()!);
            Assert.Equal(HttpStatusCode.OK, shown.StatusCode);
        }
        // One of them can be asked for itself: it is a frame, not a slide.
        var label = await (await host.SendAsync($"{Case}/slide?instance={SyntheticSlide.Series}.500")).JsonAsync();
        Assert.Equal((50, false), (label.GetProperty("width").GetInt32(), label.GetProperty("isSlide").GetBoolean()));
    }

    [Fact]
    public async Task GetTile_AsTheDescriptorSays_IsImmutableAndRevalidates()
    {
        var slide = new SyntheticSlide(900, 700);
        await using var host = await ImageApiHost.StartAsync(folder => slide.Save(folder, 0));
        var described = await (await host.SendAsync($"{Case}/slide")).JsonAsync();
        var url = described.GetProperty("tiles").GetString()!.Replace("{level}", "2", StringComparison.Ordinal).Replace("{x}", "1", StringComparison.Ordinal).Replace("{y}", "0", StringComparison.Ordinal);
        using var first = await host.SendAsync(url, ("Origin", "http://localhost:5100"));
        Assert.Equal("image/jpeg", first.Header("Content-Type"));
        Assert.Equal("public, max-age=2592000, immutable", first.Header("Cache-Control"));
        Assert.Equal("http://localhost:5100", first.Header("Access-Control-Allow-Origin"));
        Assert.StartsWith("platform; fwd=miss", first.Header("Cache-Status"), StringComparison.Ordinal);
        using var second = await host.SendAsync(url);
        Assert.Equal("platform; hit; detail=memory", second.Header("Cache-Status"));
        Assert.Equal(first.Header("ETag"), second.Header("ETag"));
        using var unchanged = await host.SendAsync(url, ("If-None-Match", first.Header("ETag")!));
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        using var head = await host.SendAsync(HttpMethod.Head, url);
        Assert.Equal(first.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
        using var unversioned = await host.SendAsync($"{Case}/tiles/2/1/0");
        Assert.Equal("public, max-age=3600, must-revalidate", unversioned.Header("Cache-Control"));
        Assert.Equal(await first.Content.ReadAsByteArrayAsync(), await unversioned.Content.ReadAsByteArrayAsync());
        using var other = await host.SendAsync($"{Case}/tiles/2/1/0?v=0123456789abcdef");
        var problem = await ProblemAnswer.AssertAsync(other, HttpStatusCode.NotFound, "urn:platform:problem:stale-version");
        Assert.Equal(described.GetProperty("version").GetString(), problem.GetProperty("current").GetString());
    }

    [Fact]
    public async Task GetDeepZoom_DescriptorAndTiles_AreTheSamePyramid()
    {
        var slide = new SyntheticSlide(900, 700);
        await using var host = await ImageApiHost.StartAsync(folder => slide.Save(folder, 0));
        using var response = await host.SendAsync($"{Case}/slide.dzi");
        var xml = System.Xml.Linq.XDocument.Parse(await response.Content.ReadAsStringAsync()).Root!;
        System.Xml.Linq.XNamespace schema = "http://schemas.microsoft.com/deepzoom/2008";
        Assert.Equal(schema + "Image", xml.Name);
        Assert.Equal(("256", "0", "jpeg", "900", "700"), (xml.Attribute("TileSize")!.Value, xml.Attribute("Overlap")!.Value, xml.Attribute("Format")!.Value,
            xml.Element(schema + "Size")!.Attribute("Width")!.Value, xml.Element(schema + "Size")!.Attribute("Height")!.Value));
        // Level 10 is the whole, 8 our first; below it down to one pixel.
        using var ours = await host.SendAsync($"{Case}/tiles/2/3/2");
        using var theirs = await host.SendAsync($"{Case}/slide_files/10/3_2.jpeg");
        Assert.Equal(await ours.Content.ReadAsByteArrayAsync(), await theirs.Content.ReadAsByteArrayAsync());
        foreach (var (level, width, height) in new[] { (7, 113, 88), (4, 15, 11), (0, 1, 1) })
        {
            using var small = await host.SendAsync($"{Case}/slide_files/{level}/0_0.jpeg");
            Decode(await small.Content.ReadAsByteArrayAsync(), width, height);
        }
        using var beyond = await host.SendAsync($"{Case}/slide_files/7/1_0.jpeg");
        await ProblemAnswer.AssertAsync(beyond, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task GetTile_OfALargeFrame_IsTheWindowedPart()
    {
        var image = new DicomBuilder
        {
            Rows = 1100,
            Columns = 1300,
            Modality = "DX",
            BitsAllocated = 16,
            Frames = 2,
            Pixel = static (frame, row, column) => (uint)(frame * 700 + row / 4 + column / 6),
        }.With(DicomTags.WindowCenter, "512").With(DicomTags.WindowWidth, "1024");
        await using var host = await ImageApiHost.StartAsync(folder => image.Save(Path.Combine(folder, "image.dcm")), Fine);
        var query = $"?instance={image.InstanceUid}&frame=2";
        var grid = new TileGrid(1300, 1100);
        foreach (var tile in new TileAddress[] { new(3, 3, 2), new(3, 5, 4), new(2, 1, 1), new(1, 1, 0), new(0, 0, 0) })
        {
            using var response = await host.SendAsync($"/api/dicom/{image.StudyUid}/tiles/{tile.Level}/{tile.X}/{tile.Y}{query}");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var (width, height) = grid.SizeOf(tile);
            var pixels = Decode(await response.Content.ReadAsByteArrayAsync(), width, height, channels: 1);
            var scale = 1 << (3 - tile.Level);
            for (var y = 2; y < height - 2; y += 7)
            {
                for (var x = 2; x < width - 2; x += 7)
                {
                    var (row, column) = ((tile.Y * 256 + y) * scale + scale / 2, (tile.X * 256 + x) * scale + scale / 2);
                    Assert.InRange(pixels[y * width + x] - Math.Min(255, (700 + row / 4 + column / 6) / 4.0), -3, 3);
                }
            }
        }
        // Selected by nothing it is the first frame of the first instance.
        var described = await (await host.SendAsync($"/api/dicom/{image.StudyUid}/slide")).JsonAsync();
        Assert.Equal((1, false), (described.GetProperty("frame").GetInt32(), described.GetProperty("isSlide").GetBoolean()));
    }

    [Fact]
    public async Task GetTile_OneFrameInAHugeMatrix_IsMadeWithoutLookingAtWhatIsEmpty()
    {
        var slide = new SyntheticSlide(256, 256) { IsSparse = true }.Level(0).With(dataset =>
        {
            dataset.Set(DicomTags.TotalPixelMatrixColumns, (long)TileGrid.MaxSide).Set(DicomTags.TotalPixelMatrixRows, (long)TileGrid.MaxSide);
            dataset.Set(DicomTags.PerFrameFunctionalGroupsSequence, SyntheticSlide.Place(3_000_000, 1_000_000));
        });
        await using var host = await ImageApiHost.StartAsync(folder => slide.Save(Path.Combine(folder, "slide.dcm")));
        using var response = await host.SendAsync($"{Case}/tiles/0/0/0");
        Decode(await response.Content.ReadAsByteArrayAsync(), 256, 256);
    }

    [Fact]
    public async Task GetTile_FarFromTheStoredLevel_IsReadyInTheEndHoweverLittleARequestMay()
    {
        var slide = new SyntheticSlide(2100, 2000) { FrameSize = 512, IsJpeg = true };
        await using var host = await ImageApiHost.StartAsync(folder => slide.Save(folder, 0), ("ImageApi:Tiles:Patience", "00:00:00.100"), Fine);
        for (var asked = 1; ; asked++)
        {
            using var response = await host.SendAsync($"{Case}/tiles/0/0/0");
            if (response.StatusCode == HttpStatusCode.OK)
            {
                AssertLike(slide.Cut(4, 0, 0, 132, 125), Decode(await response.Content.ReadAsByteArrayAsync(), 132, 125), 24, 3);
                return;
            }
            await ProblemAnswer.AssertAsync(response, HttpStatusCode.ServiceUnavailable, "urn:platform:problem:busy");
            Assert.NotNull(response.Header("Retry-After"));
            Assert.True(asked < 200, "What was made before is not used again.");
        }
    }

    [Fact]
    public async Task GetTile_NotThere_IsAProblemThatNamesWhatIs()
    {
        await using var host = await ImageApiHost.StartAsync(static folder => new SyntheticSlide(900, 700).Save(folder, 0));
        (string, int, string)[] cases =
        [
            ("tiles/9/0/0", 404, "The pyramid of 900 x 700 pixels has levels 0 to 2."), ("tiles/2/4/0", 404, "Level 2 has columns 0 to 3 and rows 0 to 2."), ("tiles/2/0/3", 404, "Level 2"),
            ("tiles/-1/0/0", 400, "numbers"), ("tiles/2/x/0", 400, "numbers"), ("tiles/2/99999999999/0", 400, "numbers"),
            ("tiles/2/0/0?series=2.25.9", 404, "no such series"), ("tiles/2/0/0?instance=2.25.9", 404, "no such instance"),
            ("tiles/2/0/0?frame=0", 404, "frames 1 to 12"), ("tiles/2/0/0?frame=13", 404, "frames 1 to 12"), ("tiles/2/0/0?frame=x", 400, "frame"),
            ("slide_files/10/x.jpeg", 400, "Deep Zoom"), ("slide_files/10/1_1.png", 400, "Deep Zoom"), ("slide_files/11/0_0.jpeg", 404, "levels 0 to 2"),
        ];
        foreach (var (path, status, detail) in cases)
        {
            using var response = await host.SendAsync($"{Case}/{path}");
            var problem = await ProblemAnswer.AssertAsync(response, (HttpStatusCode)status);
            Assert.Contains(detail, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
        using var unacceptable = await host.SendAsync($"{Case}/tiles/0/0/0", ("Accept", "image/png"));
        Assert.Equal(HttpStatusCode.NotAcceptable, unacceptable.StatusCode);
        using var nobody = await host.SendAsync("/api/dicom/2.25.9/tiles/0/0/0");
        await ProblemAnswer.AssertAsync(nobody, HttpStatusCode.NotFound);
    }

    private static readonly (string Expected, Action<DicomDataset> Lie)[] Lies =
    [
        ("is not read here", static dataset => dataset.Set(DicomTags.TotalPixelMatrixColumns, (long)int.MaxValue + 1).Set(DicomTags.TotalPixelMatrixRows, (long)int.MaxValue + 1)),
        ("is not read here", static dataset => dataset.Set(DicomTags.TotalPixelMatrixColumns, 0L)),
        ("its instances have", static dataset => dataset.Set(DicomTags.TotalPixelMatrixColumns, 100_000L)),
        ("outside of", static dataset => Sparse(dataset, SyntheticSlide.Place(5000, 0))),
        ("outside of", static dataset => Sparse(dataset, SyntheticSlide.Place(-2, 0))),
        ("does not tell its place", static dataset => Sparse(dataset, new DicomDataset().Set(DicomTags.PlanePositionSlideSequence, new DicomDataset()))),
        ("tells the places of 1", static dataset => dataset.Set(DicomTags.DimensionOrganizationType, "TILED_SPARSE").Set(DicomTags.PerFrameFunctionalGroupsSequence, SyntheticSlide.Place(0, 0))),
        ("is missing", static dataset => dataset.Set(DicomTags.ConcatenationUID, "2.25.1").Set(DicomTags.ConcatenationFrameOffsetNumber, 7)),
        ("", static dataset => dataset.Set(DicomTags.Rows, 0)),
    ];

    [Fact]
    public async Task GetTile_SlideThatLies_Is422AndTheServiceGoesOn()
    {
        await using var host = await ImageApiHost.StartAsync(static folder =>
        {
            for (var i = 0; i < Lies.Length; i++) new SyntheticSlide(900, 700) { SeriesUid = $"{SyntheticSlide.Series}.7{i}" }.Level(0).With(Lies[i].Lie).Save(Path.Combine(folder, $"lie{i}.dcm"));
            new SyntheticSlide(300, 300).Save(folder, 0);
        });
        for (var i = 0; i < Lies.Length; i++)
        {
            using var response = await host.SendAsync($"{Case}/tiles/0/0/0?series={SyntheticSlide.Series}.7{i}");
            if (Lies[i].Expected.Length == 0)
            {
                // Whether a file that contradicts itself so is indexed is the catalog's affair.
                Assert.Contains(response.StatusCode, new[] { HttpStatusCode.NotFound, HttpStatusCode.UnprocessableEntity });
                continue;
            }
            var problem = await ProblemAnswer.AssertAsync(response, HttpStatusCode.UnprocessableEntity);
            Assert.Contains(Lies[i].Expected, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
        using var other = await host.SendAsync($"{Case}/tiles/0/0/0?series={SyntheticSlide.Series}");
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task GetTile_SyntaxThatIsNotDecoded_IsNotAcceptable()
    {
        await using var host = await ImageApiHost.StartAsync(static folder =>
            new DicomBuilder { Rows = 600, Columns = 600, BitsAllocated = 8, TransferSyntax = DicomTransferSyntax.FromUid("1.2.840.10008.1.2.4.110"), StudyUid = SyntheticSlide.Study }.Save(Path.Combine(folder, "jxl.dcm")));
        using var response = await host.SendAsync($"{Case}/tiles/0/0/0");
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.NotAcceptable);
    }

    [Fact]
    public async Task ListSlides_SlidesAndLargeFrames_AreListedAndNothingElse()
    {
        await using var host = await ImageApiHost.StartAsync(static folder =>
        {
            new SyntheticSlide(900, 700).Save(folder, 0, 1);
            new DicomBuilder { StudyUid = "2.25.5000", SeriesUid = "2.25.5000.1", InstanceUid = "2.25.5000.1.1", Rows = 2100, Columns = 8, Modality = "DX" }.Save(Path.Combine(folder, "large.dcm"));
            new DicomBuilder().Save(Path.Combine(folder, "small.dcm"));
        });
        var list = await (await host.SendAsync("/api/slides")).JsonAsync();
        Assert.False(list.GetProperty("isCut").GetBoolean());
        Assert.Equal([(SyntheticSlide.Series, true, "SM"), ("2.25.5000.1", false, "DX")],
            list.GetProperty("slides").EnumerateArray().Select(slide => (slide.GetProperty("series").GetString()!, slide.GetProperty("isSlide").GetBoolean(), slide.GetProperty("modality").GetString()!)));
        var first = list.GetProperty("slides")[0];
        Assert.Equal(("SYNTHETIC^TEST", "20261120", 2), (first.GetProperty("patientName").GetString(), first.GetProperty("studyDate").GetString(), first.GetProperty("instances").GetInt32()));
    }

    private static void Sparse(DicomDataset dataset, DicomDataset first)
    {
        dataset.Set(DicomTags.DimensionOrganizationType, "TILED_SPARSE");
        dataset.Set(DicomTags.PerFrameFunctionalGroupsSequence, [SyntheticSlide.Place(0, 0), .. Enumerable.Repeat(0, 10).Select(static _ => SyntheticSlide.Place(0, 0)), first]);
    }

    private static byte[] Decode(byte[] jpeg, int width, int height, int channels = 3)
    {
        var pixels = new ArrayBufferWriter<byte>();
        new JpegFrameDecoder().Decode(new ReadOnlySequence<byte>(jpeg), new FrameDescription(height, width, channels, 8, 8, false, false, channels == 3 ? Photometric.YbrFull : Photometric.Monochrome2),
            pixels, new DecodeOptions(), CancellationToken.None);
        return pixels.WrittenSpan.ToArray();
    }

    private static void AssertLike(byte[] expected, byte[] actual, int maxDifference, double meanDifference)
    {
        Assert.Equal(expected.Length, actual.Length);
        long sum = 0;
        var max = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            var difference = Math.Abs(expected[i] - actual[i]);
            sum += difference;
            max = Math.Max(max, difference);
        }
        Assert.True(max <= maxDifference && sum <= meanDifference * expected.Length, $"Off by {max} at most, {(double)sum / expected.Length:F2} in the mean.");
    }
}
