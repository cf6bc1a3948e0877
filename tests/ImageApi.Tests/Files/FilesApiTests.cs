using System.Net;
using System.Net.Sockets;
using System.Text;
using ImageApi.Origins;
using ImageApi.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Platform.Tests.Shared.Faults;

namespace ImageApi.Tests.Files;

/// <summary><c>/files</c> over the whole service and a real origin.</summary>
public class FilesApiTests
{
    [Fact]
    public async Task Get_Twice_IsAnsweredFromTheStoreLineByLine()
    {
        await using var origin = new ScriptedOrigin(_ => OriginReply.Of(200, "volume", "Cache-Control: max-age=60", "ETag: \"v\"", "Content-Type: application/x-odd; a", "X-Odd: a, b;;\u00fc", "Set-Cookie: a=b", "Set-Cookie: c=d"));
        await using var host = await StartAsync(origin);
        for (var i = 0; i < 2; i++)
        {
            using var response = await host.SendAsync("/files/far/a/brain.nii?x=1&y=%20");
            Assert.Equal("volume", await response.Content.ReadAsStringAsync());
            Assert.Equal("\"v\"", response.Headers.ETag!.ToString());
            Assert.Equal(["a=b", "c=d"], response.Headers.NonValidated["Set-Cookie"]);
            Assert.Equal("a, b;;\u00fc", response.Headers.NonValidated["X-Odd"].ToString());
            Assert.Equal("application/x-odd; a", response.Content.Headers.NonValidated["Content-Type"].ToString());
            Assert.StartsWith(i == 0 ? "platform; fwd=uri-miss; fwd-status=200; stored" : "platform; hit", response.Headers.NonValidated["Cache-Status"].ToString());
        }

        var asked = Assert.Single(origin.Requests);
        Assert.Equal(("/root/a/brain.nii?x=1&y=%20", "1.1 platform"), (asked.Target, asked["Via"]));
    }

    [Fact]
    public async Task Get_ConditionsRangesAndHead_AreAnsweredFromTheStore()
    {
        await using var origin = new ScriptedOrigin(_ => OriginReply.Of(200, "0123456789", "Cache-Control: max-age=60", "ETag: \"v\""));
        await using var host = await StartAsync(origin);
        (await host.SendAsync("/files/far/a")).Dispose();
        using var unchanged = await host.SendAsync("/files/far/a", ("If-None-Match", "\"v\""));
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        using var range = await host.SendAsync("/files/far/a", ("Range", "bytes=2-4"));
        Assert.Equal((HttpStatusCode.PartialContent, "234"), (range.StatusCode, await range.Content.ReadAsStringAsync()));
        using var beyond = await host.SendAsync("/files/far/a", ("Range", "bytes=10-"));
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
        using var several = await host.SendAsync("/files/far/a", ("Range", "bytes=0-1,3-4"));
        Assert.Equal((HttpStatusCode.OK, "0123456789"), (several.StatusCode, await several.Content.ReadAsStringAsync()));
        using var head = await host.SendAsync(HttpMethod.Head, "/files/far/a");
        Assert.Equal((HttpStatusCode.OK, 10L), (head.StatusCode, head.Content.Headers.ContentLength));
        Assert.Single(origin.Requests);
    }

    [Fact]
    public async Task Get_Path_ReachesTheOriginAsWritten()
    {
        await using var origin = new ScriptedOrigin(_ => OriginReply.Of(200, "x"));
        await using var host = await StartAsync(origin);
        foreach (var path in (string[])["a%2Fb", "a%2fb%20c?d=%2F..", "a//b", "", "%C3%BC.nii;x=(1)", "..a/b.."])
        {
            Assert.StartsWith("HTTP/1.1 200", await RawAsync(host, $"GET /files/far/{path} HTTP/1.1"));
            Assert.Equal("/root/" + path, origin.Requests[^1].Target);
        }
    }

    private static readonly string[] HostileTargets =
    [
        "/files/far/../secret", "/files/far/a/../../../secret", "/files/far/%2e%2e/secret", "/files/far/.%2E/secret",
        "/files/far/a%2F..%2F..%2Fsecret", "/files/far/..%5Csecret", "/files/far/%252e%252e/secret", "/files/far/./a", "/files/far//etc",
        "/files/far/a%00b", "/files/far/a%0d%0aX:%20y", "http://evil/files/far/a", "/files/other/a", "/files/store/a", "/files/FAR/a",
        "/files/f%61r/a", "/files/far/http://evil/", "/files/far/@evil/", "/files/far/..;/secret",
    ];

