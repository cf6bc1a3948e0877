namespace Platform.TieredCache.Tests;

public class CircuitBreakerTests
{
    [Fact]
    public void TryEnter_FailuresInARow_OpensThenLetsOneTry()
    {
        var time = new ManualTime();
        var breaker = new CircuitBreaker(3, TimeSpan.FromSeconds(2), time);
        foreach (var _ in Enumerable.Range(0, 2)) breaker.Failed();
        breaker.Succeeded();
        foreach (var _ in Enumerable.Range(0, 2)) breaker.Failed();
        Assert.True(breaker.TryEnter());
        breaker.Failed();
        Assert.False(breaker.TryEnter());
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(breaker.TryEnter());
        Assert.False(breaker.TryEnter());
        breaker.Failed();
        Assert.False(breaker.TryEnter());
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(breaker.TryEnter());
        breaker.Succeeded();
        Assert.True(breaker.TryEnter() && breaker.TryEnter());
    }
}
