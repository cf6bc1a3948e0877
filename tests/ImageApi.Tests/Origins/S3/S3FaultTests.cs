using System.Net;
using System.Security.Cryptography;
using System.Text;
using ImageApi.Tests.Support;
using Platform.Tests.Shared;
using Platform.Tests.Shared.Faults;
using Platform.Tests.Shared.S3;

namespace ImageApi.Tests.Origins.S3;

/// <summary>An object store that misbehaves costs time, or an honest error; never a wrong byte.</summary>
public sealed class S3FaultTests
{
    private const string Octets = "application/octet-stream;transfer-syntax=*";

    private static readonly DicomBuilder Image = new() { Rows = 512, Columns = 512 };

    [ToolFact("s3rver")]
    public async Task GetFrames_TheAnswerBreaksOff_IsAskedForAgainFromThere()
    {
        await using var s3 = await StartAsync();
        s3.Proxy.ToClient.ResetAfterBytes = 300_000;   // of each connection: the frame takes two of them
        var connections = s3.Proxy.Connections;
        using var response = await s3.Host.SendAsync($"{SyntheticStudies.UrlOf(Image)}/frames/1", ("Accept", Octets));
        Assert.Equal(Image.NativeFrame(0), await response.Content.ReadAsByteArrayAsync());
        Assert.True(s3.Proxy.Connections > connections);
    }

    [ToolFact("s3rver")]
    public async Task GetFrames_AnswersThatAlwaysEndEarly_FailAndNeverServeLess()
    {
        await using var s3 = await StartAsync();
        s3.Proxy.ToClient.CloseAfterBytes = 100_000;
        s3.Proxy.ResetConnections();
        await AssertNotDeliveredAsync(s3.Host);
        s3.Proxy.Heal();
        await AssertServedSoonAsync(s3.Host);
    }

