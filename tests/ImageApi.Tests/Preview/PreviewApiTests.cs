using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;
using ImageApi.Events;
using ImageApi.Tests.Frames;
using ImageApi.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Platform.Codecs;
using Platform.Codecs.Htj2k;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Preview;

/// <summary>The beginnings of a series' frames in one answer, and the rest of each by range.</summary>
public sealed class PreviewApiTests
{
    private const int Slices = 7;
    private const string Url = $"/api/series/{SyntheticStudies.Slices}";

    [Theory]
    [InlineData("1/1", 0)]
    [InlineData("1/2", 1)]
    [InlineData("1/4", 2)]
    [InlineData("1/8", 3)]
    public async Task GetPreview_OfAVolume_IsTheBeginningOfEachFrameFromTheMiddleOutward(string resolution, int levels)
    {
        await using var host = await StartAsync();
        var manifest = await ManifestAsync(host);
        using var response = await host.SendAsync($"{manifest.GetProperty("preview").GetString()}&resolution={resolution}");
        Assert.Equal("application/vnd.platform.preview", response.Header("Content-Type"));
        Assert.Equal("public, max-age=2592000, immutable", response.Header("Cache-Control"));
        Assert.Null(response.Header("Content-Encoding"));
        var records = await PreviewStream.ReadAllAsync(response);
        Assert.Equal([3, 4, 2, 5, 1, 6, 0], records.Select(record => record.Index));
        foreach (var record in records)
        {
            var frame = manifest.GetProperty("frames")[record.Index];
            using var whole = await host.SendAsync(frame.GetProperty("url").GetString()!, ("Accept", DerivedFramesTests.Rpcl));
            var stream = await whole.Content.ReadAsByteArrayAsync();
            Assert.Equal(1, record.Kind);
            Assert.Equal(stream.Length, record.Length);
            Assert.Equal(Htj2kStream.ReadResolutionEnds(new ReadOnlySequence<byte>(stream)), record.Ends);
            Assert.Equal(record.Ends[^(1 + levels)], record.Bytes.Length);
            Assert.Equal(stream[..record.Bytes.Length], record.Bytes);
            var slice = Slice(record.Index + 1);
            Assert.Equal(Reduced(stream, slice, levels), Reduced(record.Bytes, slice, levels));
        }
    }

    [Fact]
    public async Task GetPreview_ThenTheRestByRange_IsTheWholeFrame()
    {
        await using var host = await StartAsync();
        var manifest = await ManifestAsync(host);
        using var response = await host.SendAsync($"{manifest.GetProperty("preview").GetString()}&from=0");
        foreach (var record in await PreviewStream.ReadAllAsync(response))
        {
            using var rest = await host.SendAsync(manifest.GetProperty("frames")[record.Index].GetProperty("url").GetString()!,
                ("Accept", DerivedFramesTests.Rpcl), ("Range", $"bytes={record.Bytes.Length}-"));
            Assert.Equal(HttpStatusCode.PartialContent, rest.StatusCode);
            Assert.Equal($"bytes {record.Bytes.Length}-{record.Length - 1}/{record.Length}", rest.Header("Content-Range"));
            byte[] whole = [.. record.Bytes, .. await rest.Content.ReadAsByteArrayAsync()];
            Assert.Equal(Slice(record.Index + 1).NativeFrame(0), DerivedFramesTests.Decode("1.2.840.10008.1.2.4.202", whole, Slice(record.Index + 1)));
        }
    }

    [Fact]
    public async Task GetPreview_WithoutVersion_NamesTheManifests()
    {
        await using var host = await StartAsync();
        using var response = await host.SendAsync($"{Url}/preview?resolution=1/4");
        Assert.Equal("public, no-cache", response.Header("Cache-Control"));
        var named = response.Header("Content-Location")!;
        Assert.StartsWith((await ManifestAsync(host)).GetProperty("preview").GetString()!, named, StringComparison.Ordinal);
        using var versioned = await host.SendAsync(named);
        Assert.Equal(await response.Content.ReadAsByteArrayAsync(), await versioned.Content.ReadAsByteArrayAsync());
        Assert.Equal(response.Header("ETag"), versioned.Header("ETag"));
    }

    [Fact]
    public async Task GetPreview_FramesThatHaveNone_AreNamedAndNotSent()
    {
        await using var host = await ImageApiHost.StartAsync(folder =>
        {
            DerivedFramesTests.Save(folder, Slice(1), Slice(2), Slice(4));
            new DicomBuilder { InstanceUid = "2.25.1000.1.3", InstanceNumber = 3, TransferSyntax = DicomTransferSyntax.JpegLsLossless }.Save(Path.Combine(folder, "broken.dcm"));
            new DicomBuilder { InstanceUid = "2.25.1000.1.5", InstanceNumber = 5, BitsAllocated = 1 }.Save(Path.Combine(folder, "bits.dcm"));
        });
        var manifest = await ManifestAsync(host);
        using var response = await host.SendAsync(manifest.GetProperty("preview").GetString()! + "&from=0");
        Assert.Equal([1, 1, 0, 1, 0], (await PreviewStream.ReadAllAsync(response)).OrderBy(record => record.Index).Select(record => record.Kind));
    }

