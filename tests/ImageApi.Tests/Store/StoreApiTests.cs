using System.Net;
using System.Text;
using ImageApi.Tests.Support;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Store;

public sealed class StoreApiTests : IAsyncLifetime
{
    private ImageApiHost _host = null!;

    private HttpClient Client => _host.Client;

    public async Task InitializeAsync() => _host = await ImageApiHost.StartAsync(_ => { });

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Store_SeveralInstances_AreStoredServedAndFound()
    {
        var instances = Enumerable.Range(1, 12).Select(i => Instance(i)).ToArray();

        using var response = await Client.StowAsync(instances);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var answer = await StowRequest.ReadAsync(response);
        Assert.Empty(answer.Failed);
        Assert.Equal(12, answer.Stored.Count);
        for (var i = 1; i <= 12; i++) Assert.Equal(instances[i - 1], await RetrieveAsync(i));
        var found = await (await _host.SendAsync("/dicomweb/studies/2.25.1000/instances?limit=100")).JsonAsync();
        Assert.Equal(12, found.GetArrayLength());
    }

    [Fact]
    public async Task Store_InstancesLieReadableByTheirOwnerOnlyUnderNamesThatTellNothing()
    {
        using var response = await Client.StowAsync(Instance(1));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var file = Assert.Single(StoredFiles());
        Assert.DoesNotContain("2.25", file, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_host.Folder.Path, "store", ".incoming")));
    }

    [Fact]
    public async Task Store_TheSameAgain_IsStoredOnceAndTold()
    {
        using var first = await Client.StowAsync(Instance(1));
        using var second = await Client.StowAsync(Instance(1), Instance(2));

        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        var answer = await StowRequest.ReadAsync(second);
        Assert.Equal(0x0111, answer.Stored["2.25.1000.1.1"]);
        Assert.Null(answer.Stored["2.25.1000.1.2"]);
        Assert.Equal(2, StoredFiles().Count);
    }

    [Fact]
    public async Task Store_SameUidOtherBytes_IsRefusedAndNothingOverwritten()
    {
        var original = Instance(1);
        using var first = await Client.StowAsync(original);
        using var second = await Client.StowAsync(Instance(1, patient: "OTHER^PATIENT"));

        Assert.Equal(HttpStatusCode.Conflict, second.StatusCode);
        Assert.Equal(0x0111, (await StowRequest.ReadAsync(second)).Failed["2.25.1000.1.1"]);
        Assert.Equal(original, await RetrieveAsync(1));
        Assert.Single(StoredFiles());
    }

    [Fact]
    public async Task Store_SameUidOtherBytesInOneRequest_KeepsExactlyOne()
    {
        using var response = await Client.StowAsync(Instance(1), Instance(1, patient: "OTHER^PATIENT"));

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var answer = await StowRequest.ReadAsync(response);
        Assert.Single(answer.Stored);
        Assert.Equal(0x0111, answer.Failed["2.25.1000.1.1"]);
        Assert.Single(StoredFiles());
    }

    [Fact]
    public async Task Store_GoodAndBadTogether_StoresTheGoodAndTellsTheBad()
    {
        var noUid = new DicomBuilder { InstanceUid = "2.25.1000.1.50" }.With(dataset => dataset.Remove(DicomTags.SeriesInstanceUID)).Build();
        var badUid = new DicomBuilder { InstanceUid = "../../etc/passwd" }.Build();
        var truncated = Instance(3)[..^40];

        using var response = await Client.StowAsync(Instance(1), "no DICOM at all"u8.ToArray(), [], noUid, badUid, truncated, Instance(2));

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var answer = await StowRequest.ReadAsync(response);
        Assert.Equal(["2.25.1000.1.1", "2.25.1000.1.2"], answer.Stored.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(0xA900, answer.Failed["2.25.1000.1.50"]);
        Assert.Equal(0xA900, answer.Failed["../../etc/passwd"]);
        Assert.Equal(0xC000, answer.Failed["2.25.1000.1.3"]);
        Assert.Equal([0xC000, 0xC000], answer.Others);
        Assert.Equal(2, StoredFiles().Count);
    }

    [Fact]
    public async Task Store_OfAnotherStudyThanTheUrls_IsRefused()
    {
        using var response = await Client.StowAsync("2.25.9999", [Instance(1)]);
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal(0xA901, (await StowRequest.ReadAsync(response)).Failed["2.25.1000.1.1"]);
        Assert.Empty(StoredFiles());
    }

    [Fact]
    public async Task Store_UnknownTransferSyntax_IsRefusedByItsCode()
    {
        var odd = new DicomBuilder { TransferSyntax = DicomTransferSyntax.FromUid("1.2.3.4.5"), CompressedFrame = _ => [1, 2, 3, 4] }.Build();
        using var response = await Client.StowAsync(odd);
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal(0xC122, (await StowRequest.ReadAsync(response)).Failed["2.25.1000.1.1"]);
    }

    [Fact]
    public async Task Store_FewBytesThatClaimManyPixels_AreRefused()
    {
        var claim = new DicomBuilder().With(DicomTags.Rows, 65535L).With(DicomTags.Columns, 65535L).With(DicomTags.NumberOfFrames, 2_000_000_000L).Build();
        using var response = await Client.StowAsync(claim);
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal(0xC000, (await StowRequest.ReadAsync(response)).Failed["2.25.1000.1.1"]);
    }

    [Fact]
    public async Task Store_OneInstanceWithoutMultipart_IsStored()
    {
        using var response = await Client.PostBodyAsync(null, Instance(1), "application/dicom");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Instance(1), await RetrieveAsync(1));
    }

    [Fact]
    public async Task Store_TenThousandParts_AreAllStored()
    {
        var body = StowRequest.Compose(Enumerable.Range(1, 10_000).Select(i => new DicomBuilder { Rows = 2, Columns = 2, InstanceUid = $"2.25.1000.1.{i}", InstanceNumber = i }.Build()));
        Client.Timeout = TimeSpan.FromMinutes(5);
        using var response = await Client.PostBodyAsync(null, body, $"multipart/related; type=\"application/dicom\"; boundary={StowRequest.Boundary}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(10_000, (await StowRequest.ReadAsync(response)).Stored.Count);
        Assert.Equal(10_000, StoredFiles().Count);
        using var found = await _host.SendAsync("/dicomweb/studies/2.25.1000/instances?limit=1");
        Assert.Equal("10000", found.Header("X-Total-Count"));
    }

    [Theory]
    [InlineData(null, HttpStatusCode.UnsupportedMediaType)]
    [InlineData("text/plain", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("multipart/form-data; boundary=x", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("multipart/related; type=\"application/dicom+json\"; boundary=x", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("multipart/related; type=\"application/dicom\"", HttpStatusCode.BadRequest)]
    [InlineData("multipart/related; type=\"application/dicom\"; boundary=\"\"", HttpStatusCode.BadRequest)]
    [InlineData("multipart/related; type=\"application/dicom\"; boundary=wrong", HttpStatusCode.BadRequest)]
    public async Task Store_HeadersThatSayNothingUsable_AreAProblem(string? contentType, HttpStatusCode expected)
    {
        using var response = await Client.PostBodyAsync(null, StowRequest.Compose([Instance(1)]), contentType);
        await ProblemAnswer.AssertAsync(response, expected);
        Assert.Empty(StoredFiles());
    }

    [Fact]
    public async Task Store_BodyWithoutParts_IsAProblem()
    {
        using var response = await Client.StowAsync();
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Store_BodyThatEndsInAPart_KeepsTheWholeOnesAndTellsOfTheRest()
    {
        var whole = StowRequest.Compose([Instance(1), Instance(2)]);
        using var response = await Client.PostBodyAsync(null, whole[..^300], $"multipart/related; type=\"application/dicom\"; boundary={StowRequest.Boundary}");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var answer = await StowRequest.ReadAsync(response);
        Assert.Equal(["2.25.1000.1.1"], answer.Stored.Keys);
        Assert.NotEmpty(answer.Others);
        Assert.Single(StoredFiles());
    }

    [Fact]
    public async Task Store_ManyAtOnceOfTheSame_KeepsOneOfEach()
    {
        var bodies = Enumerable.Range(0, 8).Select(_ => StowRequest.Compose(Enumerable.Range(1, 20).Select(i => Instance(i)))).ToArray();
        var responses = await Task.WhenAll(bodies.Select(body => Client.PostBodyAsync(null, body, $"multipart/related; type=\"application/dicom\"; boundary={StowRequest.Boundary}")));
        foreach (var response in responses)
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(20, (await StowRequest.ReadAsync(response)).Stored.Count);
            response.Dispose();
        }
        Assert.Equal(20, StoredFiles().Count);
        for (var i = 1; i <= 20; i++) Assert.Equal(Instance(i), await RetrieveAsync(i));
    }

    [Fact]
    public async Task Store_ClientThatHangsUp_LeavesNothingHalf()
    {
        using (var socket = new System.Net.Sockets.TcpClient(_host.Address.Host, _host.Address.Port))
        {
            var body = StowRequest.Compose([Instance(1), Instance(2)]);
            var head = Encoding.ASCII.GetBytes($"POST /dicomweb/studies HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/related; type=\"application/dicom\"; boundary={StowRequest.Boundary}\r\nContent-Length: {body.Length}\r\n\r\n");
            await socket.GetStream().WriteAsync(head);
            await socket.GetStream().WriteAsync(body.AsMemory(0, body.Length - 400));
            await Task.Delay(300);
        }
        var incoming = Path.Combine(_host.Folder.Path, "store", ".incoming");
        for (var waited = 0; Directory.EnumerateFiles(incoming).Any(); waited++)
        {
            Assert.True(waited < 100, "The arrival was left behind.");
            await Task.Delay(50);
        }
        foreach (var file in StoredFiles()) Assert.Equal(Instance(1), await File.ReadAllBytesAsync(file));
    }

    internal static byte[] Instance(int number, string patient = "SYNTHETIC^TEST") =>
        new DicomBuilder { InstanceUid = $"2.25.1000.1.{number}", InstanceNumber = number }.With(DicomTags.PatientName, patient).Build();

    private async Task<byte[]> RetrieveAsync(int number)
    {
        using var response = await _host.SendAsync($"/dicomweb/studies/2.25.1000/series/2.25.1000.1/instances/2.25.1000.1.{number}", ("Accept", "application/dicom;transfer-syntax=*"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsByteArrayAsync();
    }

    private List<string> StoredFiles() => [.. Directory.EnumerateFiles(Path.Combine(_host.Folder.Path, "store"), "*.dcm", SearchOption.AllDirectories)];
}