    [ToolFact("s3rver")]
    public async Task GetFrames_TheServerHangs_IsAGatewayTimeoutAndThenServesAgain()
    {
        await using var s3 = await StartAsync();
        s3.Proxy.ToClient.IsStalled = true;
        using var response = await s3.Host.SendAsync($"{SyntheticStudies.UrlOf(Image)}/frames/1", ("Accept", Octets));
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.GatewayTimeout);
        s3.Proxy.Heal();
        s3.Proxy.ResetConnections();
        await AssertServedSoonAsync(s3.Host);
    }

    [ToolFact("s3rver")]
    public async Task GetFrames_TheServerIsAway_IsABadGatewayAndTheCatalogRemembers()
    {
        await using var s3 = await StartAsync(("ImageApi:Origins:bucket:Freshness:Ttl", "00:00:00.200"));
        s3.Proxy.NewConnections = NewConnections.Reset;
        s3.Proxy.ResetConnections();
        using var response = await s3.Host.SendAsync($"{SyntheticStudies.UrlOf(Image)}/frames/1", ("Accept", Octets));
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadGateway);
        await Task.Delay(1000);   // comparing with it fails meanwhile, and forgets nothing
        var instances = await (await s3.Host.SendAsync("/dicomweb/instances", ("Accept", "application/dicom+json"))).JsonAsync();
        Assert.Single(instances.EnumerateArray());
        s3.Proxy.Heal();
        await AssertServedSoonAsync(s3.Host);
    }

    [ToolFact("s3rver")]
    public async Task Start_TheServerIsAway_ServesEverythingElseAndFindsItLater()
    {
        await using var server = await S3Server.StartAsync(S3Host.Bucket);
        await server.PutAsync(S3Host.Bucket, S3Host.Prefix + "a.dcm", Image.Build());
        await using var proxy = FaultProxy.Start(server.Port);
        proxy.NewConnections = NewConnections.Reset;
        await using var host = await ImageApiHost.StartAsync(static folder => SyntheticStudies.Slice(2).Save(Path.Combine(folder, "b.dcm")),
            [.. S3Host.Settings(proxy.Port), ("ImageApi:Origins:bucket:Freshness:Ttl", "00:00:00.200"), ("ImageApi:Origins:bucket:Retries", "0")]);
        using var local = await host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(2))}/frames/1", ("Accept", Octets));
        Assert.Equal(HttpStatusCode.OK, local.StatusCode);
        proxy.Heal();
        await AssertServedSoonAsync(host);
    }

    [ToolFact("s3rver")]
    public async Task Start_AServerThatIsNoObjectStore_ServesEverythingElse()
    {
        await using var redirecting = new RawHttpServer(static _ => "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
        await using var host = await ImageApiHost.StartAsync(static folder => SyntheticStudies.Slice(2).Save(Path.Combine(folder, "b.dcm")), S3Host.Settings(redirecting.Port));
        using var local = await host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(2))}/frames/1", ("Accept", Octets));
        Assert.Equal(HttpStatusCode.OK, local.StatusCode);
    }

    [ToolTheory("s3rver")]
    [InlineData("200 OK", "ETag: {etag}\r\nContent-Length: 3\r\n\r\nabc")]                                                // no range
    [InlineData("206 Partial Content", "ETag: {etag}\r\nContent-Range: bytes 7-9/10\r\nContent-Length: 3\r\n\r\nabc")]      // another range
    [InlineData("206 Partial Content", "ETag: {etag}\r\nContent-Range: bytes 7-9\r\nContent-Length: 3\r\n\r\nabc")]
    [InlineData("206 Partial Content", "Content-Range: bytes 0-2/10\r\nContent-Length: 3\r\n\r\nabc")]                    // no version
    [InlineData("403 Forbidden", "Content-Length: 0\r\n\r\n")]
    [InlineData("500 No", "Content-Length: 17\r\n\r\n<Error><Code>what")]
    [InlineData("503 Slow Down", "Content-Length: 0\r\nRetry-After: 60\r\n\r\n")]
    [InlineData("302 Found", "Location: http://127.0.0.2/\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("200 OK", "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef")]
    [InlineData("", "\r\n\r\n")]
    public async Task GetFrames_ALyingServer_IsABadGateway(string status, string rest)
    {
        var entityTag = $"\"{Convert.ToHexStringLower(MD5.HashData(Image.Build()))}\"";
        await using var s3 = await StartAsync();
        await using var liar = new RawHttpServer(_ => Encoding.Latin1.GetBytes($"HTTP/1.1 {status}\r\n{rest.Replace("{etag}", entityTag, StringComparison.Ordinal)}"));
        s3.Proxy.Target = liar.EndPoint;
        s3.Proxy.ResetConnections();
        using var response = await s3.Host.SendAsync($"{SyntheticStudies.UrlOf(Image)}/frames/1", ("Accept", Octets));
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadGateway);
    }

    private static Task<S3Host> StartAsync(params (string Name, string Value)[] settings) => S3Host.StartAsync(static folder => Image.Save(Path.Combine(folder, "a.dcm")), settings);

    private static async Task AssertNotDeliveredAsync(ImageApiHost host)
    {
        try
        {
            using var response = await host.SendAsync($"{SyntheticStudies.UrlOf(Image)}/frames/1", ("Accept", Octets));
            await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadGateway);
        }
        catch (HttpRequestException)
        {
            // It had begun: then it breaks off, and is not taken for whole.
        }
    }

    private static async Task AssertServedSoonAsync(ImageApiHost host)
    {
        for (var waited = 0; ; waited++)
        {
            using var response = await host.SendAsync($"{SyntheticStudies.UrlOf(Image)}/frames/1", ("Accept", Octets));
            if (response.StatusCode == HttpStatusCode.OK)
            {
                Assert.Equal(Image.NativeFrame(0), await response.Content.ReadAsByteArrayAsync());
                return;
            }
            Assert.True(waited < 150, $"It is still {(int)response.StatusCode} after 15 s.");
            await Task.Delay(100);   // a circuit breaker may be open
        }
    }
}