    [Fact]
    public async Task GetManifest_WhenAllFramesWereMade_TellsWhatIsKnownAndIsImmutable()
    {
        await using var host = await StartAsync();
        var before = await ManifestAsync(host);
        var versioned = $"{Url}/manifest?v={before.GetProperty("version").GetString()}";
        using var incomplete = await host.SendAsync(versioned);
        Assert.Equal("public, no-cache", incomplete.Header("Cache-Control"));
        Assert.False(before.GetProperty("frames")[0].TryGetProperty("pixelDigest", out _));

        using var preview = await host.SendAsync(before.GetProperty("preview").GetString()!);
        var records = await PreviewStream.ReadAllAsync(preview);
        using var complete = await PollAsync(host, versioned, response => response.Header("ETag") != incomplete.Header("ETag"));
        Assert.Equal("public, max-age=2592000, immutable", complete.Header("Cache-Control"));
        var after = await complete.JsonAsync();
        foreach (var record in records)
        {
            var frame = after.GetProperty("frames")[record.Index];
            Assert.Equal(record.Ends, frame.GetProperty("resolutionEnds").EnumerateArray().Select(end => end.GetInt64()));
            using var head = await host.SendAsync(HttpMethod.Head, frame.GetProperty("url").GetString()!, ("Accept", "application/octet-stream"));
            Assert.Equal(frame.GetProperty("pixelDigest").GetString(), head.Header("Platform-Pixel-Digest"));
        }
        using var brotli = await host.SendAsync(versioned, ("Accept-Encoding", "br"));
        Assert.Equal("br", brotli.Header("Content-Encoding"));
        using var unchanged = await host.SendAsync(versioned, ("If-None-Match", complete.Header("ETag")!));
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Theory]
    [InlineData("resolution=1/3", HttpStatusCode.BadRequest)]
    [InlineData("resolution=2", HttpStatusCode.BadRequest)]
    [InlineData("from=-1", HttpStatusCode.BadRequest)]
    [InlineData("from=7", HttpStatusCode.BadRequest)]
    [InlineData("from=99999999999", HttpStatusCode.BadRequest)]
    [InlineData("v=0123456789abcdef", HttpStatusCode.NotFound)]
    [InlineData("e=00000000", HttpStatusCode.NotFound)]
    public async Task GetPreview_WhatCannotBe_IsAProblem(string query, HttpStatusCode status)
    {
        await using var host = await StartAsync();
        using var response = await host.SendAsync($"{Url}/preview?{query}");
        await ProblemAnswer.AssertAsync(response, status);
    }

    [Fact]
    public async Task GetFrames_RestOfAnotherEncoding_IsRefused()
    {
        await using var host = await StartAsync();
        var url = (await ManifestAsync(host)).GetProperty("frames")[0].GetProperty("url").GetString()!;
        var other = url[..(url.IndexOf("&e=", StringComparison.Ordinal) + 3)] + "00000000";
        using var derived = await host.SendAsync(other, ("Accept", DerivedFramesTests.Rpcl), ("Range", "bytes=100-"));
        await ProblemAnswer.AssertAsync(derived, HttpStatusCode.NotFound, "urn:platform:problem:stale-version");
        using var stored = await host.SendAsync(other, ("Accept", "application/octet-stream"));
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
    }

    [Fact]
    public async Task GetPreview_OfASeriesWithoutAny_IsAbsentFromItsManifest()
    {
        await using var host = await ImageApiHost.StartAsync(folder => new DicomBuilder { BitsAllocated = 1 }.Save(Path.Combine(folder, "bits.dcm")));
        var manifest = await ManifestAsync(host);
        Assert.False(manifest.TryGetProperty("preview", out _));
        using var versioned = await host.SendAsync($"{Url}/manifest?v={manifest.GetProperty("version").GetString()}");
        Assert.Equal("public, max-age=2592000, immutable", versioned.Header("Cache-Control"));
    }

