using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Playwright;
using Web.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Web.Tests.Pages;

/// <summary>Web over an ImageApi that is down, or that takes connections and never answers.</summary>
[Collection(StackCollection.Name)]
public sealed class UnavailableTests(StackFixture stack)
{
    [Theory]
    [InlineData("/", "The image server cannot be reached")]
    [InlineData("/studies", "The image server cannot be reached")]
    [InlineData("/view/1.2.3", "The image server cannot be reached")]
    public async Task Get_ImageApiDown_SaysSoAndOffersToTryAgain(string path, string text)
    {
        await using var web = await stack.StartWebAsync("http://127.0.0.1:9");
        using var http = new HttpClient { BaseAddress = web.Address };

        using var answer = await http.GetAsync(path);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.Contains(text, body);
        Assert.Contains("Try again", body);
        Assert.DoesNotContain("Exception", body);
    }

    [Fact]
    public async Task Get_ImageApiSilent_AnswersInTime()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var web = await stack.StartWebAsync($"http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}");
        using var http = new HttpClient { BaseAddress = web.Address };
        var clock = Stopwatch.StartNew();

        using var answer = await http.GetAsync("/");

        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(2.5), TimeSpan.FromSeconds(8));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("The image server is slow", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Get_HealthWhileImageApiIsDown_IsReady()
    {
        await using var web = await stack.StartWebAsync("http://127.0.0.1:9");
        using var http = new HttpClient { BaseAddress = web.Address };

        using var answer = await http.GetAsync("/health");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [BrowserFact]
    public async Task Open_ImageApiComesBack_ListComesBackByItself()
    {
        var port = FreePort();
        await using var web = await stack.StartWebAsync($"http://127.0.0.1:{port}");
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await page.GotoAsync(web.Origin + "/");
        await Expect(page.Locator(".state h2")).ToHaveTextAsync("The image server cannot be reached");

        using var relay = new Relay(port, stack.ImageApi.Address.Port);

        await Expect(page.Locator("tr[data-study]")).ToHaveCountAsync(50, new() { Timeout = 30_000 });
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Makes a port lead to the real ImageApi.</summary>
    private sealed class Relay : IDisposable
    {
        private readonly TcpListener _listener;
        private readonly CancellationTokenSource _stopping = new();
        private readonly int _target;

        public Relay(int port, int target)
        {
            _target = target;
            _listener = new TcpListener(IPAddress.Loopback, port);
            _listener.Start();
            _ = AcceptAsync();
        }

        public void Dispose()
        {
            _stopping.Cancel();
            _listener.Dispose();
            _stopping.Dispose();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true) _ = RelayAsync(await _listener.AcceptTcpClientAsync(_stopping.Token));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
            }
        }

        private async Task RelayAsync(TcpClient from)
        {
            using (from)
            using (var to = new TcpClient())
            {
                try
                {
                    await to.ConnectAsync(IPAddress.Loopback, _target, _stopping.Token);
                    await Task.WhenAny(
                        from.GetStream().CopyToAsync(to.GetStream(), _stopping.Token),
                        to.GetStream().CopyToAsync(from.GetStream(), _stopping.Token));
                }
                catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException)
                {
                }
            }
        }
    }
}