    [Fact]
    public async Task Get_HostilePath_NeverLeavesTheOriginsRoot()
    {
        await using var origin = new ScriptedOrigin(_ => OriginReply.Of(200, "x"));
        await using var host = await StartAsync(origin);
        foreach (var target in HostileTargets) Assert.DoesNotContain("HTTP/1.1 500", await RawAsync(host, $"GET {target} HTTP/1.1"));
        Assert.All(origin.Requests, request =>
        {
            Assert.StartsWith("/root/", request.Target);
            Assert.DoesNotContain("/../", request.Target + "/");
            Assert.Null(request["X"]);
        });
    }

    [Fact]
    public async Task Send_MethodThatIsNotConfigured_IsRefusedAndNamesThoseThatAre()
    {
        await using var origin = new ScriptedOrigin(_ => OriginReply.Of(200, "x"));
        await using var host = await StartAsync(origin, ("ImageApi:Origins:far:Methods:0", "put"));
        foreach (var method in (string[])["POST", "DELETE", "PATCH", "TRACE", "M-SEARCH"])
        {
            using var response = await host.SendAsync(new HttpMethod(method), "/files/far/a");
            Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
            Assert.Equal(["GET", "HEAD", "OPTIONS", "PUT"], response.Content.Headers.Allow);
        }

        Assert.Empty(origin.Requests);
    }

    [Fact]
    public async Task Send_MethodThatIsConfigured_ReachesTheOriginAndForgets()
    {
        await using var origin = new ScriptedOrigin(request => request.Method == "GET" ? OriginReply.Of(200, "x", "Cache-Control: max-age=60") : OriginReply.Of(201, "done", "Location: /root/b"));
        await using var host = await StartAsync(origin, ("ImageApi:Origins:far:Methods:0", "PUT"));
        (await host.SendAsync("/files/far/a")).Dispose();
        using var request = new HttpRequestMessage(HttpMethod.Put, "/files/far/a") { Content = new StringContent("body") };
        using var response = await host.Client.SendAsync(request);
        Assert.Equal((HttpStatusCode.Created, "done", "/files/far/b"), (response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.Location!.ToString()));
        Assert.Equal("body", Encoding.UTF8.GetString(origin.Requests[^1].Body));
        (await host.SendAsync("/files/far/a")).Dispose();
        Assert.Equal(3, origin.Requests.Count);     // RFC 9111 4.4
    }

