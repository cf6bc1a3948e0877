using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ServiceDefaults.Tests;

public sealed class ListeningTests
{
    [Theory]
    [InlineData("http://0.0.0.0:0")]
    [InlineData("http://*:0")]
    [InlineData("http://[::]:0")]
    public async Task Start_AddressBeyondLoopback_Refuses(string url)
    {
        var exception = await Assert.ThrowsAnyAsync<Exception>(() => TestService.StartAsync(static _ => { }, url: url));
        Assert.Contains("Security:ListenBeyondLoopback", exception.ToString());
    }

    [Theory]
    [InlineData("localhost", null, HttpStatusCode.OK)]
    [InlineData("127.0.0.1:5101", null, HttpStatusCode.OK)]
    [InlineData("rebound.example", null, HttpStatusCode.BadRequest)]
    [InlineData("pacs.hospital.example", "pacs.hospital.example;localhost", HttpStatusCode.OK)]
    public async Task Answer_HostIsNotLoopbacksNorConfigured_Refuses(string host, string? allowed, HttpStatusCode expected)
    {
        await using var service = await TestService.StartAsync(static app => app.MapGet("/", static () => "ok"), new() { ["AllowedHosts"] = allowed });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { Host = host } };
        using var response = await service.Client.SendAsync(request);
        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task Start_AddressBeyondLoopbackAndToldTo_Listens()
    {
        await using var service = await TestService.StartAsync(static app => app.MapGet("/", static () => "ok"),
            new() { ["Security:ListenBeyondLoopback"] = "true" }, url: "http://0.0.0.0:0");
        using var client = new HttpClient();
        Assert.Equal("ok", await client.GetStringAsync($"http://127.0.0.1:{new Uri(service.Address.Replace("0.0.0.0", "h")).Port}/"));
    }

    [Fact]
    public async Task Start_KeepAliveConfigured_IsKestrelsLimit()
    {
        await using var service = await TestService.StartAsync(static _ => { }, new() { ["Kestrel:Limits:KeepAliveTimeout"] = "00:01:15" });
        Assert.Equal(TimeSpan.FromSeconds(75), service.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits.KeepAliveTimeout);
    }
}
