using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using ImageApi.Settings;
using ImageApi.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace ImageApi.Tests.CacheAdmin;

/// <summary>Unsafe administration requests come from this machine and from nobody else's page.</summary>
[Collection(StudiesCollection.Name)]
public sealed class AdministrationGuardTests(StudiesFixture studies)
{
    private readonly ImageApiHost _host = studies.Host;

    public static TheoryData<string, string> Unsafe() => new()
    {
        { "POST", "/api/cache/clear" },
        { "POST", "/api/cache/scrub" },
        { "DELETE", "/api/cache/scrub" },
        { "PUT", "/api/cache/settings" },
    };

    [Theory]
    [MemberData(nameof(Unsafe))]
    public async Task Send_FromAPageOfAnotherSite_IsRefused(string method, string path)
    {
        foreach (var (name, value) in new[] { ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Origin", "https://evil.example"), ("Origin", "null"), ("Origin", "http://localhost:5100") })
        {
            using var response = await SendAsync(method, path, (name, value));
            await ProblemAnswer.AssertAsync(response, HttpStatusCode.Forbidden, "urn:platform:problem:administration-refused");
        }
    }

    [Theory]
    [MemberData(nameof(Unsafe))]
    public async Task Send_ThroughAProxy_IsRefusedWithoutAuthentication(string method, string path)
    {
        foreach (var header in new[] { "X-Forwarded-For", "Forwarded", "X-Real-IP" })
        {
            using var response = await SendAsync(method, path, (header, "127.0.0.1"));
            await ProblemAnswer.AssertAsync(response, HttpStatusCode.Forbidden, "urn:platform:problem:administration-refused");
        }
    }

    [Theory]
    [MemberData(nameof(Unsafe))]
    public async Task Send_FromThisMachineOrOwnPage_IsNotRefused(string method, string path)
    {
        var own = _host.Address.GetLeftPart(UriPartial.Authority);
        foreach (var (name, value) in new[] { ("X-Nothing", "1"), ("Origin", own), ("Sec-Fetch-Site", "same-origin") })
        {
            using var response = await SendAsync(method, path, (name, value));
            Assert.NotEqual(HttpStatusCode.Forbidden, response.StatusCode);
        }
    }

    [Fact]
    public async Task Clear_AsAFormOfAnotherSiteCouldSendIt_IsNotRead()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/cache/clear") { Content = new StringContent("""{"confirm":true}""", null, "text/plain") };
        using var response = await _host.Client.SendAsync(request);
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.UnsupportedMediaType);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("10.2.0.1", false)]
    [InlineData("192.0.2.7", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData(null, false)]
    public async Task Invoke_FromAnAddress_OnlyThisMachineAndNamedNetworksPass(string? address, bool mayPass)
    {
        var guard = new AdministrationGuard(Options.Create(new AdministrationOptions { Networks = ["10.1.0.0/16"] }), NullLogger<AdministrationGuard>.Instance);
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = address is null ? null : IPAddress.Parse(address) } };
        Assert.Equal(mayPass, await PassesAsync(guard, context));

        context.User = new ClaimsPrincipal(new ClaimsIdentity("test"));
        Assert.True(await PassesAsync(guard, context));
    }

    [Fact]
    public void Validate_NetworkThatIsNone_IsNamed()
    {
        var result = new AdministrationOptionsValidator().Validate(null, new AdministrationOptions { Networks = ["10.0.0.0/8", "everywhere"] });
        Assert.Contains("everywhere", Assert.Single(result.Failures!), StringComparison.Ordinal);
    }

    private static async Task<bool> PassesAsync(AdministrationGuard guard, HttpContext context) =>
        await guard.InvokeAsync(new DefaultEndpointFilterInvocationContext(context), static _ => ValueTask.FromResult<object?>("passed")) is "passed";

    private async Task<HttpResponseMessage> SendAsync(string method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (path.EndsWith("clear", StringComparison.Ordinal)) request.Content = JsonContent.Create(new { confirm = false });
        foreach (var (name, value) in headers) Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return await _host.Client.SendAsync(request);
    }
}
