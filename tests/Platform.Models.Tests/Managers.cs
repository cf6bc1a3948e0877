namespace Platform.Models.Tests;

internal static class Managers
{
    private static readonly HttpMessageInvoker Http = new(ModelFetcher.CreateHandler());

    public static ModelManager Make(string store, string manifests, IModelOptimiser? optimiser = null, Action<ModelStoreOptions>? change = null, Action<ModelFetchOptions>? fetch = null)
    {
        var options = new ModelStoreOptions { Path = store, MinFreeBytes = 0 };
        change?.Invoke(options);
        var fetching = new ModelFetchOptions { RetryDelay = TimeSpan.FromMilliseconds(10), IdleTimeout = TimeSpan.FromSeconds(10) };
        fetch?.Invoke(fetching);
        return new ModelManager(new ModelStore(options), new ModelFetcher(Http, fetching), manifests, optimiser);
    }
}
