using Platform.Tests.Shared.Faults;

namespace Platform.HttpCache.Tests;

/// <summary>RFC 9111 4.1: which requests an answer is for.</summary>
public class VaryTests
{
    [Theory]
    [InlineData(true, "Vary: Foo", "Foo: 1", "Foo: 1")]
    [InlineData(false, "Vary: Foo", "Foo: 1", "Foo: 2")]
    [InlineData(false, "Vary: Foo", "Foo: 1", "X: 1")]
    [InlineData(false, "Vary: foo", "X: 1", "Foo: 1")]
    [InlineData(false, "Vary: Foo", "Foo: 1", "Foo:")]
    [InlineData(true, "Vary: Foo", "Other: 1", "Other: 2")]
    [InlineData(true, "Vary: ,Foo, ,", "Foo: 1, 2", "Foo: 1 ,2")]                            // lists are compared without their spaces
    [InlineData(false, "Vary: Foo", "Foo: \"1, 2\"", "Foo: \"1,2\"")]                        // but for what is quoted
    [InlineData(false, "Vary: Foo", "Foo: 1, 2", "Foo: 2, 1")]
    [InlineData(true, "Vary: Accept-Language", "Accept-Language: en, de", "Accept-Language: De,eN")]
    [InlineData(false, "Vary: Accept-Language", "Accept-Language: en, de;q=0.5", "Accept-Language: en;q=0.5, de")]
    [InlineData(false, "Vary: *", "Foo: 1", "Foo: 1")]
    [InlineData(false, "Vary: Foo, *", "Foo: 1", "Foo: 1")]
    [InlineData(false, "Vary: , *", "Foo: 1", "Foo: 1")]
    public async Task Get_Vary_DecidesWhoGetsIt(bool isHit, string vary, string first, string second)
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, "body", "Cache-Control: max-age=60", vary));
        await host.GetAsync("a", first);
        Assert.Equal(isHit, (await host.GetAsync("a", second)).IsHit);
    }

    [Fact]
    public async Task Get_LinesOfOneField_AreJoined()
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, "body", "Cache-Control: max-age=60", "Vary: Foo"));
        await host.GetAsync("a", "Foo: 1, 2");
        Assert.True((await host.GetAsync("a", "Foo: 1", "Foo: 2")).IsHit);
    }

    [Fact]
    public async Task Get_SeveralVariants_AreKeptSideBySide()
    {
        await using var host = new CacheHost(request => OriginReply.Of(200, $"for {request["Foo"]}", "Cache-Control: max-age=60", "Vary: Foo"));
        for (var round = 0; round < 2; round++)
            for (var i = 0; i < 5; i++) Assert.Equal($"for {i}", (await host.GetAsync("a", $"Foo: {i}")).Text);
        Assert.Equal(5, host.Asked);
        Assert.StartsWith("platform; fwd=vary-miss", (await host.GetAsync("a", "Foo: 9"))["Cache-Status"]);
    }

    [Fact]
    public async Task Get_ManyVariants_KeepsTheLatest()
    {
        await using var host = new CacheHost(request => OriginReply.Of(200, $"for {request["Foo"]}", "Cache-Control: max-age=60", "Vary: Foo"), new HttpCacheOptions { Name = "test", MaxVariants = 3 });
        for (var i = 0; i < 10; i++) await host.GetAsync("a", $"Foo: {i}");
        Assert.True((await host.GetAsync("a", "Foo: 9")).IsHit);
        Assert.True((await host.GetAsync("a", "Foo: 7")).IsHit);
        Assert.False((await host.GetAsync("a", "Foo: 1")).IsHit);
    }

    [Fact]
    public async Task Get_VariantsLargerThanARecord_LeaveOldestFirst()
    {
        var fill = new string('x', 12000);
        await using var host = new CacheHost(request => OriginReply.Of(200, $"for {request["Foo"]}", "Cache-Control: max-age=60", "Vary: Foo", $"X-Fill: {fill}"));
        for (var i = 0; i < 10; i++) await host.GetAsync("a", $"Foo: {i}");
        Assert.True((await host.GetAsync("a", "Foo: 9")).IsHit);
        Assert.False((await host.GetAsync("a", "Foo: 0")).IsHit);
    }

    [Fact]
    public async Task Get_HeaderBeyondTheBound_IsPassedOnUnstored()
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, "body", "Cache-Control: max-age=60", $"X-Fill: {new string('x', 20000)}"));
        Assert.Equal(20000, (await host.GetAsync())["X-Fill"]!.Length);
        Assert.False((await host.GetAsync()).IsHit);
    }
}
