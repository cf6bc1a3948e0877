using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using ImageApi.Tests.Support;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Hosting;

/// <summary>Clients that trickle, idle, hang up or read nothing: the others must not notice, and memory must stay bounded.</summary>
public sealed class HostileClientTests
{
    private const int Clients = 300;

    [Fact]
    public async Task Get_BesideHundredsOfIdleAndTricklingClients_IsAnsweredInTime()
    {
        await using var host = await ImageApiHost.StartAsync(SyntheticStudies.Fill);
        var sockets = new List<Socket>();
        try
        {
            for (var i = 0; i < Clients; i++)
            {
                var socket = await ConnectAsync(host);
                sockets.Add(socket);
                // A third say nothing, a third half a header, a third half a body.
                if (i % 3 == 1)
                    await socket.SendAsync("GET /dicomweb/studies HTTP/1.1\r\nHost: x\r\nX-Slow"u8.ToArray());
                else if (i % 3 == 2)
                    await socket.SendAsync("POST /dicomweb/studies HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/related; type=\"application/dicom\"; boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\n"u8.ToArray());
            }
            for (var i = 0; i < 20; i++)
            {
                var watch = Stopwatch.StartNew();
                using var response = await host.SendAsync("/dicomweb/studies");
                Assert.True(response.IsSuccessStatusCode);
                Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"A search took {watch.Elapsed}.");
            }
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task Get_ClientsThatReadNothingOrHangUp_HoldBoundedMemoryAndBlockNobody()
    {
        await using var host = await ImageApiHost.StartAsync(folder =>
        {
            for (var number = 1; number <= 60; number++)
                new DicomBuilder { Rows = 512, Columns = 512, InstanceUid = $"2.25.1000.1.{number}", InstanceNumber = number }.Save(Path.Combine(folder, $"{number}.dcm"));
        });
        var before = ResidentAnonymousBytes();
        var sockets = new List<Socket>();
        try
        {
            for (var i = 0; i < Clients; i++)
            {
                var socket = await ConnectAsync(host);
                sockets.Add(socket);
                await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /dicomweb/studies/2.25.1000/series/2.25.1000.1/instances/2.25.1000.1.{(i % 60) + 1}/frames/1 HTTP/1.1\r\nHost: x\r\nAccept: application/octet-stream\r\n\r\n"));
            }
            await Task.Delay(500);
            for (var i = 0; i < Clients; i += 2)
                sockets[i].Dispose();
            for (var i = 0; i < 20; i++)
            {
                using var response = await host.SendAsync($"/dicomweb/studies/2.25.1000/series/2.25.1000.1/instances/2.25.1000.1.{i + 1}/frames/1", ("Accept", "application/octet-stream"));
                Assert.Equal(512 * 1024, (await response.Content.ReadAsByteArrayAsync()).Length);
            }
            // 64 MB of memory tier, its overflow, and a quarter of a megabyte for each of the clients that still hold on.
            var grown = ResidentAnonymousBytes() - before;
            Assert.True(grown < 220L << 20, $"Memory grew by {grown >> 20} MB.");
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
        using var after = await host.SendAsync("/api/cache/stats");
        Assert.True(after.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Get_ClientHangsUpInTheMiddle_TheNextOneGetsTheWhole()
    {
        await using var host = await ImageApiHost.StartAsync(folder => new DicomBuilder { Rows = 2048, Columns = 2048, BitsAllocated = 16 }.Save(Path.Combine(folder, "large.dcm")));
        const string path = "/dicomweb/studies/2.25.1000/series/2.25.1000.1/instances/2.25.1000.1.1/frames/1";
        for (var i = 0; i < 20; i++)
        {
            using var socket = await ConnectAsync(host);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: application/octet-stream\r\n\r\n"));
            var buffer = new byte[1000 + (i * 7919)];
            _ = await socket.ReceiveAsync(buffer);
            socket.Close(0);
        }
        using var response = await host.SendAsync(path, ("Accept", "application/octet-stream"));
        Assert.Equal(new DicomBuilder { Rows = 2048, Columns = 2048 }.NativeFrame(0), await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Send_RawNonsenseAndPathTricks_Are4xxAndTheServiceGoesOn()
    {
        await using var host = await ImageApiHost.StartAsync(SyntheticStudies.Fill);
        foreach (var request in new[]
        {
            "GET / HTTP/1.1\r\n\r\n",
            "GET /dicomweb/studies HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
            "NONSENSE\r\n\r\n",
            "GET /dicomweb/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /api/dicom/first/files/../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /api/dicom/first/files/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /api/dicom/..%2ffirst/files/slice1.dcm HTTP/1.1\r\nHost: x\r\n\r\n",
        })
        {
            using var socket = await ConnectAsync(host);
            await socket.SendAsync(Encoding.ASCII.GetBytes(request));
            var buffer = new byte[16];
            var read = await socket.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(20));
            Assert.StartsWith("HTTP/1.1 4", Encoding.ASCII.GetString(buffer, 0, read), StringComparison.Ordinal);
        }
        using var response = await host.SendAsync("/dicomweb/studies");
        Assert.True(response.IsSuccessStatusCode);
    }

    private static async Task<Socket> ConnectAsync(ImageApiHost host)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(host.Address.Host, host.Address.Port);
        return socket;
    }

    private static long ResidentAnonymousBytes()
    {
        if (!OperatingSystem.IsLinux())
            return 0;
        var line = File.ReadLines("/proc/self/status").Single(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) << 10;
    }
}
