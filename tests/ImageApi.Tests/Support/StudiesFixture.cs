namespace ImageApi.Tests.Support;

/// <summary>One service over <see cref="SyntheticStudies"/>, shared by the tests that only read.</summary>
public sealed class StudiesFixture : IAsyncLifetime
{
    internal ImageApiHost Host { get; private set; } = null!;

    public async Task InitializeAsync() => Host = await ImageApiHost.StartAsync(SyntheticStudies.Fill);

    public async Task DisposeAsync() => await Host.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class StudiesCollection : ICollectionFixture<StudiesFixture>
{
    public const string Name = "Synthetic studies";
}
