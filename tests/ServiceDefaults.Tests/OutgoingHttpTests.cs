using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ServiceDefaults.Tests;

public sealed class OutgoingHttpTests
{
    [Fact]
    public async Task Client_LogicalName_ReachesTheServiceTheHostNamed()
    {
        await using var target = await TestService.StartAsync(static app => app.MapGet("/who", static () => "image-api"));
        await using var caller = await TestService.StartAsync(static _ => { }, new() { ["services:image-api:http:0"] = target.Address });
        var client = caller.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        Assert.Equal("image-api", await client.GetStringAsync("http://image-api/who"));
        Assert.Equal("image-api", await client.GetStringAsync("https+http://image-api/who"));
    }

    [Fact]
    public async Task Client_ServiceFailsTwice_RetriesAGet()
    {
        var calls = 0;
        await using var target = await TestService.StartAsync(app =>
            app.MapGet("/", () => Interlocked.Increment(ref calls) < 3 ? Results.StatusCode(503) : Results.Ok("third")));
        var client = target.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        Assert.Equal("\"third\"", await client.GetStringAsync(target.Address));
        Assert.Equal(3, calls);
    }

    [Fact]
    public async Task Client_ServiceFails_SendsAPostOnce()
    {
        var calls = 0;
        await using var target = await TestService.StartAsync(app =>
            app.MapPost("/", () => { Interlocked.Increment(ref calls); return Results.StatusCode(503); }));
        var client = target.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        using var response = await client.PostAsync(target.Address, null);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(1, calls);
    }
}
