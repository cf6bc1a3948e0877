using System.Net;
using System.Diagnostics;
using ImageApi.Tests.Support;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Frames;

/// <summary>Instances that lie about themselves, change or vanish: a clear problem, never wrong bytes, and the service goes on.</summary>
public sealed class BrokenInstanceTests
{
    private const string Octets = "application/octet-stream;transfer-syntax=*";

    [Fact]
    public async Task GetFrames_HeaderClaimsMorePixelsThanThereAre_IsAProblem()
    {
        await using var host = await ImageApiHost.StartAsync(folder =>
        {
            new DicomBuilder { InstanceUid = "2.25.1000.1.1" }.With(DicomTags.Rows, 65535L).With(DicomTags.Columns, 65535L).Save(Path.Combine(folder, "vast.dcm"));
            new DicomBuilder { InstanceUid = "2.25.1000.1.2", InstanceNumber = 2 }.With(DicomTags.NumberOfFrames, 2_000_000_000L).Save(Path.Combine(folder, "many.dcm"));
            new DicomBuilder { InstanceUid = "2.25.1000.1.3", InstanceNumber = 3, TransferSyntax = DicomTransferSyntax.JpegLsLossless }.With(DicomTags.NumberOfFrames, 1000L).Save(Path.Combine(folder, "few.dcm"));
            SyntheticStudies.Slice(4).Save(Path.Combine(folder, "good.dcm"));
        });
        foreach (var path in new[] { "2.25.1000.1.1/frames/1", "2.25.1000.1.2/frames/1999999999", "2.25.1000.1.3/frames/900" })
        {
            using var response = await host.SendAsync($"{SyntheticStudies.SeriesPath()}/instances/{path}", ("Accept", Octets));
            await ProblemAnswer.AssertAsync(response, HttpStatusCode.UnprocessableEntity, "urn:platform:problem:broken-instance");
        }
        using var good = await host.SendAsync($"{SyntheticStudies.SeriesPath()}/instances/{SyntheticStudies.Slices}.4/frames/1", ("Accept", Octets));
        Assert.Equal(SyntheticStudies.Slice(4).NativeFrame(0), await good.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task GetFrames_FileVanishes_IsNotFoundAndLeavesTheCatalog()
    {
        string? file = null;
        await using var host = await ImageApiHost.StartAsync(folder =>
        {
            SyntheticStudies.Fill(folder);
            file = Path.Combine(folder, "first", "slice2.dcm");
        });
        var path = $"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(2))}/frames/1";
        File.Delete(file!);
        using var response = await host.SendAsync(path, ("Accept", Octets));
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.NotFound);
        var watch = Stopwatch.StartNew();
        using var search = await host.SendAsync($"{SyntheticStudies.SeriesPath()}/instances");
        Assert.Equal(4, (await search.JsonAsync()).GetArrayLength());
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"The search after it took {watch.Elapsed}.");
        var metadata = await (await host.SendAsync($"{SyntheticStudies.SeriesPath()}/metadata")).JsonAsync();
        Assert.Equal(4, metadata.GetArrayLength());
    }

    [Fact]
    public async Task GetFrames_FileChanges_GivesTheNewBytesUnderANewTag()
    {
        string? file = null;
        await using var host = await ImageApiHost.StartAsync(folder =>
        {
            SyntheticStudies.Fill(folder);
            file = Path.Combine(folder, "first", "slice2.dcm");
        });
        var path = $"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(2))}/frames/1";
        using var before = await host.SendAsync(path, ("Accept", Octets));
        var metadataBefore = (await host.SendAsync($"{SyntheticStudies.SeriesPath()}/metadata")).Header("ETag");

        var changed = new DicomBuilder { InstanceUid = $"{SyntheticStudies.Slices}.2", InstanceNumber = 2, Pixel = (_, row, column) => (uint)(row ^ column) };
        await File.WriteAllBytesAsync(file! + ".tmp", changed.Build());
        File.Move(file! + ".tmp", file!, overwrite: true);

        // At once the old bytes may still be served from memory; as soon as the catalog knows, only the new ones are.
        using var after = await PollAsync(host, path, response => response.Header("ETag") != before.Header("ETag"));
        Assert.Equal(changed.NativeFrame(0), await after.Content.ReadAsByteArrayAsync());
        using var conditional = await host.SendAsync(path, ("Accept", Octets), ("If-None-Match", before.Header("ETag")!));
        Assert.Equal(HttpStatusCode.OK, conditional.StatusCode);
        Assert.NotEqual(metadataBefore, (await host.SendAsync($"{SyntheticStudies.SeriesPath()}/metadata")).Header("ETag"));
    }

