using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImageApi.Tests.Support;
using Microsoft.AspNetCore.Http;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Origins.Dicomweb;

/// <summary>Studies of a real Orthanc, served by us: everything is compared with what was stored, and with what Orthanc says itself.</summary>
[Collection(OrthancCollection.Name)]
public sealed class DicomwebOriginTests(OrthancFixture fixture)
{
    private const string AnySyntax = "application/octet-stream;transfer-syntax=*, multipart/related;type=\"application/octet-stream\";transfer-syntax=*;q=0.5, image/*;transfer-syntax=*";

    [ToolFact("Orthanc")]
    public async Task Frames_OfEveryInstance_AreTheBytesThatWereStored()
    {
        await using var api = await OrthancFixture.StartApiAsync(fixture.Orthanc.DicomwebUrl);
        foreach (var builder in OrthancFixture.All.Where(builder => builder.Modality != "SR"))
        {
            var syntax = builder.TransferSyntax;
            for (var frame = 0; frame < builder.Frames; frame++)
            {
                using var answer = await api.SendAsync($"{PathOf(builder)}/frames/{frame + 1}", ("Accept", AnySyntax));
                Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{syntax}, frame {frame + 1}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
                Assert.Contains("transfer-syntax=" + (syntax.IsEncapsulated ? syntax.Uid : DicomTransferSyntax.ExplicitVrLittleEndian.Uid), answer.Header("Content-Type"), StringComparison.Ordinal);
                var expected = syntax.IsEncapsulated ? builder.EncodedFrame(frame) : builder.NativeFrame(frame);
                var body = await answer.Content.ReadAsByteArrayAsync();
                // A fragment of odd length is padded when it is stored (PS3.5 A.4).
                Assert.Equal(expected, body.Length == expected.Length + 1 && syntax.IsEncapsulated ? body[..^1] : body);
            }
        }
    }

    [ToolFact("Orthanc")]
    public async Task Metadata_OfASeries_IsOrthancsWithAddressesOfOurs()
    {
        await using var api = await OrthancFixture.StartApiAsync(fixture.Orthanc.DicomwebUrl);
        using var direct = new HttpClient();
        foreach (var series in new[] { SyntheticStudies.Slices, SyntheticStudies.MultiFrame, SyntheticStudies.Reports, SyntheticStudies.OtherSeries })
        {
            var path = SyntheticStudies.SeriesPath(series) + "/metadata";
            var ours = JsonNode.Parse(await api.Client.GetByteArrayAsync(path))!.AsArray();
            var theirs = JsonNode.Parse(await direct.GetByteArrayAsync(fixture.Orthanc.DicomwebUrl + path["/dicomweb".Length..]))!.AsArray();
            Assert.Equal(theirs.Count, ours.Count);
            foreach (var instance in theirs)
            {
                var sop = instance!["00080018"]!["Value"]![0]!.GetValue<string>();
                var mine = ours.Single(each => each!["00080018"]!["Value"]![0]!.GetValue<string>() == sop)!;
                foreach (var uri in Uris(mine)) Assert.StartsWith($"{SyntheticStudies.SeriesPath(series)}/instances/{sop}/bulkdata/", uri, StringComparison.Ordinal);
                Assert.Equal(Uris(instance).Count(), Uris(mine).Count());
                Assert.True(JsonNode.DeepEquals(WithoutUris(instance), WithoutUris(mine)), $"{series} {sop}");
            }
        }
    }

    [ToolFact("Orthanc")]
    public async Task BulkData_ByTheAddressesInMetadata_AreTheValuesThatWereStored()
    {
        await using var api = await OrthancFixture.StartApiAsync(fixture.Orthanc.DicomwebUrl);
        var report = JsonNode.Parse(await api.Client.GetByteArrayAsync(SyntheticStudies.SeriesPath(SyntheticStudies.Reports) + "/metadata"))!.AsArray()[0]!;
        var addresses = Uris(report).ToArray();
        Assert.Equal(2, addresses.Length);
        Assert.Equal(SyntheticStudies.Bulk(2000), await api.Client.GetByteArrayAsync(addresses[0]));
        Assert.Equal(SyntheticStudies.Bulk(1000), await api.Client.GetByteArrayAsync(addresses[1]));

        var native = JsonNode.Parse(await api.Client.GetByteArrayAsync(PathOf(SyntheticStudies.Native) + "/metadata"))!.AsArray()[0]!;
        var pixels = await api.Client.GetByteArrayAsync(Uris(native).Single(uri => uri.EndsWith("7FE00010", StringComparison.Ordinal)));
        Assert.Equal(Enumerable.Range(0, SyntheticStudies.Native.Frames).SelectMany(frame => SyntheticStudies.Native.NativeFrame(frame)), pixels[..(int)(SyntheticStudies.Native.NativeFrame(0).Length * (long)SyntheticStudies.Native.Frames)]);
    }