    [Fact]
    public async Task GetPreview_WhileOthersAreBeingMade_SendsWhatIsReadyAndLeavingStopsTheRest()
    {
        using var folder = new TempFolder();
        DerivedFramesTests.Save(folder.Combine("data", "x")[..^2], [.. Enumerable.Range(1, Slices).Select(Slice)]);
        var encoder = new TestEncoder { Passes = DerivedFramesTests.Expected(Slice(4)) };
        encoder.Gate.Reset();
        await using var host = await ImageApiHost.StartAgainAsync(folder, encoder.Replace, ("ImageApi:Frames:Concurrency", "16"));
        var url = (await ManifestAsync(host)).GetProperty("preview").GetString()!;
        // Somebody else waits for one of the frames that the preview has begun.
        var other = host.SendAsync($"{SyntheticStudies.UrlOf(Slice(5))}/frames/1", ("Accept", DerivedFramesTests.Rpcl));
        using (var leaving = new CancellationTokenSource())
        {
            var response = await host.Client.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, leaving.Token);
            var stream = await response.Content.ReadAsStreamAsync(leaving.Token);
            Assert.Equal(Slices, await PreviewStream.ReadHeaderAsync(stream));
            Assert.Equal(3, (await PreviewStream.ReadRecordAsync(stream)).Index);
            await UntilAsync(() => encoder.Calls >= 4);
            await leaving.CancelAsync();
            response.Dispose();
        }
        await UntilAsync(() => encoder.Cancelled == encoder.Calls - 2);   // all but the one that was ready, and the other's
        encoder.Gate.Set();
        using var frame = await other;
        Assert.Equal(HttpStatusCode.OK, frame.StatusCode);
        using var whole = await host.SendAsync(url);
        Assert.All(await PreviewStream.ReadAllAsync(whole), record => Assert.Equal(1, record.Kind));
    }

    [Fact]
    public async Task Store_WhenNobodyAsksForPixels_MakesPreviewsAheadAndTellsOfThem()
    {
        using var folder = new TempFolder();
        folder.Combine("data", "x");
        var encoder = new TestEncoder();
        await using var host = await ImageApiHost.StartAgainAsync(folder, encoder.Replace, ("ImageApi:Frames:MakeAheadIdleTime", "00:00:00.010"));
        using var listener = host.Services.GetRequiredService<EventBoard>().Listen(null)!;
        for (var number = 1; number <= 3; number++)
        {
            using var content = new ByteArrayContent(Slice(number).Build());
            content.Headers.TryAddWithoutValidation("Content-Type", "application/dicom");
            using var stored = await host.Client.PostAsync("/dicomweb/studies", content);
            Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        }
        var told = "";
        await UntilAsync(() =>
        {
            while (listener.TryRead(out _) is { } sent) told += Encoding.UTF8.GetString(sent);
            return told.Contains("event: preview", StringComparison.Ordinal);
        });
        var manifest = await ManifestAsync(host);
        Assert.Contains($"\"version\":\"{manifest.GetProperty("version").GetString()}\"", told, StringComparison.Ordinal);
        Assert.All(manifest.GetProperty("frames").EnumerateArray(), frame => Assert.Equal(64, frame.GetProperty("pixelDigest").GetString()!.Length));
        Assert.Equal(3, encoder.Calls);
        using var preview = await host.SendAsync(manifest.GetProperty("preview").GetString()!);
        Assert.Equal(3, (await PreviewStream.ReadAllAsync(preview)).Count(record => record.Kind == 1));
        Assert.Equal(3, encoder.Calls);
    }

    private static Task<ImageApiHost> StartAsync() =>
        ImageApiHost.StartAsync(folder => DerivedFramesTests.Save(folder, [.. Enumerable.Range(1, Slices).Select(Slice)]));

    private static DicomBuilder Slice(int number) => DerivedFramesTests.Image(number, 16, 12, isSigned: false, 1, "MONOCHROME2");

    private static async Task<JsonElement> ManifestAsync(ImageApiHost host) => await (await host.SendAsync($"{Url}/manifest")).JsonAsync();

    private static byte[] Reduced(byte[] stream, DicomBuilder slice, int levels)
    {
        var pixels = new ArrayBufferWriter<byte>();
        new Htj2kFrameDecoder().Decode(new ReadOnlySequence<byte>(stream), DerivedFramesTests.Describe(slice), pixels, new DecodeOptions { ReduceLevels = levels }, CancellationToken.None);
        return pixels.WrittenSpan.ToArray();
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        for (var waited = 0; !isSo(); waited++)
        {
            Assert.True(waited < 1500, "It was not so within 30 s.");
            await Task.Delay(20);
        }
    }

    private static async Task<HttpResponseMessage> PollAsync(ImageApiHost host, string path, Func<HttpResponseMessage, bool> isDone)
    {
        for (var waited = 0; ; waited++)
        {
            var response = await host.SendAsync(path);
            if (isDone(response)) return response;
            response.Dispose();
            Assert.True(waited < 200, "Nothing changed in 20 s.");
            await Task.Delay(100);
        }
    }
}