    [Fact]
    public async Task GetFrames_FileIsReplacedBeforeItWasEverRead_IsTheNewOne()
    {
        string? file = null;
        await using var host = await ImageApiHost.StartAsync(folder =>
        {
            SyntheticStudies.Fill(folder);
            file = Path.Combine(folder, "first", "slice3.dcm");
        });
        var changed = new DicomBuilder { InstanceUid = $"{SyntheticStudies.Slices}.3", InstanceNumber = 3, Pixel = (_, row, column) => (uint)(row * column) };
        await File.WriteAllBytesAsync(file! + ".tmp", changed.Build());
        File.Move(file! + ".tmp", file!, overwrite: true);
        using var response = await host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(3))}/frames/1", ("Accept", Octets));
        Assert.Equal(changed.NativeFrame(0), await response.Content.ReadAsByteArrayAsync());
    }

    [DataFact("malformed")]
    public async Task Get_MalformedFilesInAnOrigin_AreProblemsOrEndEarly()
    {
        await using var host = await ImageApiHost.StartOverAsync(TestData.GetPath("malformed"));
        foreach (var instance in (await (await host.SendAsync("/dicomweb/instances")).JsonAsync()).EnumerateArray())
        {
            var url = instance.Value("00081190")!;
            foreach (var path in new[] { url, $"{url}/metadata", $"{url}/frames/1", $"{url}/bulkdata/7FE00010", $"/api/series/{instance.Value("0020000E")}/manifest", $"/api/dicom/{instance.Value("0020000D")}" })
            {
                try
                {
                    using var response = await host.SendAsync(path);
                    Assert.NotEqual(HttpStatusCode.InternalServerError, response.StatusCode);
                    if (!response.IsSuccessStatusCode)
                        await ProblemAnswer.AssertAsync(response, response.StatusCode);
                }
                catch (HttpRequestException)
                {
                    // Found to be broken after the first byte: the connection ends, and the client cannot take the part for the whole.
                }
            }
        }
    }

    [DataFact("dicom-zoo")]
    public async Task Get_EveryRealFile_AnswersForItsMetadataManifestAndFrames()
    {
        await using var host = await ImageApiHost.StartOverAsync(TestData.GetPath("dicom-zoo"));
        var failures = new List<string>();
        foreach (var instance in (await (await host.SendAsync("/dicomweb/instances")).JsonAsync()).EnumerateArray())
        {
            var url = instance.Value("00081190")!;
            var paths = new List<string> { $"{url}/metadata", $"/api/series/{instance.Value("0020000E")}/manifest", url };
            // Some headers describe pixels that the file does not have.
            if ((await (await host.SendAsync($"{url}/metadata")).JsonAsync())[0].EnumerateObject().Any(member => member.Name is "7FE00010" or "7FE00008" or "7FE00009"))
                paths.Add($"{url}/frames/1");
            foreach (var path in paths)
            {
                using var response = await host.SendAsync(path);
                if (!response.IsSuccessStatusCode)
                    failures.Add($"{path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
            }
        }
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    private static async Task<HttpResponseMessage> PollAsync(ImageApiHost host, string path, Func<HttpResponseMessage, bool> isDone)
    {
        for (var waited = 0; ; waited++)
        {
            var response = await host.SendAsync(path, ("Accept", Octets));
            if (response.IsSuccessStatusCode && isDone(response))
                return response;
            response.Dispose();
            Assert.True(waited < 300, "The change was not seen in 30 s.");
            await Task.Delay(100);
        }
    }
}