    [ToolFact("Orthanc")]
    public async Task Instances_OfEveryTransferSyntax_AreTheFilesThatOrthancHolds()
    {
        await using var api = await OrthancFixture.StartApiAsync(fixture.Orthanc.DicomwebUrl);
        foreach (var builder in OrthancFixture.All)
        {
            using var answer = await api.SendAsync(PathOf(builder), ("Accept", "application/dicom;transfer-syntax=*"));
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{builder.TransferSyntax}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            Assert.Equal(await fixture.Orthanc.FileAsync(fixture.Names[builder.InstanceUid]), await answer.Content.ReadAsByteArrayAsync());
        }

        using var series = await api.SendAsync(SyntheticStudies.SeriesPath(), ("Accept", "multipart/related;type=\"application/dicom\";transfer-syntax=*"));
        var parts = await MultipartParts.ReadAsync(series);
        Assert.Equal(SyntheticStudies.SliceCount, parts.Count);
        using var range = await api.SendAsync(PathOf(SyntheticStudies.Slice(1)), ("Accept", "application/dicom"), ("Range", "bytes=128-131"));
        Assert.Equal(HttpStatusCode.PartialContent, range.StatusCode);
        Assert.Equal("DICM", await range.Content.ReadAsStringAsync());
    }

    [ToolFact("Orthanc")]
    public async Task Manifest_OfARemoteSeries_ListsItsFramesInOrder_AndTheirUrlsWork()
    {
        await using var api = await OrthancFixture.StartApiAsync(fixture.Orthanc.DicomwebUrl);
        var manifest = await (await api.SendAsync($"/api/series/{SyntheticStudies.Slices}/manifest")).JsonAsync();
        var frames = manifest.GetProperty("frames").EnumerateArray().ToArray();
        Assert.Equal(Enumerable.Range(1, SyntheticStudies.SliceCount).Select(number => $"{SyntheticStudies.Slices}.{number}"), frames.Select(frame => frame.GetProperty("instance").GetString()));
        foreach (var (frame, number) in frames.Zip(Enumerable.Range(1, SyntheticStudies.SliceCount)))
        {
            using var answer = await api.SendAsync(frame.GetProperty("url").GetString()!, ("Accept", AnySyntax));
            Assert.Equal(frame.GetProperty("length").GetInt64(), answer.Content.Headers.ContentLength);
            Assert.Contains("immutable", answer.Header("Cache-Control"), StringComparison.Ordinal);
            Assert.Equal(SyntheticStudies.Slice(number).NativeFrame(0), await answer.Content.ReadAsByteArrayAsync());
        }

        var study = await (await api.SendAsync($"/api/dicom/{SyntheticStudies.Study}")).JsonAsync();
        Assert.Equal(3, study.GetProperty("series").GetArrayLength());
    }

    [ToolFact("Orthanc", Data = "ct-series-a")]
    public async Task RealSeries_ByWayOfUs_IsTheFilesPixels()
    {
        await using var orthanc = await OrthancServer.StartAsync();
        var files = Directory.GetFiles(TestData.TryGetPath("ct-series-a")!, "*.dcm").Order(StringComparer.Ordinal).Take(8)
            .Concat(Directory.GetFiles(TestData.TryGetPath("mr-series")!, "*.dcm").Order(StringComparer.Ordinal).Take(4)).ToArray();
        foreach (var file in files) await orthanc.StoreAsync(await File.ReadAllBytesAsync(file));
        await using var api = await OrthancFixture.StartApiAsync(orthanc.DicomwebUrl);
        foreach (var path in files)
        {
            using var file = DicomFile.Read(path, DicomReadOptions.Default with { StopBeforePixels = false });
            var uids = new[] { DicomTags.StudyInstanceUID, DicomTags.SeriesInstanceUID, DicomTags.SOPInstanceUID }.Select(tag => file.Dataset.GetString(tag)).ToArray();
            var frame = await FrameAsync(api, $"/dicomweb/studies/{uids[0]}/series/{uids[1]}/instances/{uids[2]}/frames/1");
            Assert.True(file.Dataset.TryGetElement(DicomTags.PixelData, out var pixels));
            Assert.True(pixels.Span.SequenceEqual(frame), Path.GetFileName(path));
        }
    }

