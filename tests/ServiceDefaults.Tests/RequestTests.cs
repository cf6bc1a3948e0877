using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ServiceDefaults.Requests;

namespace ServiceDefaults.Tests;

public sealed class RequestTests
{
    [Fact]
    public async Task Answer_CallerSendsToken_CarriesThatRequestId()
    {
        await using var service = await TestService.StartAsync(static app => app.MapGet("/", static () => "ok"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("X-Request-Id", "viewer-17");
        using var response = await service.Client.SendAsync(request);
        Assert.Equal("viewer-17", Assert.Single(response.Headers.GetValues("X-Request-Id")));
    }

    [Theory]
    [InlineData("Doe^John born 1970")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task Answer_CallerSendsAnythingElse_CarriesOurOwnRequestId(string sent)
    {
        await using var service = await TestService.StartAsync(static app => app.MapGet("/", static () => "ok"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.TryAddWithoutValidation("X-Request-Id", sent);
        using var response = await service.Client.SendAsync(request);
        Assert.NotEqual(sent, Assert.Single(response.Headers.GetValues("X-Request-Id")));
    }

    [Fact]
    public async Task Answer_StepsAdded_CarriesServerTiming()
    {
        await using var service = await TestService.StartAsync(static app => app.MapGet("/", static (HttpContext context) =>
        {
            context.ServerTiming().Add("cache", TimeSpan.FromMilliseconds(1.5), "memory");
            context.ServerTiming().Add("origin", TimeSpan.FromMilliseconds(20));
            return "ok";
        }));
        using var response = await service.Client.GetAsync("/");
        Assert.Equal("cache;desc=\"memory\";dur=1.5, origin;dur=20", string.Join(", ", response.Headers.GetValues("Server-Timing")));
    }

    [Fact]
    public async Task Log_QueryNamesAPatient_LineHasTemplateAndNoQuery()
    {
        await using var service = await TestService.StartAsync(static app => app.MapGet("/studies/{study}", static (string study) => study));
        await service.Client.GetStringAsync("/studies/1.2.3?PatientName=Doe^John");
        await WaitUntilAsync(() => service.Log.Any(static line => line.Contains("GET /studies/{study} 200 in")));
        Assert.DoesNotContain(service.Log, static line => line.Contains("Doe") || line.Contains("1.2.3"));
    }

    [Fact]
    public async Task Log_Production_HasNoLinePerRequest()
    {
        await using var service = await TestService.StartAsync(static app => app.MapGet("/quiet-route", static () => "ok"), environment: "Production");
        await service.Client.GetStringAsync("/quiet-route");
        Assert.DoesNotContain(service.Log, static line => line.Contains("/quiet-route"));
    }

    [Fact]
    public async Task Problem_Written_CarriesTheRequestId()
    {
        await using var service = await TestService.StartAsync(static app => app.MapGet("/p", static () => Results.Problem(statusCode: 409)));
        using var response = await service.Client.GetAsync("/p");
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains(response.Headers.GetValues("X-Request-Id").Single(), await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/health", "Healthy")]
    [InlineData("/alive", "Healthy")]
    [InlineData("/openapi/v1.json", "\"openapi\"")]
    public async Task DefaultEndpoints_Asked_Answer(string path, string expected)
    {
        await using var service = await TestService.StartAsync(static _ => { });
        Assert.Contains(expected, await service.Client.GetStringAsync(path));
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        while (!condition()) await Task.Delay(10, limit.Token);
    }
}
