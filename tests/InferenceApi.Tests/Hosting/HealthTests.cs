using System.Net;
using InferenceApi.Tests.Support;

namespace InferenceApi.Tests.Hosting;

public class HealthTests
{
    [Fact]
    public async Task GetHealth_NoModelLoaded_IsReady()
    {
        await using var server = new InferenceServer();
        using var client = server.CreateClient();

        using var health = await client.GetAsync("/health");

        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [Fact]
    public async Task Get_NoSuchResource_IsAProblem()
    {
        await using var server = new InferenceServer();
        using var client = server.CreateClient();

        using var answer = await client.GetAsync("/none");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }
}