    [ToolFact("Orthanc")]
    public async Task SecondVisit_AndAVisitAfterARestart_AskForNothing()
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        using var cache = new TempFolder();
        (string, string)[] settings = [("TieredCache:Disk:Path", cache.Path), ("ImageApi:Origins:pacs1:Freshness:Ttl", "00:10:00")];
        string[] pages =
        [
            SyntheticStudies.SeriesPath() + "/metadata", $"/api/series/{SyntheticStudies.Slices}/manifest", SyntheticStudies.SeriesPath() + "/instances",
            .. Enumerable.Range(1, SyntheticStudies.SliceCount).Select(number => PathOf(SyntheticStudies.Slice(number)) + "/frames/1"), PathOf(SyntheticStudies.Slice(2)),
        ];

        byte[][] first;
        await using (var api = await OrthancFixture.StartApiAsync(proxy.Url, settings))
        {
            first = await VisitAsync(api, pages);
            Assert.True(proxy.Bytes > 0);
            proxy.Clear();
            Assert.Equal(first, await VisitAsync(api, pages));
            Assert.Empty(proxy.Requests);
        }

        await using (var api = await OrthancFixture.StartApiAsync(proxy.Url, settings))
        {
            proxy.Clear();
            Assert.Equal(first[1..2], await VisitAsync(api, pages[1..2]));
            Assert.Equal(first[3..], await VisitAsync(api, pages[3..]));
            Assert.Equal(first[0], await api.Client.GetByteArrayAsync(pages[0]));
            Assert.Empty(proxy.Requests);
        }
    }

    [ToolFact("Orthanc")]
    public async Task Frames_AskedByManyAtOnce_AreAskedOfThePacsOnce()
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url);
        var path = PathOf(SyntheticStudies.Slice(3)) + "/frames/1";
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => FrameAsync(api, path)));
        Assert.All(answers, answer => Assert.Equal(SyntheticStudies.Slice(3).NativeFrame(0), answer));
        Assert.Equal(1, proxy.Count($"{SyntheticStudies.Slices}.3/frames/1"));
        Assert.Equal(1, proxy.Count("/metadata"));
    }

    [ToolFact("Orthanc")]
    public async Task ASeriesThatChanges_IsSeenWhenItsFreshnessEnds_AndOnlyChangedFramesAreAskedForAgain()
    {
        await using var orthanc = await OrthancServer.StartAsync();
        var names = new List<string>();
        for (var number = 1; number <= 3; number++) names.Add(await orthanc.StoreAsync(SyntheticStudies.Slice(number).Build()));
        await using var proxy = await PacsProxy.StartAsync(orthanc.Address);
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url, ("ImageApi:Origins:pacs1:Freshness:Ttl", "00:00:00.300"), ("ImageApi:Origins:pacs1:Freshness:NegativeTtl", "00:00:00.100"));
        var before = await ManifestAsync(api);
        Assert.Equal(3, before.Length);
        foreach (var url in before) await FrameAsync(api, url);
        proxy.Clear();

        // One goes, one comes, one gets another name: its pixels stay what they are.
        await orthanc.DeleteAsync(names[0]);
        await orthanc.StoreAsync(SyntheticStudies.Slice(4).Build());
        await orthanc.StoreAsync(SyntheticStudies.Slice(2).With(DicomTags.PatientName, "ROE^JANE").Build());
        var after = await WaitAsync(() => ManifestAsync(api), urls => urls.Length == 3 && !urls.Contains(before[0]));
        Assert.Equal([before[1], before[2]], after[..2]);
        var metadata = await WaitAsync(() => api.Client.GetStringAsync(SyntheticStudies.SeriesPath() + "/metadata"), text => text.Contains("ROE^JANE", StringComparison.Ordinal));
        Assert.DoesNotContain($"{SyntheticStudies.Slices}.1\"", metadata, StringComparison.Ordinal);

        using var gone = await api.SendAsync(before[0], ("Accept", AnySyntax));
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        Assert.Equal(SyntheticStudies.Slice(3).NativeFrame(0), await FrameAsync(api, after[1]));
        Assert.Equal(0, proxy.Count($"{SyntheticStudies.Slices}.3/frames"));
        Assert.Equal(SyntheticStudies.Slice(4).NativeFrame(0), await FrameAsync(api, after[2]));
    }

    [ToolFact("Orthanc")]
    public async Task APacsThatDies_IsServedAsItWasLastSeen_AndWhatWasNeverSeenIsAnHonestError()
    {
        await using var orthanc = await OrthancServer.StartAsync();
        foreach (var number in new[] { 1, 2 }) await orthanc.StoreAsync(SyntheticStudies.Slice(number).Build());
        await orthanc.StoreAsync(SyntheticStudies.Other.Build());
        await using var api = await OrthancFixture.StartApiAsync(orthanc.DicomwebUrl,
            ("ImageApi:Origins:pacs1:Freshness:Ttl", "00:00:00.200"), ("ImageApi:Origins:pacs1:Retries", "0"), ("ImageApi:Search:OriginTimeout", "00:00:01"));
        var urls = await ManifestAsync(api);
        var frame = await FrameAsync(api, urls[0]);
        await orthanc.KillAsync();
        await Task.Delay(300);

        Assert.Equal(frame, await FrameAsync(api, urls[0]));
        Assert.Equal(urls, await ManifestAsync(api));
        using var unseen = await api.SendAsync(urls[1], ("Accept", AnySyntax));
        Assert.Contains(unseen.StatusCode, new[] { HttpStatusCode.BadGateway, HttpStatusCode.GatewayTimeout, HttpStatusCode.OK });
        using var unknown = await api.SendAsync($"/api/series/{SyntheticStudies.OtherSeries}/manifest");
        Assert.Contains(unknown.StatusCode, new[] { HttpStatusCode.BadGateway, HttpStatusCode.GatewayTimeout });
        using var search = await api.SendAsync("/dicomweb/studies");
        Assert.Equal(HttpStatusCode.OK, search.StatusCode);
        Assert.Contains("299 platform \"Origin pacs1", search.Header("Warning"), StringComparison.Ordinal);

        await orthanc.StartAgainAsync();
        await WaitAsync(async () => (await api.SendAsync($"/api/series/{SyntheticStudies.OtherSeries}/manifest")).StatusCode, status => status == HttpStatusCode.OK);
    }

    internal static string PathOf(DicomBuilder builder) => $"/dicomweb/studies/{builder.StudyUid}/series/{builder.SeriesUid}/instances/{builder.InstanceUid}";

    internal static async Task<T> WaitAsync<T>(Func<Task<T>> look, Func<T, bool> isDone)
    {
        for (var waited = 0; ; waited++)
        {
            var value = await look();
            if (isDone(value)) return value;
            Assert.True(waited < 300, $"It did not come to pass in 30 s: {value}");
            await Task.Delay(100);
        }
    }

    internal static async Task<byte[]> FrameAsync(ImageApiHost api, string url)
    {
        using var answer = await api.SendAsync(url, ("Accept", AnySyntax));
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return await answer.Content.ReadAsByteArrayAsync();
    }

    private static async Task<string[]> ManifestAsync(ImageApiHost api)
    {
        var manifest = await (await api.SendAsync($"/api/series/{SyntheticStudies.Slices}/manifest")).JsonAsync();
        return [.. manifest.GetProperty("frames").EnumerateArray().Select(frame => frame.GetProperty("url").GetString()!)];
    }

    private static async Task<byte[][]> VisitAsync(ImageApiHost api, string[] pages)
    {
        var bodies = new byte[pages.Length][];
        for (var i = 0; i < pages.Length; i++)
        {
            using var answer = await api.SendAsync(pages[i], ("Accept", "*/*"), ("Accept", AnySyntax));
            bodies[i] = await answer.Content.ReadAsByteArrayAsync();
            Assert.True(answer.IsSuccessStatusCode, pages[i]);
        }
        return bodies;
    }

    private static IEnumerable<string> Uris(JsonNode? node) => node switch
    {
        JsonObject item => item.SelectMany(pair => pair.Key == "BulkDataURI" ? [pair.Value!.GetValue<string>()] : Uris(pair.Value)),
        JsonArray items => items.SelectMany(Uris),
        _ => [],
    };

    private static JsonNode? WithoutUris(JsonNode? node) => node switch
    {
        JsonObject item => new JsonObject(item.Where(pair => pair.Key != "BulkDataURI").Select(pair => KeyValuePair.Create(pair.Key, WithoutUris(pair.Value)))),
        JsonArray items => new JsonArray([.. items.Select(WithoutUris)]),
        _ => node?.DeepClone(),
    };
}
