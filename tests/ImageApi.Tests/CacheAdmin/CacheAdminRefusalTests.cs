using System.Net;
using ImageApi.Tests.Support;

namespace ImageApi.Tests.CacheAdmin;

/// <summary>What the cache's resources refuse, and that nothing happens then.</summary>
[Collection(StudiesCollection.Name)]
public sealed class CacheAdminRefusalTests(StudiesFixture studies)
{
    private readonly ImageApiHost _host = studies.Host;

    [Theory]
    [InlineData("tier=origin")]
    [InlineData("tier=1")]
    [InlineData("kind=dream")]
    [InlineData("order=random")]
    [InlineData("limit=0")]
    [InlineData("limit=501")]
    [InlineData("after=%00nonsense")]
    public async Task Entries_ParameterThatCannotBe_IsAProblem(string query)
    {
        using var response = await _host.SendAsync("/api/cache/entries?" + query);
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadRequest, "urn:platform:problem:invalid-parameter");
    }

    [Theory]
    [InlineData("""{"confirm":true,"tier":"origin"}""")]
    [InlineData("""{"confirm":true,"tier":"memory","kind":"frame"}""")]
    [InlineData("""{"confirm":true,"kind":"dream"}""")]
    [InlineData("""{"confirm":true,"serie":"1.2.3"}""")]
    [InlineData("""{"confirm":"yes"}""")]
    [InlineData("""[]""")]
    [InlineData("""null""")]
    [InlineData("""{""")]
    public async Task Clear_WhatIsNotUnderstood_ClearsNothing(string body)
    {
        (await _host.SendAsync($"/dicomweb/studies/{SyntheticStudies.Study}/metadata")).EnsureSuccessStatusCode().Dispose();
        var before = await EntriesAsync();
        Assert.True(before > 0);
        using var response = await _host.Client.PostAsync("/api/cache/clear", new StringContent(body, null, "application/json"));
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadRequest);
        Assert.True(await EntriesAsync() >= before);
    }

    private async Task<int> EntriesAsync() => (await (await _host.SendAsync("/api/cache/entries?tier=memory&limit=500")).JsonAsync()).GetProperty("entries").GetArrayLength();
}