    [Fact]
    public async Task Get_Redirect_StaysBelowUs()
    {
        await using var origin = new ScriptedOrigin(request => new OriginReply(302, $"Location: {(request.Target.EndsWith("/a", StringComparison.Ordinal) ? "/root/b/c%20d?x=1" : request.Target.EndsWith("/r", StringComparison.Ordinal) ? "sibling" : "http://169.254.169.254/latest")}"));
        await using var host = await StartAsync(origin);
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler) { BaseAddress = host.Address };
        using var below = await client.GetAsync("/files/far/a");
        Assert.Equal((HttpStatusCode.Found, "/files/far/b/c%20d?x=1"), (below.StatusCode, below.Headers.NonValidated["Location"].ToString()));
        using var relative = await client.GetAsync("/files/far/r");
        Assert.Equal("sibling", relative.Headers.NonValidated["Location"].ToString());
        using var elsewhere = await client.GetAsync("/files/far/x");
        Assert.Equal(HttpStatusCode.BadGateway, elsewhere.StatusCode);
    }

    [Fact]
    public async Task Get_OriginIsAway_IsAProblemWithRetryAfter()
    {
        var origin = new ScriptedOrigin(_ => OriginReply.Of(200, "x", "Cache-Control: max-age=1, must-revalidate"));
        await using var host = await StartAsync(origin);
        (await host.SendAsync("/files/far/a")).Dispose();
        await origin.DisposeAsync();
        await Task.Delay(1100);
        foreach (var path in (string[])["/files/far/a", "/files/far/never-seen"])
        {
            using var response = await host.SendAsync(path);
            Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
            Assert.NotNull(response.Headers.RetryAfter);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        }
    }

    [Fact]
    public async Task Get_OriginAnswersWithAnError_ItsErrorIsTheAnswer()
    {
        await using var origin = new ScriptedOrigin(_ => OriginReply.Of(503, "sorry", "Retry-After: 7", "Content-Type: text/x"));
        await using var host = await StartAsync(origin);
        using var response = await host.SendAsync("/files/far/a");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "sorry", "text/x"), (response.StatusCode, await response.Content.ReadAsStringAsync(), response.Content.Headers.ContentType!.ToString()));
    }

    [Fact]
    public async Task Get_BodyBreaksOff_TheConnectionDoesToo()
    {
        await using var origin = new ScriptedOrigin(_ => new OriginReply(200, "Cache-Control: max-age=60", "Content-Length: 200000") { Write = async (stream, token) => await stream.WriteAsync(new byte[150_000], token) });
        await using var host = await StartAsync(origin);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var response = await host.Client.GetAsync("/files/far/a", HttpCompletionOption.ResponseHeadersRead);
            response.EnsureSuccessStatusCode();
            await response.Content.ReadAsByteArrayAsync();
        });
    }

    [Fact]
    public async Task Get_CallersCredentials_StayHereUnlessConfigured()
    {
        await using var origin = new ScriptedOrigin(_ => OriginReply.Of(200, "x"));
        await using (var host = await StartAsync(origin)) (await host.SendAsync("/files/far/a", ("Authorization", "Basic abc"), ("Cookie", "a=b"))).Dispose();
        Assert.Equal((null, null), (origin.Requests[^1]["Authorization"], origin.Requests[^1]["Cookie"]));
        await using (var host = await StartAsync(origin, ("ImageApi:Origins:far:PassCredentials", "true"))) (await host.SendAsync("/files/far/a", ("Authorization", "Basic abc"), ("Cookie", "a=b"))).Dispose();
        Assert.Equal(("Basic abc", "a=b"), (origin.Requests[^1]["Authorization"], origin.Requests[^1]["Cookie"]));
    }

    [Fact]
    public async Task Get_FromABrowser_VariesByOriginAndKeepsSharingOurs()
    {
        await using var origin = new ScriptedOrigin(_ => OriginReply.Of(200, "x", "Access-Control-Allow-Origin: https://evil", "Vary: Foo", "Cache-Control: max-age=60"));
        await using var host = await StartAsync(origin);
        using var response = await host.SendAsync("/files/far/a", ("Origin", "http://localhost:1234"), ("Sec-Fetch-Site", "same-site"));
        Assert.Equal("http://localhost:1234", response.Headers.NonValidated["Access-Control-Allow-Origin"].ToString());
        Assert.Contains("Origin", response.Headers.Vary);
        Assert.Null(origin.Requests[^1]["Origin"]);
    }

    [Fact]
    public async Task HttpOrigin_OpenAsync_ReadsRangesOfOneVersion()
    {
        var body = Enumerable.Range(0, 300_000).Select(static i => (byte)(i * 7 >> 2)).ToArray();
        var tag = "\"v1\"";
        await using var origin = new ScriptedOrigin(request => Ranged(request, body, tag));
        await using var host = await StartAsync(origin);
        Assert.True(host.Services.GetRequiredService<IOrigins>().TryGet<IFileOrigin>("far", out var far));
        var item = new OriginItem("a b/c#d.nii");
        var version = await far.GetVersionAsync(item, CancellationToken.None);
        Assert.Equal("/root/a%20b/c%23d.nii", origin.Requests[^1].Target);
        await using var read = await far.OpenAsync(item, version, new ByteRange(1000, 250_000), CancellationToken.None);
        Assert.Equal((300_000L, 1000L, 250_000L), (read.TotalLength, read.Offset, read.Length));
        var buffer = new byte[5000];
        foreach (var position in (int[])[0, 200_000, 100, 249_990, 5_000])
        {
            var count = 0;
            while (count < buffer.Length && await read.ReadAsync(buffer.AsMemory(count), position + count, CancellationToken.None) is > 0 and var some) count += some;
            Assert.Equal(Math.Min(5000, 250_000 - position), count);
            Assert.True(buffer.AsSpan(0, count).SequenceEqual(body.AsSpan(1000 + position, count)));
        }

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => far.OpenAsync(item, version, new ByteRange(300_000, 1), CancellationToken.None));
        tag = "\"v2\"";
        var changed = await Assert.ThrowsAsync<OriginException>(() => far.OpenAsync(new OriginItem("other"), version, null, CancellationToken.None));
        Assert.Equal(OriginFailure.Changed, changed.Failure);
    }

    [Fact]
    public async Task HttpOrigin_LengthNotTold_IsKnownWhenAllHasArrived()
    {
        await using var origin = new ScriptedOrigin(_ => new OriginReply(200, "Cache-Control: max-age=60", "ETag: \"v\"", "Transfer-Encoding: chunked") { Write = static async (stream, token) => await stream.WriteAsync("4\r\n0123\r\n3\r\n456\r\n0\r\n\r\n"u8.ToArray(), token) });
        await using var host = await StartAsync(origin);
        Assert.True(host.Services.GetRequiredService<IOrigins>().TryGet<IFileOrigin>("far", out var far));
        await using var read = await far.OpenAsync(new OriginItem("a"), null, null, CancellationToken.None);
        var buffer = new byte[10];
        Assert.Equal((7L, 7L, 3), (read.TotalLength, read.Length, await read.ReadAsync(buffer, 4, CancellationToken.None)));
        Assert.Equal("456", Encoding.ASCII.GetString(buffer, 0, 3));
    }

    [Fact]
    public async Task Put_LargerThanTheServersUsualBound_ReachesTheOrigin()
    {
        await using var origin = new ScriptedOrigin(_ => OriginReply.Of(204, ""));
        await using var host = await StartAsync(origin, ("ImageApi:Origins:far:Methods:0", "PUT"));
        using var request = new HttpRequestMessage(HttpMethod.Put, "/files/far/a") { Content = new ByteArrayContent(new byte[40 << 20]) };
        using var response = await host.Client.SendAsync(request);
        Assert.Equal((HttpStatusCode.NoContent, 40 << 20), (response.StatusCode, origin.Requests[^1].Body.Length));
    }

    [Fact]
    public async Task HttpOrigin_Absent_IsNullAndAbsent()
    {
        await using var origin = new ScriptedOrigin(_ => OriginReply.Of(404, "none"));
        await using var host = await StartAsync(origin);
        Assert.True(host.Services.GetRequiredService<IOrigins>().TryGet<IFileOrigin>("far", out var far));
        Assert.Null(await far.GetVersionAsync(new OriginItem("a"), CancellationToken.None));
        var absent = await Assert.ThrowsAsync<OriginException>(() => far.OpenAsync(new OriginItem("a"), null, null, CancellationToken.None));
        Assert.Equal(OriginFailure.Absent, absent.Failure);
    }

    [Fact]
    public async Task HttpOrigin_ListAsync_FollowsListingsBelowItself()
    {
        await using var origin = new ScriptedOrigin(request => request.Target switch
        {
            "/root/" => OriginReply.Of(200, """[{"name":"sub","type":"directory"},{"name":"a b.nii","type":"file","mtime":"Fri, 20 Nov 2026 10:00:00 GMT","size":42},{"name":"../up","type":"file"},{"name":"/abs"},{"nonsense":1},5]""", "Content-Type: application/json"),
            "/root/sub/index.json" => OriginReply.Of(200, """[{"name":"c.nii.gz","size":7}]""", "Content-Type: application/json"),
            _ => OriginReply.Of(404, ""),
        });
        await using var host = await StartAsync(origin);
        Assert.True(host.Services.GetRequiredService<IOrigins>().TryGet<IFileOrigin>("far", out var far));
        var items = new List<FileItem>();
        await foreach (var item in far.ListAsync("", CancellationToken.None)) items.Add(item);
        Assert.Equal(["a b.nii", "sub/c.nii.gz"], items.Select(item => item.Item.Path));
        Assert.Equal((42L, 10), (items[0].Length!.Value, items[0].LastModified!.Value.Hour));
        items.Clear();
        await foreach (var item in far.ListAsync("sub/", CancellationToken.None)) items.Add(item);
        Assert.Equal(["sub/c.nii.gz"], items.Select(item => item.Item.Path));
    }

    [Fact]
    public async Task HttpOrigin_ConfiguredItems_AreItsList()
    {
        await using var origin = new ScriptedOrigin(_ => OriginReply.Of(404, ""));
        await using var host = await StartAsync(origin, ("ImageApi:Origins:far:Items:0", "a.nii"), ("ImageApi:Origins:far:Items:1", "b/c.nii"));
        Assert.True(host.Services.GetRequiredService<IOrigins>().TryGet<IFileOrigin>("far", out var far));
        var items = new List<string>();
        await foreach (var item in far.ListAsync("b", CancellationToken.None)) items.Add(item.Item.Path);
        Assert.Equal(["b/c.nii"], items);
        Assert.Empty(origin.Requests);
    }

    private static OriginReply Ranged(OriginRequest request, byte[] body, string tag)
    {
        string[] lines = ["Cache-Control: max-age=60", $"ETag: {tag}"];
        if (request["Range"] is not { } field || (request["If-Range"] is { } condition && condition != tag)) return new OriginReply(200, lines) { Body = body };
        var parts = field["bytes=".Length..].Split('-');
        var first = int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture);
        var last = parts[1].Length == 0 ? body.Length - 1 : Math.Min(body.Length - 1, int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture));
        return first >= body.Length ? new OriginReply(416, $"Content-Range: bytes */{body.Length}") : new OriginReply(206, [.. lines, $"Content-Range: bytes {first}-{last}/{body.Length}"]) { Body = body[first..(last + 1)] };
    }

    private static Task<ImageApiHost> StartAsync(ScriptedOrigin origin, params (string Name, string Value)[] settings) => ImageApiHost.StartAsync(static _ => { },
        [("ImageApi:Origins:far:Kind", "http"), ("ImageApi:Origins:far:Url", $"{origin.Address}root"), ("ImageApi:Origins:far:Retries", "0"), .. settings]);

    /// <summary>A request to the letter, as no client library would send it. The answer's header.</summary>
    private static async Task<string> RawAsync(ImageApiHost host, string line)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host.Address.Host, host.Address.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"{line}\r\nHost: {host.Address.Authority}\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }
}
